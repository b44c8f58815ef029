"""A VM's guest-physical memory: RAM it was given, frame by frame, and devices everywhere else.

On bare hardware guest-physical is host-physical, one to one. Under a monitor each guest-physical page lies in whatever
frame the allocator gave, or in none while the hypervisor keeps its contents (`core.memory.reclaim`). Addresses beyond
the VM's RAM go to its bus, where what nobody claims reads as all ones. Walks through its page tables are remembered, as
in a TLB; but each is compared with the tables as they stand before it is believed, so none is ever stale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.flags import CR4_PSE
from core.memory.ram import Ram
from core.memory.walk import LARGE, Access, Paging, reach

ABSENT = HostPhysical(-1)
MOST_WALKS = 4096  # remembered


class MemoryBus(Protocol):
    """What answers beyond RAM."""

    def read_memory(self, address: int, size: int) -> int:
        """The value of a read of `size` (1, 2 or 4) bytes."""

    def write_memory(self, address: int, size: int, value: int) -> None:
        """A write of `size` bytes."""


class _Walk(NamedTuple):
    """A walk by `paging` that came to the page at `base`, and the entries that led there, twice the same for a large
    page: of each the page that it stands in, the frame of that, the number of its word in the machine's RAM, its value.
    """

    paging: Paging
    directory_page: int
    directory_frame: HostPhysical
    directory_word: int
    directory: int
    table_page: int
    table_frame: HostPhysical
    table_word: int
    table: int
    base: int


class GuestPhysicalMemory:
    """`frames[n]` is the host-physical address of guest-physical page n, or `ABSENT`: then `kept[n]` holds its bytes,
    none if all are zero. Reading and writing here leave such a page where it is; `host` brings it back."""

    NOT_STATE: ClassVar[tuple[str, ...]] = ("_walks",)  # each is checked before it is believed

    def __init__(self, ram: Ram, frames: Sequence[HostPhysical], bus: MemoryBus, owner: str = "") -> None:
        self.ram = ram
        self.owner = owner  # whose the frames are
        self.frames = list(frames)
        self.kept: dict[int, bytearray] = {}
        self.bring_back: Callable[[int], HostPhysical] | None = None  # a page by its number
        self.bus = bus
        self.size = len(frames) * PAGE_SIZE
        self.on_write: Callable[[GuestPhysical, int], None] | None = None  # told of every write to RAM by a monitor
        self._walks: dict[tuple[int, Access], _Walk] = {}

    def host(self, address: GuestPhysical) -> HostPhysical:
        """Where guest-physical `address` (inside RAM) lies in the machine."""
        frame = self.frames[address >> PAGE_SHIFT]
        if frame < 0:
            assert self.bring_back is not None, "pages are absent only where somebody can bring them back"
            frame = self.bring_back(address >> PAGE_SHIFT)
        return HostPhysical(frame | address & PAGE_MASK)

    def lies_at(self, address: GuestPhysical) -> HostPhysical | None:
        """As `host`, but leaves an absent page where it is: None."""
        frame = self.frames[address >> PAGE_SHIFT]
        return HostPhysical(frame | address & PAGE_MASK) if frame >= 0 else None

    def read_within(self, address: GuestPhysical, size: int) -> bytes:
        """`size` bytes that lie in one page of RAM."""
        frame = self.frames[address >> PAGE_SHIFT]
        start = address & PAGE_MASK
        if frame >= 0:
            return self.ram.bytes[frame | start : (frame | start) + size].tobytes()  # the hot path of every departure
        return bytes(self.kept[address >> PAGE_SHIFT][start : start + size]) or bytes(size)

    def _write_within(self, address: GuestPhysical, data: bytes) -> None:
        frame = self.frames[address >> PAGE_SHIFT]
        start = address & PAGE_MASK
        if frame >= 0:
            self.ram.write(HostPhysical(frame | start), data)
            return
        kept = self.kept[address >> PAGE_SHIFT]
        if not kept:
            kept += bytes(PAGE_SIZE)
        kept[start : start + len(data)] = data

    def named_by(self, entry: int) -> GuestPhysical:
        """The page that an entry of the guest's page tables names."""
        return GuestPhysical(entry & ~PAGE_MASK)

    def own_terms(self, entries: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """A table's entries with the pages that they name in the guest's own numbers."""
        return entries

    def read(self, address: GuestPhysical, size: int) -> bytes:
        """`size` bytes, across pages and devices alike."""
        start = address & PAGE_MASK
        if address < self.size and start + size <= PAGE_SIZE:
            frame = self.frames[address >> PAGE_SHIFT]
            if frame < 0:
                return self.read_within(address, size)
            return self.ram.bytes[frame | start : (frame | start) + size].tobytes()  # as there, a call less
        out = bytearray()
        while size > 0:
            part = min(size, PAGE_SIZE - (address & PAGE_MASK))
            if address < self.size:
                out += self.read_within(address, part)
            else:
                out += bytes(self.bus.read_memory(address + i, 1) & 0xFF for i in range(part))
            address = GuestPhysical(address + part & 0xFFFF_FFFF)
            size -= part
        return bytes(out)

    def write(self, address: GuestPhysical, data: bytes) -> None:
        """Store `data`, across pages and devices alike."""
        if address < self.size and 0 < len(data) <= PAGE_SIZE - (address & PAGE_MASK):
            self._write_within(address, data)
            if self.on_write is not None:
                self.on_write(address, len(data))
            return
        while data:
            part = min(len(data), PAGE_SIZE - (address & PAGE_MASK))
            if address < self.size:
                self._write_within(address, data[:part])
                if self.on_write is not None:
                    self.on_write(address, part)
            else:
                for i, byte in enumerate(data[:part]):
                    self.bus.write_memory(address + i, 1, byte)
            address = GuestPhysical(address + part & 0xFFFF_FFFF)
            data = data[part:]

    def reach(self, paging: Paging, linear: int, access: Access) -> GuestPhysical | None:
        """As `core.memory.walk.reach`, in a third of its time where that was done before."""
        known = self._walks.get((linear >> PAGE_SHIFT, access))
        if known is not None:
            by, page_1, frame_1, word_1, entry_1, page_2, frame_2, word_2, entry_2, base = known
            frames, words = self.frames, self.ram.words
            if (
                words[word_2] == entry_2
                and words[word_1] == entry_1
                and by == paging
                and frames[page_1] == frame_1
                and frames[page_2] == frame_2
            ):
                return GuestPhysical(base | linear & PAGE_MASK)
        reached = reach(self, paging, linear, access)
        if reached is not None and paging.enabled:
            self._remember(paging, linear, access, reached)
        return reached

    def _remember(self, paging: Paging, linear: int, access: Access, reached: GuestPhysical) -> None:
        directory_at = (paging.cr3 & ~PAGE_MASK) + (linear >> 22 << 2)
        directory = self.read_entry(directory_at)
        large = directory & LARGE and paging.cr4 & CR4_PSE
        table_at = directory_at if large else (directory & ~PAGE_MASK) + (linear >> 10 & 0xFFC)
        places: list[tuple[int, HostPhysical, int, int]] = []
        for at in (directory_at, table_at):
            frame = self.frames[at >> PAGE_SHIFT] if at < self.size else ABSENT
            if frame < 0:
                return
            word = (frame | at & PAGE_MASK) >> 2
            places.append((at >> PAGE_SHIFT, frame, word, self.ram.words[word]))
        if len(self._walks) >= MOST_WALKS:
            self._walks.clear()
        self._walks[linear >> PAGE_SHIFT, access] = _Walk(paging, *places[0], *places[1], reached & ~PAGE_MASK)

    def read_entry(self, address: int) -> int:
        """The page-table entry at `address`, with the page that it names as an address of this memory."""
        if address < self.size and (frame := self.frames[address >> PAGE_SHIFT]) >= 0:
            return self.ram.words[(frame | address & PAGE_MASK) >> 2]
        return self.read_u32(GuestPhysical(address))

    def read_u32(self, address: GuestPhysical) -> int:
        """The little-endian 32-bit word at `address`."""
        if not address & 3 and address < self.size:
            frame = self.frames[address >> PAGE_SHIFT]
            if frame >= 0:
                return self.ram.words[(frame | address & PAGE_MASK) >> 2]
        return int.from_bytes(self.read(address, 4), "little")

    def write_u32(self, address: GuestPhysical, value: int) -> None:
        """Store a 32-bit word."""
        self.write(address, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
