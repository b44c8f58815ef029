"""A page walk as a table: one row a step, the guest's own tables beside those that the CPU walks.

Under the steps stands what an access would come to: by the guest's tables it is allowed or a true page fault; where
only the CPU's tables refuse, it is a hidden one, which the monitor mends and the guest never sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.entry_bits import EntryBit, bits_of, set_names
from app.models.headings import heading_data
from app.models.numerals import hexadecimal
from core.looks import Attempt, PageWalk, Space, TableEntry, TableWalk

CELL_ROLE = Qt.ItemDataRole.UserRole
LEVELS = {3: "Pointers", 2: "Directory", 1: "Table"}
SHORT_LEVELS = {3: "Ptrs", 2: "Dir", 1: "Table"}  # beside the number of a reference
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class WalkCell:
    """What stands in one cell: a value, words beside it, a line beneath, whether it lags behind the guest's; `entry`
    where it is an entry; `explanation` says all of it in sentences."""

    value: str
    aside: str = ""
    beneath: str = ""
    lags: bool = False
    entry: TableEntry | None = None
    explanation: str = ""


EMPTY = WalkCell("")
STEP = ("Step", "What the CPU looks up, from CR3 to the page.")
READ = ("Read", "Every entry that the CPU reads to translate the address, in the order in which it does.")


@dataclass(frozen=True, slots=True)
class WalkRow:
    """One step: its name, and a cell for each set of tables."""

    name: str
    cells: tuple[WalkCell, ...]


class WalkTableModel(QAbstractTableModel):
    """The rows of one `PageWalk`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.walk: PageWalk | None = None
        self.by_reference = False
        self.rows: tuple[WalkRow, ...] = ()
        self.headings: tuple[tuple[str, str], ...] = (("", ""),)

    def show(self, walk: PageWalk | None, *, by_reference: bool = False) -> None:
        """Show that walk, step by step or each reference of the CPU's; rows that stay keep their places."""
        if (walk, by_reference) == (self.walk, self.by_reference):
            return
        self.walk, self.by_reference = walk, by_reference
        tables = (walk.guest, *walk.real) if walk is not None else ()
        headings = (READ if by_reference else STEP, *((t.title, t.note) for t in tables))
        rows = () if walk is None else _references(walk) if by_reference else _rows(walk)
        same = len(rows) == len(self.rows) and headings == self.headings
        if not same:
            self.beginResetModel()
        self.rows, self.headings = rows, headings
        if same:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(headings) - 1))
        else:
            self.endResetModel()

    # -- Qt's contract

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if index.column() == 0:
            return row.name if role == Qt.ItemDataRole.DisplayRole else None
        cell = row.cells[index.column() - 1]
        match role:
            case Qt.ItemDataRole.UserRole:
                return cell
            case Qt.ItemDataRole.DisplayRole:
                return " ".join(part for part in (cell.value, cell.aside) if part)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleDescriptionRole:
                return cell.explanation
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.name}: {cell.value} {cell.aside}. {cell.beneath}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return heading_data(self.headings, section, orientation, role)


# -- the steps


def _rows(walk: PageWalk) -> tuple[WalkRow, ...]:
    tables = (walk.guest, *walk.real)
    rows = [WalkRow("CR3", tuple(_root(table) for table in tables))] if any(table.paging for table in tables) else []
    for level, name in LEVELS.items():
        entries = [next((entry for entry in table.entries if entry.level == level), None) for table in tables]
        if any(entries):
            rows.append(WalkRow(name, tuple(EMPTY if entry is None else _entry(entry) for entry in entries)))
    rows.append(WalkRow("Address", tuple(_reached(table, walk) for table in tables)))
    if walk.guest.paging:
        rows += [
            _attempt("Read", walk, write=False),
            _attempt("Write", walk, write=True),
            _attempt("Execute", walk, write=False),
        ]
    return tuple(rows)


