"""The walk from guest-virtual to guest-physical through 32-bit two-level page tables, step by step.

The CPU's MMU does the same in hardware (its own walk is what guests run on); this one serves our deliveries and
emulation, and shows people every entry. Modelled: 4 KiB and 4 MiB pages, P, R/W, U/S, CR0.WP, accessed and dirty bits.
Not modelled: PAE (`core.cpu.modes`) and PSE-36, which no guest of ours uses. Intel SDM vol. 3 §4.3 and §4.6; AMD APM
vol. 2 §5.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, GuestVirtual
from core.cpu.faults import GuestFault, Vector
from core.cpu.flags import CR0_PG, CR0_WP, CR4_PAE, CR4_PSE
from core.errors import UnknownDeparture
from core.events import made_quickly

PRESENT, WRITABLE, USER, ACCESSED, DIRTY, LARGE = 1 << 0, 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7
LARGE_MASK = (1 << 22) - 1
LARGE_RESERVED = 1 << 21  # of a directory entry that is a large page
RESERVED = 1 << 3  # in an error code: such a bit was set
LONGEST_INSTRUCTION = 15  # bytes (SDM vol. 2 §2.3.11)


class Words(Protocol):
    """The physical memory that page tables stand in."""

    def read_u32(self, address: GuestPhysical, /) -> int:
        """The little-endian 32-bit word at `address`."""

    def named_by(self, entry: int, /) -> GuestPhysical:
        """The page that a page-table entry names, as an address of this memory."""


class Physical(Words, Protocol):
    """The guest-physical memory behind a walk (`core.memory.guest_physical.GuestPhysicalMemory`)."""

    @property
    def size(self) -> int:
        """Bytes of RAM."""

    def read_entry(self, address: int, /) -> int:
        """The page-table entry at `address`, with the page that it names (`named_by`) in place of what it holds."""

    def reach(self, paging: Paging, linear: int, access: Access, /) -> GuestPhysical | None:
        """As the function of this name; perhaps faster."""

    def write_u32(self, address: GuestPhysical, value: int, /) -> None:
        """Store a word of a page table."""

    def read(self, address: GuestPhysical, size: int, /) -> bytes:
        """`size` bytes, in RAM or not."""

    def read_within(self, address: GuestPhysical, size: int, /) -> bytes:
        """`size` bytes that lie in one page of RAM."""

    def write(self, address: GuestPhysical, data: bytes, /) -> None:
        """Store `data`, in RAM or not."""


class Access(NamedTuple):
    """What is attempted: a write or not, by user code (CPL 3) or not."""

    write: bool = False
    user: bool = False


READ, READ_BY_USER, WRITE, WRITE_BY_USER = Access(), Access(False, True), Access(True), Access(True, True)
# bits that every entry on the way to `Access` must have, and the last one, for nothing to be refused or left to be set
_SEEN = PRESENT | ACCESSED
_WANTED = {
    READ: (_SEEN, _SEEN),
    READ_BY_USER: (_SEEN | USER, _SEEN | USER),
    WRITE: (_SEEN | WRITABLE, _SEEN | WRITABLE | DIRTY),
    WRITE_BY_USER: (_SEEN | USER | WRITABLE, _SEEN | USER | WRITABLE | DIRTY),
}
_WANTED_WITHOUT_WP = {**_WANTED, WRITE: (_SEEN, _SEEN | DIRTY)}  # CR0.WP clear: ring 0 to 2 write anywhere


class Entry(NamedTuple):
    """One page-table entry met on the way: its level (2 = directory, 1 = table), where it stands, its value."""

    level: int
    address: GuestPhysical
    value: int


class Paging(NamedTuple):
    """The control registers that rule a walk."""

    cr0: int
    cr3: int
    cr4: int

    @property
    def enabled(self) -> bool:
        """CR0.PG."""
        return bool(self.cr0 & CR0_PG)


class Walk(NamedTuple):
    """A finished walk: the entries met, and the address reached or None with the page fault's error code."""

    entries: tuple[Entry, ...]
    physical: GuestPhysical | None
    error_code: int = 0


