"""Guest-physical memory as the CPU reaches it under nested paging: every address through the nested table first.

The CPU does that in hardware for all that the guest does. What the lab does in the CPU's place, above all delivery of
events, must pass the same table, or a page that the hypervisor has not entered, closed or taken would be touched
unseen (AMD APM vol. 2 §15.25.6: tables are read as if written, for the accessed bit). What the nested table has let
through is remembered, as in a TLB, until it is flushed. Simplified: addresses beyond RAM go to the bus at once.
"""

from __future__ import annotations

from collections.abc import Callable

from core.addresses import PAGE_MASK, GuestPhysical
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.nested import NestedPager
from core.memory.walk import Access, Paging, reach

Missing = Callable[[GuestPhysical, bool, bool], None]


class NestedReach:
    """`physical` through `pager`. `missing(address, write, table)` is told where that lacks a page or closes it, and
    whether it was met as a page table; after that the access goes on."""

    def __init__(self, physical: GuestPhysicalMemory, pager: NestedPager, missing: Missing) -> None:
        self._physical = physical
        self._pager = pager
        self._missing = missing
        self._known: dict[int, bool] = {}  # pages let through since the last flush: for writing, too?

    def flush(self) -> None:
        """Forget what was let through."""
        self._known.clear()

    @property
    def size(self) -> int:
        """Bytes of RAM."""
        return self._physical.size

    def _reach(self, address: GuestPhysical, *, write: bool, table: bool = False) -> None:
        page = GuestPhysical(address & ~PAGE_MASK)
        known = self._known.get(page)
        if known or (known is False and not write) or page >= self._physical.size:
            return
        if not self._pager.lets(page, write=write):
            self._missing(address, write, table)
        if self._pager.lets(page, write=write):
            self._known[page] = write

    # -- what a walk and an access need (`core.memory.walk.Physical`)

    def named_by(self, entry: int) -> GuestPhysical:
        """The page that a page-table entry names."""
        return self._physical.named_by(entry)

    def read_u32(self, address: GuestPhysical) -> int:
        """A word of a page table."""
        self._reach(address, write=True, table=True)
        return self._physical.read_u32(address)

    def read_entry(self, address: int) -> int:
        """A word of a page table that names its page in the guest's own numbers, as all do here."""
        self._reach(GuestPhysical(address), write=True, table=True)
        return self._physical.read_entry(address)

    def reach(self, paging: Paging, linear: int, access: Access) -> GuestPhysical | None:
        """A walk, each entry of which is reached through the nested table."""
        return reach(self, paging, linear, access)

    def write_u32(self, address: GuestPhysical, value: int) -> None:
        """A word of a page table, with another bit set."""
        self._reach(address, write=True, table=True)
        self._physical.write_u32(address, value)

    def read(self, address: GuestPhysical, size: int) -> bytes:
        """`size` bytes of one page."""
        self._reach(address, write=False)
        return self._physical.read(address, size)

    def read_within(self, address: GuestPhysical, size: int) -> bytes:
        """`size` bytes of one page of RAM."""
        self._reach(address, write=False)
        return self._physical.read_within(address, size)

    def write(self, address: GuestPhysical, data: bytes) -> None:
        """Store `data` in one page."""
        self._reach(address, write=True)
        self._physical.write(address, data)