def _references(walk: PageWalk) -> tuple[WalkRow, ...]:
    tables = (walk.guest, *walk.real)
    rows = []
    for number, reference in enumerate(walk.references, 1):
        cells = [EMPTY] * len(tables)
        cells[reference.table] = _entry(reference.entry)
        rows.append(WalkRow(f"{number} {SHORT_LEVELS[reference.entry.level]}", tuple(cells)))
    return (*rows, WalkRow("Address", tuple(_reached(table, walk) for table in tables)))


def _root(table: TableWalk) -> WalkCell:
    if not table.paging:
        return WalkCell("—", "paging is off", explanation=table.note)
    first = LEVELS[table.entries[0].level].lower() if table.entries else "directory"
    where = f"{first} at {hexadecimal(table.root & 0xFFFF_F000)}"
    return WalkCell(
        hexadecimal(table.root),
        "",
        f"of the {first}",
        explanation=f"{table.title}: {table.note} Their {where} ({table.space.value}).",
    )


def _entry(entry: TableEntry) -> WalkCell:
    names = set_names(entry)
    at = hexadecimal(entry.address)
    beneath = f"[{entry.index}] at {at}"
    sentences = [f"{LEVELS[entry.level]} entry {entry.index} at {at}: {hexadecimal(entry.value)}.", entry.remark]
    return WalkCell(hexadecimal(entry.value), names, beneath, entry.lags, entry, " ".join(filter(None, sentences)))


def _reached(table: TableWalk, walk: PageWalk) -> WalkCell:
    if table.reached is None:
        why = "PAE: not walked" if table.paging and not table.entries else "not mapped"
        return WalkCell(
            "—", why, explanation=table.note if not table.entries else f"{table.title}: an entry is not present."
        )
    words = f"{hexadecimal(walk.linear)} leads to {table.result.value} {hexadecimal(table.reached)}"
    beneath = table.result.value
    if table is walk.guest and walk.host is not None:
        words += f", which lies in the machine at host-physical {hexadecimal(walk.host)}"
    elif table is walk.guest and table.result is Space.PHYSICAL:
        beneath = "guest-physical, a device's or nobody's"
        words += ", beyond the VM's memory: a device answers there, or nobody"
    return WalkCell(hexadecimal(table.reached), "", beneath, explanation=f"{words}.")


# -- what an access would come to


def _attempt(name: str, walk: PageWalk, *, write: bool) -> WalkRow:
    cells = []
    for table in (walk.guest, *walk.real):
        kernel, user = (_told(table, walk.guest, write, by_user) for by_user in (False, True))
        lines = [f"{name} by the kernel: {kernel[1]}.", f"{name} by a program: {user[1]}."]
        cells.append(WalkCell("", f"kernel {kernel[0]}", f"program {user[0]}", explanation=" ".join(lines)))
    return WalkRow(name, tuple(cells))


def _told(table: TableWalk, guest: TableWalk, write: bool, user: bool) -> tuple[str, str]:
    """In a word or two, and in a sentence."""
    mine = _find(table, write, user)
    believed = _find(guest, write, user)
    if mine is None:
        return "—", "not known"
    if mine.error_code is None:
        return "✓", "allowed"
    code = f"{table.fault}({mine.error_code})"
    if table is not guest and believed is not None and believed.error_code is None:
        return (
            f"✓ after a hidden {code}",
            f"a hidden fault, because {mine.why}; the monitor mends it, and the guest never knows",
        )
    return f"✗ {code}: {mine.why}", f"a true page fault with error code {mine.error_code}, because {mine.why}"


def _find(table: TableWalk, write: bool, user: bool) -> Attempt | None:
    return next((each for each in table.attempts if (each.write, each.user) == (write, user)), None)


def bits_beside(row: WalkRow) -> tuple[tuple[EntryBit, ...], ...]:
    """The bits of each entry in a row; empty where it holds none."""
    return tuple(bits_of(cell.entry) if cell.entry is not None else () for cell in row.cells)


__all__ = ["CELL_ROLE", "WalkCell", "WalkRow", "WalkTableModel", "bits_beside"]
