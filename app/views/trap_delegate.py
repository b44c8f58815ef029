"""How one cell of the trap table is drawn: marks in the colour of the ring that handled the trap, rings as coloured
digits, everything else quiet."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.models.numerals import ring_name
from app.models.trap_filter import TrapFilter
from app.models.trap_table_model import NUMERIC, TrapColumn, cell_text, short_handler
from app.theme import Theme
from app.theme.marks import paint_mark
from app.views.painting import LEFT, RIGHT, paint_ground, paint_text
from core.events import Trap

WORDS = frozenset({TrapColumn.CAUSE, TrapColumn.HANDLER, TrapColumn.OUTCOME})
QUIET = frozenset({TrapColumn.NUMBER, TrapColumn.TIME, TrapColumn.PC, TrapColumn.VECTOR, TrapColumn.CYCLES})


class TrapDelegate(QStyledItemDelegate):
    """Asks the filter for the trap of a row once a cell, and paints what the column shows of it."""

    def __init__(self, rows: TrapFilter, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._rows = rows
        self.terse = False  # the mark alone stands for the cause
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.theme = theme
        self._mono, self._sans = theme.type.mono(), theme.type.sans()
        self.letter = QFontMetricsF(self._mono).horizontalAdvance("0")

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        trap, column, palette = self._rows.trap(index.row()), index.column(), self.theme.palette
        paint_ground(painter, option, self.theme)
        inner = option.rect.adjusted(self.theme.space(2), 0, -self.theme.space(1), 0)
        if column == TrapColumn.RINGS:
            self._paint_rings(painter, inner, trap)
            return
        if column == TrapColumn.CAUSE:
            side = min(inner.height() - 4, round(2 * self.letter))
            mark = QRectF(inner.left(), inner.top() + (inner.height() - side) / 2, side, side)
            paint_mark(painter, trap.cause, mark, palette.ring_color(trap.ring_to))
            if self.terse:
                return
            inner.setLeft(inner.left() + side + self.theme.space(2))
        font: QFont = self._sans if column in WORDS else self._mono
        color = palette.muted if column in QUIET else palette.text
        text = short_handler(trap) if self.terse and column == TrapColumn.HANDLER else cell_text(trap, column)
        paint_text(painter, inner, text, font, color, RIGHT if column in NUMERIC else LEFT)

    def _paint_rings(self, painter: QPainter, rect: QRect, trap: Trap) -> None:
        palette, left = self.theme.palette, float(rect.left())
        for at, ring in enumerate((trap.ring_from, trap.ring_to, trap.ring_after)):
            if at:
                words = "→" if self.terse else " → "
                arrow = QRectF(left, rect.top(), len(words) * self.letter, rect.height())
                paint_text(painter, arrow, words, self._mono, palette.muted)
                left += len(words) * self.letter
            digit = ring_name(ring)
            cell = QRectF(left, rect.top(), len(digit) * self.letter + 1, rect.height())
            paint_text(painter, cell, digit, self._mono, palette.ring_text(ring))
            left += len(digit) * self.letter