def walk(memory: Words, paging: Paging, linear: GuestVirtual, access: Access) -> Walk:
    """Walk without touching anything."""
    cr0, cr3, cr4 = paging
    if not cr0 & CR0_PG:
        return Walk((), GuestPhysical(linear))
    if cr4 & CR4_PAE:
        raise UnknownDeparture("The guest uses PAE page tables, which this version cannot walk.")
    write, user = access
    refused = write << 1 | user << 2
    directory_at = GuestPhysical((cr3 & ~0xFFF) + (linear >> 22 << 2))
    directory = memory.read_u32(directory_at)
    entries: tuple[Entry, ...] = (made_quickly(Entry, (2, directory_at, directory)),)
    if not directory & PRESENT:
        return Walk(entries, None, refused)
    large = bool(directory & LARGE and cr4 & CR4_PSE)
    if large and directory & LARGE_RESERVED:
        return Walk(entries, None, refused | PRESENT | RESERVED)
    if large:
        rights, physical = directory, GuestPhysical(directory & ~LARGE_MASK | linear & LARGE_MASK)
    else:
        table_at = GuestPhysical(memory.named_by(directory) + ((linear >> PAGE_SHIFT & 0x3FF) << 2))
        table = memory.read_u32(table_at)
        entries = (*entries, made_quickly(Entry, (1, table_at, table)))
        if not table & PRESENT:
            return Walk(entries, None, refused)
        rights, physical = directory & table, GuestPhysical(memory.named_by(table) | linear & 0xFFF)
    forbidden = user and not rights & USER
    if write and not rights & WRITABLE and (user or cr0 & CR0_WP):
        forbidden = True
    return made_quickly(Walk, (entries, None, refused | PRESENT) if forbidden else (entries, physical, 0))


def reach(memory: Physical, paging: Paging, linear: int, access: Access) -> GuestPhysical | None:
    """The address reached by a walk that refuses nothing and has no bit left to set; else None, and `walk` says why.
    (Nearly every walk is one, and this is many times as fast.)"""
    cr0, cr3, cr4 = paging
    if not cr0 & CR0_PG:
        return GuestPhysical(linear)
    wanted, leaf = _WANTED[access] if cr0 & CR0_WP else _WANTED_WITHOUT_WP[access]
    directory = memory.read_entry((cr3 & ~0xFFF) + (linear >> 22 << 2))
    if directory & wanted != wanted or cr4 & CR4_PAE:
        return None
    if directory & LARGE and cr4 & CR4_PSE:
        if directory & (leaf | LARGE_RESERVED) != leaf:
            return None
        return GuestPhysical(directory & ~LARGE_MASK | linear & LARGE_MASK)
    table = memory.read_entry((directory & ~0xFFF) + (linear >> 10 & 0xFFC))
    return GuestPhysical(table & ~0xFFF | linear & 0xFFF) if table & leaf == leaf else None


def translate(memory: Physical, paging: Paging, linear: GuestVirtual, access: Access) -> GuestPhysical:
    """Translate as the CPU does: set accessed and dirty bits, or raise #PF with its address and error code."""
    reached = memory.reach(paging, linear, access)
    if reached is not None:
        return reached
    result = walk(memory, paging, linear, access)
    mark_walked(memory, result, access)
    if result.physical is None:
        raise GuestFault(Vector.PF, result.error_code, linear)
    return result.physical


def mark_walked(memory: Physical, result: Walk, access: Access) -> None:
    """Set the accessed and dirty bits of a walk: of every entry passed, the last one only if it lets the access in."""
    passed = result.entries if result.physical is not None else result.entries[:-1]
    for entry in passed:
        leaf = result.physical is not None and entry is result.entries[-1]
        wanted = entry.value | ACCESSED | (DIRTY if leaf and access.write else 0)
        if wanted != entry.value:
            memory.write_u32(entry.address, wanted)


