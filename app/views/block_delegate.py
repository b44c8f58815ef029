"""How a block of the translation cache is painted: two listings, and the connectors that say what became what.

Colour means privilege here as everywhere: what is replaced in line stays in ring 1 and has its colour, what calls the
monitor has ring 0's. What is identical or only leads elsewhere has none.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models.block_model import CACHE_AT, GUEST_AT, LINK, ORIGINAL, ROW_ROLE, TRANSLATED, WHY, BlockModel, Reveal
from app.models.block_rows import BlockRow, Link
from app.models.fates import FATES
from app.theme import Theme
from app.theme.palette import blend
from app.theme.typography import Size
from app.views.painting import paint_text
from core.translations import Fate

ARROW, BAR, INSET = 4.0, 3, 8
FAINT = 0.35


class BlockDelegate(QStyledItemDelegate):
    """Paints every cell of a `BlockModel`. `fresh`, from 0 to 1, is how far the newest part has come into sight;
    `running`: mark where in the cache the CPU really is."""

    def __init__(self, model: BlockModel, theme: Theme) -> None:
        super().__init__()
        self._model = model
        self.fresh = 1.0
        self.running = True
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.theme = theme
        self._mono, self._small = theme.type.mono(), theme.type.sans(Size.CAPTION)
        self._bold = theme.type.mono(bold=True)
        self.letter = QFontMetricsF(self._mono).horizontalAdvance("0")

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(60, self.theme.type.row_height())

    def color_of(self, fate: Fate) -> QColor:
        """The colour for connectors, marks and words of that kind."""
        ring = FATES[fate].ring
        if ring is not None:
            return self.theme.palette.ring_text(ring)
        return self.theme.palette.text if fate is Fate.BRANCH else self.theme.palette.muted

    # -- painting

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: BlockRow = index.data(ROW_ROLE)
        painter.save()
        self._paint_ground(painter, option, row, index.column())
        if row.heading:
            self._paint_heading(painter, option, index.row())
        else:
            painter.setOpacity(self._opacity(index.column()))
            if index.column() == LINK:
                self._paint_link(painter, QRectF(option.rect), row)
            else:
                self._paint_cell(painter, option, row, self._model.text(index.row(), index.column()), index.column())
        painter.restore()

    def _opacity(self, column: int) -> float:
        newest = {
            Reveal.BYTES: (GUEST_AT, ORIGINAL), Reveal.INSTRUCTIONS: (ORIGINAL,), Reveal.FATES: (LINK, WHY),
            Reveal.ALL: (TRANSLATED, CACHE_AT),
        }  # fmt: skip
        return self.fresh if column in newest[self._model.reveal] else 1.0

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, row: BlockRow, column: int) -> None:
        palette, rect = self.theme.palette, option.rect
        next_ = row.of is not None and row.of.pc == self._model.pc
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, palette.selection)
        elif next_:
            painter.fillRect(rect, palette.ring_tint(1))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, palette.hover)
        elif row.of is not None and column in (TRANSLATED, CACHE_AT) and self._model.reveal is Reveal.ALL:
            ring = FATES[row.of.fate].ring
            if ring is not None:
                painter.fillRect(rect, palette.ring_tint(ring, 0.14 * self.fresh))
        there = row.first is not None and column == TRANSLATED and self.running
        if next_ and (column == GUEST_AT or there):
            painter.fillRect(rect.left(), rect.top(), BAR, rect.height(), palette.ring_color(1))

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, number: int) -> None:
        text = self._model.text(number, GUEST_AT)
        paint_text(painter, QRectF(option.rect).adjusted(INSET, 0, 0, 0), text, self._small, self.theme.palette.muted)

    def _paint_cell(
        self, painter: QPainter, option: QStyleOptionViewItem, row: BlockRow, text: str, column: int
    ) -> None:
        palette = self.theme.palette
        rect = QRectF(option.rect).adjusted(INSET, 0, -2, 0)
        if not text:
            return
        if column in (GUEST_AT, CACHE_AT):
            paint_text(painter, rect, text, self._mono, palette.muted)
        elif column == WHY:
            assert row.first is not None, "only a first row says why"
            name = FATES[row.first.fate].name
            paint_text(painter, rect, f"{name}: {text}", self._small, self.color_of(row.first.fate))
        elif column == ORIGINAL:
            bytes_only = self._model.reveal is Reveal.BYTES
            paint_text(painter, rect, text, self._mono, palette.muted if bytes_only else palette.text)
        else:
            self._paint_translated(painter, rect, row, text)

    def _paint_translated(self, painter: QPainter, rect: QRectF, row: BlockRow, text: str) -> None:
        palette = self.theme.palette
        color = palette.muted if row.of is None else palette.text
        if row.of is not None and FATES[row.of.fate].ring is not None:
            color = self.color_of(row.of.fate)
        paint_text(painter, rect, text, self._mono, color)
        if row.note:
            used = (len(text) + 1) * self.letter
            rest = rect.adjusted(used, 0, 0, 0)
            if rest.width() > 6 * self.letter:
                paint_text(painter, rest, row.note, self._small, palette.muted)

    def _paint_link(self, painter: QPainter, rect: QRectF, row: BlockRow) -> None:
        """From the guest's instruction to each of those that it became, an arrow; its letter says which kind."""
        if row.of is None or self._model.reveal < Reveal.FATES:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fate, color = row.of.fate, self.color_of(row.of.fate)
        if fate is Fate.COPIED:
            color = blend(self.theme.palette.surface, color, 0.7)
        pen = QPen(color, self.theme.line_width, Qt.PenStyle.DashLine if fate is Fate.BRANCH else Qt.PenStyle.SolidLine)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if self._model.reveal is Reveal.ALL:
            painter.setPen(pen)
            self._paint_lines(painter, rect, row.link, color)
        if row.first is not None:
            side = min(rect.height() - 4, 2.2 * self.letter)
            disc = QRectF(rect.left() + 2, rect.center().y() - side / 2 + 0.5, side, side)
            painter.setPen(QPen(color, self.theme.line_width))
            filled = FATES[fate].ring is not None
            painter.setBrush(color if filled else self.theme.palette.surface)
            painter.drawEllipse(disc)
            painter.setPen(self.theme.palette.on(color) if filled else color)
            painter.setFont(self._bold)
            painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), FATES[fate].mark)

    def _paint_lines(self, painter: QPainter, rect: QRectF, link: Link, color: QColor) -> None:
        middle, trunk = rect.center().y() + 0.5, rect.left() + 2 + min(rect.height() - 4, 2.2 * self.letter) / 2
        end, bend = rect.right() - 1, 4.0
        path = QPainterPath()
        if link in (Link.ONLY, Link.FIRST):
            path.moveTo(trunk, middle)
            path.lineTo(end - ARROW, middle)
        if link is Link.FIRST:
            path.moveTo(trunk, middle)
            path.lineTo(trunk, rect.bottom() + 1)
        if link in (Link.MIDDLE, Link.LAST):
            path.moveTo(trunk, rect.top())
            path.lineTo(trunk, middle - bend)
            path.quadTo(trunk, middle, trunk + bend, middle)
            path.lineTo(end - ARROW, middle)
        if link is Link.MIDDLE:
            path.moveTo(trunk, middle - bend)
            path.lineTo(trunk, rect.bottom() + 1)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        tip = QPointF(end, middle)
        painter.drawPolygon(
            QPolygonF([tip, tip - QPointF(ARROW + 1, ARROW - 0.5), tip - QPointF(ARROW + 1, 0.5 - ARROW)])
        )
