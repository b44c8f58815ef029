"""The table of traps, as wide as it is told and never further from the newest than the person wants."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView

from app.models.numerals import grouped
from app.models.trap_filter import TrapFilter
from app.models.trap_table_model import HEADINGS, TrapColumn
from app.theme import Theme
from app.views.trap_delegate import TrapDelegate
from app.widgets.fact_table import FactTable

LETTERS = {
    TrapColumn.NUMBER: 8,
    TrapColumn.TIME: 11,
    TrapColumn.VM: 3.5,
    TrapColumn.RINGS: 11,
    TrapColumn.CAUSE: 21,
    TrapColumn.VECTOR: 6.5,
    TrapColumn.PC: 11,
    TrapColumn.INSTRUCTION: 22,
    TrapColumn.HANDLER: 24,
    TrapColumn.OUTCOME: 36,
    TrapColumn.CYCLES: 8,
}
TERSE = 100  # letters of width under which the table is terse
TERSE_LETTERS = {  # 0: not shown; the tooltip says it all
    TrapColumn.NUMBER: 6,
    TrapColumn.TIME: 8,
    TrapColumn.VM: 0,
    TrapColumn.RINGS: 8.5,
    TrapColumn.CAUSE: 7,
    TrapColumn.VECTOR: 0,
    TrapColumn.PC: 0,
    TrapColumn.CYCLES: 0,
}
TERSEST_LETTERS = TERSE_LETTERS | {  # where even these are too many: the handler is last, nothing is scrolled to
    TrapColumn.NUMBER: 0,
    TrapColumn.CAUSE: 6.2,
    TrapColumn.INSTRUCTION: 13,
    TrapColumn.HANDLER: 10,
    TrapColumn.OUTCOME: 0,
}


class TrapTable(FactTable):
    """The table. It stays with the newest trap while its end is in sight, and otherwise where the person left it.

    rowChosen  (row) the person moved to another row
    """

    rowChosen = Signal(int)
    _moving = False  # Qt tells of a selection while the table is being made

    def __init__(self, rows: TrapFilter, theme: Theme) -> None:
        super().__init__(rows, "Table of traps")
        self._rows = rows
        self._at_end = True
        self._unwanted: set[TrapColumn] = set()
        self._digits = (0, 0)
        self._delegate = TrapDelegate(rows, theme, self)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._offer_columns(header)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        rows.rowsRemoved.connect(self._trimmed)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._delegate.apply_theme(theme)
        self.set_row_height(theme.type.row_height() - theme.space(1))
        self._fit_columns()
        self.viewport().update()

    def follow_newest(self) -> None:
        """Make room for its number and time, and scroll to the newest trap if the person was there."""
        if self._digits != (digits := self._digits_of_newest()):
            self._digits = digits
            self._fit_columns()
        if self._at_end:
            self._moving = True
            self.scrollToBottom()
            self._moving = False

    def choose(self, row: int) -> None:
        """Select that row and bring it into sight, without telling anyone."""
        self._moving = True
        index = self._rows.index(row, max(0, self.currentIndex().column()))
        self.selectionModel().setCurrentIndex(
            index,
            QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
        )
        horizontal = self.horizontalScrollBar().value()
        self.scrollTo(index)
        self.horizontalScrollBar().setValue(horizontal)
        self._moving = False
        self._scrolled()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if not self._moving and not selected.isEmpty():
            self.rowChosen.emit(selected.first().top())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        self.follow_newest()

    def _fit_columns(self) -> None:
        """Set the widths: a narrow table has fewer and terser columns, and the last takes what is left."""
        letter = self._delegate.letter
        room = self.width() - 2 * self.frameWidth() - self.verticalScrollBar().sizeHint().width()
        self._delegate.terse = room < TERSE * letter
        letters = self._letters(TERSE_LETTERS if self._delegate.terse else {})
        if self._delegate.terse and letter * (sum(letters.values()) - letters[TrapColumn.OUTCOME]) > room:
            letters = self._letters(TERSEST_LETTERS)
            if letter * sum(letters.values()) > room:  # the ring says whether it was a monitor
                letters |= {TrapColumn.HANDLER: 0, TrapColumn.INSTRUCTION: 9}
        widest = (TrapColumn.OUTCOME, TrapColumn.HANDLER, TrapColumn.INSTRUCTION)
        last = next((each for each in widest if letters[each]), TrapColumn.HANDLER)
        spare = max(0.0, room / letter - sum(letters.values()))
        if last is TrapColumn.HANDLER:  # which lets the instruction have its part
            part = min(LETTERS[TrapColumn.INSTRUCTION] - letters[TrapColumn.INSTRUCTION], spare / 2)
            letters[TrapColumn.INSTRUCTION] += part
            spare -= part
        letters[last] += spare
        for column, wanted in letters.items():
            self.setColumnHidden(column, not wanted)
            self.setColumnWidth(column, int(wanted * letter))

    def _letters(self, fewer: Mapping[TrapColumn, float]) -> dict[TrapColumn, float]:
        """The widths of the columns in letters: `fewer` where it says so, but never less than a number needs."""
        letters = {column: fewer.get(column, usual) for column, usual in LETTERS.items()}
        for column, digits in zip((TrapColumn.NUMBER, TrapColumn.TIME), self._digits, strict=True):
            if letters[column]:
                letters[column] = max(letters[column], digits + 2.2)
        return letters | dict.fromkeys(self._unwanted, 0)

    def _digits_of_newest(self) -> tuple[int, int]:
        """Letters in its number and in its time."""
        rows = self._rows.rowCount()
        if not rows:
            return 0, 0
        newest = self._rows.trap(rows - 1)
        return len(grouped(newest.number)), len(grouped(newest.time))

    def _offer_columns(self, header: QHeaderView) -> None:
        for column in TrapColumn:
            action = header.addAction(HEADINGS[column][0])
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lambda shown, column=column: self._want(column, shown))

    def _want(self, column: TrapColumn, wanted: bool) -> None:
        self._unwanted = self._unwanted - {column} if wanted else self._unwanted | {column}
        self._fit_columns()

    def _scrolled(self) -> None:
        if not self._moving:
            bar = self.verticalScrollBar()
            self._at_end = bar.value() >= bar.maximum()

    def _trimmed(self, _parent: QModelIndex, first: int, last: int) -> None:
        if not self._at_end:
            self._moving = True
            bar = self.verticalScrollBar()
            bar.setValue(max(0, bar.value() - (last - first + 1)))
            self._moving = False
