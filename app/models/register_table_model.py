"""The registers as a table: what the guest believes beside what the CPU holds, under headings.

*Changed* is measured against the last time the machine stood still: while it runs the marks grow, a step starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.models.headings import heading_data
from app.models.numerals import hexadecimal
from core.cpu.edits import EDITABLE
from core.snapshot import Register, RegisterGroup, Snapshot

ROW_ROLE = Qt.ItemDataRole.UserRole
HOW_TO_EDIT = " F2 or a double click on what the guest believes sets it; Ctrl+Z takes that back."

Index = QModelIndex | QPersistentModelIndex


class RegisterColumn(IntEnum):
    """The columns, in the order in which they stand."""

    NAME = 0
    BELIEVED = 1
    REAL = 2
    FIELDS = 3


HEADINGS: dict[RegisterColumn, tuple[str, str]] = {
    RegisterColumn.NAME: ("Register", "Name of the register; its tooltip says what it is for."),
    RegisterColumn.BELIEVED: ("Guest believes", "What the guest would find if every read of it told the truth."),
    RegisterColumn.REAL: ("CPU holds", "What the emulated CPU's register really contains."),
    RegisterColumn.FIELDS: (
        "Fields: believed │ real",
        "The value spelled out; where they differ, the guest's first.",
    ),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A row that names the group under it."""

    group: RegisterGroup


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One register and which of its two values changed since the machine last stood still."""

    register: Register
    believed_changed: bool = False
    real_changed: bool = False


Row = Heading | RegisterRow


def fields_text(register: Register) -> str:
    """The fields of the value; both versions where belief and truth differ in them."""
    if register.real_detail and register.real_detail != register.detail:
        return f"{register.detail} │ {register.real_detail}" if register.detail else register.real_detail
    return register.detail


class RegisterTableModel(QAbstractTableModel):
    """Registers in their groups, updated from snapshots.

    edited  (name, value) the person gave a register another value; the next snapshot tells whether it has it
    wrong   (words) what was typed is no value
    """

    edited = Signal(str, object)
    wrong = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._last: Snapshot | None = None
        self._baseline: dict[str, Register] = {}

    def show(self, snapshot: Snapshot) -> None:
        """Take the registers of `snapshot`; the marks follow what the machine did since it last stood still."""
        last = self._last
        if last is None or last.generation != snapshot.generation:
            self._baseline = {register.name: register for register in snapshot.registers}
        elif not last.running and (snapshot.executed, snapshot.trap_count) != (last.executed, last.trap_count):
            self._baseline = {register.name: register for register in last.registers}
        self._last = snapshot
        self._replace(self._arrange(snapshot.registers))

    def clear(self) -> None:
        """Forget everything."""
        self._last = None
        self._baseline = {}
        self.beginResetModel()
        self.rows = ()
        self.endResetModel()

    @property
    def differing(self) -> int:
        """How many registers the guest is wrong about."""
        return sum(isinstance(row, RegisterRow) and row.register.differs for row in self.rows)

    def row_of(self, name: str) -> int | None:
        """The row of the register of that name, in either case."""
        for at, row in enumerate(self.rows):
            if isinstance(row, RegisterRow) and row.register.name.lower() == name.lower():
                return at
        return None

    # -- Qt's contract

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(RegisterColumn)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if isinstance(row, Heading):
            named = role == Qt.ItemDataRole.DisplayRole and index.column() == RegisterColumn.NAME
            return row.group.value if named else None
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(row.register, index.column())
        if role == Qt.ItemDataRole.EditRole:
            return f"{row.register.believed:08X}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return explain(row) + (HOW_TO_EDIT if row.register.name in EDITABLE else "")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.register.name} {cell_text(row.register, index.column())}"
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return explain(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.rows[index.row()] if index.isValid() else None
        if isinstance(row, Heading):
            return Qt.ItemFlag.ItemIsEnabled
        can = row is not None and row.register.name in EDITABLE and index.column() == RegisterColumn.BELIEVED
        return super().flags(index) | (Qt.ItemFlag.ItemIsEditable if can else Qt.ItemFlag.NoItemFlags)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for another value; the table shows it when the machine has it."""
        row = self.rows[index.row()] if index.isValid() else None
        if role != Qt.ItemDataRole.EditRole or not isinstance(row, RegisterRow):
            return False
        text = str(value).replace(" ", "").replace("\u202f", "")
        try:
            wanted = int(text, 16)
        except ValueError:
            self.wrong.emit(f"“{value}” is no hexadecimal number: {row.register.name} stays as it is.")
            return False
        if wanted != row.register.believed:
            self.edited.emit(row.register.name, wanted)
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return heading_data(tuple(HEADINGS.values()), section, orientation, role)

    # -- arranging

    def _arrange(self, registers: tuple[Register, ...]) -> tuple[Row, ...]:
        rows: list[Row] = []
        group: RegisterGroup | None = None
        for register in registers:
            if register.group is not group:
                group = register.group
                rows.append(Heading(group))
            before = self._baseline.get(register.name, register)
            rows.append(RegisterRow(register, before.believed != register.believed, before.real != register.real))
        return tuple(rows)

    def _replace(self, rows: tuple[Row, ...]) -> None:
        if [_identity(row) for row in rows] != [_identity(row) for row in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        altered = [at for at, row in enumerate(rows) if row != self.rows[at]]
        self.rows = rows
        if altered:
            self.dataChanged.emit(self.index(altered[0], 0), self.index(altered[-1], len(RegisterColumn) - 1))


def _identity(row: Row) -> object:
    return row.register.name if isinstance(row, RegisterRow) else row.group


def cell_text(register: Register, column: int) -> str:
    """What stands in one cell."""
    match RegisterColumn(column):
        case RegisterColumn.NAME:
            return register.name
        case RegisterColumn.BELIEVED:
            return hexadecimal(register.believed, register.bits)
        case RegisterColumn.REAL:
            return hexadecimal(register.real, register.bits)
        case RegisterColumn.FIELDS:
            return fields_text(register)


def explain(row: RegisterRow) -> str:
    """A register in plain sentences, for tooltips and screen readers."""
    register = row.register
    parts = [f"{register.name}: {register.meaning.rstrip('.')}."]
    if register.differs:
        parts.append(
            f"The guest believes {hexadecimal(register.believed, register.bits)}, "
            f"but the CPU holds {hexadecimal(register.real, register.bits)}."
        )
    if register.detail:
        parts.append(f"{'Believed' if register.differs else 'Fields'}: {register.detail}.")
    if register.real_detail and register.real_detail != register.detail:
        parts.append(f"Really: {register.real_detail}.")
    if row.believed_changed or row.real_changed:
        parts.append("Changed since the machine last stood still.")
    return " ".join(parts)
