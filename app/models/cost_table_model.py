"""The prices of the chosen generation as a table: cycles, how well each is known, on what measured, from where."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from app.models.cost_book import MOST, CostBook
from app.models.numerals import grouped
from core.costs import Work

Index = QModelIndex | QPersistentModelIndex
WORK, CYCLES, SHIPPED, KNOWN, CPU, SOURCE = range(6)
HEADINGS = ("Work", "Cycles", "As shipped", "How well known", "Measured on", "Source")
TIPS = (
    "A class of work that departures from direct execution are made of.",
    "Modelled cycles for one piece of it. Edit it: double-click, or F2.",
    "The figure that Ringside comes with.",
    "Seen in its source, from a second hand, recalled, computed, assumed, or your own.",
    "The processor of the measurement.",
    "Where the figure comes from.",
)
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CostTableModel(QAbstractTableModel):
    """Rows are classes of work; column CYCLES can be edited."""

    def __init__(self, book: CostBook, mono: QFont) -> None:
        super().__init__()
        self._book, self._mono = book, mono
        self._works = tuple(Work)
        book.changed.connect(self._refresh)

    def set_font(self, mono: QFont) -> None:
        """The face of figures."""
        self._mono = mono
        self._refresh()

    def _refresh(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(len(self._works) - 1, SOURCE))

    def rowCount(self, parent: Index | None = None) -> int:
        """One a class of work."""
        return 0 if parent is not None and parent.isValid() else len(self._works)

    def columnCount(self, parent: Index | None = None) -> int:
        """See HEADINGS."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Cycles can be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == CYCLES else flags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The headings and what they mean."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(HEADINGS):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in (CYCLES, SHIPPED):
            return RIGHT
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell."""
        if not index.isValid():
            return None
        work, column = self._works[index.row()], index.column()
        price, edited = self._book.price(work), self._book.is_edited(work)
        if role == Qt.ItemDataRole.EditRole and column == CYCLES:
            return price.cycles
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                work.value,
                grouped(price.cycles),
                grouped(self._book.shipped(work).cycles) if edited else "",
                price.known.value,
                price.cpu,
                price.source,
            )[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{work.meaning}\nThe figure is {price.known.phrase}.\n{price.source}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (CYCLES, SHIPPED):
            return RIGHT
        if role == Qt.ItemDataRole.FontRole and column in (CYCLES, SHIPPED):
            font = QFont(self._mono)
            font.setWeight(QFont.Weight.DemiBold if edited and column == CYCLES else QFont.Weight.Normal)
            return font
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The person's own price: a whole number from 0; anything else changes nothing."""
        if role != Qt.ItemDataRole.EditRole or index.column() != CYCLES:
            return False
        digits = "".join(str(value).split()).replace(",", "").replace("\u202f", "")
        if not digits.isdecimal() or int(digits) > MOST:
            return False
        self._book.edit(self._works[index.row()], int(digits))
        return True
