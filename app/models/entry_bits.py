"""A page-table entry bit by bit, in words (Intel SDM vol. 3 §4.3, tables 4-4 to 4-6; 32-bit paging)."""

from __future__ import annotations

from dataclasses import dataclass

from app.models.numerals import hexadecimal
from core.looks import TableEntry

DIRECTORY, TABLE = 2, 1
PRESENT, DIRTY, LARGE = 1 << 0, 1 << 6, 1 << 7


@dataclass(frozen=True, slots=True)
class EntryBit:
    """One field of an entry: its name, its lowest bit, its value, what that value says, what the field is for."""

    name: str
    bit: int
    value: int
    words: str
    meaning: str


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    bit: int
    clear: str
    set: str
    meaning: str


_COMMON = (
    _Field(
        "P",
        0,
        "not present",
        "present",
        "Present: without it every access is a page fault, and the CPU ignores all other bits.",
    ),
    _Field(
        "R/W",
        1,
        "read-only",
        "writable",
        "Read/write: may be written. Binds ring 3 always, and the kernel if CR0.WP is set. Both entries must grant it.",
    ),
    _Field("U/S", 2, "rings 0–2", "ring 3 too", "User/supervisor: open to ring 3. Both entries must grant it."),
    _Field(
        "PWT",
        3,
        "write-back",
        "write-through",
        "Page write-through: how writes pass the cache. Without effect in the emulated CPU.",
    ),
    _Field(
        "PCD",
        4,
        "cached",
        "not cached",
        "Page cache disable, as for a device's memory. Without effect in the emulated CPU.",
    ),
    _Field(
        "A",
        5,
        "unused",
        "used",
        "Accessed: the CPU sets it when it walks through the entry; only software clears it.",
    ),
)
_DIRTY = _Field(
    "D",
    6,
    "unwritten",
    "written",
    "Dirty: the CPU sets it at the first write to the page; only software clears it.",
)
_IGNORED = _Field("D", 6, "ignored", "ignored", "Dirty: means nothing in a directory entry that leads to a table.")
_SIZE = _Field("PS", 7, "to a table", "4 MiB page", "Page size: with CR4.PSE the entry maps 4 MiB itself.")
_SIZE_WIDE = _Field("PS", 7, "to a table", "2 MiB page", "Page size: the entry of eight bytes maps 2 MiB itself.")
_PAT = _Field(
    "PAT",
    7,
    "usual type",
    "other type",
    "Page attribute table: which memory type. Without effect in the emulated CPU.",
)
_GLOBAL = _Field(
    "G", 8, "not global", "global", "Global: with CR4.PGE the translation stays in the TLB when CR3 is loaded."
)


def bits_of(entry: TableEntry) -> tuple[EntryBit, ...]:
    """The fields of an entry, lowest bit first; the address it holds comes last."""
    value, level = entry.value, entry.level
    leaf = level == TABLE or (level == DIRECTORY and bool(value & LARGE))
    size = _PAT if level == TABLE else _SIZE_WIDE if entry.wide else _SIZE
    fields = (*_COMMON, _DIRTY if leaf else _IGNORED, size, _GLOBAL)
    bits = [
        EntryBit(field.name, field.bit, value >> field.bit & 1, _words(field, value), field.meaning) for field in fields
    ]
    available = value >> 9 & 7
    available_words = "Available: three bits that the CPU leaves to the operating system."
    bits.append(EntryBit("AVL", 9, available, f"{available:03b}", available_words))
    lowest = (21 if entry.wide else 22) if leaf and level == DIRECTORY else 12
    address = value & 0xFFFF_FFFF & ~((1 << lowest) - 1)
    what = "Page" if leaf else "Table"
    meaning = f"Physical address of the {what.lower()} it leads to."
    bits.append(EntryBit(what, lowest, address, hexadecimal(address), meaning))
    return tuple(bits)


def _words(field: _Field, value: int) -> str:
    if field.bit and not value & PRESENT:
        return "—"
    return field.set if value >> field.bit & 1 else field.clear


def set_names(entry: TableEntry) -> str:
    """The names of the bits that are set, as one writes them beside an entry: ``P R/W U/S A D``."""
    return " ".join(bit.name for bit in bits_of(entry)[:9] if bit.value) or "not present"
