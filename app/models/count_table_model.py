"""The table of counts: a row for what was counted, a column for each kind; the last rows are modelled, and say so."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from app.models.comparison import MODELLED, CountRow
from app.models.numerals import grouped
from core.vmm import kinds

Index = QModelIndex | QPersistentModelIndex
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CountTableModel(QAbstractTableModel):
    """`show` replaces all."""

    def __init__(self, mono: QFont, what: str = "Count") -> None:
        super().__init__()
        self._what = what
        self.rows: list[CountRow] = []
        self.kinds: tuple[str, ...] = ()
        self._mono = mono

    def show(self, rows: list[CountRow], kinds_shown: tuple[str, ...]) -> None:
        """Show these rows for these kinds."""
        self.beginResetModel()
        self.rows, self.kinds = rows, kinds_shown
        self.endResetModel()

    def set_font(self, mono: QFont) -> None:
        """The face of the values."""
        self.beginResetModel()
        self._mono = mono
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """One a count."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """What is counted, and the kinds."""
        return 0 if parent is not None and parent.isValid() else 1 + len(self.kinds)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What was counted, and under which kind."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section <= len(self.kinds):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._what if section == 0 else kinds()[self.kinds[section - 1]].title
        if role == Qt.ItemDataRole.ToolTipRole:
            return "The same at every repetition." if section == 0 else kinds()[self.kinds[section - 1]].summary
        if role == Qt.ItemDataRole.TextAlignmentRole and section:
            return RIGHT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, face and explanation of a cell."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.meaning}\n({row.origin})"
        if index.column() == 0:
            if role == Qt.ItemDataRole.DisplayRole:
                return f"    {row.name}" if row.indent else f"{row.name} ({row.origin})"
            return None
        value = row.values.get(self.kinds[index.column() - 1])
        if role == Qt.ItemDataRole.DisplayRole:
            return "–" if not value else grouped(value)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {row.origin}: {value or 0}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT
        if role == Qt.ItemDataRole.FontRole:
            font = QFont(self._mono)
            font.setItalic(row.origin == MODELLED)
            return font
        return None
