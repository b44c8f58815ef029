"""The table of registers: one row a register, belief and truth in two columns that align, under headings."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.models.numerals import hexadecimal
from app.models.register_table_model import (
    ROW_ROLE,
    Heading,
    RegisterColumn,
    RegisterRow,
    RegisterTableModel,
    cell_text,
)
from app.theme import Theme
from app.theme.typography import Size
from app.views.painting import LEFT, paint_ground, paint_text
from app.widgets.fact_table import FactTable
from core.events import Ring
from core.snapshot import RegisterGroup

LONGEST_VALUE = 12  # characters that may be typed for a register
WIDE_CHARACTERS = 64  # from this width on, in characters of the code face, the fields get a column of their own


class RegisterTable(FactTable):
    """The table itself: as wide as it must be, with the fields beside the values or, where narrow, beneath them."""

    def __init__(self, model: RegisterTableModel, theme: Theme) -> None:
        super().__init__(model, "Registers: what the guest believes beside what the CPU holds")
        self.delegate = RegisterDelegate(theme, self)
        self.setItemDelegate(self.delegate)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._registers = model
        self._heights: list[int] = []
        model.modelReset.connect(self._start_over)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.delegate.apply_theme(theme)
        self._fit_columns()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def fit_rows(self) -> None:
        """Give a second line to the rows whose fields stand beneath; only rows that need another height change."""
        heights = [self.delegate.row_height(row) for row in self._registers.rows]
        for at, height in enumerate(heights):
            if at >= len(self._heights) or self._heights[at] != height:
                self.setRowHeight(at, height)
        self._heights = heights

    def _start_over(self) -> None:
        self.clearSpans()
        self._heights = []
        for at, row in enumerate(self._registers.rows):
            if isinstance(row, Heading):
                self.setSpan(at, 0, 1, len(RegisterColumn))
        self.fit_rows()

    def _fit_columns(self) -> None:
        letter = self.delegate.letter
        width = self.viewport().width()
        wide = width >= WIDE_CHARACTERS * letter
        self.delegate.beneath = not wide
        name = round((9 if wide else 7.5) * letter)
        value = round(15 * letter) if wide else max(round(12 * letter), (width - name) // 2)
        self.setColumnHidden(RegisterColumn.FIELDS, not wide)
        self.setColumnWidth(RegisterColumn.NAME, name)
        self.setColumnWidth(RegisterColumn.BELIEVED, value)
        self.setColumnWidth(RegisterColumn.REAL, value)
        self.setColumnWidth(RegisterColumn.FIELDS, max(8, width - name - 2 * value))
        self.fit_rows()


class RegisterDelegate(QStyledItemDelegate):
    """Paints one cell: heading, name, value with its marks, fields."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.ring = Ring.KERNEL
        self.beneath = True
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.theme = theme
        self._mono, self._bold = theme.type.mono(), theme.type.mono(bold=True)
        self._caption = theme.type.mono(Size.CAPTION)
        self._heading = theme.type.sans(Size.CAPTION, bold=True)
        self._line = theme.type.row_height() - theme.space(1)
        self.letter = QFontMetricsF(self._mono).horizontalAdvance("0")

    def row_height(self, row: Heading | RegisterRow) -> int:
        """Pixels for that row, a second line of fields included."""
        if isinstance(row, Heading):
            return self._line + self.theme.space(2)
        return self._line + (self.theme.space(4) if self._has_second_line(row) else 0)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(8, self.row_height(index.data(ROW_ROLE)))

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """A line to type hexadecimal digits into."""
        editor = QLineEdit(parent)
        editor.setProperty("role", "cell")
        editor.setFont(self._mono)
        editor.setMaxLength(LONGEST_VALUE)
        editor.setAccessibleName(f"New value of {index.data(ROW_ROLE).register.name}, hexadecimal")
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Over the value, and not over the fields beneath it."""
        digits = option.rect.adjusted(self.theme.space(2) + round(1.5 * self.letter) - 3, 0, 0, 0)
        editor.setGeometry(digits.left(), digits.top(), round((LONGEST_VALUE - 1) * self.letter), self._line)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, palette = index.data(ROW_ROLE), self.theme.palette
        inner = option.rect.adjusted(self.theme.space(2), 0, 0, 0)
        if isinstance(row, Heading):
            inner.setTop(inner.top() + self.theme.space(2))
            paint_text(painter, inner, row.group.value, self._heading, palette.muted)
            return
        paint_ground(painter, option, self.theme)
        first = QRect(inner.left(), inner.top(), inner.width(), self._line)
        column = index.column()
        if column == RegisterColumn.NAME:
            paint_text(painter, first, row.register.name, self._mono, palette.text)
        elif column == RegisterColumn.FIELDS:
            paint_text(painter, first, cell_text(row.register, column), self._caption, palette.muted)
        else:
            self._paint_value(painter, first, row, column)
            if self._has_second_line(row):
                below = QRect(first.left(), first.bottom() - 1, first.width(), self.theme.space(4))
                paint_text(painter, below, self._detail(row, column), self._caption, palette.muted, LEFT)

    def _paint_value(self, painter: QPainter, rect: QRect, row: RegisterRow, column: int) -> None:
        register, palette = row.register, self.theme.palette
        real = column == RegisterColumn.REAL
        changed = row.real_changed if real else row.believed_changed
        value = hexadecimal(register.real if real else register.believed, register.bits)
        color = palette.text
        if real and not register.differs:
            color = palette.muted
        if changed:
            color = palette.ring_text(self.ring)
        mark_width = round(1.5 * self.letter)
        mark = "≠" if real and register.differs else "•" if changed else ""
        if mark:
            paint_text(painter, QRect(rect.left() - 2, rect.top(), mark_width, rect.height()), mark, self._bold, color)
        font = self._bold if changed or (real and register.differs) else self._mono
        paint_text(painter, rect.adjusted(mark_width, 0, 0, 0), value, font, color)

    def _has_second_line(self, row: RegisterRow) -> bool:
        register = row.register
        return (
            self.beneath
            and bool(register.detail)
            and (
                register.group is RegisterGroup.CONTROL
                or (register.differs and register.real_detail != register.detail)
            )
        )

    def _detail(self, row: RegisterRow, column: int) -> str:
        register = row.register
        return register.real_detail or register.detail if column == RegisterColumn.REAL else register.detail
