"""How one row of code is drawn: the margin with breakpoint and arrow, then address or line number, then the text.

Quiet on purpose: comments, directives and addresses step back, labels stand out by weight, and only the current line
has a colour, that of the ring in which it runs.
"""

from __future__ import annotations

import re
from functools import lru_cache

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models.listing import Gap, Known, Label
from app.models.listing_model import ListingModel
from app.models.numerals import address as address_text
from app.models.source_model import SourceModel
from app.theme import Theme
from app.views.painting import RIGHT, paint_ground, paint_text
from core.events import Ring

_TOKENS = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*")|(?P<comment>\#.*|//.*|/\*.*?(?:\*/|$)|;.*)|(?P<label>^\s*[\w.$]+:)|(?P<directive>(?<!\S)\.\w+)""",
    re.VERBOSE,
)
MOST_CODE_BYTES = 8
BYTES_FROM = 62  # letters of width from which on the bytes are shown too


@lru_cache(maxsize=4096)
def quiet_parts(line: str) -> tuple[tuple[int, str, str], ...]:
    """A source line cut into (column, text, kind); kind is ``plain``, ``comment``, ``label`` or ``directive``."""
    parts: list[tuple[int, str, str]] = []
    at = 0
    for match in _TOKENS.finditer(line):
        kind = match.lastgroup or ""
        if kind == "text":
            continue
        if line[at : match.start()].strip():
            parts.append((at, line[at : match.start()], "plain"))
        parts.append((match.start(), match.group(), kind))
        at = match.end()
    if line[at:].strip():
        parts.append((at, line[at:], "plain"))
    return tuple(parts)


class CodeDelegate(QStyledItemDelegate):
    """Paints one row; a subclass paints what stands right of the margin. All rows are equally high."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.ring = Ring.KERNEL
        self.ended = False  # is the current line the last one, and none next?
        self.width = 0  # pixels that the pane has
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`, and measure."""
        self.theme = theme
        self._mono, self._bold = theme.type.mono(), theme.type.mono(bold=True)
        self.letter = QFontMetricsF(self._mono).horizontalAdvance("0")
        self.row_height = theme.type.row_height() - theme.space(1)
        self.margin = round(3.8 * self.letter)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(self.margin + round(self.letters() * self.letter), self.row_height)

    def letters(self) -> int:
        """Letters in the longest row, right of the margin."""
        raise NotImplementedError

    def ground(self, painter: QPainter, option: QStyleOptionViewItem, *, here: bool, linked: bool) -> None:
        """Fill the row: tinted with a bar where the CPU is, quiet where the other pane points."""
        palette = self.theme.palette
        tint = palette.ring_tint(self.ring) if here else palette.raised if linked else None
        row = QRect(0, option.rect.top(), max(self.width, option.rect.right() + 1), option.rect.height())
        if here and tint is not None:
            painter.fillRect(row, tint)
            if option.state & QStyle.StateFlag.State_Selected:
                painter.setPen(palette.outline)
                painter.drawRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5))
            painter.fillRect(QRect(0, row.top(), 3, row.height()), palette.ring_color(self.ring))
            return
        paint_ground(painter, option, self.theme, tint)

    def paint_margin(
        self, painter: QPainter, option: QStyleOptionViewItem, *, stop: bool, possible: bool, here: bool
    ) -> None:
        """A disc for a breakpoint, a hollow one where the pointer could set one, an arrow at the current line; after
        the end a square at the last."""
        palette, rect = self.theme.palette, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = rect.top() + rect.height() / 2
        radius = min(self.letter * 0.62, rect.height() * 0.3)
        centre = QPointF(rect.left() + 1.4 * self.letter, middle)
        painter.setPen(Qt.PenStyle.NoPen)
        if stop:
            painter.setBrush(palette.text)
            painter.drawEllipse(centre, radius, radius)
        elif possible and option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(palette.outline)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius, radius)
        if here:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.ring_color(self.ring))
            left, half = rect.left() + 2.5 * self.letter, radius + 0.5
            if self.ended:
                painter.drawRect(QRectF(left, middle - radius, 2 * radius, 2 * radius))
                painter.restore()
                return
            painter.drawPolygon(
                QPolygonF(
                    [QPointF(left, middle - half), QPointF(left + 1.4 * half, middle), QPointF(left, middle + half)]
                )
            )
        painter.restore()

    def column(self, option: QStyleOptionViewItem, start: float, letters: float) -> QRectF:
        """The part of the row from letter `start` right of the margin, `letters` wide."""
        left = option.rect.left() + self.margin + start * self.letter
        return QRectF(left, option.rect.top(), letters * self.letter + 2, option.rect.height())

    def write(self, painter: QPainter, rect: QRectF, text: str, color: QColor, font: QFont | None = None) -> None:
        """Code in the code face, never shortened: what does not fit can be scrolled to."""
        painter.setFont(font or self._mono)
        painter.setPen(color)
        painter.drawText(
            rect, int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip), text
        )


