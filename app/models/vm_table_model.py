"""The VMs of the machine as rows of a table: who runs, with which share, in which memory. Weight, cap and memory can be
edited; what is wished is said by a signal, and shown when the machine says it is so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from core.layout import MIB
from core.snapshot import VmState, VmSummary

Index = QModelIndex | QPersistentModelIndex
WATCHED = 20  # snapshots over which a share is measured
SHARE_ROLE = Qt.ItemDataRole.UserRole  # (measured or None, entitled), 0 to 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, what it means, what it shows of a VM, whether it is a number; `edit` gives what is edited,
    `name` how what is shown is named where it is asked for; `words` are set in the face of words."""

    heading: str
    meaning: str
    show: Callable[[VmSummary], str]
    number: bool = False
    edit: Callable[[VmSummary], int] | None = None
    name: Callable[[VmSummary], str] | None = None
    words: bool = False

    @property
    def alignment(self) -> int:
        """Of the heading and of what stands under it."""
        side = Qt.AlignmentFlag.AlignRight if self.number else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


def _cap(vm: VmSummary) -> str:
    return "—" if vm.cap is None else f"{vm.cap} %"


VM, GUEST, KIND, STATE, SHARE, WEIGHT, CAP, MEMORY, TAKEN = range(9)
COLUMNS = (
    Column(
        "VM",
        "The VM's letter; that of the selected one is in bold. Click a row to look at that VM.",
        lambda vm: vm.letter,
    ),
    Column("Guest", "What runs in it.", lambda vm: vm.title, name=lambda vm: vm.guest, words=True),
    Column("Kind", "The kind of monitor under it.", lambda vm: vm.kind_title, name=lambda vm: vm.kind, words=True),
    Column(
        "State",
        "\n".join(f"{state.value}: {state.meaning}" for state in VmState),
        lambda vm: vm.state.value,
        words=True,
    ),
    Column(
        "Share",
        "Its part of all instructions of late, measured, and the part that its weight and cap entitle it to, which is "
        "the mark. A VM that waits leaves its part to the others.",
        lambda vm: "",
    ),
    Column(
        "Weight",
        "Its part of the CPU is its weight divided by the weights of all that want to run. Double-click to change it.",
        lambda vm: str(vm.weight),
        number=True,
        edit=lambda vm: vm.weight,
    ),
    Column(
        "Cap",
        "Percent of the CPU that it may have at most, even if nobody else wants it. Double-click; 0 is no cap.",
        _cap,
        number=True,
        edit=lambda vm: vm.cap or 0,
    ),
    Column("Memory", "RAM that is its own now.", lambda vm: f"{vm.memory / MIB:.0f} MiB", number=True),
    Column(
        "Taken",
        "Memory that the hypervisor has taken back from it, for others to have. Its guest sees no difference: a page "
        "comes back when it is touched, and another goes. Double-click to change it, in MiB.",
        lambda vm: f"{vm.taken_back / MIB:.0f} MiB",
        edit=lambda vm: vm.taken_back // MIB,
    ),
)


class VmTableModel(QAbstractTableModel):
    """Rows in the order of the VMs' making; `show` replaces them.

    weightWished, capWished, memoryWished  (letter, number) a cell was edited; a cap of 0 is none, memory in bytes
    """

    weightWished = Signal(str, int)
    capWished = Signal(str, int)
    memoryWished = Signal(str, int)

    def __init__(self, mono: QFont, sans: QFont) -> None:
        super().__init__()
        self._rows: tuple[VmSummary, ...] = ()
        self._selected = ""
        self._mono, self._sans = mono, sans
        self._counts: deque[dict[str, int]] = deque(maxlen=WATCHED)

    def clear(self) -> None:
        """As at power-on."""
        self.beginResetModel()
        self._rows = ()
        self._counts.clear()
        self.endResetModel()

    def count(self, vms: tuple[VmSummary, ...]) -> None:
        """Take in what each has executed, from which shares are measured."""
        counts = {vm.letter: vm.executed for vm in vms}
        if not self._counts or counts != self._counts[-1]:
            self._counts.append(counts)

    def show(self, vms: tuple[VmSummary, ...], selected: str) -> None:
        """Show these, of which one is `selected`."""
        self.count(vms)
        if [vm.letter for vm in vms] != [vm.letter for vm in self._rows]:
            self.beginResetModel()
            self._rows, self._selected = vms, selected
            self.endResetModel()
        elif (vms, selected) != (self._rows, self._selected):
            self._rows, self._selected = vms, selected
            if vms:
                self.dataChanged.emit(self.index(0, 0), self.index(len(vms) - 1, len(COLUMNS) - 1))

    def share(self, letter: str) -> float | None:
        """Its part of what the machine has executed of late, 0 to 1; None while nothing was seen to run."""
        if len(self._counts) < 2:
            return None
        first, last = self._counts[0], self._counts[-1]
        ran = {vm: count - first.get(vm, 0) for vm, count in last.items()}
        total = sum(ran.values())
        return ran.get(letter, 0) / total if total > 0 else None

    def letter(self, row: int) -> str:
        """The VM of a row; empty beyond the last."""
        return self._rows[row].letter if 0 <= row < len(self._rows) else ""

    def row_of(self, letter: str) -> int:
        """The row of a VM; -1 if it is not there."""
        return next((row for row, vm in enumerate(self._rows) if vm.letter == letter), -1)

    def set_fonts(self, mono: QFont, sans: QFont) -> None:
        """The faces for numbers and for words."""
        self._mono, self._sans = mono, sans

    def rowCount(self, parent: Index | None = None) -> int:
        """One a VM."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Those of `COLUMNS`."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return COLUMNS[section].alignment
        return COLUMNS[section].meaning or None if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Weight, cap and memory can be edited."""
        flags = super().flags(index)
        editable = index.isValid() and COLUMNS[index.column()].edit is not None
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, number to edit, share, face, alignment and tooltip of a cell."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        column, vm = COLUMNS[index.column()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._share_in_words(vm) if index.column() == SHARE else column.show(vm)
        if role == Qt.ItemDataRole.EditRole and column.edit is not None:
            return column.edit(vm)
        if role == SHARE_ROLE:
            return self.share(vm.letter), vm.entitled
        if role == Qt.ItemDataRole.ToolTipRole:
            if column.name is not None:
                return f"{column.show(vm)} ({column.name(vm)}). {column.meaning}"
            return vm.state.meaning if index.column() == STATE else column.meaning
        if role == Qt.ItemDataRole.FontRole:
            font = QFont(self._sans if column.words or index.column() == VM else self._mono)
            font.setWeight(
                QFont.Weight.DemiBold if index.column() == VM and vm.letter == self._selected else QFont.Weight.Normal
            )
            return font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.alignment
        return None

    def _share_in_words(self, vm: VmSummary) -> str:
        share = self.share(vm.letter)
        return f"{'—' if share is None else round(100 * share)} / {round(100 * vm.entitled)} %"

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Say what the person wishes. The row changes when the machine has done it."""
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or COLUMNS[index.column()].edit is None:
            return False
        letter, number = self._rows[index.row()].letter, int(value)
        if index.column() == WEIGHT:
            self.weightWished.emit(letter, number)
        elif index.column() == CAP:
            self.capWished.emit(letter, number)
        else:
            self.memoryWished.emit(letter, number * MIB)
        return True
