"""The bits of the chosen page-table entry as a table: guest's entry and real entry beside each other, in words."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from app.models.entry_bits import EntryBit
from app.models.headings import heading_data

Index = QModelIndex | QPersistentModelIndex
MEANING = ("Bit", "Name of the bit; its tooltip says what it is for.")


class BitTableModel(QAbstractTableModel):
    """`show` takes the bits of the same entry in each set of tables, and the tables' titles."""

    def __init__(self, font: QFont, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._font = font
        self._sides: tuple[tuple[EntryBit, ...], ...] = ()
        self._headings: tuple[tuple[str, str], ...] = (MEANING,)

    def show(self, sides: tuple[tuple[EntryBit, ...], ...], titles: tuple[str, ...]) -> None:
        """Show these bits."""
        headings = (MEANING, *((title, f"What the entry says in: {title}.") for title in titles))
        sides = sides if any(sides) else ()
        if (sides, headings) == (self._sides, self._headings):
            return
        self.beginResetModel()
        self._sides, self._headings = sides, headings
        self.endResetModel()

    def set_font(self, font: QFont) -> None:
        """The face of values."""
        self._font = font

    @property
    def _longest(self) -> tuple[EntryBit, ...]:
        return max(self._sides, key=len, default=())

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._longest)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        named = self._longest[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{named.name}, {self._place(named)}. {named.meaning}"
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if index.column() == 0:
            return named.name
        side = self._sides[index.column() - 1] if index.column() <= len(self._sides) else ()
        if index.row() >= len(side):
            return ""
        bit = side[index.row()]
        return f"{bit.value} {bit.words}" if bit.bit < 9 else bit.words

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return heading_data(self._headings, section, orientation, role)

    @staticmethod
    def _place(bit: EntryBit) -> str:
        if bit.bit == 9:
            return "bits 9 to 11"
        return f"bits {bit.bit} to 31" if bit.bit > 9 else f"bit {bit.bit}"
