"""The traps: a timeline over (or beside) a table that can be filtered; a trap chosen in one is chosen in both."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.models.numerals import grouped
from app.models.trap_filter import TrapFilter
from app.models.trap_table_model import TrapTableModel
from app.theme import Theme
from app.theme.icons import Icon, icon
from app.views.cause_chips import CauseChips
from app.views.trap_rates import TrapRates
from app.views.trap_table import TrapTable
from app.views.trap_timeline import TrapTimeline
from app.views.view import Area, Loaded, View, ViewSpec
from core.snapshot import Snapshot

TYPING_PAUSE = 150  # milliseconds after the last key before the table is filtered

TALL = 380  # pixels of height from which on the timeline stands over the table, however wide the view is


class TrapsView(View):
    """Every departure from direct execution, as it happened.

    gotoRequested  (address) the person chose a trap: show its instruction
    """

    of_machine = True
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
        self.rate.setToolTip(self._what_is_kept(snapshot))
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

    def _what_is_kept(self, snapshot: Snapshot) -> str:
        words = "While it runs: measured over the last moment by the wall clock. While it stands: since power-on."
        kept, missing = len(self.model.log), self.model.log.missing
        if kept < snapshot.trap_count:
            words += f"\nThe table holds the newest {grouped(kept)} of {grouped(snapshot.trap_count)} traps"
            words += f"; {grouped(missing)} came too fast to be shown, and were only counted." if missing else "."
        return words

    def _share(self) -> None:
        total = 1000
        part = 230 if self.splitter.orientation() == Qt.Orientation.Horizontal else 400
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


VIEW = ViewSpec(
    id="traps",
    title="Traps",
    question="When, why and into which ring did the CPU leave direct execution?",
    area=Area.BOTTOM,
    order=0,
    make=TrapsView,
)
