"""The guest's processes as rows of a table: what each is, what it does, which one the CPU works for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from app.models.numerals import grouped, hexadecimal
from core.guest_system import GuestProcess

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, what it means, what it shows of a process, and whether it is a number."""

    heading: str
    meaning: str
    show: Callable[[GuestProcess], str]
    number: bool = True


def _mark(process: GuestProcess) -> str:
    if process.current and process.in_cr3:
        return "▶"
    if process.current:
        return "▷"
    return "·" if process.in_cr3 else ""


COLUMNS = (
    Column(
        "Now",
        "▶ the process that runs: the guest's own record and the CPU's CR3 agree.\n"
        "▷ only the guest's record says so. · only CR3 holds its page directory.",
        _mark,
        number=False,
    ),
    Column("PID", "The process's number.", lambda process: str(process.pid)),
    Column("Name", "The program it runs.", lambda process: process.name, number=False),
    Column("State", "Ready waits for the CPU, sleeping for an event.", lambda process: process.state, number=False),
    Column("Parent", "Number of the process that made it.", lambda process: str(process.parent or "—")),
    Column("Runs", "How often it was given the CPU.", lambda process: grouped(process.runs)),
    Column(
        "Directory",
        "Guest-physical address of its page directory: what CR3 holds while it runs.",
        lambda process: hexadecimal(process.directory, 32) if process.directory else "—",
        number=False,  # as wide as all others, and in the last column, which takes what room is left
    ),
)


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


class ProcessTableModel(QAbstractTableModel):
    """Rows in the order of the guest's own table; `show` replaces them."""

    def __init__(self, mono: QFont) -> None:
        super().__init__()
        self._rows: tuple[GuestProcess, ...] = ()
        self._mono = mono

    def show(self, processes: tuple[GuestProcess, ...]) -> None:
        """Show these; the selection stays where the number of rows does not change."""
        if len(processes) != len(self._rows):
            self.beginResetModel()
            self._rows = processes
            self.endResetModel()
        elif processes != self._rows:
            self._rows = processes
            if processes:
                self.dataChanged.emit(self.index(0, 0), self.index(len(processes) - 1, len(COLUMNS) - 1))

    def set_font(self, mono: QFont) -> None:
        """The face for numbers."""
        self._mono = mono
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """One a process."""
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
            return _alignment(COLUMNS[section])
        return COLUMNS[section].meaning if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, face, alignment and tooltip of a cell."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        column, process = COLUMNS[index.column()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.show(process)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.meaning
        if role == Qt.ItemDataRole.FontRole:
            font = QFont(self._mono)
            font.setWeight(QFont.Weight.DemiBold if process.current else QFont.Weight.Normal)
            return font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None
