"""What each page of a VM's memory is used for, and who owns each frame of the machine: physical memory as a map.

Nobody tells; it is read off. The image says where it lies, CR3 leads to page tables and these to what programs can
reach, the probes know what was ever touched, the allocator knows the owners. Of Pebble its own records say more: which
frames are free, and which process has which page directory (`core.guest_os`). A page has one colour here although it
can have several uses; the narrower one wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical
from core.cpu.flags import CR4_PAE, CR4_PSE
from core.guest_os import Peek
from core.guest_system import GuestSystem
from core.guests.image import Program
from core.layout import LOWEST_IMAGE, SCREEN_MEMORY
from core.looks import Holder, Mapping, PageFacts, PhysicalMap, Use, UseKind
from core.machine import Machine
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.walk import LARGE, PRESENT, USER, WRITABLE, Paging
from core.vmm.vmm import Vmm

ENTRIES = 1024
SCREEN_PAGES = 8  # 32 KiB: the whole window of a colour text screen
SHOWN_MAPPINGS = 24
NOT_TO_BE_HAD = 255  # what Pebble counts for a frame that it never hands out
FRAME_USERS, FRAME_COUNT = "users", "frame_count"  # Pebble's: a count of users for each frame, and how many it has

BASIC = (
    Use(UseKind.UNTOUCHED, "untouched", "Never read, written or executed since power-on."),
    Use(UseKind.TOUCHED, "touched", "Read, written or executed since power-on; what for, nothing here can tell."),
    Use(UseKind.FREE, "free", "Free by the guest's own count of the users of each frame."),
    Use(UseKind.BOOT, "boot", "What the loader left for the guest: its first GDT, boot information and stack."),
    Use(UseKind.SCREEN, "screen", "The memory of the text screen: what is written here is seen."),
    Use(UseKind.IMAGE, "guest image", "The guest's own code and data, where its image says that they lie."),
    Use(UseKind.KERNEL, "kernel data", "Taken by the guest's kernel for itself, such as the stacks of its processes."),
    Use(UseKind.TABLES, "page tables", "Page directories and page tables, found by following CR3 and the directories."),
    Use(UseKind.USER, "user", "Mapped for ring 3 by the page tables that CR3 leads to."),
    Use(UseKind.SHARED, "shared", "Mapped for ring 3 by several processes, to be copied when one of them writes."),
)
CODES = {use.kind: code for code, use in enumerate(BASIC)}

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """A page directory and whose it is; `number` is the process's, 0 where no process is known."""

    name: str
    number: int
    directory: int


@dataclass(frozen=True, slots=True)
class _Leaves:
    """Leaf entries of one page table: the linear address of the first, and the entries."""

    linear: int
    entries: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Watched:
    """The machine as an onlooker finds it: the VM that is looked at and its program, the monitors of all VMs, what the
    guest's own records say if they can be read; `peek(linear, size)` reads the guest's memory."""

    vmm: Vmm
    monitors: tuple[Vmm, ...]
    machine: Machine
    program: Program
    system: GuestSystem | None
    peek: Peek


