"""What each frame of a paravirtual VM is at present, and how often it is used so: Xen's page types and counts.

A frame is a page table of level 1 or 2, holds descriptors, or may be written by its guest; never two of these at once,
since each kind of use is counted and a frame's type changes only when its count is zero. So no guest ever writes a page
table by itself, and every entry of one was checked: it names a frame of this VM and no other (Barham et al., SOSP 2003,
§3.3.3). A table is checked whole when it becomes one, and let go whole when it is none any more. Simplified: no
recursive mappings, no large and no global pages, no LDT; nobody but the guest uses its frames.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, HostPhysical
from core.cpu.guest_cpu import DESC_DPL_SHIFT, DESC_P, DESC_S
from core.layout import MONITOR_BASE
from core.memory.pseudo_physical import NOT_OURS, PseudoPhysicalMemory
from core.memory.walk import LARGE, PRESENT, WRITABLE
from core.vmm.hypercall_abi import Errno, Refused

ENTRIES = 1024
MONITOR_SLOT = MONITOR_BASE >> 22
GLOBAL = 1 << 8
FORBIDDEN = LARGE | GLOBAL  # in an entry of level 1 the first is a memory type


class FrameType(IntEnum):
    """What a frame may be used as."""

    NONE = 0
    WRITABLE = 1
    TABLE_1 = 2
    TABLE_2 = 3
    DESCRIPTORS = 4

    @property
    def phrase(self) -> str:
        """For the record."""
        return ("unused", "writable", "a page table", "a page directory", "a descriptor table")[self]


TABLES = (FrameType.TABLE_1, FrameType.TABLE_2)


class FrameTypes:
    """The frames of one VM, by machine frame number in calls and by the guest's number in the arrays.

    types   what each is; `uses` counts the uses as that, `references` those and every mapping that only reads
    pinned  is it to stay a page table though no directory names it?

    work    how many entries of tables were counted or let go so far: what a call costs its monitor

    `monitor_entry` stands in the last slot of every directory. `flush` empties the TLB: it is called when a frame that
    could be written no longer may, so that no old translation lets a guest write a page table.
    """

    def __init__(self, physical: PseudoPhysicalMemory, shared: HostPhysical, flush: Callable[[], None]) -> None:
        self._physical = physical
        self.ram = physical.ram
        self._shared = shared >> PAGE_SHIFT
        self._flush = flush
        count = len(physical.frames)
        self.types = np.zeros(count, np.uint8)
        self.uses = np.zeros(count, np.int32)
        self.references = np.zeros(count, np.int32)
        self.pinned = np.zeros(count, np.bool_)
        self.monitor_entry = 0
        self.work = 0

    def page(self, frame: int) -> int:
        """The VM's number for `frame`; refused if it is not the VM's."""
        page = self._physical.page(frame)
        if page == NOT_OURS:
            raise Refused(Errno.PERMISSION, f"frame {frame:#x} is not this VM's")
        return page

    def type_of(self, frame: int) -> FrameType:
        """What `frame` is used as now."""
        page = self.page(frame)
        return FrameType(int(self.types[page])) if self.uses[page] else FrameType.NONE

    def words(self, frame: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        """A copy of the frame's words, as a table."""
        return np.frombuffer(self.ram.read(HostPhysical(frame << PAGE_SHIFT), PAGE_SIZE), np.uint32)

    # -- counting

    def use(self, frame: int, wanted: FrameType) -> None:
        """One more use of `frame` as `wanted`; the first one checks its contents."""
        page = self.page(frame)
        if self.uses[page]:
            held = FrameType(int(self.types[page]))
            if held is not wanted:
                raise Refused(Errno.BUSY, f"frame {frame:#x} is {held.phrase}, so it cannot be {wanted.phrase}")
            self.uses[page] += 1
            self.references[page] += 1
            return
        if wanted is not FrameType.WRITABLE and self.types[page] == FrameType.WRITABLE:
            self._flush()
        self.types[page], self.uses[page] = wanted, 1  # already now, so that a table cannot map itself to be written
        self.references[page] += 1
        try:
            self._check(frame, wanted)
        except Refused:
            self.types[page], self.uses[page] = FrameType.NONE, 0
            self.references[page] -= 1
            raise

    def release(self, frame: int) -> None:
        """One use less; after the last one what the frame refers to is let go, too."""
        page = self.page(frame)
        held = FrameType(int(self.types[page]))
        self.uses[page] -= 1
        self.references[page] -= 1
        if self.uses[page] or held not in TABLES:
            return
        self.types[page] = FrameType.NONE
        words = self.words(frame)
        for index in np.flatnonzero(words[: MONITOR_SLOT if held is FrameType.TABLE_2 else ENTRIES] & PRESENT):
            self.work += 1
            self._let_go(int(words[index]), held)
        if held is FrameType.TABLE_2:
            self.ram.write_u32(HostPhysical((frame << PAGE_SHIFT) + 4 * MONITOR_SLOT), 0)

    def _check(self, frame: int, wanted: FrameType) -> None:
        if wanted is FrameType.DESCRIPTORS:
            self._check_descriptors(frame)
        if wanted not in TABLES:
            return
        words = self.words(frame)
        taken: list[int] = []
        try:
            for index in np.flatnonzero(words[: MONITOR_SLOT if wanted is FrameType.TABLE_2 else ENTRIES] & PRESENT):
                self.work += 1
                self._take(int(words[index]), wanted)
                taken.append(int(words[index]))
        except Refused:
            for entry in taken:
                self._let_go(entry, wanted)
            raise
        if wanted is FrameType.TABLE_2:
            self.ram.write_u32(HostPhysical((frame << PAGE_SHIFT) + 4 * MONITOR_SLOT), self.monitor_entry)

    def _take(self, entry: int, level: FrameType) -> None:
        """Count what a present `entry` of a table of `level` refers to; refused if it may not."""
        if entry & FORBIDDEN:
            raise Refused(Errno.INVALID, f"entry {entry:#010x} asks for a large or global page")
        frame = entry >> PAGE_SHIFT
        if level is FrameType.TABLE_2:
            self.use(frame, FrameType.TABLE_1)
        elif frame == self._shared:
            pass
        elif entry & WRITABLE:
            self.use(frame, FrameType.WRITABLE)
        else:
            self.references[self.page(frame)] += 1

    def _let_go(self, entry: int, level: FrameType) -> None:
        frame = entry >> PAGE_SHIFT
        if level is FrameType.TABLE_2 or (entry & WRITABLE and frame != self._shared):
            self.release(frame)
        elif frame != self._shared:
            self.references[self.page(frame)] -= 1

    # -- changing tables

    def write_entry(self, at: HostPhysical, value: int) -> bool:
        """Store a word at machine address `at` for the guest: a checked entry in a table, a plain word elsewhere.

        Was it an entry?
        """
        frame = at >> PAGE_SHIFT
        held = self.type_of(frame)
        if held not in TABLES:
            self.use(frame, FrameType.WRITABLE)
            self.ram.write_u32(at, value)
            self.release(frame)
            return False
        if held is FrameType.TABLE_2 and (at & PAGE_MASK) >> 2 == MONITOR_SLOT:
            raise Refused(Errno.PERMISSION, "the last slot of a directory is the monitor's")
        before = self.ram.read_u32(at)
        if value & PRESENT:
            self._take(value, held)
        self.ram.write_u32(at, value)
        if before & PRESENT:
            self._let_go(before, held)
        return True

    def pin(self, frame: int, wanted: FrameType) -> None:
        """Keep `frame` a table until it is unpinned."""
        page = self.page(frame)
        if self.pinned[page]:
            raise Refused(Errno.BUSY, f"frame {frame:#x} is pinned already")
        self.use(frame, wanted)
        self.pinned[page] = True

    def unpin(self, frame: int) -> None:
        """Undo `pin`."""
        page = self.page(frame)
        if not self.pinned[page]:
            raise Refused(Errno.INVALID, f"frame {frame:#x} is not pinned")
        self.pinned[page] = False
        self.release(frame)

    # -- descriptors

    def _check_descriptors(self, frame: int) -> None:
        address = HostPhysical(frame << PAGE_SHIFT)
        words = [int(word) for word in self.words(frame)]
        self.work += ENTRIES // 2
        for index in range(0, ENTRIES, 2):
            words[index], words[index + 1] = sound_descriptor(words[index], words[index + 1])
        self.ram.write(address, np.array(words, np.uint32).tobytes())


def sound_descriptor(low: int, high: int) -> tuple[int, int]:
    """A guest's descriptor as it may stand in the CPU's table: no ring 0, and accessed already, because the CPU cannot
    write there. Refused: gates and other system descriptors, through which a guest could leave its rings."""
    if not high & DESC_P:
        return low, high
    if not high & DESC_S:
        raise Refused(Errno.INVALID, f"descriptor {high:08x}:{low:08x} is a system one")
    if not high >> DESC_DPL_SHIFT & 3:
        high |= 1 << DESC_DPL_SHIFT
    return low, high | 1 << 8
