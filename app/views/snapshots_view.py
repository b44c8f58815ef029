"""Which instants of VMs are kept, and how far has a VM come from them? The list, and what to do with each.

The pane that compares is `app.views.difference_pane`.
"""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.models.difference import Sides
from app.models.snapshot_table_model import COLUMNS, IMAGE, KIND, MEMORY, NAME, NOW, VM, SnapshotTableModel
from app.theme import Theme
from app.theme.typography import Size
from app.views.difference_pane import DifferencePane
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.empty_state import EmptyState
from app.widgets.fact_table import GAP, FactTable, give_way
from core.looks import Look
from core.snapshot import Snapshot, VmSummary
from core.vm_snapshots.divergence import Diverged
from core.vm_snapshots.shelf import SnapshotFact

ROWS, MANY_ROWS = 2, 8  # that are in sight at least: in a low view, in a high one
HIGH = 360  # pixels
FRAME = 2  # pixels, at most, that are drawn around a table that has the focus
LEAST = {KIND: "Trap-an…", VM: "A: peb…", NAME: "a longer name …", NOW: "999 page…", IMAGE: "999 page…"}
NONE_KEPT = (
    "A snapshot is a whole VM at one instant: its virtual CPU, memory, devices, and what it has written to its disk. "
    "“Take” keeps one; later you can put the VM back to it, clone others from it, or write it to a file that goes on "
    "elsewhere. Nothing of the monitor is in it."
)
NONE_CHOSEN = "Choose a snapshot first."
BARE = (
    "The bare machine has one guest, and no room for a clone. Load a guest under a kind with a monitor, and clone "
    "beside it; or export the VM, open the file, and choose another kind."
)


