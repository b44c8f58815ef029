"""The nested page table of one VM: guest-physical to host-physical, walked by the CPU behind the guest's own tables.

With nested paging the guest's tables stay the guest's: the CPU walks them, and passes every guest-physical address that
it meets, those of the tables included, through a second table that only the hypervisor sees. What that table lacks or
forbids is a nested page fault, an exit (AMD APM vol. 2 §15.25). The table has the host's format: PAE's three levels
of 8-byte entries: the emulated CPU takes a large page of the two-level format for one only while the *guest's* CR4.PSE
is set. A page of 2 MiB is used where the VM's frames lie side by side and aligned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.memory.frames import FrameAllocator
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.walk import ACCESSED, LARGE, PRESENT, USER, WRITABLE

ENTRIES = 512  # of a table; a directory has as many
DIRECTORIES = 4
LARGE_SHIFT = 21
LARGE_BYTES = PAGE_SIZE * ENTRIES
RIGHTS = PRESENT | WRITABLE | USER  # every nested access is checked as a user's
LEAF_MASK = ~PAGE_MASK & 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Mapped:
    """The nested table has the page now: the frame, and how many bytes the new entry maps."""

    frame: HostPhysical
    size: int
    brought_back: bool = False  # the page had been taken from the VM


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The hypervisor has closed this page to writing."""

    page: GuestPhysical


@dataclass(frozen=True, slots=True)
class Beyond:
    """No RAM of the VM's: a device, or nobody."""

    page: GuestPhysical


@dataclass(frozen=True, slots=True)
class NestedEntry:
    """One entry on a nested walk: its level (3 pointers, 2 directory, 1 table), where it stands, its value."""

    level: int
    address: HostPhysical
    value: int


NestedResolution = Mapped | Forbidden | Beyond


