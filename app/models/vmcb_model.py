"""The control block of AMD-V as a table of fields: name, value, what the last exit changed, and what it means.

A value can be edited; that is a wish (`edited`), which the engine grants or VMRUN refuses.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from app.models.headings import heading_data
from app.models.numerals import hexadecimal
from core.looks import SeenVmcb
from core.vmm.vmcb import FIELDS, Area, Field, value_in

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (
    ("Field", "Its name in AMD's manual, volume 2, appendix B."),
    ("Value", "What it holds. Double-click to change it: the next VMRUN takes it, or refuses it and says why."),
    ("Before", "What it held before the last exit, if that changed it."),
    ("Meaning", "What it is for."),
)
ROWS: tuple[Field | Area, ...] = tuple(
    row for area in Area for row in (area, *(field for field in FIELDS if field.area is area))
)
NAME, VALUE, BEFORE, MEANING = range(4)
SIGN = 1 << 63


def spelled(field: Field, value: int) -> str:
    """The value in the field's width; 64-bit fields, whose upper half is empty in this machine, in 32 bits."""
    if value >= SIGN:
        return "-1" if value == (1 << 64) - 1 else hexadecimal(value, 64)
    return hexadecimal(value, 64 if value >> 32 else min(8 * field.size, 32))


class VmcbTableModel(QAbstractTableModel):
    """What a table of something in the control block is: always the same rows, and `show` replaces what they say."""

    headings: tuple[tuple[str, str], ...] = ()
    length = 0  # rows

    def __init__(self) -> None:
        super().__init__()
        self._seen: SeenVmcb | None = None

    def show(self, seen: SeenVmcb | None) -> None:
        """Show this control block."""
        if seen != self._seen:
            self._seen = seen
            self.dataChanged.emit(self.index(0, 0), self.index(self.length - 1, len(self.headings) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """Those of `length`."""
        return 0 if parent is not None and parent.isValid() else self.length

    def columnCount(self, parent: Index | None = None) -> int:
        """Those of `headings`."""
        return 0 if parent is not None and parent.isValid() else len(self.headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        return heading_data(self.headings, section, orientation, role)


class VmcbModel(VmcbTableModel):
    """Its fields, by areas with a heading each."""

    headings = HEADINGS
    length = len(ROWS)
    edited = Signal(str, object)
    wrong = Signal(str)

    def __init__(self, mono: QFont) -> None:
        super().__init__()
        self._mono = mono

    def set_font(self, mono: QFont) -> None:
        """The face of values."""
        self._mono = mono

    def changed(self, field: Field) -> bool:
        """Did the last exit change it?"""
        seen = self._seen
        return seen is not None and value_in(seen.image, field) != value_in(seen.before, field)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, face and tooltip of a cell."""
        if not index.isValid() or index.row() >= len(ROWS):
            return None
        row = ROWS[index.row()]
        if isinstance(row, Area):
            return self._heading(row, index.column(), role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.EditRole and index.column() == VALUE and self._seen is not None:
            return spelled(row, value_in(self._seen.image, row))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.name}, {row.size} bytes at {row.offset:03X}h: {row.meaning}."
        if role == Qt.ItemDataRole.FontRole and index.column() != MEANING:
            font = QFont(self._mono)
            font.setWeight(QFont.Weight.DemiBold if self.changed(row) else QFont.Weight.Normal)
            return font
        return None

    def _heading(self, area: Area, column: int, role: int) -> Any:
        if column != NAME:
            return None
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return area.value if role == Qt.ItemDataRole.DisplayRole else None

    def _text(self, field: Field, column: int) -> str:
        if column == NAME:
            return f"  {field.name}"
        if column == MEANING:
            return field.meaning
        if self._seen is None or (column == BEFORE and not self.changed(field)):
            return ""
        return spelled(field, value_in(self._seen.image if column == VALUE else self._seen.before, field))

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Values can be edited; headings can do nothing."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if isinstance(ROWS[index.row()], Area):
            return Qt.ItemFlag.ItemIsEnabled
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsEditable if index.column() == VALUE else usual

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The person typed a value: say so, and wait for the machine to show it."""
        row = ROWS[index.row()]
        if role != Qt.ItemDataRole.EditRole or isinstance(row, Area) or self._seen is None:
            return False
        text = str(value).replace(" ", "").replace("\N{NARROW NO-BREAK SPACE}", "").replace("_", "")
        try:
            number = int(text, 0) if text.lower().startswith(("0x", "-")) else int(text, 16)
        except ValueError:
            self.wrong.emit(f"“{value}” is no number. Write hexadecimal digits, such as 0x72.")
            return False
        number &= (1 << 64) - 1
        if number >> 8 * row.size:
            self.wrong.emit(f"{row.name} has {row.size} bytes: {number:#x} does not fit.")
            return False
        if number != value_in(self._seen.image, row):
            self.edited.emit(row.name, number)
        return False
