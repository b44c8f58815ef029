"""The disassembly as a Qt model: one row an instruction, a label or a gap, over a `Listing` that snapshots let grow."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.image_listing import ImageListing
from app.models.listing import Gap, Known, Label, Listing, Row
from app.models.named_addresses import NamedAddress, addresses_in
from app.models.numerals import address as address_text
from app.models.numerals import grouped
from core.snapshot import CodeLine

NEXT, LAST = "current instruction", "last instruction, with which the run ended"
ROW_ROLE = Qt.ItemDataRole.UserRole

Index = QModelIndex | QPersistentModelIndex


class ListingModel(QAbstractListModel):
    """Rows are instructions, labels and gaps; `breakpoints`, `pc` and `linked` mark some of them. `ended`: the
    instruction at `pc` was the last, and none comes next."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.pc: int | None = None
        self.ended = False
        self.breakpoints: frozenset[int] = frozenset()
        self.linked: frozenset[int] = frozenset()
        self.widest = 0  # letters in the longest instruction
        self._listing = Listing()
        self._image: ImageListing | None = None
        self._row_of: dict[int, int] = {}
        self._addresses: list[int] = []

    def begin(self, image: ImageListing | None) -> None:
        """A new program: forget the former one's code."""
        self.beginResetModel()
        self._image = image
        self._listing.clear()
        self.rows, self._row_of, self._addresses = [], {}, []
        self.pc, self.linked = None, frozenset()
        self.endResetModel()

    def show(self, lines: Iterable[CodeLine], pc: int, *, ended: bool = False) -> None:
        """Merge what a snapshot read from memory, and mark where the CPU is, or where the run ended."""
        self._take(tuple(lines), live=True)
        before, self.pc = (self.pc, self.ended), pc
        self.ended = ended
        if before != (pc, ended):
            self._touch(before[0])
            self._touch(pc)

    def reveal(self, address: int) -> int | None:
        """The row of the instruction at `address`, taken from the guest's image if memory has not shown it yet."""
        if address not in self._row_of and self._image is not None:
            self._take(tuple(self._image.around(address)), live=False)
        return self._row_of.get(address)

    def row_of(self, address: int | None) -> int | None:
        """The row of the instruction that starts at `address`, if it is known."""
        return None if address is None else self._row_of.get(address)

    @property
    def current_row(self) -> int | None:
        """The row of the instruction at the program counter."""
        return self.row_of(self.pc)

    def address_of(self, row: int) -> int | None:
        """The address of the instruction in that row; for a label, of the one under it."""
        if not 0 <= row < len(self.rows):
            return None
        match self.rows[row]:
            case Known(line=line):
                return line.address
            case Label(address=address):
                return address
            case Gap():
                return None

    def addresses_at(self, address: int, registers: Mapping[str, int]) -> tuple[NamedAddress, ...]:
        """The addresses that stand in the instruction at `address`; `registers` are as at the program counter."""
        known = self._listing.at(address)
        code = known.line.code if known is not None else b""
        return addresses_in(code, address, registers if address == self.pc else None)

    def key(self, row: int) -> object:
        """What stands in that row, by a name that outlives a reset."""
        one = self.rows[row]
        return one.start if isinstance(one, Gap) else self.address_of(row)

    def find(self, key: object) -> int | None:
        """The row of that key, or of the first instruction after it."""
        if not isinstance(key, int):
            return None
        at = bisect_left(self._addresses, key)
        return self._row_of[self._addresses[at]] if at < len(self._addresses) else None

    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        """Mark these instructions in the margin."""
        changed, self.breakpoints = self.breakpoints ^ addresses, addresses
        for address in changed:
            self._touch(address)

    def set_linked(self, addresses: frozenset[int]) -> None:
        """Mark the instructions that belong to the selected source line."""
        changed, self.linked = self.linked ^ addresses, addresses
        for address in changed:
            self._touch(address)

    # -- Qt's contract

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row_text(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.spoken(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and isinstance(self.rows[index.row()], Gap):
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index)

    def spoken(self, row: Row) -> str:
        """A row in words, for screen readers."""
        if isinstance(row, Label):
            return f"label {row.name}"
        if isinstance(row, Gap):
            return f"{grouped(row.stop - row.start)} bytes not disassembled"
        notes = [LAST if self.ended else NEXT] if row.line.address == self.pc else []
        notes += ["breakpoint"] if row.line.address in self.breakpoints else []
        return ", ".join([row.line.text, f"at {row.line.address:x}", *notes])

    # -- keeping rows and listing together

    def _take(self, lines: tuple[CodeLine, ...], *, live: bool) -> None:
        if not self._listing.merge(lines, live=live):
            return
        self.beginResetModel()
        self.rows = self._listing.rows()
        self._row_of = {row.line.address: at for at, row in enumerate(self.rows) if isinstance(row, Known)}
        self._addresses = list(self._row_of)
        self.widest = max((len(row.line.text) for row in self.rows if isinstance(row, Known)), default=0)
        self.endResetModel()

    def _touch(self, address: int | None) -> None:
        row = self.row_of(address)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row))

    def _tooltip(self, row: Row) -> str:
        if isinstance(row, Label):
            return f"{row.name} stands at {address_text(row.address)}."
        if isinstance(row, Gap):
            return f"{grouped(row.stop - row.start)} bytes from {address_text(row.start)} were not disassembled."
        origin = "Read from memory." if row.live else "As in the guest's image; not yet read from memory."
        place = f" From {row.line.file}, line {row.line.line}." if row.line.file else ""
        last = "The run ended with this instruction. " if self.ended and row.line.address == self.pc else ""
        return f"{last}{origin}{place} Click in the margin to set or clear a breakpoint (F9)."


def row_text(row: Row) -> str:
    """A row as plain text, as it is copied."""
    if isinstance(row, Label):
        return f"{row.name}:"
    if isinstance(row, Gap):
        return "⋯"
    return f"{row.line.address:08x}  {row.line.code.hex(' '):<24}  {row.line.text}"
