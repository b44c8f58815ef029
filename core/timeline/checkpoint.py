"""A checkpoint: the whole machine at one moment, holding only what has changed since the one before it.

RAM is kept page by page: a page is copied if its bytes differ from those at the checkpoint before. Which pages may
differ is known from the dirty marks of the probe and of `Ram`; the MMU's own accessed and dirty bits leave no mark, but
only in pages that were once written, and those are compared each time. The TLB is emptied at a checkpoint, so that the
first run and every replay find it alike. (King, Dunlap & Chen, USENIX ATC 2005, §5: time-travelling virtual machines.)
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.cpu.probes import PC_RING, Word
from core.cpu.unicorn_cpu import Cpu
from core.cpu.world import World
from core.events import Cause, Trap
from core.hypervisor import Hypervisor
from core.machine import Backing
from core.memory.ram import Ram
from core.timeline.capture import Captured, capture, restore
from core.traplog import KEPT, TrapLog
from core.vm import Vm

ZEROES = bytes(PAGE_SIZE)
PCS_KEPT = 1024  # newest program counters of a VM that a checkpoint remembers
TRAP_BYTES = 600  # what one record costs, roughly
RECORDS_KEPT = 1_000  # traps that a checkpoint remembers whose predecessors were thinned out
# these keep their own state, or are no state
OPAQUE: tuple[type, ...] = (Cpu, Ram, Backing, TrapLog, ctypes.Structure)
Heat = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]


class Written(NamedTuple):
    """What a VM's console has in it more than at the checkpoint before; or, if `whole`, all. `length` of all, and how
    often the VM had been put back to a former instant, which writes its console anew."""

    text: bytes
    length: int
    put_back: int
    whole: bool


@dataclass(slots=True, eq=False)
class Checkpoint:
    """The machine at one moment: `time` and `executed` are the machine's, `inputs` is how many had been applied.

    pages      frame number → contents, of the frames that differ from `parent`'s
    written    frames that were written since `parent`, perhaps with what was there
    world      the CPU, with the VM that is shown
    captured   every object of the lab
    consoles   what each VM, by letter, wrote since `parent`
    records    traps since `parent`, or only the newest of them; `traps` and `causes` count all
    pcs        the newest program counters of each VM
    heat       frames that were touched, and reads, writes and fetches of each u32[3, n]
    """

    time: int
    executed: int
    inputs: int
    parent: Checkpoint | None
    pages: dict[int, bytes]
    written: frozenset[int]
    world: World
    captured: Captured
    consoles: dict[str, Written]
    records: tuple[Trap, ...]
    traps: int
    causes: Counter[Cause]
    pcs: dict[str, npt.NDArray[np.uint64]]
    heat: Heat

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        fixed = len(self.captured.data) + len(self.world.context) + self.heat[0].nbytes + self.heat[1].nbytes
        variable = sum(len(each.text) for each in self.consoles.values())
        variable += sum(ring.nbytes for ring in self.pcs.values())
        return PAGE_SIZE * len(self.pages) + fixed + variable + TRAP_BYTES * len(self.records)

    def take_in(self, earlier: Checkpoint) -> None:
        """Become the successor of the parent of `earlier`, which was this one's parent."""
        assert self.parent is earlier, "only a parent can be taken in"
        if len(self.records) == self.traps - earlier.traps:
            self.records = (earlier.records + self.records)[-RECORDS_KEPT:]
        self.parent = earlier.parent
        self.pages = earlier.pages | self.pages
        self.written |= earlier.written
        for letter, before in earlier.consoles.items():
            mine = self.consoles.get(letter)
            if mine is not None and not mine.whole:
                self.consoles[letter] = mine._replace(text=before.text + mine.text, whole=before.whole)

    def leave_to(self, earlier: Checkpoint, image: Mapping[int, bytes]) -> None:
        """Become the successor of `earlier`, which was taken after this one's parent, whose RAM was `image`."""
        for frame in earlier.pages.keys() - self.pages.keys():
            self.pages[frame] = image.get(frame, ZEROES)
        self.records = self.records[max(len(self.records) - (self.traps - earlier.traps), 0) :]
        for letter, before in earlier.consoles.items():
            mine = self.consoles.get(letter)
            if mine is not None and mine.put_back == before.put_back:
                self.consoles[letter] = mine._replace(text=mine.text[len(before.text) :], whole=False)
        self.parent = earlier


