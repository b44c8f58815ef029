"""Shadow page tables: what the CPU really walks while a deprivileged guest believes in its own tables.

The guest's tables turn guest-virtual into guest-physical addresses, the allocator's choice turns those into host-
physical ones; the shadow holds both steps in one. It is filled on demand: an access that only the shadow denies is a
*hidden* fault, one that the guest's own tables deny is a *true* one. The guest's tables are write-protected (*traced*),
so a change of theirs is seen at once and the entries made from them are thrown away. Accessed and dirty bits appear in
the guest's tables as on bare: nothing is mapped before it is touched, nothing is writable before it is dirty. (Adams &
Agesen, ASPLOS 2006, §2.4; Bugnion et al., TOCS 2012, §5.3; AMD APM vol. 2 §15.24.1.) Modelled: two-level tables with
4 KiB and 4 MiB pages. Shadow tables are shared by all directories that share the guest's table.
It is one file, since filling, tracing and throwing away work on the same entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.cpu.flags import CR0_WP
from core.layout import MONITOR_BASE, SHADOW_FRAMES
from core.memory.frames import FrameAllocator
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.walk import ACCESSED, DIRTY, PRESENT, USER, WRITABLE, Access, Paging, Walk, mark_walked, walk

ENTRIES = 1024  # of a table
MONITOR_SLOT = MONITOR_BASE >> 22  # the directory entry of the monitor's region
LEAF_MASK = ~PAGE_MASK & 0xFFFF_FFFF
IDLE_WRITES = 64  # changes of a table, none followed by a use, after which it is taken to be plain memory again


@dataclass(frozen=True, slots=True)
class Filled:
    """A hidden fault: the shadow has the entry now, the access will succeed. `brought_back`: the page had been taken
    from the VM."""

    frame: HostPhysical
    brought_back: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """A true fault: the guest's own tables say no, with this error code."""

    error_code: int


@dataclass(frozen=True, slots=True)
class Traced:
    """A write to a traced guest-physical page, to be opened once."""

    page: GuestPhysical


@dataclass(frozen=True, slots=True)
class NotRam:
    """The access reaches a device, or lies in the monitor's region: guest-physical page, to be opened once."""

    page: GuestPhysical


Resolution = Filled | Denied | Traced | NotRam


@dataclass(slots=True)
class _Table:
    """A shadow table, and the directory slots that point to it."""

    frame: HostPhysical
    users: set[HostPhysical] = field(default_factory=set)


@dataclass(slots=True)
class _Directory:
    """A shadow directory, and for each slot in use the table it points to."""

    root: HostPhysical
    slots: dict[int, int] = field(default_factory=dict)


