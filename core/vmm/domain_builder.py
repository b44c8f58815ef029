"""The builder of a paravirtual VM: what a guest finds in its memory, beside its image, when it is entered.

A start page that tells it what it must know, the pages of its drivers' rings, the list of its machine frames, and page
tables that map all its memory one to one, read-only where the tables themselves are, so that it starts with paging on
(Xen's domain builder, `xc_dom`). They lie below the image, in the memory that every PC has free there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.errors import RequestError
from core.layout import PARAVIRT_END, PARAVIRT_START
from core.memory.pseudo_physical import PseudoPhysicalMemory
from core.memory.walk import PRESENT, USER, WRITABLE
from core.vmm.frame_types import ENTRIES


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie, by the guest's own page numbers."""

    start: int
    console_ring: int
    disk_ring: int
    frame_list: int
    directory: int
    tables: range  # of level 1

    @classmethod
    def of(cls, physical: PseudoPhysicalMemory) -> Layout:
        """For a VM of that memory; a RequestError if it is too large for what must lie below its image."""
        pages = physical.size >> PAGE_SHIFT
        start = PARAVIRT_START >> PAGE_SHIFT
        list_at = start + 3
        directory = list_at + -(-4 * pages // PAGE_SIZE)
        tables = range(directory + 1, directory + 1 + -(-pages // ENTRIES))
        if tables.stop << PAGE_SHIFT > PARAVIRT_END:
            raise RequestError(
                f"A paravirtual VM of {physical.size >> 20} MiB has no room below its image for its first page tables.",
                "Give it less memory.",
            )
        return cls(start, start + 1, start + 2, list_at, directory, tables)


def write_tables(physical: PseudoPhysicalMemory, layout: Layout) -> None:
    """The list of frames, and page tables that map every page at the address of its number, for the kernel only."""
    frames = np.array(physical.frames, np.uint32)
    physical.write(GuestPhysical(layout.frame_list << PAGE_SHIFT), (frames >> PAGE_SHIFT).tobytes())
    entries = frames | np.uint32(PRESENT | WRITABLE)
    entries[layout.directory : layout.tables.stop] &= ~np.uint32(WRITABLE)
    directory = np.zeros(ENTRIES, np.uint32)
    for slot, page in enumerate(layout.tables):
        part = np.zeros(ENTRIES, np.uint32)
        held = entries[slot * ENTRIES : (slot + 1) * ENTRIES]
        part[: len(held)] = held
        physical.write(GuestPhysical(page << PAGE_SHIFT), part.tobytes())
        directory[slot] = frames[page] | PRESENT | WRITABLE | USER
    physical.write(GuestPhysical(layout.directory << PAGE_SHIFT), directory.tobytes())


def frame_of(physical: PseudoPhysicalMemory, page: int) -> int:
    """The machine frame number of one of the guest's pages."""
    return physical.frames[page] >> PAGE_SHIFT


def address_of(physical: PseudoPhysicalMemory, page: int) -> HostPhysical:
    """Where one of the guest's pages begins in the machine."""
    return HostPhysical(physical.frames[page])
