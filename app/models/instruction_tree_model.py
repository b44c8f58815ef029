"""What the guest's instructions cost under each kind: functions, and under them their instructions, dearest first."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from app.models.comparison import InstructionRow
from app.models.numerals import address, grouped
from core.vmm import kinds

Index = QModelIndex | QPersistentModelIndex
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
ROWS = 1 << 20  # more functions than a guest has


class InstructionTreeModel(QAbstractItemModel):
    """Column 0 names a function or an instruction, the others are kinds. `counts`: show counts in place of cycles."""

    def __init__(self, mono: QFont) -> None:
        super().__init__()
        self.functions: list[InstructionRow] = []
        self.kinds: tuple[str, ...] = ()
        self.counts = False
        self._mono = mono

    def show(self, functions: list[InstructionRow], kinds_shown: tuple[str, ...]) -> None:
        """Show these for these kinds."""
        self.beginResetModel()
        self.functions, self.kinds = functions, kinds_shown
        self.endResetModel()

    def show_counts(self, counts: bool) -> None:
        """Counts, which are measured, or cycles, which are modelled."""
        self.beginResetModel()
        self.counts = counts
        self.endResetModel()

    def set_font(self, mono: QFont) -> None:
        """The face of instructions and values."""
        self.beginResetModel()
        self._mono = mono
        self.endResetModel()

    def row_at(self, index: Index) -> InstructionRow:
        """The function or instruction there."""
        function = index.internalId()
        return self.functions[index.row()] if function == ROWS else self.functions[function].children[index.row()]

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        """See Qt: an instruction's index holds the row of its function."""
        inside = parent is not None and parent.isValid()
        if not self.hasIndex(row, column, parent if parent is not None else QModelIndex()):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() if inside and parent is not None else ROWS)

    def parent(self, child: Index | None = None) -> QModelIndex | QObject:  # type: ignore[override]
        """The function that an instruction stands in."""
        if child is None:
            return super().parent()
        if not child.isValid() or child.internalId() == ROWS:
            return QModelIndex()
        return self.createIndex(child.internalId(), 0, ROWS)

    def rowCount(self, parent: Index | None = None) -> int:
        """Functions, or the instructions of one."""
        if parent is None or not parent.isValid():
            return len(self.functions)
        if parent.internalId() != ROWS or parent.column() > 0:
            return 0
        return len(self.functions[parent.row()].children)

    def columnCount(self, parent: Index | None = None) -> int:
        """The name, and the kinds."""
        return 1 + len(self.kinds)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The kinds."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section <= len(self.kinds):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return "The guest's instruction" if section == 0 else kinds()[self.kinds[section - 1]].title
        if role == Qt.ItemDataRole.TextAlignmentRole and section:
            return RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                "Only instructions that left direct execution, under one kind at least, are here: all others cost the "
                "same everywhere."
                if section == 0
                else kinds()[self.kinds[section - 1]].summary
            )
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, face and explanation of a cell."""
        if not index.isValid():
            return None
        row = self.row_at(index)
        if index.column() == 0:
            return self._name(row, role)
        kind = self.kinds[index.column() - 1]
        if role == Qt.ItemDataRole.DisplayRole:
            value = (row.counts if self.counts else row.cycles).get(kind)
            return "" if value is None else grouped(value)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(row.words.get(kind, [])) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT
        return self._mono if role == Qt.ItemDataRole.FontRole else None

    def _name(self, row: InstructionRow, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{row.name}    {row.place}" if row.pc else row.name
        if role == Qt.ItemDataRole.ToolTipRole and row.pc:
            return f"{row.name} at {address(row.pc)}, {row.place or 'no source'}, in {row.guest}\nActivate to go there."
        if role == Qt.ItemDataRole.FontRole:
            return self._mono
        return None