class SnapshotsView(View):
    """Buttons over the table of the snapshots, over what differs.

    takeRequested                      keep the VM that is looked at, as it is now
    revertRequested                    (name, letter) put that VM back to that instant
    renameRequested                    (name, new name)
    deleteRequested, exportRequested, diskExportRequested  (name)
    importRequested                    keep the VM in a file
    compareRequested                   (letter) how far has that VM come?
    choiceChanged                      another snapshot is chosen, or other things can be done with it
    lookChanged                        the map of memory is looked at, or not any more
    """

    takeRequested = Signal()
    revertRequested = Signal(str, str)
    renameRequested = Signal(str, str)
    deleteRequested = Signal(str)
    exportRequested = Signal(str)
    diskExportRequested = Signal(str)
    importRequested = Signal()
    compareRequested = Signal(str)
    choiceChanged = Signal()
    lookChanged = Signal()

    empty_text = "Choose a guest. Its VM can then be kept here at any instant, put back, cloned, and written to a file."
    of_machine = True

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = SnapshotTableModel(theme.type.mono(Size.CAPTION), theme.type.sans())
        self.model.renameWished.connect(self.renameRequested)
        self._vms: tuple[VmSummary, ...] = ()
        self._selected = ""
        self._naming = False  # the next snapshot to come is to be given a name
        self.difference = DifferencePane(theme)
        self.difference.compareRequested.connect(self.compareRequested)
        self.difference.sidesChanged.connect(self.lookChanged)
        self._make_buttons()
        self._make_table()
        self.none_kept = EmptyState(NONE_KEPT, theme)
        self.shown = QStackedWidget()
        self.shown.addWidget(self.none_kept)
        self.shown.addWidget(self.table)
        self.set_content(self._laid_out())
        self.setAccessibleName("Snapshots")
        self.setFocusProxy(self.table)
        self.apply_theme(theme)
        self._offer()

    def _make_buttons(self) -> None:
        self.take = QPushButton("Take")
        self.take.clicked.connect(self.takeRequested)
        self.revert = QPushButton("Revert")
        self.revert.clicked.connect(self.revert_chosen)
        self.clone = QPushButton("Clone")
        self.clones = QMenu(self.clone)  # filled by who knows the kinds
        self.clones.setToolTipsVisible(True)
        self.clone.setMenu(self.clones)
        self.more = QPushButton("More")
        self.more.setToolTip("Name it, throw it away, write it to a file, or keep the VM in a file.")
        self.menu = QMenu(self.more)
        self.menu.setToolTipsVisible(True)
        self.more.setMenu(self.menu)
        self.rename = self.menu.addAction("Rename", QKeySequence("F2"), self._rename)
        self.delete = self.menu.addAction("Delete", QKeySequence.StandardKey.Delete, self._delete)
        self.menu.addSeparator()
        self.export_vm = self.menu.addAction("Export VM file…", lambda: self.exportRequested.emit(self._name))
        self.export_disk = self.menu.addAction("Export disk image…", lambda: self.diskExportRequested.emit(self._name))
        self.bring_in = self.menu.addAction("Import VM file…", self.importRequested.emit)
        self.bring_in.setToolTip("Keep the VM in a file (.ringvm) among these.")
        self.take.setToolTip(
            "Keep the VM that you look at as it is now. In it: the virtual CPU, memory, devices, and the sectors "
            "written to its disk. Not in it: what its monitor made for it, as shadow page tables and translations; "
            "these are made again."
        )

    def _make_table(self) -> None:
        self.table = FactTable(self.model, "The snapshots that are kept")
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._offer_menu)
        self.table.selectionModel().selectionChanged.connect(self._chosen)
        for action in (self.rename, self.delete):  # by their keys, while the table has them
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.table.addAction(action)

    def _laid_out(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 4, 8, 4)
        buttons.setSpacing(8)
        for button in (self.take, self.revert, self.clone, self.more):
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(self.difference.sides)
        buttons.addWidget(self.difference.compare)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(buttons)
        layout.addWidget(self.shown, 2)
        layout.addWidget(self.difference, 1)
        return content

    # -- what is shown

    @property
    def look(self) -> Look:
        """The map of memory, if a VM as it is now is compared: pages that differ are told by their use."""
        return Look(map=self.difference.chosen is not Sides.KEPT_AND_IMAGE)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine; what is kept stays."""
        self._forget_now()

    def show_shelf(self, facts: tuple[SnapshotFact, ...]) -> None:
        """These are kept. One that has just been taken is chosen, and if the person took it here, is to be named."""
        known = {fact.number for fact in self.model.facts}
        chosen, row = self.chosen, self.table.currentIndex().row()
        self.model.show(facts)
        new = next((fact for fact in reversed(facts) if fact.number not in known), None)
        wanted = new if new is not None and (known or len(facts) == 1) else chosen
        at = self.model.row_of(wanted.number) if wanted is not None else -1
        if at < 0:
            at = min(max(row, 0), len(facts) - 1)
        if facts:
            self.table.selectionModel().setCurrentIndex(
                self.model.index(at, NAME),
                QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
            )
        self._fit()
        self._chosen()
        naming, self._naming = self._naming and new is not None, False
        if naming and self.isVisible():
            self.table.edit(self.model.index(at, NAME))

    def name_next(self) -> None:
        """Let the person name the snapshot that comes next."""
        self._naming = True

    def show_diverged(self, now: Diverged) -> None:
        """How far a VM had come when it was asked."""
        self.model.show_diverged(now)
        self.difference.show_diverged(now)
        self._fit()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """What can be done depends on which VMs there are."""
        other = (snapshot.vms, snapshot.vm) != (self._vms, self._selected)
        self._vms, self._selected = snapshot.vms, snapshot.vm
        self.difference.show_snapshot(snapshot)
        if other:
            self._offer()
        self.set_empty(not snapshot.vms and not self.model.facts)

    def _forget_now(self) -> None:
        self.model.show_diverged(None)
        self.difference.show_diverged(None)

    # -- what can be done

    @property
    def chosen(self) -> SnapshotFact | None:
        """The snapshot that is chosen."""
        row = self.table.currentIndex().row()
        return self.model.facts[row] if 0 <= row < len(self.model.facts) else None

    @property
    def _name(self) -> str:
        return self.chosen.name if self.chosen is not None else ""

    @property
    def to_revert(self) -> str:
        """The VM that would be put back: the one that is looked at if it runs that guest, else the one of which the
        snapshot was taken; empty: none."""
        fact = self.chosen
        if fact is None:
            return ""
        letters = {vm.letter for vm in self._vms if vm.guest == fact.guest}
        return next((letter for letter in (self._selected, fact.letter) if letter in letters), "")

    @property
    def why_no_revert(self) -> str:
        """Why no VM can be put back to the one that is chosen; empty if one can."""
        if self.chosen is None:
            return NONE_CHOSEN if self.model.facts else "No snapshot is kept. Take one first."
        return "" if self.to_revert else f"No VM here runs {self.chosen.title}. Clone one from the snapshot."

    @property
    def why_no_clone(self) -> str:
        """Why nothing can be cloned; empty if something can."""
        if self.chosen is None:
            return self.why_no_revert
        return BARE if any(vm.kind == "bare" for vm in self._vms) else ""

    def revert_chosen(self) -> None:
        """Put the VM back to the snapshot that is chosen."""
        if self.to_revert:
            self.revertRequested.emit(self._name, self.to_revert)

    def _chosen(self) -> None:
        self.difference.show_kept(self.chosen)
        self._offer()

    def _offer(self) -> None:
        """Let what makes sense be done, and say why the rest does not."""
        fact, letter = self.chosen, self.to_revert
        self.shown.setCurrentWidget(self.table if self.model.facts else self.none_kept)
        self.take.setEnabled(bool(self._vms))
        self.revert.setText(f"Revert {letter}".strip())
        name = fact.name if fact is not None else ""
        self._allow(
            self.revert,
            self.why_no_revert,
            f"Put VM {letter} back to “{name}”: its CPU, memory, devices, disk and console, and its own virtual time. "
            "The machine's time, and other VMs, go on. Undo takes it back.",
        )
        self._allow(
            self.clone,
            self.why_no_clone,
            f"One more VM that goes on from “{name}”, under its own kind or another.",
        )
        whole = "The whole VM (.ringvm): it goes on wherever it is opened, under any kind that can carry it."
        disk = "Its disk alone, as a raw image that any machine can be given."
        for action, tip in (
            (self.rename, "Give it another name."),
            (self.delete, "Throw it away. It can be brought back."),
            (self.export_vm, whole),
            (self.export_disk, disk if fact is None or fact.has_disk else "Its VM has no disk."),
        ):
            action.setEnabled(fact is not None)
            action.setToolTip(tip if fact is not None else self.why_no_revert)
        self.export_disk.setEnabled(fact is not None and fact.has_disk)
        self._show_difference()
        self.choiceChanged.emit()

    def _show_difference(self) -> None:
        """Where there is room for it beneath a few rows; with large type in a low view the table has the figures."""
        there = bool(self.model.facts)
        room = self.height() - self.take.sizeHint().height() - 8 - self.shown.minimumHeight()
        for widget in (self.difference, self.difference.sides):
            widget.setVisible(there and room >= self.difference.least)
        self.difference.compare.setVisible(there)

    def _allow(self, button: QPushButton, unless: str, tip: str) -> None:
        button.setEnabled(not unless)
        button.setToolTip(unless or tip)

    def _offer_menu(self, at: QPoint) -> None:
        if self.table.indexAt(at).isValid():
            self.menu.popup(self.table.viewport().mapToGlobal(at))

    def _rename(self) -> None:
        self.table.edit(self.model.index(self.table.currentIndex().row(), NAME))

    def _delete(self) -> None:
        self.deleteRequested.emit(self._name)

    # -- looks

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.none_kept.apply_theme(theme)
        self.difference.apply_theme(theme)
        self.model.set_fonts(theme.type.mono(Size.CAPTION), theme.type.sans())
        self._fit()

    def _fit(self) -> None:
        row, table = self.theme.type.row_height(), self.table
        table.set_row_height(row)
        fewest = max(ROWS, min(len(self.model.facts), MANY_ROWS)) if self.height() >= HIGH else ROWS
        self.shown.setMinimumHeight(table.horizontalHeader().sizeHint().height() + fewest * row + 2 * FRAME)
        widths = table.natural_widths(COLUMNS, self.theme)
        room = self.width() - table.verticalScrollBar().sizeHint().width()
        words = QFontMetrics(self.theme.type.sans())
        floors = {
            section: min(widths[section], words.horizontalAdvance(least) + GAP) for section, least in LEAST.items()
        }
        smallest = sum(floors.get(section, width) for section, width in enumerate(widths))
        for section, lacks in ((MEMORY, sum(widths) > room), (KIND, smallest - widths[MEMORY] > room)):
            table.setColumnHidden(section, lacks)  # other tooltips have it
            if lacks:
                widths[section] = 0
        give_way(widths, floors, room)  # their tooltips have them whole
        table.set_widths(widths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self._show_difference()


VIEW = ViewSpec(
    id="snapshots",
    title="Snapshots",
    question="Which instants of VMs are kept, and how far has a VM come from them?",
    area=Area.BOTTOM,
    order=16,
    make=SnapshotsView,
    behind="traps",
)
