"""One source file of the guest as a Qt model: one row a line, and which instructions each line became."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.numerals import address as address_text

Index = QModelIndex | QPersistentModelIndex


class SourceModel(QAbstractListModel):
    """Rows are the lines of the file, from row 0 = line 1. `breakpoints` and `linked` are addresses, as everywhere."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = ""
        self.lines: list[str] = []
        self.current_row: int | None = None
        self.breakpoints: frozenset[int] = frozenset()
        self.linked: int | None = None  # row
        self.widest = 0  # letters in the longest line
        self._addresses: dict[int, list[int]] = {}
        self._coded: list[int] = []

    def begin(self, name: str, text: str, places: Mapping[int, tuple[str, int]]) -> None:
        """Show this file; `places` gives file and line (from 1) of each statement's address."""
        self.beginResetModel()
        self.name = name
        self.lines = [line.expandtabs(8) for line in text.splitlines()]
        self.widest = max(map(len, self.lines), default=0)
        self.current_row = self.linked = None
        found: defaultdict[int, list[int]] = defaultdict(list)
        for address, (file, line) in sorted(places.items()):
            if file == name:
                found[line - 1].append(address)
        self._addresses = dict(found)
        self._coded = sorted(self._addresses)
        self.endResetModel()

    def addresses(self, row: int) -> list[int]:
        """The addresses of the statements on that line, ascending."""
        return self._addresses.get(row, [])

    def next_coded(self, row: int) -> int | None:
        """That line, or the next one after it, that became instructions."""
        at = bisect_left(self._coded, row)
        return self._coded[at] if at < len(self._coded) else None

    def set_current(self, row: int | None) -> None:
        """Mark the line that the CPU is about to execute."""
        before, self.current_row = self.current_row, row
        self._touch(before, row)

    def set_linked(self, row: int | None) -> None:
        """Mark the line that belongs to the selected instruction."""
        before, self.linked = self.linked, row
        self._touch(before, row)

    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        """Mark the lines that hold one of these addresses."""
        if addresses != self.breakpoints:
            self.breakpoints = addresses
            if self.lines:
                self.dataChanged.emit(self.index(0), self.index(len(self.lines) - 1))

    def has_breakpoint(self, row: int) -> bool:
        """Does the machine stop before a statement of that line?"""
        return not self.breakpoints.isdisjoint(self.addresses(row))

    def key(self, row: int) -> object:
        """What stands in that row, by a name that outlives a reset."""
        return self.name, row

    def find(self, key: object) -> int | None:
        """The row of that key, if it is of this file."""
        match key:
            case (self.name, int(row)) if row < len(self.lines):
                return row
        return None

    # -- Qt's contract

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return self.lines[row]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(row)
        return None

    def _spoken(self, row: int) -> str:
        notes = ["current line"] if row == self.current_row else []
        notes += ["breakpoint"] if self.has_breakpoint(row) else []
        return ", ".join([f"line {row + 1}: {self.lines[row].strip()}", *notes])

    def _tooltip(self, row: int) -> str:
        addresses = self.addresses(row)
        if not addresses:
            return "This line became no instruction."
        places = ", ".join(address_text(address) for address in addresses)
        return f"Stands at {places}. Click in the margin to set or clear a breakpoint (F9)."

    def _touch(self, *rows: int | None) -> None:
        for row in rows:
            if row is not None and row < len(self.lines):
                self.dataChanged.emit(self.index(row), self.index(row))
