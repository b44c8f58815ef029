"""The table of counts: a row for what was counted, a column for each kind; the last rows are modelled, and say so."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont

from app.models.comparison import MODELLED, CountRow
from app.models.kind_table_model import Index, KindTableModel
from app.models.numerals import grouped

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CountTableModel(KindTableModel[CountRow]):
    """`show_rows` replaces all."""

    def __init__(self, mono: QFont, what: str = "Count") -> None:
        super().__init__(mono, what, "The same at every repetition.")

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What was counted, and under which kind; figures stand to the right, and so do their headings."""
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal and section:
            return RIGHT
        return super().headerData(section, orientation, role)

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
