"""Memory as an onlooker reads it: RAM only, because a read can change a device, and page tables without touching them.

The guest's memory is read by linear or guest-physical address, the machine's by host-physical. What would a read or a
write come to? `attempts` answers from the tables alone, with the reason in words (Intel SDM vol. 3 §4.6 and §4.7); in
tables of this kind there is no right to execute apart from the right to read.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.addresses import ADDRESS_MASK, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.cpu.flags import CR0_WP, CR4_PAE
from core.looks import Attempt, Ground, Piece, Space, TableEntry, TableWalk
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.ram import Ram
from core.memory.walk import PRESENT, RESERVED, USER, WRITABLE, Access, Entry, Paging, Walk, Words, walk

OPEN_BUS = 0xFFFF_FFFF
LEVELS = {2: "directory", 1: "table"}
ACCESSES = tuple(Access(write, user) for user in (False, True) for write in (False, True))


class GuestWords:
    """A guest's RAM by guest-physical address; beyond it all ones, as on a bus where nobody answers."""

    def __init__(self, physical: GuestPhysicalMemory) -> None:
        self._physical = physical

    def read_u32(self, address: GuestPhysical) -> int:
        """The word at `address`."""
        return self._physical.read_u32(address) if address + 4 <= self._physical.size else OPEN_BUS

    def named_by(self, entry: int) -> GuestPhysical:
        """The page that an entry names."""
        return self._physical.named_by(entry)


class HostWords:
    """The machine's RAM by host-physical address, read as page tables are."""

    def __init__(self, ram: Ram) -> None:
        self._ram = ram

    def read_u32(self, address: GuestPhysical) -> int:
        """The word at `address`."""
        return self._ram.read_u32(HostPhysical(address)) if address + 4 <= self._ram.size else OPEN_BUS

    def named_by(self, entry: int) -> GuestPhysical:
        """The frame that an entry names."""
        return GuestPhysical(entry & ~PAGE_MASK)


def attempts(words: Words, paging: Paging, linear: GuestVirtual) -> tuple[Attempt, ...]:
    """Reading and writing at `linear`, by kernel and user: what the tables would say."""
    found: list[Attempt] = []
    for access in ACCESSES:
        done = walk(words, paging, linear, access)
        if done.physical is not None:
            found.append(Attempt(access.write, access.user, None, ""))
        else:
            found.append(Attempt(access.write, access.user, done.error_code, _refusal(done, paging, access)))
    return tuple(found)


def _refusal(done: Walk, paging: Paging, access: Access) -> str:
    last = done.entries[-1]
    if not last.value & PRESENT:
        return f"the {LEVELS[last.level]} entry is not present (P = 0)"
    if done.error_code & RESERVED:
        return f"bit 21 of the {LEVELS[last.level]} entry is reserved where it names a large page"
    if access.user and (closed := [entry for entry in done.entries if not entry.value & USER]):
        return f"the {_levels(closed)} for the kernel only (U/S = 0)"
    closed = [entry for entry in done.entries if not entry.value & WRITABLE]
    why = ", and CR0.WP binds the kernel too" if paging.cr0 & CR0_WP and not access.user else ""
    return f"the {_levels(closed)} read-only (R/W = 0){why}"


def _levels(entries: list[Entry]) -> str:
    names = [LEVELS[entry.level] for entry in entries]
    return f"{names[0]} entry is" if len(names) == 1 else f"{' and '.join(names)} entries are"


def table_walk(
    words: Words,
    paging: Paging,
    linear: GuestVirtual,
    title: str,
    note: str,
    spaces: tuple[Space, Space],
) -> TableWalk:
    """The walk of `linear` for people; `spaces`: where the entries stand, and what comes out."""
    if paging.enabled and paging.cr4 & CR4_PAE:
        note = "The guest uses PAE page tables (CR4.PAE), which this version cannot walk."
        return TableWalk(title, note, *spaces, True, paging.cr3, (), None)
    done = walk(words, paging, linear, Access())
    entries = tuple(
        TableEntry(
            entry.level, linear >> (22 if entry.level == 2 else PAGE_SHIFT) & 0x3FF, int(entry.address), entry.value
        )
        for entry in done.entries
    )
    tried = attempts(words, paging, linear) if paging.enabled else ()
    return TableWalk(title, note, *spaces, paging.enabled, paging.cr3, entries, done.physical, tried)


# -- bytes


def pages(start: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a span that lie on one page each: address (modulo 4 GiB), size."""
    while size > 0:
        part = min(size, PAGE_SIZE - (start & PAGE_MASK))
        yield start & ADDRESS_MASK, part
        start += part
        size -= part


def linear_pieces(physical: GuestPhysicalMemory, paging: Paging, start: int, size: int) -> tuple[Piece, ...]:
    """Guest memory by linear address, through the guest's own tables, with the rights of its kernel."""
    words = GuestWords(physical)
    found: list[Piece] = []
    for address, part in pages(start, size):
        reached = None
        if not (paging.enabled and paging.cr4 & CR4_PAE):
            reached = walk(words, paging, GuestVirtual(address), Access()).physical
        if reached is None:
            found.append(Piece(address, part, Ground.UNMAPPED))
        else:
            found.append(_physical_piece(physical, address, reached, part))
    return tuple(found)


def physical_pieces(physical: GuestPhysicalMemory, start: int, size: int) -> tuple[Piece, ...]:
    """Guest memory by guest-physical address."""
    return tuple(
        _physical_piece(physical, address, GuestPhysical(address), part) for address, part in pages(start, size)
    )


def host_pieces(ram: Ram, start: int, size: int) -> tuple[Piece, ...]:
    """The machine's memory by host-physical address."""
    return tuple(
        Piece(address, part, Ground.RAM, ram.read(HostPhysical(address), part), address)
        if address + part <= ram.size
        else Piece(address, part, Ground.NOWHERE)
        for address, part in pages(start, size)
    )


def _physical_piece(physical: GuestPhysicalMemory, address: int, reached: GuestPhysical, size: int) -> Piece:
    if reached + size > physical.size:
        return Piece(address, size, Ground.DEVICE, b"", reached)
    return Piece(address, size, Ground.RAM, physical.read(reached, size), reached)
