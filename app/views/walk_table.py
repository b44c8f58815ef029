"""The table of a page walk: two lines a step, each set of tables in a column of its own."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem

from app.models.walk_table_model import CELL_ROLE, WalkCell, WalkTableModel
from app.theme import Theme
from app.theme.typography import Size
from app.views.painting import paint_ground, paint_text
from app.widgets.fact_table import FactTable
from core.events import Ring

NAME_LETTERS = 8.6


class WalkTable(FactTable):
    """As wide as there is room; the columns of the tables share it."""

    def __init__(self, model: WalkTableModel, theme: Theme) -> None:
        super().__init__(model, "Page walk, entry by entry")
        self.delegate = WalkDelegate(theme, self)
        self.setItemDelegate(self.delegate)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        model.modelReset.connect(self._fit)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.delegate.apply_theme(theme)
        self.set_row_height(self.delegate.row_height)
        self._fit()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        tables = self.model().columnCount() - 1
        if tables < 1:
            return
        name = round(NAME_LETTERS * self.delegate.letter)
        self.setColumnWidth(0, name)
        for column in range(1, tables + 1):
            self.setColumnWidth(column, (self.viewport().width() - name) // tables)


class WalkDelegate(QStyledItemDelegate):
    """Paints a step: its value and the names of its bits over where it stands; ≠ marks what lags."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.ring = Ring.KERNEL
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.theme = theme
        self._mono, self._bold = theme.type.mono(), theme.type.mono(bold=True)
        self._caption = theme.type.mono(Size.CAPTION)
        self._line = theme.type.row_height() - theme.space(1)
        self.row_height = 2 * self._line - theme.space(1)
        self.letter = QFontMetricsF(self._mono).horizontalAdvance("0")

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(8, self.row_height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        paint_ground(painter, option, self.theme)
        palette = self.theme.palette
        inner = option.rect.adjusted(self.theme.space(2), 0, -self.theme.space(1), 0)
        first = QRect(inner.left(), inner.top(), inner.width(), self._line)
        cell = index.data(CELL_ROLE)
        if not isinstance(cell, WalkCell):
            paint_text(painter, first, str(index.data() or ""), self.theme.type.sans(), palette.text)
            return
        below = QRect(inner.left(), inner.top() + self._line - self.theme.space(1), inner.width(), self._line)
        left = first.left()
        if cell.lags:
            paint_text(painter, first, "≠", self._bold, palette.text)
            left += round(1.5 * self.letter)
        if cell.value:
            font = self._bold if cell.lags else self._mono
            paint_text(
                painter, QRect(left, first.top(), first.right() - left, first.height()), cell.value, font, palette.text
            )
            left += round((len(cell.value) + 1) * self.letter)
        beside = QRect(left, first.top(), max(0, first.right() - left), first.height())
        paint_text(painter, beside, cell.aside, self._caption, palette.text)
        muted = palette.muted if cell.value else palette.text
        paint_text(painter, below, cell.beneath, self._caption, muted)
