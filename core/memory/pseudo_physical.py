"""Pseudo-physical memory: what a paravirtual guest takes for RAM, while its page tables name the machine's own frames.

Such a guest numbers its pages from 0, like any guest; but it writes machine frames into its page tables, because the
CPU walks just these (direct paging). Two tables lead from one number to the other, and the guest has both (Barham et
al., SOSP 2003, §3.3.3). Here the way back is taken wherever an entry of such a table is followed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.addresses import ADDRESS_MASK, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.memory.guest_physical import GuestPhysicalMemory, MemoryBus
from core.memory.ram import Ram
from core.memory.walk import Access, Paging, reach

NOT_OURS = -1


class PseudoPhysicalMemory(GuestPhysicalMemory):
    """`page_of[n]` is the guest's number for frame n of the machine, `NOT_OURS` if the VM does not own it."""

    NOT_STATE = (*GuestPhysicalMemory.NOT_STATE, "page_of")  # never changes

    def __init__(self, ram: Ram, frames: Sequence[HostPhysical], bus: MemoryBus, owner: str = "") -> None:
        super().__init__(ram, frames, bus, owner)
        self._shown: dict[HostPhysical, GuestPhysical] = {}
        self.page_of = np.full(ram.size >> PAGE_SHIFT, NOT_OURS, np.int32)
        self.page_of[np.array(frames, np.int64) >> PAGE_SHIFT] = np.arange(len(frames))

    def page(self, frame: int) -> int:
        """The guest's number for frame number `frame`, or `NOT_OURS`."""
        return int(self.page_of[frame]) if 0 <= frame < len(self.page_of) else NOT_OURS

    def show(self, frame: HostPhysical) -> None:
        """Let onlookers follow the guest's page tables into `frame` too, which is not the VM's: a page behind its RAM.

        Such a page is not in `page_of`, so the guest gains nothing by it.
        """
        self._shown[frame] = GuestPhysical(self.size)
        self.frames.append(frame)
        self.size += PAGE_SIZE

    def named_by(self, entry: int) -> GuestPhysical:
        """The guest's page of the machine frame that `entry` names; an address beyond its RAM if it has none."""
        frame = HostPhysical(entry & ~PAGE_MASK & ADDRESS_MASK)
        page = self.page(frame >> PAGE_SHIFT)
        if page != NOT_OURS:
            return GuestPhysical(page << PAGE_SHIFT)
        return self._shown.get(frame, GuestPhysical(ADDRESS_MASK & ~PAGE_MASK))

    def reach(self, paging: Paging, linear: int, access: Access) -> GuestPhysical | None:
        """As everywhere, and not remembered: the entries name other pages than they hold."""
        return reach(self, paging, linear, access)

    def read_entry(self, address: int) -> int:
        """As everywhere; its frame becomes the guest's own page."""
        entry = self.read_u32(GuestPhysical(address))
        return self.named_by(entry) | entry & PAGE_MASK

    def own_terms(self, entries: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """A table's entries with the guest's numbers in place of machine frames; the last page for what is not its."""
        frames = np.minimum(entries >> PAGE_SHIFT, np.uint32(len(self.page_of) - 1))
        pages: npt.NDArray[np.uint32] = self.page_of[frames].astype(np.uint32)  # NOT_OURS becomes the highest number
        return (pages << np.uint32(PAGE_SHIFT)) | (entries & np.uint32(PAGE_MASK))