@dataclass(slots=True)
class Camera:
    """Takes checkpoints of one machine, and loads them."""

    hypervisor: Hypervisor
    log: TrapLog
    _last: Checkpoint | None = None
    _image: dict[int, bytes] = field(default_factory=dict)  # RAM at `_last`, frame by frame; absent: zeroes
    _written: set[int] = field(default_factory=set)  # frames that were ever written

    # -- taking

    def take(self, inputs: int, after: Checkpoint | None = None) -> Checkpoint:
        """The machine as it stands, after `inputs` inputs; `after` is a later one that follows the last and will follow
        this one."""
        hypervisor, before = self.hypervisor, self._last
        cpu = hypervisor.machine.cpu
        cpu.flush_tlb()
        for vm in hypervisor.vms.values():
            vm.vmm.before_checkpoint()
        state = hypervisor.scheduler.state
        known = before.traps if before is not None else 0
        image = dict(self._image) if after is not None else self._image
        written = np.flatnonzero(hypervisor.machine.backing.probes.dirty)
        changed = self._changed_pages()
        taken = Checkpoint(
            time=state.time,
            executed=state.executed,
            inputs=inputs,
            parent=before,
            pages=changed,
            written=frozenset([*written.tolist(), *changed]),
            world=cpu.save_world(),
            captured=capture(hypervisor, OPAQUE),
            consoles={letter: self._written_by(vm) for letter, vm in hypervisor.vms.items()},
            records=tuple(self.log.since(known)),
            traps=self.log.count,
            causes=Counter(self.log.causes),
            pcs={letter: vm.ring[_newest(vm)] for letter, vm in hypervisor.vms.items()},
            heat=self._heat(),
        )
        if after is not None:
            after.leave_to(taken, image)
        self._last = taken
        return taken

    def pass_by(self, checkpoint: Checkpoint) -> None:
        """The machine is what it was at `checkpoint`, the one after the last."""
        self._candidates()
        self.hypervisor.machine.cpu.flush_tlb()
        self._image.update(checkpoint.pages)
        self._last = checkpoint

    def _candidates(self) -> Set[int]:
        """The frames that may have changed."""
        dirty = self.hypervisor.machine.backing.probes.dirty
        self._written.update(np.flatnonzero(dirty).tolist())
        dirty[:] = 0
        self._written |= self._straddled_into()
        return self._written

    def _straddled_into(self) -> set[int]:
        """Where writes went on that left their page, if there were any: no probe knows. A frame that was never written
        is all zeroes, so it is found by not being that."""
        machine = self.hypervisor.machine
        if not machine.cpu.ctl[Word.STRADDLED]:
            return set()
        machine.cpu.ctl[Word.STRADDLED] = 0
        words = machine.ram.array[: machine.frames.used_to].view(np.uint64).reshape(-1, PAGE_SIZE // 8)
        return set(np.flatnonzero(words.any(axis=1)).tolist())

    def _changed_pages(self) -> dict[int, bytes]:
        ram, image = self.hypervisor.machine.ram.bytes, self._image
        found: dict[int, bytes] = {}
        for frame in self._candidates():
            at = frame << PAGE_SHIFT
            page = bytes(ram[at : at + PAGE_SIZE])
            if page != image.get(frame, ZEROES):
                found[frame] = page
        image.update(found)
        return found

    def _written_by(self, vm: Vm) -> Written:
        before = self._last.consoles.get(vm.spec.letter) if self._last is not None else None
        goes_on = before is not None and before.put_back == vm.put_back
        known = before.length if before is not None and goes_on else 0
        return Written(bytes(vm.console[known:]), len(vm.console), vm.put_back, not goes_on)

    def _heat(self) -> Heat:
        probes = self.hypervisor.machine.backing.probes
        counters = (probes.reads, probes.writes, probes.fetches)
        touched = np.flatnonzero(counters[0] | counters[1] | counters[2])
        return touched, np.stack([each[touched] for each in counters])

    # -- loading

    def load(self, wanted: Checkpoint) -> None:
        """Make the machine what it was then."""
        hypervisor = self.hypervisor
        cpu, path = hypervisor.machine.cpu, _path_to(wanted)
        candidates = self._candidates()
        image: dict[int, bytes] = {}
        for each in path:
            image.update(each.pages)
        view = hypervisor.machine.ram.bytes
        rewritten: list[int] = []
        for frame in candidates | image.keys():
            at = frame << PAGE_SHIFT
            page = image.get(frame, ZEROES)
            if view[at : at + PAGE_SIZE].tobytes() != page:
                view[at : at + PAGE_SIZE] = page
                rewritten.append(frame)
        cpu.forget_code_in(rewritten, hypervisor.machine.power_on_world)
        restore(wanted.captured)
        hypervisor.worlds.put_back(wanted.world)
        cpu.flush_tlb()
        cpu.heed_breakpoints()
        self._image, self._last = image, wanted
        self._restore_records(path)
        self._restore_instruments(wanted)

    def _restore_records(self, path: list[Checkpoint]) -> None:
        wanted = path[-1]
        kept: list[tuple[Trap, ...]] = []
        count = 0
        for each in reversed(path):
            kept.append(each.records)
            count += len(each.records)
            if count >= KEPT or count < wanted.traps - (each.parent.traps if each.parent is not None else 0):
                break  # enough, or what was before those is not remembered
        self.log.restore(wanted.traps, wanted.causes, [trap for records in reversed(kept) for trap in records])
        for letter, vm in self.hypervisor.vms.items():
            written = [each.consoles[letter] for each in path if letter in each.consoles]
            newest = max((at for at, each in enumerate(written) if each.whole), default=0)
            vm.console[:] = b"".join(each.text for each in written[newest:])

    def _restore_instruments(self, wanted: Checkpoint) -> None:
        probes = self.hypervisor.machine.backing.probes
        touched, values = wanted.heat
        for counter, column in zip((probes.reads, probes.writes, probes.fetches), values, strict=True):
            counter[:] = 0
            counter[touched] = column
        for letter, vm in self.hypervisor.vms.items():
            vm.ring[_newest(vm)] = wanted.pcs[letter]


def _newest(vm: Vm) -> npt.NDArray[np.int64]:
    """Where the newest program counters of a VM stand in its ring."""
    executed = vm.interposer.executed
    return np.arange(max(executed - PCS_KEPT, 0), executed) % PC_RING


def _path_to(wanted: Checkpoint) -> list[Checkpoint]:
    path: list[Checkpoint] = []
    each: Checkpoint | None = wanted
    while each is not None:
        path.append(each)
        each = each.parent
    path.reverse()
    return path
