"""Where the guest's code is fetched from: what a translator must know of the guest's page tables.

Translated code is fetched from the cache, so nothing checks that the guest's own code could still be fetched where it
was. Here each page of code is walked to once, with the accessed bits that a fetch sets, and is *live* from then on; it
is no more when its entry has gone from the shadow, or another address space was entered in which it is not there.
(Bugnion et al., TOCS 2012, §6.2; Intel SDM vol. 3 §4.8 for the bits.)
"""

from __future__ import annotations

from collections.abc import Callable

from core.addresses import PAGE_MASK, GuestPhysical, GuestVirtual, HostPhysical
from core.cpu.faults import GuestFault, Vector
from core.layout import MONITOR_BASE
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.shadow import Denied, Filled, ShadowPager
from core.memory.walk import Access, Paging, mark_walked, walk
from core.translator.cache import Block

NEVER = -1


class CodePages:
    """The live pages of code; `lost(linear)` is told of each that is no more."""

    def __init__(self, pager: ShadowPager, physical: GuestPhysicalMemory, lost: Callable[[int], None]) -> None:
        self._pager = pager
        self._physical = physical
        self._lost = lost
        self._live: dict[int, tuple[GuestPhysical, HostPhysical | None]] = {}
        self._revision = NEVER

    def look(self, paging: Paging) -> None:
        """If the shadow has changed: which pages of code are no longer where they were?"""
        if self._pager.revision == self._revision:
            return
        self._revision = self._pager.revision
        for linear, (page, frame) in list(self._live.items()):
            if paging.enabled:
                good = frame is not None and self._pager.mapping(linear) == frame
            else:
                good = linear == page
            if not good:
                del self._live[linear]
                self._lost(linear)

    def reach(self, block: Block) -> bool:
        """Is every page that `block` came from live, and still the same one?"""
        for linear, page in zip(block.linear_pages, block.pages, strict=True):
            found = self._live.get(linear)
            if found is None or found[0] != page:
                return False
        return True

    def is_live(self, linear: int) -> bool:
        """Has code been fetched from the page of `linear`, and could still be?"""
        return linear & ~PAGE_MASK in self._live

    def fetch(self, paging: Paging, linear: int) -> GuestPhysical | GuestFault:
        """The guest-physical page that holds the code at `linear`; or the fault that fetching there gives."""
        start = linear & ~PAGE_MASK
        known = self._live.get(start)
        if known is not None:
            return known[0]
        frame: HostPhysical | None = None
        if paging.enabled:
            at = GuestVirtual(linear)
            if linear < MONITOR_BASE:
                found = self._pager.resolve(paging, at, write=False, user=False)
                if isinstance(found, Denied):
                    return GuestFault(Vector.PF, found.error_code, linear)
                if isinstance(found, Filled):
                    frame = found.frame
            reached = walk(self._physical, paging, at, Access())
            mark_walked(self._physical, reached, Access())
            if reached.physical is None:
                return GuestFault(Vector.PF, reached.error_code, linear)
            page = GuestPhysical(reached.physical & ~PAGE_MASK)
        else:
            page = GuestPhysical(start)
        if page >= self._physical.size:
            return GuestFault(Vector.UD)  # an open bus reads as all ones, which is no instruction
        self._live[start] = page, frame
        return page
