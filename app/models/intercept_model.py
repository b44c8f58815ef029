"""The intercept bits of AMD-V as a list of switches: on, off, or without effect here, with the reason."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from core.looks import SeenVmcb
from core.vmm.intercepts import INTERCEPTS, Intercept
from core.vmm.vmcb import FIELD, value_in

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (
    ("Intercept", "What makes the guest leave guest mode. A tick: it does."),
    ("When", "What the guest does, or what happens, for it."),
)
BY_LAB = "The emulated CPU lacks this intercept: the lab checks the bit in its place, as the manual says."


class InterceptModel(QAbstractTableModel):
    """`flipped(code, on)` says what the person wants; the tick follows when the machine has it."""

    flipped = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__()
        self._seen: SeenVmcb | None = None

    def show(self, seen: SeenVmcb | None) -> None:
        """Show the bits of this control block."""
        if seen != self._seen:
            self._seen = seen
            self.dataChanged.emit(self.index(0, 0), self.index(len(INTERCEPTS) - 1, 1))

    def is_on(self, intercept: Intercept) -> bool:
        """Is its bit set?"""
        seen = self._seen
        return seen is not None and bool(value_in(seen.image, FIELD[intercept.field]) >> intercept.bit & 1)

    def rowCount(self, parent: Index | None = None) -> int:
        """One a bit."""
        return 0 if parent is not None and parent.isValid() else len(INTERCEPTS)

    def columnCount(self, parent: Index | None = None) -> int:
        """Those of `HEADINGS`."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(HEADINGS):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        at = {Qt.ItemDataRole.DisplayRole: 0, Qt.ItemDataRole.ToolTipRole: 1}.get(Qt.ItemDataRole(role))
        return None if at is None else HEADINGS[section][at]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name with its switch, and meaning."""
        if not index.isValid() or index.row() >= len(INTERCEPTS):
            return None
        intercept = INTERCEPTS[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return intercept.name if index.column() == 0 else intercept.inert or intercept.meaning
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if self.is_on(intercept) else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            why = intercept.inert or (BY_LAB if intercept.by_lab else intercept.required)
            return f"{intercept.name}, exit code {intercept.code:X}h: {intercept.meaning}. {why}".strip()
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """What has no effect is grey."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if INTERCEPTS[index.row()].inert:
            return Qt.ItemFlag.ItemIsSelectable
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else usual

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The person flips a switch."""
        if role != Qt.ItemDataRole.CheckStateRole or self._seen is None:
            return False
        self.flipped.emit(INTERCEPTS[index.row()].code, Qt.CheckState(value) is Qt.CheckState.Checked)
        return False
