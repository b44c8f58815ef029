"""The intercept bits of AMD-V as a list of switches: on, off, or without effect here, with the reason."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal

from app.models.vmcb_model import VmcbTableModel
from core.vmm.intercepts import INTERCEPTS, Intercept
from core.vmm.vmcb import FIELD, value_in

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (
    ("Intercept", "What makes the guest leave guest mode. A tick: it does."),
    ("When", "What the guest does, or what happens, for it."),
)
BY_LAB = "The emulated CPU lacks this intercept: the lab checks the bit in its place, as the manual says."


class InterceptModel(VmcbTableModel):
    """`flipped(code, on)` says what the person wants; the tick follows when the machine has it."""

    headings = HEADINGS
    length = len(INTERCEPTS)
    flipped = Signal(int, bool)

    def is_on(self, intercept: Intercept) -> bool:
        """Is its bit set?"""
        seen = self._seen
        return seen is not None and bool(value_in(seen.image, FIELD[intercept.field]) >> intercept.bit & 1)

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