class NestedPager:
    """The nested table, in frames of `owner`, filled on demand; `flush` empties the TLB."""

    def __init__(
        self, physical: GuestPhysicalMemory, allocator: FrameAllocator, owner: str, flush: Callable[[], None]
    ) -> None:
        self._ram = physical.ram
        self._physical = physical
        self._allocator = allocator
        self._owner = owner
        self._flush = flush
        self.protected: set[GuestPhysical] = set()  # pages closed to writing
        self._opened: Counter[int] = Counter()  # frames that are shown for one instruction
        self._lent: Counter[HostPhysical] = (
            Counter()
        )  # directory entries with a table for that time, pages open in each
        self._spare: list[HostPhysical] = []  # empty tables
        self._logging = False
        self._written: set[GuestPhysical] = set()
        self.root = self._new_frame()  # the page directory pointers
        self._directories = [self._new_frame() for _ in range(DIRECTORIES)]
        for index, directory in enumerate(self._directories):
            self._ram.write_u64(HostPhysical(self.root + 8 * index), directory | PRESENT)

    def _new_frame(self) -> HostPhysical:
        frame = self._allocator.allocate(PAGE_SIZE, self._owner)[0]
        self._ram.write(frame, bytes(PAGE_SIZE))
        return frame

    def table_frames(self) -> Iterator[HostPhysical]:
        """The frames that hold the nested table."""
        yield self.root
        for directory in self._directories:
            yield directory
            for entry in np.frombuffer(self._ram.read(directory, PAGE_SIZE), np.uint64).tolist():
                if entry & PRESENT and not entry & LARGE:
                    yield HostPhysical(entry & LEAF_MASK)
        yield from self._spare

    # -- faults

    def resolve(self, address: GuestPhysical, *, write: bool) -> NestedResolution:
        """What to do about a nested page fault at guest-physical `address`."""
        page = GuestPhysical(address & LEAF_MASK)
        if page >= self._physical.size:
            return Beyond(page)
        if write and page in self.protected:
            return Forbidden(page)
        absent = self._physical.lies_at(page) is None
        self._allocator.check(self._physical.host(page), self._physical.owner)
        if not self._logging and self._fits_large(page):
            self._ram.write_u64(
                self._directory_slot(page), self._physical.host(self._large_start(page)) | RIGHTS | LARGE
            )
            return Mapped(self._physical.host(page), LARGE_BYTES)
        if write and self._logging:
            self._written.add(page)
        rights = RIGHTS if self._may_write(page) else RIGHTS & ~WRITABLE
        self._ram.write_u64(self._slot(page), self._physical.host(page) | rights)
        return Mapped(self._physical.host(page), PAGE_SIZE, absent)

    def lets(self, page: GuestPhysical, *, write: bool) -> bool:
        """Would the CPU pass to guest-physical `page` now? If so it marks the entry, as it does on a walk."""
        last = self.walk(page)[-1]
        wanted = PRESENT | WRITABLE if write else PRESENT
        if last.value & wanted != wanted:
            return False
        if not last.value & ACCESSED:
            self._ram.write_u64(last.address, last.value | ACCESSED)
        return True

    def _may_write(self, page: GuestPhysical) -> bool:
        return page not in self.protected and (not self._logging or page in self._written)

    # -- the table

    def _directory_slot(self, page: int) -> HostPhysical:
        return HostPhysical(self._directories[page >> 30] + 8 * (page >> LARGE_SHIFT & ENTRIES - 1))

    def _slot(self, page: int) -> HostPhysical:
        """Where the entry of `page` stands; makes its table if there is none."""
        at = self._directory_slot(page)
        table = self._ram.read_u64(at)
        if not table & PRESENT or table & LARGE:
            frame = self._new_frame()
            if table & LARGE:  # split: the same translations, page by page
                first = self._large_start(page) >> PAGE_SHIFT
                frames = np.array(self._physical.frames[first : first + ENTRIES], np.uint64) | np.uint64(RIGHTS)
                self._ram.write(frame, frames.tobytes())
            table = frame | RIGHTS
            self._ram.write_u64(at, table)
        return HostPhysical((table & LEAF_MASK) + 8 * (page >> PAGE_SHIFT & ENTRIES - 1))

    @staticmethod
    def _large_start(page: int) -> GuestPhysical:
        return GuestPhysical(page & ~(LARGE_BYTES - 1))

    def _fits_large(self, page: GuestPhysical) -> bool:
        """Are the 2 MiB around `page` all RAM in one aligned piece, nothing in them closed, and no table there yet?"""
        start = self._large_start(page)
        if start + LARGE_BYTES > self._physical.size or self._ram.read_u64(self._directory_slot(page)) & PRESENT:
            return False
        first = self._physical.frames[start >> PAGE_SHIFT]
        if first & LARGE_BYTES - 1 or any(start <= each < start + LARGE_BYTES for each in self.protected):
            return False
        number = start >> PAGE_SHIFT
        piece = self._physical.frames[number : number + ENTRIES]
        return all(frame == first + index * PAGE_SIZE for index, frame in enumerate(piece))

    def walk(self, address: GuestPhysical) -> tuple[NestedEntry, ...]:
        """The entries that the CPU reads to translate guest-physical `address`, the last one perhaps absent."""
        found = []
        at = HostPhysical(self.root + 8 * (address >> 30))
        for level, shift in ((3, 30), (2, LARGE_SHIFT), (1, PAGE_SHIFT)):
            value = self._ram.read_u64(at)
            found.append(NestedEntry(level, at, value))
            if not value & PRESENT or value & LARGE or level == 1:
                break
            shift -= PAGE_SHIFT - 3
            at = HostPhysical((value & LEAF_MASK) + 8 * (address >> shift & ENTRIES - 1))
        return tuple(found)

    # -- what a hypervisor does with it

    def protect(self, page: GuestPhysical, *, writable: bool) -> None:
        """Close guest-physical `page` to the guest's writes, or open it again."""
        if writable:
            self.protected.discard(page)
        else:
            self.protected.add(page)
        slot = self._slot(page)
        self._ram.write_u64(slot, self._physical.host(page) | (RIGHTS if self._may_write(page) else RIGHTS & ~WRITABLE))
        self._flush()

    def log_writes(self) -> None:
        """From now on learn which pages the guest writes: each page's first write is an exit (what migration needs)."""
        self._logging = True
        self._written.clear()
        for start in range(0, self._physical.size, LARGE_BYTES):
            directory = self._ram.read_u64(self._directory_slot(start))
            if directory & PRESENT:
                table = HostPhysical(self._slot(start) & LEAF_MASK)
                entries = np.frombuffer(self._ram.read(table, PAGE_SIZE), np.uint64) & np.uint64(
                    ~WRITABLE & 0xFFFF_FFFF
                )
                self._ram.write(table, entries.tobytes())
        self._flush()

    def written(self) -> set[GuestPhysical]:
        """The pages written since `log_writes`, or since this was last asked; logging goes on."""
        found = set(self._written)
        for page in found:
            self._written.discard(page)
            slot = self._slot(page)
            self._ram.write_u64(slot, self._ram.read_u64(slot) & ~WRITABLE)
        if found:
            self._flush()
        return found

    def open_once(self, page: GuestPhysical, frame: int) -> Callable[[], None]:
        """Map `page` to `frame`, writable; calling the result puts things back."""
        at = self._directory_slot(page)
        self._lend_table(page, at)
        slot = self._slot(page)
        before = self._ram.read_u64(slot)
        self._ram.write_u64(slot, (frame & LEAF_MASK) | RIGHTS)
        self._flush()

        self._opened[frame & LEAF_MASK] += 1

        def close() -> None:
            self._opened[frame & LEAF_MASK] -= 1
            self._ram.write_u64(slot, before)
            self._take_table_back(at)
            self._flush()

        return close

    def _lend_table(self, page: GuestPhysical, at: HostPhysical) -> None:
        """Where nothing but the bus is, a table stays only while a page of it is open: a guest may look everywhere."""
        if at not in self._lent:
            if self._large_start(page) < self._physical.size or self._ram.read_u64(at) & PRESENT:
                return
            self._ram.write_u64(at, (self._spare.pop() if self._spare else self._new_frame()) | RIGHTS)
        self._lent[at] += 1

    def _take_table_back(self, at: HostPhysical) -> None:
        if at not in self._lent:
            return
        self._lent[at] -= 1
        if not self._lent[at]:
            del self._lent[at]
            self._spare.append(HostPhysical(self._ram.read_u64(at) & LEAF_MASK))
            self._ram.write_u64(at, 0)

    # -- pages that are taken from the VM and come back (`core.memory.reclaim.Mappings`)

    def take_used(self, page: GuestPhysical) -> bool:
        """Was `page` touched since this was asked last? The CPU notes it in the entry; a large one is split for it."""
        if not self._ram.read_u64(self._directory_slot(page)) & PRESENT:
            return False
        slot = self._slot(page)
        entry = self._ram.read_u64(slot)
        if not entry & PRESENT or not entry & ACCESSED:
            return False
        self._ram.write_u64(slot, entry & ~ACCESSED)
        self._flush()
        return True

    def pinned(self, page: GuestPhysical) -> bool:
        """Is it open for one instruction just now?"""
        frame = self._physical.lies_at(page)
        return frame is not None and self._opened[frame] > 0

    def unmap(self, page: GuestPhysical) -> None:
        """Show `page` to the guest no more."""
        if self._ram.read_u64(self._directory_slot(page)) & PRESENT:
            self._ram.write_u64(self._slot(page), 0)
        self._flush()

    def moved(self, page: GuestPhysical) -> None:
        """It will be entered when it is touched."""
