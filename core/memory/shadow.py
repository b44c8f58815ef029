"""Page tables that the monitor makes and the CPU really walks.

The guest never sees them. For a guest that has not turned paging on they map each guest-physical page, at the linear
address of the same number, to the frame that holds it; the monitor's own pages and traced pages are closed to writing,
and every other address is left out, so that touching it comes to the monitor (AMD APM vol. 2 §15.24.1 calls such
tables shadow page tables; VMware's monitors kept them, Bugnion et al., TOCS 2012).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestVirtual, HostPhysical
from core.memory.frames import FrameAllocator
from core.memory.ram import Ram
from core.memory.walk import PRESENT, USER, WRITABLE

ENTRIES = 1024  # of a table


class ShadowTables:
    """A two-level table in frames of `owner`. Whoever edits it flushes the TLB afterwards."""

    def __init__(self, ram: Ram, allocator: FrameAllocator, owner: str) -> None:
        self._ram = ram
        self._allocator = allocator
        self._owner = owner
        self.root = self.new_frame()

    def new_frame(self) -> HostPhysical:
        """A zeroed frame of the monitor's."""
        frame = self._allocator.allocate(PAGE_SIZE, self._owner)[0]
        self._ram.write(frame, bytes(PAGE_SIZE))
        return frame

    def entry(self, linear: GuestVirtual) -> int:
        """The table entry for the page of `linear`; 0 if there is none."""
        directory = self._ram.read_u32(self._directory_slot(linear))
        return self._ram.read_u32(self._table_slot(directory, linear)) if directory & PRESENT else 0

    def set_entry(self, linear: GuestVirtual, entry: int) -> None:
        """Write the table entry for the page of `linear`, adding a table where there is none."""
        slot = self._directory_slot(linear)
        directory = self._ram.read_u32(slot)
        if not directory & PRESENT:
            directory = self.new_frame() | PRESENT | WRITABLE | USER
            self._ram.write_u32(slot, directory)
        self._ram.write_u32(self._table_slot(directory, linear), entry)

    def map(self, linear: GuestVirtual, frame: int, *, writable: bool, user: bool) -> None:
        """Map one page to the host-physical page at `frame`."""
        self.set_entry(linear, (frame & ~0xFFF) | PRESENT | writable * WRITABLE | user * USER)

    def map_all(self, first: GuestVirtual, frames: Sequence[HostPhysical]) -> None:
        """Map consecutive pages from `first` on to `frames`, writable and for every ring."""
        entries = np.array(frames, np.uint32) | np.uint32(PRESENT | WRITABLE | USER)
        while len(entries):
            inside = (first >> PAGE_SHIFT) % ENTRIES
            part, entries = entries[: ENTRIES - inside], entries[ENTRIES - inside :]
            self.set_entry(first, 0)  # makes the table
            directory = self._ram.read_u32(self._directory_slot(first))
            self._ram.write(self._table_slot(directory, first), part.tobytes())
            first = GuestVirtual(first + len(part) * PAGE_SIZE)

    def _directory_slot(self, linear: GuestVirtual) -> HostPhysical:
        return HostPhysical(self.root + (linear >> 22 << 2))

    @staticmethod
    def _table_slot(directory: int, linear: GuestVirtual) -> HostPhysical:
        return HostPhysical((directory & ~0xFFF) + ((linear >> PAGE_SHIFT & 0x3FF) << 2))
