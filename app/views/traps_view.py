"""The traps: a timeline over (or beside) a table that can be filtered; a trap chosen in one is chosen in both."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.models.trap_filter import TrapFilter
from app.models.trap_table_model import HEADINGS, TrapColumn, TrapTableModel
from app.theme import Theme
from app.theme.icons import Icon, icon
from app.views.cause_chips import CauseChips
from app.views.trap_delegate import TrapDelegate
from app.views.trap_rates import TrapRates
from app.views.trap_timeline import TrapTimeline
from app.views.view import Area, Loaded, View, ViewSpec
from core.snapshot import Snapshot

TYPING_PAUSE = 150  # milliseconds after the last key before the table is filtered

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
    TrapColumn.NUMBER: 7,
    TrapColumn.TIME: 10,
    TrapColumn.VM: 0,
    TrapColumn.CAUSE: 7,
    TrapColumn.VECTOR: 0,
    TrapColumn.PC: 0,
}

TALL = 380  # pixels of height from which on the timeline stands over the table, however wide the view is


class TrapsView(View):
    """Every departure from direct execution, as it happened.

    gotoRequested  (address) the person chose a trap: show its instruction
    """

    gotoRequested = Signal(object)

    empty_text = "Every time the CPU leaves direct execution, a trap will be recorded here. Run or step the guest."

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(theme, parent)
        self._clock = clock
        self._generation = -1
        self._rates = TrapRates()
        self._stale = False
        self.model = TrapTableModel(self)
        self.rows = TrapFilter(self.model, self)
        self.timeline = TrapTimeline(self.rows, self.model.log, theme)
        self.table = TrapTable(self.rows, theme)
        self.search = QLineEdit()
        self.rate = QLabel()
        self.chips = CauseChips(theme, self.search, self.rate)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._arrange()
        self._typing = QTimer(self, singleShot=True, interval=TYPING_PAUSE)
        self._typing.timeout.connect(lambda: self.rows.set_text(self.search.text()))
        self.search.textChanged.connect(lambda: self._typing.start())
        self.search.returnPressed.connect(lambda: self.rows.set_text(self.search.text()))
        self.chips.chosen.connect(self.rows.set_causes)
        self.rows.modelReset.connect(self._filter_changed)
        self.timeline.trapChosen.connect(self._choose)
        self.table.rowChosen.connect(self._choose)
        QShortcut(
            QKeySequence.StandardKey.Find, self, self._find, context=Qt.ShortcutContext.WidgetWithChildrenShortcut
        )
        self.setFocusProxy(self.table)
        self.apply_theme(theme)

    # -- what the window says

    def keep(self, snapshot: Snapshot) -> None:
        """Record the traps of this snapshot, also while the view is hidden."""
        if snapshot.generation != self._generation:
            self._start_over(snapshot.generation)
        if snapshot.traps:
            self.model.append(snapshot.traps)
            self._stale = True

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what has been recorded."""
        self.keep(snapshot)
        self.rate.setText(self._rates.words(snapshot, self._clock()))
        self.set_empty(not len(self.model.log))
        if self._stale:
            self._stale = False
            self.chips.show_counts(snapshot.causes)
            self.timeline.refresh()
            self.table.follow_newest()

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine has no past."""
        self._start_over(loaded.generation)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.search.setFixedWidth(theme.type.pixels(152))
        self.rate.setContentsMargins(theme.space(2), theme.space(1), 0, 0)
        self._find_action.setIcon(icon(Icon.FIND, theme))
        self.chips.apply_theme(theme)
        self.timeline.apply_theme(theme)
        self.table.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        flat = self.width() > 2.4 * self.height() and self.height() < self.theme.type.pixels(TALL)
        orientation = Qt.Orientation.Horizontal if flat else Qt.Orientation.Vertical
        if orientation != self.splitter.orientation():
            self.splitter.setOrientation(orientation)
            self._share()

    # -- inside

    def _arrange(self) -> None:
        self.search.setPlaceholderText("Filter by words")
        self.search.setAccessibleName("Filter traps by words")
        self.search.setToolTip("Show only traps in which all these words occur (Ctrl+F).")
        self.search.setClearButtonEnabled(True)
        self._find_action = self.search.addAction(icon(Icon.FIND, self.theme), QLineEdit.ActionPosition.LeadingPosition)
        self.rate.setProperty("role", "quiet")
        self.rate.setAccessibleName("Rate of traps")
        self.rate.setToolTip("Measured over the last moment by the wall clock while running; totals while stopped.")
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        space = self.theme.space(1)
        self.chips.setContentsMargins(2 * space, space, 2 * space, space)
        column.addWidget(self.chips)
        self.splitter.addWidget(self.timeline)
        self.splitter.addWidget(self.table)
        self.splitter.setChildrenCollapsible(False)
        self._share()
        column.addWidget(self.splitter, 1)
        self.timeline.setMinimumSize(120, 48)
        self.table.setMinimumSize(160, 60)
        self.set_content(content)

    def _share(self) -> None:
        total = 1000
        part = 280 if self.splitter.orientation() == Qt.Orientation.Horizontal else 400
        self.splitter.setSizes([part, total - part])

    def _start_over(self, generation: int) -> None:
        self._generation = generation
        self.model.clear()
        self.chips.clear()
        self.timeline.choose(None)
        self.timeline.show_all()
        self._stale = False
        self.set_empty(True)

    def _filter_changed(self) -> None:
        self.timeline.choose(None)
        self.timeline.refresh()
        self.table.follow_newest()

    def _choose(self, row: int) -> None:
        self.timeline.choose(row)
        self.table.choose(row)
        self.gotoRequested.emit(self.rows.trap(row).pc)

    def _find(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()


class TrapTable(QTableView):
    """The table. It stays with the newest trap while its end is in sight, and otherwise where the person left it.

    rowChosen  (row) the person moved to another row
    """

    rowChosen = Signal(int)

    def __init__(self, rows: TrapFilter, theme: Theme) -> None:
        super().__init__()
        self._rows = rows
        self._moving = False
        self._at_end = True
        self._unwanted: set[TrapColumn] = set()
        self._delegate = TrapDelegate(rows, theme, self)
        self.setAccessibleName("Table of traps")
        self.setItemDelegate(self._delegate)
        self.setModel(rows)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setCornerButtonEnabled(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._offer_columns(header)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        rows.rowsRemoved.connect(self._trimmed)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._delegate.apply_theme(theme)
        self.verticalHeader().setMinimumSectionSize(8)
        self.verticalHeader().setDefaultSectionSize(theme.type.row_height() - theme.space(1))
        self._fit_columns()
        self.viewport().update()

    def follow_newest(self) -> None:
        """Scroll to the newest trap if the person was there."""
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
        """Set the widths: a narrow table has fewer and terser columns, in a wide one the outcome takes what is left."""
        letter, room = self._delegate.letter, self.viewport().width()
        self._delegate.terse = room < TERSE * letter
        for column, letters in LETTERS.items():
            terse = TERSE_LETTERS.get(column, letters) if self._delegate.terse else letters
            self.setColumnHidden(column, column in self._unwanted or not terse)
            self.setColumnWidth(column, round((terse or letters) * letter))
        others = sum(
            self.columnWidth(column)
            for column in TrapColumn
            if column != TrapColumn.OUTCOME and not self.isColumnHidden(column)
        )
        self.setColumnWidth(TrapColumn.OUTCOME, max(self.columnWidth(TrapColumn.OUTCOME), room - others))

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


VIEW = ViewSpec(
    id="traps",
    title="Traps",
    question="When, why and into which ring did the CPU leave direct execution?",
    area=Area.BOTTOM,
    order=0,
    make=TrapsView,
)
