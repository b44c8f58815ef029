"""One block of the translation cache as a table: the guest's instructions left, what they became right.

How much of it is to be seen yet is the `reveal`: slow motion lets it grow stage by stage.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.models.block_rows import BlockRow, NameOf, rows_of
from app.models.fates import FATES
from app.models.headings import heading_data
from app.models.numerals import address
from core.translations import Fate, SeenBlock, SeenCache

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (
    ("Guest", "Linear address of the instruction, as the guest knows it."),
    ("The guest's instruction", "What the guest's kernel was written as: bytes in its own memory."),
    ("", "What became of it: = identical, → rewritten, ≠ replaced, ! callout."),
    ("What runs in its place", "What the CPU runs in ring 1: bytes in the translation cache, and what they lead to."),
    ("Cache", "Linear address of the translated instruction, in the monitor's region."),
    ("Why", "What became of the instruction, and the reason."),
)
GUEST_AT, ORIGINAL, LINK, TRANSLATED, CACHE_AT, WHY = range(len(HEADINGS))
BYTES_IN_ROW = 8
ROW_ROLE = Qt.ItemDataRole.UserRole


class Reveal(IntEnum):
    """How much is to be seen."""

    BYTES = 1  # the guest's code, not decoded
    INSTRUCTIONS = 2
    FATES = 3
    ALL = 4


class BlockModel(QAbstractTableModel):
    """`show` replaces the block; rows are kept as they are while it stays the same."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[BlockRow, ...] = ()
        self.seen: SeenBlock | None = None
        self.reveal = Reveal.ALL
        self.pc: int | None = None  # the guest instruction that is next, if it is in sight
        self._key: object = None

    def show(self, seen: SeenBlock | None, cache: SeenCache | None, name_of: NameOf, pc: int | None) -> None:
        """Show this block; `pc` is the guest's EIP if it is in there."""
        key = None if seen is None else (seen.block.ordinal, seen.guest, seen.translated, seen.exits)
        self.seen = seen
        if key != self._key:
            self.beginResetModel()
            self._key, self.pc = key, pc
            self.rows = () if seen is None else rows_of(seen, cache, name_of)
            self.endResetModel()
        elif pc != self.pc:
            self.pc = pc
            self._touch()

    def set_reveal(self, reveal: Reveal) -> None:
        """Show that much of it."""
        if reveal != self.reveal:
            self.reveal = reveal
            self._touch()

    def row_at(self, pc: int | None) -> int | None:
        """The first row of the guest's instruction at `pc`."""
        found = (n for n, row in enumerate(self.rows) if row.first is not None and row.first.pc == pc)
        return next(found, None)

    @property
    def telling_row(self) -> int | None:
        """The row that has most to tell while nobody has chosen one: EIP's, else the first with something sensitive."""
        here = self.row_at(self.pc)
        if here is not None or self.seen is None:
            return here
        sensitive = [each.pc for each in self.seen.guest if FATES[each.fate].ring is not None]
        changed = [each.pc for each in self.seen.guest if each.fate is not Fate.COPIED]
        return self.row_at(next(iter(sensitive + changed), self.seen.block.pc))

    def why(self, row: int) -> str:
        """What became of the instruction in `row`, and the reason: a sentence."""
        found = self.rows[row]
        if found.of is None:
            return f"{found.text}: {found.note}." if found.note else found.heading
        words = FATES[found.of.fate]
        return f"{found.of.text}: {words.name}. {_reason(found)}"

    @property
    def headings(self) -> list[int]:
        """The rows that are one heading across."""
        return [number for number, row in enumerate(self.rows) if row.heading]

    def count(self, fate: Fate) -> int:
        """How many of the block's instructions became that."""
        return sum(each.fate is fate for each in self.seen.guest) if self.seen is not None else 0

    def _touch(self) -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, WHY))

    # -- Qt

    def rowCount(self, parent: Index | None = None) -> int:
        """At least one an instruction of the guest's."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Those of `HEADINGS`."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        return heading_data(HEADINGS, section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, and the row as a whole for who paints it."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.why(index.row()) if self.reveal >= Reveal.FATES else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return (
                f"{self.text(index.row(), index.column())} {row.note if index.column() == TRANSLATED else ''}".strip()
            )
        return row if role == ROW_ROLE else None

    def text(self, number: int, column: int) -> str:
        """What stands in a cell of that row, as far as it is revealed."""
        if self.reveal is Reveal.BYTES:
            return self._bytes(number, column)
        row = self.rows[number]
        if row.heading:
            return row.heading if column == GUEST_AT and self.reveal is Reveal.ALL else ""
        first, became = row.first, row.became
        if column == GUEST_AT and first is not None:
            return address(first.pc)
        if column == ORIGINAL and first is not None:
            return first.text
        if column in (LINK, WHY) and first is not None and self.reveal >= Reveal.FATES:
            return FATES[first.fate].mark if column == LINK else _reason(row)
        if became is None or self.reveal is not Reveal.ALL:
            return ""
        if column == TRANSLATED:
            return row.text
        return address(became.at) if column == CACHE_AT else ""

    def _bytes(self, number: int, column: int) -> str:
        """The guest's code before anybody has said where its instructions begin: as many bytes in every row."""
        assert self.seen is not None, "there are rows only of a block"
        code = b"".join(each.code for each in self.seen.guest)
        body = sum(row.of is not None for row in self.rows)
        in_row = max(BYTES_IN_ROW, -(-len(code) // max(body, 1)))
        part = code[number * in_row : (number + 1) * in_row]
        if not part or column not in (GUEST_AT, ORIGINAL):
            return ""
        return address(self.seen.block.pc + number * in_row) if column == GUEST_AT else part.hex(" ")


def _reason(row: BlockRow) -> str:
    phrase = row.of.reason.phrase if row.of is not None else ""
    return f"{phrase[:1].upper()}{phrase[1:]}."