class PageUse:
    """Looks once through the memory of what is watched."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._machine, self._program, self._system = watched.machine, watched.program, watched.system
        self._physical: GuestPhysicalMemory = watched.vmm.physical
        self._paging: Paging = watched.vmm.guest.paging
        self._spaces = self._address_spaces()

    def map(self, page: int | None) -> PhysicalMap:
        """The map, and more about `page` if one is named."""
        frames = np.array(self._physical.frames, np.int64).astype(np.uint32) >> np.uint32(
            PAGE_SHIFT
        )  # absent: beyond RAM
        uses, legend = self._uses(frames)
        holders, names = self._holders()
        return PhysicalMap(
            uses.tobytes(),
            legend,
            frames.tobytes(),
            holders.tobytes(),
            names,
            self._facts(page) if page is not None and 0 <= page < len(frames) else None,
        )

    # -- uses

    def _uses(self, frames: npt.NDArray[np.uint32]) -> tuple[Codes, tuple[Use, ...]]:
        probes = self._machine.backing.probes
        present = frames < len(probes.reads)
        there = np.where(present, frames, 0)
        touched = present & ((probes.reads[there] | probes.writes[there] | probes.fetches[there]) != 0)
        uses = np.where(touched, np.uint8(CODES[UseKind.TOUCHED]), np.uint8(CODES[UseKind.UNTOUCHED]))
        self._mark_guest_frames(uses)
        uses[: LOWEST_IMAGE >> PAGE_SHIFT] = CODES[UseKind.BOOT]
        screen = SCREEN_MEMORY >> PAGE_SHIFT
        uses[screen : screen + SCREEN_PAGES] = CODES[UseKind.SCREEN]
        for segment in self._program.segments:
            uses[segment.address >> PAGE_SHIFT : (segment.address + segment.size + PAGE_MASK) >> PAGE_SHIFT] = CODES[
                UseKind.IMAGE
            ]
        return uses, BASIC + self._mark_address_spaces(uses)

    def _mark_guest_frames(self, uses: Codes) -> None:
        """What Pebble says of its frames, if it is Pebble and has counted them already."""
        users = self._frame_users(len(uses))
        if users is not None:
            known = uses[: len(users)]
            known[users == 0] = CODES[UseKind.FREE]
            known[(users != 0) & (users != NOT_TO_BE_HAD)] = CODES[UseKind.KERNEL]

    def _frame_users(self, most: int) -> Codes | None:
        symbols = self._program.symbols
        if self._system is None or FRAME_USERS not in symbols or FRAME_COUNT not in symbols:
            return None
        word = self._watched.peek(symbols[FRAME_COUNT], 4)
        count = int.from_bytes(word or b"", "little")
        found = self._watched.peek(symbols[FRAME_USERS], count) if 0 < count <= most else None
        return np.frombuffer(found, np.uint8) if found is not None else None

    def _mark_address_spaces(self, uses: Codes) -> tuple[Use, ...]:
        """Colour what each address space maps for ring 3, then all tables; gives the legend's lines of processes."""
        legend: list[Use] = []
        tables: set[int] = set()
        owned = np.zeros(len(uses), np.bool_)
        for space in self._spaces:
            code = CODES[UseKind.USER]
            if space.number:
                code = len(BASIC) + len(legend)
                legend.append(Use(UseKind.PROCESS, space.name, f"Memory of process {space.number} alone."))
            tables.add(space.directory >> PAGE_SHIFT)
            mine = np.zeros(len(uses), np.bool_)
            for table, leaves in self._tables(space):
                if table is not None:
                    tables.add(table >> PAGE_SHIFT)
                pages = leaves.entries[(leaves.entries & (PRESENT | USER)) == PRESENT | USER] >> PAGE_SHIFT
                mine[pages[pages < len(uses)]] = True
            uses[mine & ~owned] = code
            uses[mine & owned] = CODES[UseKind.SHARED]
            owned |= mine
        found = np.fromiter(tables, np.int64, len(tables))
        uses[found[found < len(uses)]] = CODES[UseKind.TABLES]
        return tuple(legend)

    # -- address spaces

    def _address_spaces(self) -> list[AddressSpace]:
        paging = self._paging
        if not paging.enabled or paging.cr4 & CR4_PAE:
            return []
        current = paging.cr3 & ~PAGE_MASK
        if self._system is None:
            return [AddressSpace("the page tables of CR3", 0, current)]
        found = [
            AddressSpace(f"{process.name} ({process.pid})", process.pid, process.directory)
            for process in self._system.processes
            if process.directory
        ]
        if all(space.directory != current for space in found):
            found.append(AddressSpace("the kernel", 0, current))
        return found

    def _tables(self, space: AddressSpace) -> Iterator[tuple[int | None, _Leaves]]:
        """Where each present table of a space stands (None: the leaves are of a large page), and its entries."""
        directory = self._table(space.directory)
        if directory is None:
            return
        for slot in np.flatnonzero(directory & PRESENT):
            entry, linear = int(directory[slot]), int(slot) << 22
            if entry & LARGE and self._paging.cr4 & CR4_PSE:
                first = entry & 0xFFC0_0000 | entry & PAGE_MASK
                yield None, _Leaves(linear, np.arange(ENTRIES, dtype=np.uint32) * PAGE_SIZE + np.uint32(first))
            elif (table := self._table(at := self._physical.named_by(entry))) is not None:
                rights = np.uint32(entry & (WRITABLE | USER) | ~(WRITABLE | USER) & 0xFFFF_FFFF)
                yield at, _Leaves(linear, self._physical.own_terms(table) & rights)

    def _table(self, at: int) -> npt.NDArray[np.uint32] | None:
        at &= ~PAGE_MASK
        if at + PAGE_SIZE > self._physical.size:
            return None
        host = self._physical.lies_at(GuestPhysical(at))
        if host is None:
            return np.frombuffer(self._physical.read(GuestPhysical(at), PAGE_SIZE), np.uint32)
        return self._machine.ram.array[host : host + PAGE_SIZE].view(np.uint32)

    def _facts(self, page: int) -> PageFacts:
        """Which linear addresses lead to `page`; those that every space shares are named once."""
        found: dict[int, list[Mapping]] = {}
        wanted = np.uint32(page << PAGE_SHIFT | PRESENT)
        for space in self._spaces:
            for _, leaves in self._tables(space):
                for index in np.flatnonzero((leaves.entries & np.uint32(~PAGE_MASK & 0xFFFF_FFFF | PRESENT)) == wanted):
                    entry, linear = int(leaves.entries[index]), leaves.linear + (int(index) << PAGE_SHIFT)
                    mapping = Mapping(space.name, linear, bool(entry & WRITABLE), bool(entry & USER))
                    found.setdefault(linear, []).append(mapping)
        shown: list[Mapping] = []
        for linear, mappings in sorted(found.items()):
            first = mappings[0]
            alike = len(mappings) == len(self._spaces) > 1 and not any(each.user for each in mappings)
            shown += [Mapping("every address space", linear, first.writable, first.user)] if alike else mappings
        return PageFacts(page, tuple(shown[:SHOWN_MAPPINGS]), len(shown))

    # -- owners

    def _holders(self) -> tuple[Codes, tuple[Holder, ...]]:
        base, owners = _coded(self._machine.frames.owners())
        codes = base.copy()
        known = {Holder(owner): code for code, owner in enumerate(owners)}
        for monitor in self._watched.monitors:
            for frame, purpose in monitor.frame_purposes():
                holder = Holder(owners[base[frame >> PAGE_SHIFT]], purpose)
                codes[frame >> PAGE_SHIFT] = known.setdefault(holder, len(known))
        return codes, tuple(known)


@lru_cache(maxsize=2)
def _coded(owners: tuple[str, ...]) -> tuple[Codes, tuple[str, ...]]:
    """The owners as small numbers, and their names in the order of the first frame."""
    names = {name: code for code, name in enumerate(dict.fromkeys(owners))}
    return np.fromiter((names[owner] for owner in owners), np.uint8, len(owners)), tuple(names)