class LinearMemory:
    """Guest memory by linear address, through the guest's own page tables, with the rights of the given access.

    `store` writes what is written; a monitor that keeps shadows of some pages gives one that makes them follow.
    """

    def __init__(self, physical: Physical, store: Callable[[GuestPhysical, bytes], None] | None = None) -> None:
        self.physical = physical
        self.store = store or physical.write

    def read(self, paging: Paging, linear: int, size: int, *, user: bool = False) -> bytes:
        """`size` bytes at `linear`; raises the guest's #PF where they cannot be read."""
        access = READ_BY_USER if user else READ
        physical = self.physical
        linear &= 0xFFFF_FFFF
        if 0 < size <= PAGE_SIZE - (linear & 0xFFF):
            reached = physical.reach(paging, linear, access)
            if reached is None:
                reached = translate(physical, paging, GuestVirtual(linear), access)
            return physical.read(reached, size)
        out = b""
        while size > 0:
            part = min(size, PAGE_SIZE - (linear & 0xFFF))
            out += physical.read(translate(physical, paging, GuestVirtual(linear & 0xFFFF_FFFF), access), part)
            linear += part
            size -= part
        return out

    def write(self, paging: Paging, linear: int, data: bytes, *, user: bool = False) -> None:
        """Store `data` at `linear`; raises the guest's #PF before anything is stored."""
        access = WRITE_BY_USER if user else WRITE
        linear &= 0xFFFF_FFFF
        if 0 < len(data) <= PAGE_SIZE - (linear & 0xFFF):
            reached = self.physical.reach(paging, linear, access)
            if reached is None:
                reached = translate(self.physical, paging, GuestVirtual(linear), access)
            self.store(reached, data)
            return
        pieces: list[tuple[GuestPhysical, bytes]] = []
        while data:
            part = min(len(data), PAGE_SIZE - (linear & 0xFFF))
            physical = translate(self.physical, paging, GuestVirtual(linear & 0xFFFF_FFFF), access)
            pieces.append((physical, data[:part]))
            linear += part
            data = data[part:]
        for physical, piece in pieces:
            self.store(physical, piece)

    def seen_at(self, paging: Paging, linear: int) -> GuestPhysical | None:
        """What ring 0 would reach by reading at `linear`, for onlookers: sets no bit, and where it is for the CPU alone
        to know (PAE) gives None."""
        reached = self.physical.reach(paging, linear, READ)
        if reached is None and paging.cr4 & CR4_PAE:
            return None
        return reached if reached is not None else walk(self.physical, paging, GuestVirtual(linear), READ).physical

    def peek(self, paging: Paging, linear: int, size: int) -> bytes | None:
        """As `read` with the rights of ring 0, for onlookers: sets no bit, gives None where nothing is mapped."""
        out = b""
        while size > 0:
            part = min(size, PAGE_SIZE - (linear & 0xFFF))
            found = self.seen_at(paging, linear & 0xFFFF_FFFF)
            if found is None or found + part > self.physical.size:
                return None
            out += self.physical.read(found, part)
            linear += part
            size -= part
        return out

    def peek_code(self, paging: Paging, linear: int) -> bytes:
        """The longest instruction's worth of bytes at `linear`, or as many as are mapped."""
        physical = self.physical
        if linear & 0xFFF <= PAGE_SIZE - LONGEST_INSTRUCTION:
            found: GuestPhysical | None = GuestPhysical(linear)
            if paging.cr0 & CR0_PG:
                found = physical.reach(paging, linear, READ) or self.seen_at(paging, linear)
            if found is None or found >= physical.size:
                return b""
            return physical.read_within(found, LONGEST_INSTRUCTION)
        code = self.peek(paging, linear, LONGEST_INSTRUCTION)
        return code if code is not None else self.peek(paging, linear, PAGE_SIZE - (linear & 0xFFF)) or b""
