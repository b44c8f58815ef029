"""Who shares the machine, and does each get its part? The VMs, their shares, and what one may do to them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.models.vm_table_model import CAP, COLUMNS, GUEST, KIND, SHARE, SHARE_ROLE, STATE, VmTableModel
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.fact_table import GAP, FactTable, give_way
from core.layout import MIB
from core.snapshot import Snapshot, VmState, VmSummary

Index = QModelIndex | QPersistentModelIndex
BAR, MARK = 3, 2  # pixels: how thick the bar is, how wide the mark
MAY_SHOW = {STATE: [VmState.RUNNING.value], CAP: ["100 %"], SHARE: ["100 / 100 %"]}  # what comes and goes as it runs
SHORTEST_TITLE = "Trap-and-…"
BARE_NOTE = "The bare machine has one guest. Under a kind with a monitor there can be more."


class ShareDelegate(QStyledItemDelegate):
    """The measured share and the entitled one in words; under them a bar as long as the one, a mark where the other
    ends."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Words, bar, mark."""
        share, entitled = index.data(SHARE_ROLE)
        palette = self.theme.palette
        chosen = QStyleOptionViewItem(option)
        self.initStyleOption(chosen, index)
        chosen.widget.style().drawControl(chosen.widget.style().ControlElement.CE_ItemViewItem, chosen, painter)
        box = QRectF(option.rect.left() + 6, option.rect.bottom() - BAR - 1, option.rect.width() - 12, BAR)
        painter.save()
        painter.fillRect(box, palette.line)
        if share is not None:
            painter.fillRect(QRectF(box.left(), box.top(), box.width() * share, box.height()), palette.muted)
        mark = QRectF(box.left() + box.width() * entitled - MARK / 2, box.top() - 1, MARK, box.height() + 2)
        painter.fillRect(mark, palette.text)
        painter.restore()


class VmsView(View):
    """A row of buttons over a table of the VMs.

    addRequested                                      one more VM with the guest and kind that are chosen
    removeRequested, pauseRequested, resumeRequested  (letter)
    selectRequested                                   (letter) look at that VM
    weightRequested, capRequested, memoryRequested    (letter, number) a cap of 0 is none; memory to take, in bytes
    """

    empty_text = "Choose a guest and a kind of monitor. Here you will see the VMs of the machine and add others."

    of_machine = True
    addRequested = Signal()
    removeRequested = Signal(str)
    pauseRequested = Signal(str)
    resumeRequested = Signal(str)
    selectRequested = Signal(str)
    weightRequested = Signal(str, int)
    capRequested = Signal(str, int)
    memoryRequested = Signal(str, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = VmTableModel(theme.type.mono(Size.CAPTION), theme.type.sans())
        self.model.weightWished.connect(self.weightRequested)
        self.model.capWished.connect(self.capRequested)
        self.model.memoryWished.connect(self.memoryRequested)
        self._vms: tuple[VmSummary, ...] = ()
        self._selected = ""
        self.add = QPushButton("Add VM")
        self.add_other = QPushButton("Add other")
        self.others = QMenu(self.add_other)  # filled by who knows the guests
        self.add_other.setMenu(self.others)
        self.pause = QPushButton("Pause")
        self.remove = QPushButton("Remove")
        self.note = QLabel()
        self.note.setProperty("role", "quiet")
        self.note.setWordWrap(True)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.add.setToolTip("One more VM like the selected one: its guest under its kind of monitor.")
        self.add_other.setToolTip("One more VM with another guest, or under another kind of monitor.")
        self.remove.setToolTip("Power the selected VM off; its memory is free for others.")
        self.add.clicked.connect(self.addRequested)
        self.pause.clicked.connect(self._pause_or_resume)
        self.remove.clicked.connect(lambda: self.removeRequested.emit(self._selected))
        self.table = FactTable(self.model, "The VMs of the machine")
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.clicked.connect(self._choose)
        self.table.activated.connect(self._choose)
        self._shares = ShareDelegate(theme, self.table)
        self.table.setItemDelegateForColumn(SHARE, self._shares)
        self.set_content(self._laid_out())
        self.setAccessibleName("VMs")
        self._fit()

    def _laid_out(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 4, 8, 4)
        buttons.setSpacing(8)
        for button in (self.add, self.add_other, self.pause, self.remove):
            buttons.addWidget(button)
        buttons.addWidget(self.note, 1)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(buttons)
        layout.addWidget(self.table)
        return content

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine."""
        self.model.clear()

    def keep(self, snapshot: Snapshot) -> None:
        """Count what each VM executes, also while the view is hidden."""
        self.model.count(snapshot.vms)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the VMs as they are now."""
        known = len(self._vms)
        self._vms, self._selected = snapshot.vms, snapshot.vm
        self.model.show(snapshot.vms, snapshot.vm)
        if len(snapshot.vms) != known:
            self._fit()
        self.table.selectRow(self.model.row_of(snapshot.vm))
        bare = any(vm.kind == "bare" for vm in snapshot.vms)
        self.add.setEnabled(not bare)
        self.add_other.setEnabled(not bare)
        self.remove.setEnabled(len(snapshot.vms) > 1)
        self.pause.setText("Resume" if self._is_paused else "Pause")
        self.pause.setToolTip(
            "Let the selected VM run again."
            if self._is_paused
            else "Let the selected VM run no more for now; its time stands still."
        )
        free = max(snapshot.free_memory, 0) / MIB
        self.note.setText(BARE_NOTE if bare else f"{free:.0f} MiB are free for another VM.")
        self.set_empty(not snapshot.vms)

    @property
    def _is_paused(self) -> bool:
        return any(vm.letter == self._selected and vm.state is VmState.PAUSED for vm in self._vms)

    def _pause_or_resume(self) -> None:
        (self.resumeRequested if self._is_paused else self.pauseRequested).emit(self._selected)

    def _choose(self, index: QModelIndex) -> None:
        letter = self.model.letter(index.row())
        if letter and letter != self._selected:
            self.selectRequested.emit(letter)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self._shares.theme = theme
        self.model.set_fonts(theme.type.mono(Size.CAPTION), theme.type.sans())
        self._fit()

    def _fit(self) -> None:
        self.table.set_row_height(self.theme.type.row_height())
        widths = self.table.natural_widths(COLUMNS, self.theme, MAY_SHOW)
        least = QFontMetrics(self.theme.type.sans()).horizontalAdvance(SHORTEST_TITLE) + GAP
        room = self.width() - self.table.verticalScrollBar().sizeHint().width()
        give_way(widths, dict.fromkeys((KIND, GUEST), least), room)  # their tooltips have them whole
        self.table.set_widths(widths)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


VIEW = ViewSpec(
    id="vms",
    title="VMs",
    question="Who shares the machine, and does each get its part?",
    area=Area.BOTTOM,
    order=15,
    make=VmsView,
)