class ListingDelegate(CodeDelegate):
    """Address, bytes where there is room, instruction; labels and gaps as rows of their own."""

    def __init__(self, model: ListingModel, theme: Theme) -> None:
        super().__init__(theme)
        self._model = model

    @property
    def _code_letters(self) -> int:
        return 3 * MOST_CODE_BYTES + 1 if self.width >= BYTES_FROM * self.letter else 0

    def letters(self) -> int:
        return 10 + self._code_letters + self._model.widest + 1

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, palette = self._model.rows[index.row()], self.theme.palette
        if isinstance(row, Label):
            self.ground(painter, option, here=False, linked=False)
            self.write(painter, self.column(option, 0, 60), f"{row.name}:", palette.text, self._bold)
            return
        if isinstance(row, Gap):
            self.write(painter, self.column(option, 0, 60), "⋯", palette.muted)
            return
        line, here = row.line, row.line.address == self._model.pc
        self.ground(painter, option, here=here, linked=line.address in self._model.linked)
        stop = line.address in self._model.breakpoints
        self.paint_margin(painter, option, stop=stop, possible=True, here=here)
        self.write(painter, self.column(option, 0, 9), address_text(line.address), palette.muted)
        if self._code_letters:
            code = line.code[:MOST_CODE_BYTES].hex(" ") + ("…" if len(line.code) > MOST_CODE_BYTES else "")
            self.write(painter, self.column(option, 10, self._code_letters), code, palette.muted)
        self._write_instruction(painter, self.column(option, 10 + self._code_letters, 60), row)

    def _write_instruction(self, painter: QPainter, rect: QRectF, row: Known) -> None:
        palette = self.theme.palette
        self.write(painter, rect, row.line.text, palette.text if row.live else palette.muted)


class SourceDelegate(CodeDelegate):
    """Line number and the source text, with comments and directives stepping back."""

    def __init__(self, model: SourceModel, theme: Theme) -> None:
        super().__init__(theme)
        self._model = model

    def letters(self) -> int:
        return self._number_letters + 1 + self._model.widest

    @property
    def _number_letters(self) -> int:
        return max(2, len(str(len(self._model.lines))))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, palette = index.row(), self.theme.palette
        here, possible = row == self._model.current_row, bool(self._model.addresses(row))
        self.ground(painter, option, here=here, linked=row == self._model.linked)
        self.paint_margin(painter, option, stop=self._model.has_breakpoint(row), possible=possible, here=here)
        digits = self._number_letters
        number_color = palette.muted if possible else palette.disabled
        paint_text(painter, self.column(option, 0, digits), str(row + 1), self._mono, number_color, RIGHT)
        for column, text, kind in quiet_parts(self._model.lines[row]):
            color = palette.muted if kind in ("comment", "directive") else palette.text
            font = self._bold if kind == "label" else None
            self.write(painter, self.column(option, digits + 1.5 + column, 200), text, color, font)