class ShadowPager:
    """The shadow of one VM's page tables, in frames of `owner`; `flush` empties the TLB.

    Tables are known by the guest-physical address they are the shadow of: that of the guest's table, or for a large
    page that of its directory entry, plus one (so that it is never a table's).
    """

    def __init__(
        self, physical: GuestPhysicalMemory, allocator: FrameAllocator, owner: str, flush: Callable[[], None]
    ) -> None:
        self._ram = physical.ram
        self._physical = physical
        self._allocator = allocator
        self._owner = owner
        self._flush = flush
        self._page_number = np.zeros(physical.ram.size >> PAGE_SHIFT, np.uint32)  # guest-physical, by host-physical
        frames = np.array(physical.frames, np.int64)
        present = frames >= 0
        self._page_number[frames[present] >> PAGE_SHIFT] = np.flatnonzero(present)
        self._opened: Counter[int] = Counter()  # frames that are shown for one instruction
        self._directories: dict[GuestPhysical, _Directory] = {}
        self._tables: dict[int, _Table] = {}
        self._mapped: dict[GuestPhysical, set[HostPhysical]] = {}  # entries that show a page, but for the flat one
        self._idle_writes: dict[GuestPhysical, int] = {}
        self._spare: list[HostPhysical] = []  # empty tables, for opening pages where there is none
        self._put_back: dict[HostPhysical, int] = {}  # what stood where something is opened for one instruction
        self.watched: set[GuestPhysical] = set()  # pages traced for another reason than being page tables
        self.translated: set[GuestPhysical] = set()  # pages traced because code was translated from them
        self.revision = 0  # changes whenever an entry may have gone, or another address space was entered
        self._monitor_table = self._new_frame()
        self._flat = self._map_flat()
        self._current = self._flat

    # -- frames

    def _new_frame(self) -> HostPhysical:
        frame = self._allocator.allocate(PAGE_SIZE, self._owner)[0]
        self._ram.write(frame, bytes(PAGE_SIZE))
        return frame

    def _release(self, frames: list[HostPhysical]) -> None:
        """These tables are no more: nothing may be put back into them, and nothing of them is left to who gets them."""
        self._put_back = {slot: entry for slot, entry in self._put_back.items() if slot & LEAF_MASK not in frames}
        self._allocator.release_frames(frames)
        for frame in frames:
            self._ram.write(frame, bytes(PAGE_SIZE))

    def _new_directory(self) -> _Directory:
        directory = _Directory(self._new_frame())
        self._ram.write_u32(HostPhysical(directory.root + 4 * MONITOR_SLOT), self._monitor_table | 7)
        return directory

    def _map_flat(self) -> _Directory:
        """For a guest without paging: every page of its RAM at the linear address of the same number, at once."""
        directory = self._new_directory()
        frames = np.array(self._physical.frames, np.int64)
        entries = np.where(frames >= 0, frames | PRESENT | WRITABLE | USER, 0).astype(np.uint32)
        for slot, start in enumerate(range(0, len(entries), ENTRIES)):
            table = self._new_frame()
            self._ram.write(table, entries[start : start + ENTRIES].tobytes())
            self._ram.write_u32(HostPhysical(directory.root + 4 * slot), table | 7)
        return directory

    @property
    def root(self) -> HostPhysical:
        """What the real CR3 must hold."""
        return self._current.root

    def table_frames(self) -> Iterator[HostPhysical]:
        """Every frame that holds a table of this shadow."""
        yield from (table.frame for table in self._tables.values())
        yield from (directory.root for directory in self._directories.values())
        yield from (self._monitor_table, self._flat.root, *self._spare)
        slots = np.frombuffer(self._ram.read(self._flat.root, 4 * MONITOR_SLOT), np.uint32)
        yield from (HostPhysical(int(slot) & LEAF_MASK) for slot in slots[slots != 0])

    def map_monitor_page(self, linear: GuestVirtual, frame: HostPhysical, *, writable: bool = False) -> None:
        """A page of the monitor's region, the same in every address space: closed to ring 3, and to writing unless
        translated code must write there."""
        self._ram.write_u32(self._monitor_slot(linear), frame | PRESENT | (WRITABLE if writable else 0))

    def _monitor_slot(self, linear: int) -> HostPhysical:
        return HostPhysical(self._monitor_table + 4 * (linear >> PAGE_SHIFT & ENTRIES - 1))

    # -- address spaces

    def enter(self, paging: Paging) -> HostPhysical:
        """The guest loaded CR3 or turned paging on or off: the root of its shadow."""
        self.revision += 1
        if not paging.enabled:
            self._current = self._flat
            return self.root
        page = GuestPhysical(paging.cr3 & LEAF_MASK)
        known = self._directories.get(page)
        if known is None:
            self._make_room()
            known = self._directories[page] = self._new_directory()
            self._trace(page)
        self._current = known
        return self.root

    def forget_all(self) -> None:
        """Throw every shadow of guest tables away; they will be filled again."""
        self.revision += 1
        current = next((page for page, each in self._directories.items() if each is self._current), None)
        gone = [table.frame for table in self._tables.values()] + [each.root for each in self._directories.values()]
        self._mapped.clear()
        self._tables.clear()
        self._directories.clear()
        self._idle_writes.clear()
        self._release(gone)
        if current is not None:
            self._current = self._directories[current] = self._new_directory()
            self._trace(current)
        self._flush()

    def _make_room(self) -> None:
        if len(self._tables) + len(self._directories) >= SHADOW_FRAMES:
            self.forget_all()

    # -- faults

    def resolve(self, paging: Paging, linear: GuestVirtual, *, write: bool, user: bool) -> Resolution:
        """What to do about a page fault that the CPU raised on the shadow."""
        access = Access(write, user)
        found = walk(self._physical, paging, linear, access)
        mark_walked(self._physical, found, access)
        if found.physical is None:
            return Denied(found.error_code)
        page = GuestPhysical(found.physical & LEAF_MASK)
        if page >= self._physical.size or linear >= MONITOR_BASE:
            return NotRam(page)
        if write and self.is_traced(page):
            return Traced(page)
        absent = self._physical.lies_at(page) is None
        frame = self._physical.host(page)
        self._allocator.check(frame, self._physical.owner)
        if paging.enabled:
            self._fill(paging, linear, found, access, page, frame)
        else:
            self.open_flat(page)
        return Filled(frame, absent)

    def _fill(
        self,
        paging: Paging,
        linear: GuestVirtual,
        found: Walk,
        access: Access,
        page: GuestPhysical,
        frame: HostPhysical,
    ) -> None:
        large = len(found.entries) == 1
        source = found.entries[0].address | 1 if large else found.entries[0].value & LEAF_MASK
        table = self._table(linear >> 22, source)
        if not large:
            self._trace(GuestPhysical(source))
        rights = PRESENT | WRITABLE | USER
        for entry in found.entries:
            rights &= entry.value | PRESENT
        dirty = access.write or bool(found.entries[-1].value & DIRTY)
        if access.write and not rights & WRITABLE and not paging.cr0 & CR0_WP:
            rights = (
                rights | WRITABLE
            ) & ~USER  # the kernel may write here, its programs not: no page says that to both
        elif not dirty or self.is_traced(page):
            rights &= ~WRITABLE
        slot = HostPhysical(table.frame + 4 * (linear >> PAGE_SHIFT & ENTRIES - 1))
        old = self._ram.read_u32(slot)
        if old & PRESENT and old & LEAF_MASK != frame:
            self._clear(slot)
        narrowed = old & ~rights & (WRITABLE | USER)
        self._ram.write_u32(slot, frame | rights)
        self._mapped.setdefault(page, set()).add(slot)
        for entry in found.entries:
            self._idle_writes.pop(GuestPhysical(entry.address & LEAF_MASK), None)
        if narrowed:
            self._flush()

    def _table(self, index: int, source: int) -> _Table:
        """The shadow of the guest's table at `source`, hung into the current directory at `index`."""
        directory = self._current
        if directory.slots.get(index) == source:
            return self._tables[source]
        table = self._tables.get(source)
        if table is None:
            self._make_room()
            directory = self._current  # making room replaces it
            table = self._tables[source] = _Table(self._new_frame())
        slot = HostPhysical(directory.root + 4 * index)
        self._ram.write_u32(slot, table.frame | 7)
        self._put_back.pop(slot, None)  # a table of its own in place of a spare one
        directory.slots[index] = source
        table.users.add(slot)
        return table

    # -- traces

    def is_traced(self, page: GuestPhysical) -> bool:
        """Is `page` closed to writing because a shadow was made from it?"""
        traced = page in self.watched or page in self.translated
        return traced or page in self._tables or page in self._directories

    def _trace(self, page: GuestPhysical) -> None:
        """Close every mapping of `page` to writing."""
        closed = False
        for slot in (*self._flat_slot(page), *self._mapped.get(page, ())):
            entry = self._ram.read_u32(slot)
            if entry & WRITABLE:
                self._ram.write_u32(slot, entry & ~WRITABLE)
                closed = True
        if closed:
            self._flush()

    def watch(self, pages: set[GuestPhysical]) -> None:
        """Trace exactly `pages` beside the page tables."""
        before, self.watched = self.watched, pages
        for page in pages - before:
            self._trace(page)
        for page in before - pages:
            if not self.is_traced(page):
                self.open_flat(page)

    def trace_code(self, page: GuestPhysical) -> None:
        """Code was translated from `page`: trace it until `release_code`."""
        if page not in self.translated:
            self.translated.add(page)
            self._trace(page)

    def release_code(self, page: GuestPhysical) -> None:
        """No translation of `page` is left."""
        self.translated.discard(page)
        if not self.is_traced(page):
            self.open_flat(page)

    def mapping(self, linear: int) -> HostPhysical | None:
        """The frame that the CPU would reach at `linear` at once, if any."""
        table = self._ram.read_u32(HostPhysical(self._current.root + 4 * (linear >> 22)))
        if not table & PRESENT:
            return None
        entry = self._ram.read_u32(HostPhysical((table & LEAF_MASK) + 4 * (linear >> PAGE_SHIFT & ENTRIES - 1)))
        return HostPhysical(entry & LEAF_MASK) if entry & PRESENT else None

    def open_flat(self, page: GuestPhysical) -> None:
        """Let a guest without paging write to `page` again; paged mappings open by a hidden fault."""
        for slot in self._flat_slot(page):
            if (entry := self._ram.read_u32(slot)) & PRESENT:
                self._ram.write_u32(slot, entry | WRITABLE)

    def _flat_slot(self, page: GuestPhysical) -> tuple[HostPhysical, ...]:
        """The entry that shows `page` to a guest without paging; none beyond the VM's RAM."""
        if page >= self._physical.size:
            return ()
        table = self._ram.read_u32(HostPhysical(self._flat.root + 4 * (page >> 22))) & LEAF_MASK
        return (HostPhysical(table + 4 * (page >> PAGE_SHIFT & ENTRIES - 1)),)

    def written(self, page: GuestPhysical, before: bytes, after: bytes) -> int:
        """A traced page was written: throw away what was made from the entries that changed; gives their number."""
        old, new = np.frombuffer(before, np.uint32), np.frombuffer(after, np.uint32)
        changed: list[int] = (old != new).nonzero()[0].tolist()
        for index in changed:
            if page in self._tables:
                self._clear(HostPhysical(self._tables[page].frame + 4 * index))
            if page in self._directories:
                self._unhang(self._directories[page], index)
        if changed:
            self._idle_writes[page] = self._idle_writes.get(page, 0) + 1
            if self._idle_writes[page] > IDLE_WRITES and page not in self.watched:
                self._forget(page)
            self._flush()
        return len(changed)

    def _clear(self, slot: HostPhysical) -> None:
        entry = self._ram.read_u32(slot)
        if entry & PRESENT:
            self.revision += 1
            page = GuestPhysical(int(self._page_number[(entry & LEAF_MASK) >> PAGE_SHIFT]) << PAGE_SHIFT)
            slots = self._mapped[page]
            slots.discard(slot)
            if not slots:
                del self._mapped[page]
            self._ram.write_u32(slot, 0)

    def _unhang(self, directory: _Directory, index: int) -> None:
        source = directory.slots.pop(index, None)
        if source is None:
            return
        self.revision += 1
        slot = HostPhysical(directory.root + 4 * index)
        self._ram.write_u32(slot, 0)
        table = self._tables[source]
        table.users.discard(slot)
        if source & 1:  # of a large page: its shadow belongs to this entry alone
            self._drop_table(source)

    def _drop_table(self, source: int) -> None:
        table = self._tables.pop(source)
        for index in range(ENTRIES):
            self._clear(HostPhysical(table.frame + 4 * index))
        for slot in table.users:
            self._ram.write_u32(slot, 0)
        for directory in self._directories.values():
            directory.slots = {index: each for index, each in directory.slots.items() if each != source}
        self._release([table.frame])

    def _forget(self, page: GuestPhysical) -> None:
        """A page that is written and never used as a table any more is taken to be one no longer."""
        self._idle_writes.pop(page, None)
        if page in self._tables:
            self._drop_table(page)
        directory = self._directories.get(page)
        if directory is not None and directory is not self._current:
            for index in list(directory.slots):
                self._unhang(directory, index)
            del self._directories[page]
            self._release([directory.root])

    # -- opening one page for one instruction

    def open_once(self, linear: GuestVirtual, frame: int) -> Callable[[], None]:
        """Map the page of `linear` to `frame`, writable; calling the result puts things back."""
        opened: list[HostPhysical] = []
        spare: HostPhysical | None = None
        self._opened[frame & LEAF_MASK] += 1
        if linear >= MONITOR_BASE:
            slot = self._monitor_slot(linear)
        else:
            at = HostPhysical(self._current.root + 4 * (linear >> 22))
            table = self._ram.read_u32(at)
            if not table & PRESENT:
                table = spare = self._spare.pop() if self._spare else self._new_frame()
                self._open(at, table | 7, opened)
            slot = HostPhysical((table & LEAF_MASK) + 4 * (linear >> PAGE_SHIFT & ENTRIES - 1))
        self._open(slot, (frame & LEAF_MASK) | PRESENT | WRITABLE | USER, opened)
        self._flush()

        def close() -> None:
            self._opened[frame & LEAF_MASK] -= 1
            for at in opened:
                if at in self._put_back:
                    self._ram.write_u32(at, self._put_back.pop(at))
            if spare is not None:
                self._spare.append(spare)
            self._flush()

        return close

    def _open(self, slot: HostPhysical, entry: int, opened: list[HostPhysical]) -> None:
        self._put_back.setdefault(slot, self._ram.read_u32(slot))
        self._ram.write_u32(slot, entry)
        opened.append(slot)

    # -- pages that are taken from the VM and come back (`core.memory.reclaim.Mappings`)

    def take_used(self, page: GuestPhysical) -> bool:
        """Was `page` touched since this was asked last? The CPU notes it in the entries."""
        used = False
        for slot in (*self._flat_slot(page), *self._mapped.get(page, ())):
            entry = self._ram.read_u32(slot)
            if entry & PRESENT and entry & ACCESSED:
                self._ram.write_u32(slot, entry & ~ACCESSED)
                used = True
        if used:
            self._flush()
        return used

    def pinned(self, page: GuestPhysical) -> bool:
        """Is it open for one instruction just now?"""
        frame = self._physical.lies_at(page)
        return frame is not None and self._opened[frame] > 0

    def unmap(self, page: GuestPhysical) -> None:
        """Show `page` in no address space."""
        for slot in (*self._flat_slot(page), *self._mapped.pop(page, ())):
            self._ram.write_u32(slot, 0)
        self.revision += 1
        self._flush()

    def moved(self, page: GuestPhysical) -> None:
        """`page` is in another frame: only the flat table shows it at once."""
        frame = self._physical.host(page)
        self._allocator.check(frame, self._physical.owner)
        self._page_number[frame >> PAGE_SHIFT] = page >> PAGE_SHIFT
        rights = PRESENT | USER | (0 if self.is_traced(page) else WRITABLE)
        for slot in self._flat_slot(page):
            self._ram.write_u32(slot, frame | rights)
