"""The whole lab without a screen: load, run, step, look. The window, the command line, lessons and tests are its users.

It is one thing, however long: the list of what one can do with a machine, each of which is done elsewhere.
Nothing here depends on wall-clock time but `host_seconds`; two sessions given the same calls are equal byte for byte.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core import layout, narration, retrace
from core.addresses import PAGE_SIZE, GuestPhysical
from core.breakpoints import Breakpoints
from core.call_frame import CallFrame
from core.call_stack import Place, Unwinder
from core.cpu.calibration import verify_layout
from core.cpu.context import Gpr, Seg
from core.cpu.decode import spell
from core.cpu.guest_cpu import GuestCpu
from core.cpu.probes import PC_RING
from core.devices.disk_image import DiskImage, save_disk_image
from core.errors import RequestError, UnknownName, UserError
from core.events import End, Ring, StopReason, Trap
from core.guest_os import ZOMBIE, read_guest
from core.guest_system import GuestSystem
from core.guests.boot import check_start
from core.guests.image import Program
from core.guests.modules import Module
from core.guests.start import StartWith
from core.guests.unwind import CS, EIP
from core.hypervisor import Hypervisor
from core.lab.fingerprint import fingerprint
from core.lab.futures import branches_of, futures_of, known_futures
from core.lab.lab import Desk, Lab, LabFuture, Rhythm, Stand, StopAt
from core.last_write import to_write
from core.listing import disassemble
from core.looking import look_at
from core.looks import Look, Seen, Space
from core.machine import Backing, Machine
from core.memory.onlooker import linear_pieces
from core.page_use import Watched
from core.past import Past
from core.registers import read_registers
from core.snapshot import Register, Snapshot, VmSummary
from core.step_kind import StepKind
from core.stepping import Step
from core.timeline.actions import (
    Action,
    AddVm,
    Balloon,
    EditMemory,
    EditRegister,
    KeepDisk,
    Keys,
    PauseVm,
    RemoveVm,
    ResetVm,
    RevertVm,
    SerialInput,
    SetCap,
    SetIntercept,
    SetTranslation,
    SetVmcbField,
    SetWeight,
)
from core.timeline.backward import to_breakpoint, to_trap
from core.timeline.journal import Input, Moment
from core.timeline.timeline import Recording, Timeline
from core.translations import GuestInstruction, SeenCache, Switch
from core.traplog import TrapLog
from core.vm import Vm, VmSpec, check_memory, check_room
from core.vm_snapshots.divergence import Diverged, between, from_image
from core.vm_snapshots.going_on import check_carries
from core.vm_snapshots.shelf import KeptSnapshot, Shelf
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import check_kind, kind_named
from core.vmm.vmm import Vmm

FOREVER = 1 << 62
NOTHING_OPEN = Desk()


class Session:
    """One lab: a machine and the VMs on it. One VM is *selected*; whatever is said of "the guest" is said of that one.
    While there is one VM, its time is the machine's.

    `backing` may be shared memory of at least `layout.MACHINE_MEMORY` bytes of RAM and its probes' buffers.

    `recording` keeps the PC ring, page heat and dirty pages; without it only counts are exact, and running is faster.
    `history` lets one go back to any moment since power-on.
    """

    def __init__(
        self, *, backing: Backing | None = None, recording: bool = True, history: Recording | None = None
    ) -> None:
        assert recording or history is None, "the history needs the dirty pages"
        verify_layout()
        self._history = history
        self._timeline: Timeline | None = None
        self._backing = backing or Backing.private(layout.MACHINE_MEMORY)
        self._recording = recording
        self._machine: Machine | None = None
        self._power_on_count = 0
        self._hypervisor: Hypervisor | None = None
        self._first: AddVm | None = None  # what the machine was powered on with
        self._selected = ""
        self._breakpoints = Breakpoints()  # for the next machine's first VM
        self.look = Look()  # what the snapshots show of memory
        self.shelf = Shelf()  # the VMs at an instant that the person keeps
        self._put_back: dict[str, int] = {}  # what is known of `Vm.put_back`, by letter
        self._clear()

    def _clear(self) -> None:
        self.traps = TrapLog()
        self._unwinders: dict[str, Unwinder] = {}  # by VM
        self.stop: StopReason | None = None
        self.sentence = ""
        self.host_seconds = 0.0

    # -- set up

    def load(
        self,
        program: Program,
        kind: str,
        *,
        command_line: str = "",
        disk: DiskImage | None = None,
        modules: tuple[Module, ...] = (),
        memory: int = layout.VM_MEMORY,
    ) -> None:
        """Power on a fresh machine with `program` under `kind`. On a UserError the former machine is untouched.

        `command_line` and `modules` are given to guests with a multiboot header; `disk` is never changed, its writes
        lie in the VM.
        """
        self._power_on(AddVm(program, kind, memory, 1, None, command_line, disk, modules), self._history)

    def _power_on(self, first: AddVm, history: Recording | None) -> None:
        vmm_class, program, memory, snapshot = kind_named(first.kind), first.program, first.memory, first.snapshot
        command_line, disk, modules = first.command_line, first.disk, first.modules
        check_kind(vmm_class, program)
        if snapshot is not None:
            check_carries(vmm_class, snapshot)
        check_memory(program, memory)
        check_start(program, memory, command_line, modules)
        ram = self._backing.ram.nbytes
        reserved = layout.HOST_RESERVED + layout.MONITOR_MEMORY if vmm_class.hosted else 0
        check_room(memory, ram - reserved, ram, hosted=vmm_class.hosted)
        size = min(vmm_class.machine_memory(memory), ram)
        if snapshot is not None:
            vmm_class.check_machine(snapshot.own, size)
        self.close()
        breakpoints = self._breakpoints
        self._clear()
        self._machine = Machine(size, self._backing, recording=self._recording)
        self._hypervisor = Hypervisor(self._machine, self.traps)
        letter = self._hypervisor.next_letter()
        spec = VmSpec(letter, vmm_class, program, memory, command_line, disk, modules)
        try:
            self._hypervisor.create(spec, snapshot=snapshot)
        except UserError:
            self._machine.close()
            self._machine = self._hypervisor = None
            raise
        self._selected = spec.letter
        self._first = first
        self.vm.breakpoints = breakpoints
        self._watch_breakpoints(self.vm)
        self._real = GuestCpu(self._machine.cpu)
        self._power_on_count += 1
        self._put_back = {letter: self.vm.put_back}
        self._timeline = Timeline(self._hypervisor, self.traps, history) if history else None
        given = StartWith(command_line, disk.path if disk else "", tuple(module.path for module in modules)).in_words()
        self.sentence = narration.of_power_on(program.name, vmm_class.title, self.pc, given)
        if snapshot is not None:
            self.sentence = narration.of_going_on(program.name, vmm_class.title, snapshot.time, self.pc)

    def reset(self) -> None:
        """The same program and kind, from power-on. Beside others only the selected VM is powered off and on: its
        virtual time, its disk and the record go on."""
        if self._hypervisor is None:
            raise RequestError("There is nothing to reset.", "Load a guest first.")
        spec, switched = self.vm.spec, self.vm.vmm.switches
        if len(self._hypervisor.vms) == 1:
            self.load(
                spec.program, spec.kind.kind, command_line=spec.command_line, disk=spec.disk, modules=spec.modules
            )
            for switch in self.vm.vmm.switches ^ switched:
                self.set_translation(switch, on=switch in switched)
            return
        self._do(ResetVm(self._selected))
        self.sentence = narration.of_power_on(f"{spec.program.name} in VM {spec.letter}", spec.kind.title, self.pc)

    def save_disk(self, path: Path, *, replace: bool = False) -> None:
        """Write what is on the selected VM's disk now to a file: its own, if nobody else has changed that, or another.

        `replace`: also over another file that is there. A reset then begins with the disk as saved.
        """
        vm, disk = self.vm, self.vm.spec.disk
        if disk is None:
            raise RequestError("The guest has no disk.", "Start it with one.")
        save_disk_image(disk, vm.vmm.pc.disk.contents(), path, replace=replace)
        if disk.path and Path(disk.path).exists() and path.samefile(disk.path):
            self._do(KeepDisk(self._selected))

    def close(self) -> None:
        """Power off; the session can load again."""
        if self._machine is not None:
            self._breakpoints = self.vm.breakpoints
            self._machine.close()
            self._machine = self._hypervisor = self._timeline = None

    # -- several VMs

    def add_vm(
        self,
        program: Program,
        kind: str,
        *,
        memory: int = layout.VM_MEMORY,
        weight: int = 1,
        cap: int | None = None,
        command_line: str = "",
        disk: DiskImage | None = None,
        modules: tuple[Module, ...] = (),
    ) -> str:
        """Power on one more VM beside the others; its letter. `memory` in bytes; `cap` in percent of the machine. On a
        UserError nothing has changed."""
        self._do(AddVm(program, kind, memory, weight, cap, command_line, disk, modules))
        letter = self.letters[-1]
        self._watch_breakpoints(self._require_vm(letter))
        title = kind_named(kind).title
        self.sentence = narration.of_power_on(f"{program.name} in VM {letter}", title, program.entry)
        return letter

    def remove_vm(self, letter: str) -> None:
        """Power a VM off and give its frames back. If it was selected, another is."""
        self._require_vm(letter)
        self._do(RemoveVm(letter))
        self._select_what_is_there()
        self.sentence = f"VM {letter} is gone, and its memory is free."

    def select(self, letter: str) -> None:
        """Look at this VM from now on: registers, code, memory, console, breakpoints and input are its own."""
        self._require_vm(letter)
        self._require_hypervisor().show(letter)
        self._selected = letter
        spec = self.vm.spec
        self.sentence = narration.of_selected(letter, spec.program.title, spec.kind.title, self.pc, self.ring)

    def pause_vm(self, letter: str) -> None:
        """Let a VM run no more; its time stands still."""
        self._require_vm(letter)
        self._do(PauseVm(letter, True))
        self.sentence = f"VM {letter} is paused; nothing in it notices."

    def resume_vm(self, letter: str) -> None:
        """Let it run again."""
        self._require_vm(letter)
        self._do(PauseVm(letter, False))
        self.sentence = f"VM {letter} may run again."

    def set_weight(self, letter: str, weight: int) -> None:
        """A VM's part of the CPU, relative to the others' weights."""
        self._require_vm(letter)
        self._do(SetWeight(letter, weight))

    def set_cap(self, letter: str, cap: int | None) -> None:
        """At most so many percent of the machine's time, even if nobody else wants it; None: no such bound."""
        self._require_vm(letter)
        self._do(SetCap(letter, cap))

    # -- VMs at an instant

    def vm_snapshot(self, letter: str = "") -> VmSnapshot:
        """A VM, by default the selected one, as it is now; nothing changes by it."""
        return self._require_hypervisor().snapshot(self._require_vm(letter or self._selected).spec.letter)

    def take_snapshot(self, name: str = "", letter: str = "") -> KeptSnapshot:
        """Keep a VM as it is now on the shelf."""
        kept = self.shelf.add(name, self.vm_snapshot(letter), self.machine_time)
        one = kept.snapshot
        self.sentence = narration.of_snapshot(kept.name, one.letter, one.time, kept.diverged.words)
        return kept

    def revert(self, name: str, letter: str = "") -> None:
        """Put a VM, by default the one that it was taken of, back to the instant of a snapshot."""
        snapshot = self.shelf.named(name).snapshot
        letter = self._require_vm(letter or snapshot.letter).spec.letter
        self._do(RevertVm(letter, snapshot))
        self._notice_put_back()
        self.select(letter)
        self.stop = None
        self.sentence = narration.of_revert(letter, name, snapshot.time, self._next_instruction(), self.pc)

    def clone(self, name: str, kind: str = "", *, weight: int = 1, cap: int | None = None) -> str:
        """One more VM that goes on from a snapshot, under its kind or another; its letter."""
        return self.add_from(self.shelf.named(name).snapshot, kind, weight=weight, cap=cap)

    def add_from(self, snapshot: VmSnapshot, kind: str = "", *, weight: int = 1, cap: int | None = None) -> str:
        """As `add_vm`, but the VM goes on from `snapshot`, under its kind or another."""
        self._do(action := AddVm.going_on(snapshot, kind, weight, cap))
        letter = self.letters[-1]
        self._watch_breakpoints(self._require_vm(letter))
        title = kind_named(action.kind).title
        self.sentence = narration.of_clone(letter, snapshot.program.name, title, snapshot.time)
        return letter

    def power_on_from(self, snapshot: VmSnapshot, kind: str = "") -> None:
        """As `load`, but the VM goes on from `snapshot`, under its kind or another."""
        self._power_on(AddVm.going_on(snapshot, kind), self._history)

    def diverged(self, letter: str = "") -> Diverged:
        """How far a VM has come from its image and from each snapshot of one like it; all of its memory is compared."""
        now = self.vm_snapshot(letter)
        like = [each for each in self.shelf.kept if each.snapshot.program.image == now.program.image]
        return Diverged(
            now.letter, now.time, from_image(now), tuple((each.name, between(now, each.snapshot)) for each in like)
        )

    def _notice_put_back(self) -> None:
        """A VM that was put back to an instant has another past than onlookers saw."""
        now = {letter: vm.put_back for letter, vm in self._require_hypervisor().vms.items()}
        if any(self._put_back.get(letter, count) != count for letter, count in now.items()):
            self._power_on_count += 1
        self._put_back = now

    @property
    def hypervisor(self) -> Hypervisor:
        """What hosts the VMs."""
        return self._require_hypervisor()

    def _do(self, action: Action) -> None:
        """Something from outside: into the journal, if there is one, and done."""
        hypervisor = self._require_hypervisor()
        if self._timeline is not None:
            self._timeline.act(action)
        else:
            action.carry_out(hypervisor)

    def _select_what_is_there(self) -> None:
        hypervisor = self._require_hypervisor()
        if self._selected not in hypervisor.vms:
            self._selected = hypervisor.on_cpu or next(iter(hypervisor.vms))
        hypervisor.show(self._selected)
        for vm in hypervisor.vms.values():
            self._watch_breakpoints(vm)

    # -- other moments

    @property
    def generation(self) -> int:
        """Counts power-ons and journeys in time: what was seen before is no past of what is seen now."""
        return self._power_on_count

    @property
    def timeline(self) -> Timeline:
        """The recorded past; a RequestError for a session without."""
        self._require_machine()
        if self._timeline is None:
            raise RequestError("This run is not recorded.", "Make the session with a history.")
        return self._timeline

    @contextmanager
    def travelling(self) -> Iterator[Timeline]:
        """The timeline, to be moved along; afterwards the session is where that went."""
        try:
            yield self.timeline
        finally:
            self._select_what_is_there()
            self._notice_put_back()
            self._power_on_count += 1  # what an onlooker remembers is not this machine's past any more
            self.stop = None

    def go_to(self, executed: int) -> None:
        """To the moment at which the machine's count was first `executed`, exactly as it was then."""
        with self.travelling() as timeline:
            timeline.seek(executed)
        self._tell_journey()

    def step_back(self) -> None:
        """To before the newest instruction."""
        with self.travelling() as timeline:
            timeline.step_back()
        self._tell_journey()

    def run_back(self) -> StopReason:
        """To the last breakpoint met before now (BREAKPOINT), or, if there was none, to power-on (BUDGET)."""
        for _ in self.running_back():
            pass
        assert self.stop is not None, "running back tells how it ended"
        return self.stop

    def running_back(self) -> Iterator[None]:
        """As `run_back`, in slices of less than a tenth of a second; closing it goes back to where it began."""
        return self._searching(to_breakpoint(self.timeline))

    def stepping_back_over(self) -> Iterator[None]:
        """To before the newest instruction, calls and interrupts that have come back taken whole; in slices."""
        return self._searching(retrace.over(self))

    def running_back_out(self) -> Iterator[None]:
        """To before the call that entered the present function; in slices. A RequestError if that is not known."""
        return self._searching(retrace.out(self))

    def running_back_to_ring_change(self) -> Iterator[None]:
        """To before the selected VM's CPU last changed its ring, or to power-on; in slices."""
        return self._searching(retrace.to_ring_change(self))

    def running_back_to_write(self, space: Space, address: int) -> Iterator[None]:
        """To before the word at that address was last written, perhaps with what was there; or to power-on; in
        slices."""
        return self._searching(to_write(self, GuestPhysical(self._physical_for(space, address))))

    def _searching(self, search: Iterator[None]) -> Iterator[None]:
        """Let a search of the past run; where it is closed, or finds that it cannot be, all is as it was."""
        with self.travelling() as timeline:
            origin = timeline.now
            try:
                yield from search
            except (GeneratorExit, UserError):
                timeline.seek_moment(origin)
                raise
        self._tell_journey()
        self.stop = StopReason.BREAKPOINT if self.timeline.now.at_threshold else StopReason.BUDGET

    def settle(self) -> None:
        """Look at the selected VM where the timeline stands."""
        self._select_what_is_there()

    def go_to_instruction(self, executed: int) -> None:
        """As `go_to`, within the recorded past; a RequestError beyond it."""
        reached = self.timeline.branch.reached.executed
        if not 0 <= executed <= reached:
            raise RequestError(
                f"The recorded past has {reached:,} instructions, and {executed:,} is not among them.",
                "Run on to go further.",
            )
        self.go_to(executed)

    def go_to_time(self, time: int, *, exactly: bool = True) -> None:
        """To the first moment at which the machine's time was `time`; if not `exactly`, to a checkpoint before it."""
        with self.travelling() as timeline:
            if exactly:
                timeline.seek_time(time)
            else:
                timeline.preview_time(time)
        self._tell_journey()

    def enter_future(self, number: int) -> None:
        """To the end of another future, by its number."""
        with self.travelling() as timeline:
            timeline.enter(timeline.numbered(number))
        self._tell_journey()

    def discard_future(self, number: int) -> None:
        """Throw a future away."""
        self.timeline.discard(self.timeline.numbered(number))

    def resume(self, lab: Lab) -> None:
        """Have the lab of another session again, where it stood; the snapshots that are kept here stay."""
        for _ in self._replaying(dataclasses.replace(lab, snapshots=self.shelf.kept), lambda: None):
            pass

    @property
    def journal(self) -> tuple[Input, ...]:
        """What came from outside in this future, oldest first."""
        return tuple(self._timeline.branch.inputs) if self._timeline is not None else ()

    # -- the whole lab, to be kept

    @property
    def setup(self) -> AddVm:
        """What the machine was powered on with."""
        self._require_machine()
        assert self._first is not None, "a machine that is on was powered on with something"
        return self._first

    def lab(self, desk: Desk = NOTHING_OPEN, *, proven: bool = True) -> Lab:
        """All that it takes to have this lab again; a RequestError for a session without history. `proven`: with a
        fingerprint, which takes a look at all of memory."""
        begun, proof = self.begun, self._fingerprint() if proven else ""
        futures = futures_of(self.timeline)
        return Lab.standing(begun.first, begun.rhythm, futures, self.stand, proof, desk, self.shelf.kept)

    @property
    def begun(self) -> Lab:
        """The lab as it was at power-on, but for the snapshots that are kept."""
        recording, start = self.timeline.recording, Moment(0, False, 0)
        rhythm = Rhythm(recording.instructions, recording.departures)
        only = LabFuture(0, None, start, start, ())
        return Lab(self.setup, rhythm, (only,), only.number, start, 0, self._selected, self.stand.stops)

    @property
    def stand(self) -> Stand:
        """What of the lab changes while it runs; cheap."""
        timeline = self.timeline
        stops = {
            letter: tuple(StopAt(address, name) for address, name in vm.breakpoints.programs().items())
            for letter, vm in self.hypervisor.vms.items()
            if vm.breakpoints.addresses
        }
        branch = timeline.branch
        return Stand(branch.number, timeline.now, branch.reached, timeline.applied, self._selected, stops)

    @property
    def futures(self) -> tuple[LabFuture, ...]:
        """What of the lab stays the same while it runs: all futures, but for how far the present one was run."""
        return known_futures(self.timeline)

    def open_lab(self, lab: Lab) -> None:
        """Have this lab in place of what is there. On a UserError the former one is there again."""
        for _ in self.opening(lab):
            pass

    def opening(self, lab: Lab, powered_on: Callable[[], None] = lambda: None) -> Iterator[float]:
        """As `open_lab`, in slices of some hundredths of a second; gives how much is replayed, 0 to 1. Closed early,
        the lab stands where it has come to, with the rest of its future before it. `powered_on` is called when the
        first VM is: twice, if the former lab must be brought back."""
        machine, former = self._machine, self.lab() if self._machine is not None else None
        try:
            yield from self._replaying(lab, powered_on)
        except UserError:
            if former is None:
                self.close()
            elif self._machine is not machine:
                yield from self._replaying(former, powered_on)
            raise

    def _replaying(self, lab: Lab, powered_on: Callable[[], None]) -> Iterator[float]:
        history = self._history or Recording()
        rhythm = {"instructions": lab.rhythm.instructions, "departures": lab.rhythm.departures}
        self._power_on(lab.first, dataclasses.replace(history, **rhythm))
        self.vm.breakpoints.put({})
        self.shelf.put(lab.snapshots)
        powered_on()
        timeline = self.timeline
        with self.travelling():
            timeline.take_over(*branches_of(lab))
            for _ in timeline.approach(lab.now, lab.applied):
                self._select_what_is_there()
                self.sentence = narration.of_replay(timeline.now.time, lab.now.time)
                self.stop = StopReason.BUDGET
                yield timeline.now.time / max(lab.now.time, 1)
        if lab.selected in self.letters:
            self.select(lab.selected)
        for letter, stops in lab.stops.items():
            if letter in self.letters:
                self.hypervisor.vms[letter].breakpoints.put({each.address: each.program for each in stops})
        self._select_what_is_there()
        if lab.fingerprint and lab.fingerprint != self._fingerprint():
            raise RequestError(
                "The run, replayed, comes to another machine than the one that was saved.",
                "Open it with the version of Ringside that saved it.",
            )
        self._tell_journey()

    def _fingerprint(self) -> str:
        return fingerprint(self.hypervisor, self.registers(), self.traps)

    def undo(self) -> None:
        """To before the last thing that was done from outside, in a future without it."""
        with self.travelling() as timeline:
            undone = timeline.undo()
        self.sentence = narration.of_undoing(undone.in_words(), self._next_instruction(), self.pc)

    def _tell_journey(self) -> None:
        self.sentence = narration.of_journey(self.machine_executed, self._next_instruction(), self.pc)

    def _next_instruction(self) -> str:
        code = self.peek_code(self.pc)
        return spell(code, self.pc, self.code_bits) if code else ""

    def past(self) -> Past | None:
        """The recorded past, to be looked at; None for a session without."""
        return self._timeline.past() if self._timeline is not None else None

    def run_back_to_trap(self, wanted: Callable[[Trap], bool]) -> bool:
        """To before the last departure that is `wanted`; False, and at power-on, if there was none before now."""
        with self.travelling() as timeline:
            found = to_trap(timeline, wanted, self.traps.recent())
        self._tell_journey()
        return found

    def balloon(self, letter: str, taken: int) -> None:
        """Have `taken` bytes of a VM's memory taken back, for others to have; its guest sees no difference."""
        self._require_vm(letter)
        self._do(Balloon(letter, taken))
        taken_now, free = taken / layout.MIB, self._require_hypervisor().room / layout.MIB
        self.sentence = f"{taken_now:.0f} MiB are taken from VM {letter}; {free:.0f} MiB are free for another VM."

    def console_of(self, letter: str) -> bytes:
        """All that a VM's guest has written to its serial port."""
        return bytes(self._require_vm(letter).console)

    def summaries(self) -> tuple[VmSummary, ...]:
        """Every VM in short, in the order of their making."""
        return self._require_hypervisor().summaries()

    @property
    def selected(self) -> str:
        """The letter of the VM that is looked at."""
        return self._selected

    @property
    def letters(self) -> tuple[str, ...]:
        """The VMs there are, in the order of their making."""
        return tuple(self._require_hypervisor().vms)

    @property
    def vm(self) -> Vm:
        """The selected VM."""
        return self._require_hypervisor().vms[self._selected]

    def _require_vm(self, letter: str) -> Vm:
        vms = self._require_hypervisor().vms
        if letter not in vms:
            raise UnknownName(f"There is no VM {letter}.", f"Choose one of: {', '.join(vms)}.")
        return vms[letter]

    def _require_hypervisor(self) -> Hypervisor:
        self._require_machine()
        assert self._hypervisor is not None, "a machine that is on has a hypervisor"
        return self._hypervisor

    @property
    def program(self) -> Program | None:
        """What runs in the selected VM; None while no machine is on."""
        return self.vm.spec.program if self._hypervisor is not None else None

    @property
    def kind(self) -> str:
        """The kind of monitor under it."""
        return self.vm.spec.kind.kind if self._hypervisor is not None else ""

    @property
    def machine(self) -> Machine:
        """The machine that is on; a RequestError if none is."""
        return self._require_machine()

    def _require_machine(self) -> Machine:
        if self._machine is None:
            raise RequestError("No guest is loaded.", "Load a guest first.")
        return self._machine

    @property
    def vmm(self) -> Vmm:
        """The monitor of the selected VM."""
        return self.vm.vmm

    # -- run

    def run(self, limit: int | None = None, *, resumed: bool = False, sleep: float | None = None) -> StopReason:
        """Until end, breakpoint, request, wait for input, or `limit` more instructions of the machine. With several VMs
        the end is that of the last of them, a wait is that of all; at a breakpoint the VM that met it is selected.

        `resumed`: this goes on with a run that only paused for breath, so that a breakpoint right here counts.
        `sleep`: the guest may sleep until so many seconds of the machine's time from here. Before it sleeps longer, for
        `idle_seconds`, this comes back (IDLE), so that the caller may wait too.
        """
        until = FOREVER if limit is None else self.machine_executed + limit
        reason = self._run_to_count(until, leave=not resumed, sleep=sleep)
        self.sentence = (
            narration.of_stop(reason, self.end, self.pc) if self.end or limit is None else self._last_event()
        )
        return reason

    def step(self, count: int = 1) -> StopReason:
        """`count` instructions, or fewer if something ends or stops the run before.

        They are the machine's, and the selected VM's first: if another had the CPU, there is a world switch. Where the
        scheduler gives the CPU to another VM, the selection goes along, so that one sees what was stepped.
        """
        self.require_steppable()
        if self.vm.interposer.end is not None:
            self.stop = StopReason.ENDED
            self.sentence = narration.of_stop(self.stop, self.end, self.pc)
            return self.stop
        return self._advance(count, self._selected, follow=True)

    def creep(self, count: int, *, follow: bool) -> StopReason:
        """As `step`, but as the scheduler decides from the start: a piece of a run at a set speed. `follow`: the
        selection goes along with the CPU."""
        return self._advance(count, None, follow=follow)

    def require_steppable(self) -> None:
        """A RequestError if the selected VM cannot be stepped."""
        if self._require_hypervisor().scheduler.state.shares[self._selected].paused:
            raise RequestError(f"VM {self._selected} is paused.", "Resume it, or select another.")

    def _advance(self, count: int, first: str | None, *, follow: bool) -> StopReason:
        cpu = self.machine.cpu
        traps, before, bits = self.traps.count, Ring(cpu.cpl), self.code_bits
        reason = self._run_to_count(self.machine_executed + count, leave=True, first=first, follow=follow)
        if self.end is not None:
            self.sentence = narration.of_stop(reason, self.end, self.pc)
        elif self.traps.count > traps or count > 1 or reason is not StopReason.BUDGET:
            self.sentence = (
                self._last_event() if reason is StopReason.BUDGET else narration.of_stop(reason, None, self.pc)
            )
        else:
            text = spell(self.peek_code(cpu.last_pc), cpu.last_pc, bits)
            self.sentence = narration.of_step(text, before, Ring(cpu.cpl))
        return reason

    def step_over(self) -> StopReason:
        """One instruction; a CALL, an INT or a repeated one runs until it has come back, to this stack and program."""
        return self.go_on(self.begin_step(StepKind.OVER))

    def run_to(self, address: int, limit: int | None = None) -> StopReason:
        """Until the instruction at linear `address` is about to run."""
        until = FOREVER if limit is None else self.machine_executed + limit
        reason = self.run_to_any(frozenset({address}), leave=True, limit=until)
        if reason is StopReason.BREAKPOINT and self.pc == address and address not in self.breakpoints:
            self.sentence = self._last_event()
        return reason

    def run_until(self, found: Callable[[Trap], bool], limit: int) -> StopReason:
        """Stop right after the first departure that satisfies `found`, within `limit` instructions."""
        hypervisor = self._require_hypervisor()
        hypervisor.look_for(found)
        try:
            reason = self._run_to_count(self.machine_executed + limit, leave=True)
        finally:
            hypervisor.look_for(None)
        self.sentence = narration.of_stop(reason, self.end, self.pc) if self.end else self._last_event()
        return reason

    def run_to_new_code(self) -> StopReason:
        """Until right before code that the selected VM's monitor has just made for it (BREAKPOINT)."""
        interposer = self.vm.interposer
        interposer.stops_at_new_code = True
        try:
            reason = self._run_to_count(FOREVER, leave=True)
        finally:
            interposer.stops_at_new_code = False
        self.sentence = narration.of_stop(reason, self.end, self.pc) if self.end else self._last_event()
        return reason

    def run_to_any(self, addresses: frozenset[int], *, leave: bool, limit: int = FOREVER) -> StopReason:
        """Until the instruction at one of `addresses` or at a breakpoint is about to run; `leave`: not the present."""
        vm = self.vm
        self.machine.cpu.breakpoints, vm.breakpoints.temporary = vm.breakpoints.addresses | addresses, addresses
        try:
            reason = self._run_to_count(limit, leave=leave)
        finally:
            vm.breakpoints.temporary = frozenset()
            self.machine.cpu.breakpoints = self.vm.breakpoints.wanted
        self.sentence = narration.of_stop(reason, self.end, self.pc)
        return reason

    def begin_step(self, kind: StepKind) -> Step:
        """A step of any kind from here; `go_on` runs it."""
        self._require_machine()
        system = self.guest_system() if self.vmm.guest.cpl == Ring.USER.value else None
        return Step(self, kind, system.mapped if system is not None else None)

    def go_on(self, step: Step) -> StopReason:
        """Run on until the step has arrived (BUDGET), is interrupted (REQUESTED: call again), or something stops it;
        or until it never can arrive, since its program is over (BUDGET)."""
        reason = step.go()
        if step.whole and not step.arrived and (over := self._what_is_over(step, reason)):
            self.sentence = narration.of_no_return(step.kind, over)
            if reason is not StopReason.ENDED:
                step.arrived, reason = True, StopReason.BUDGET
        elif step.arrived and step.kind is StepKind.OVER:
            if step.whole:
                self.sentence = self._last_event()
        elif step.arrived:
            code, pc = self.code(), self.pc
            self.sentence = narration.of_line(code.name_of(pc), code.line_at(pc), pc, self.ring)
        else:
            self.sentence = narration.of_stop(reason, self.end, self.pc)
        return reason

    def _what_is_over(self, step: Step, reason: StopReason) -> str:
        """What has ended, so that the step has nowhere to come back to; empty: nothing."""
        if reason is StopReason.ENDED and self.end is not None:
            return self.end.sentence
        if reason is StopReason.BREAKPOINT or step.process is None:
            return ""
        system, process = self.guest_system(), step.process
        lives = system is None or any(
            (one.pid, one.directory) == (process.pid, process.directory) and one.state != ZOMBIE
            for one in system.processes
        )
        return "" if lives else f"The program {process.name} (process {process.pid}) has ended."

    def _run_to_count(
        self, until: int, *, leave: bool, sleep: float | None = None, first: str | None = None, follow: bool = False
    ) -> StopReason:
        """`first` has the first slice; the VM that ran last is selected afterwards if `follow`, or at a breakpoint."""
        hypervisor = self._require_hypervisor()
        started, sleep_until = time.perf_counter(), FOREVER
        if sleep is not None:
            sleep_until = self.machine_time + int(sleep * layout.INSTRUCTIONS_PER_SECOND)
        try:
            run = hypervisor.run if self._timeline is None else self._timeline.run
            self.stop = run(until, leave_breakpoint=leave, sleep_until=sleep_until, first=first)
        finally:
            self.host_seconds += time.perf_counter() - started
            if follow or self.stop is StopReason.BREAKPOINT:
                self._selected = hypervisor.on_cpu or self._selected
            hypervisor.show(self._selected)
            self._notice_put_back()
        return self.stop

    def request_stop(self) -> None:
        """From any thread; takes effect before the next instruction."""
        self.machine.cpu.request_stop()

    @property
    def breakpoints(self) -> frozenset[int]:
        """Linear addresses in the selected VM before which the run stops.

        One that is set in a program of the guest's counts in that program alone, whichever others have code at the same
        address: in the program that the last snapshot showed.
        """
        return self._person_stops.addresses

    @breakpoints.setter
    def breakpoints(self, addresses: frozenset[int]) -> None:
        in_sight = self.vm.in_sight if self._hypervisor is not None else ""
        self._person_stops.replace(frozenset(addresses), self.program, in_sight)
        if self._hypervisor is not None:
            self.machine.cpu.breakpoints = self._person_stops.addresses

    @property
    def _person_stops(self) -> Breakpoints:
        return self._breakpoints if self._hypervisor is None else self.vm.breakpoints

    def _watch_breakpoints(self, vm: Vm) -> None:
        """Have a breakpoint of this VM judged as its guest is when it comes there, whichever VM is selected."""

        def stops_here() -> bool:
            selected, self._selected = self._selected, vm.spec.letter
            try:
                return self.pc in vm.breakpoints.temporary or self.at_breakpoint
            finally:
                self._selected = selected

        vm.interposer.stops_here = stops_here
        if vm is self.vm:
            self.machine.cpu.breakpoints = vm.breakpoints.addresses

    @property
    def at_breakpoint(self) -> bool:
        """Does a breakpoint stand here, and does it count in this address space?"""
        kept, pc = self.vm.breakpoints, self.pc
        return kept.counts(pc, self.code().user if kept.needs_program(pc) else "")

    def send_input(self, data: bytes) -> None:
        """To the selected guest's serial port, at its present virtual time."""
        self._do(SerialInput(self._selected, bytes(data)))

    def press_keys(self, codes: bytes) -> None:
        """Scan codes of set 1 from the selected guest's keyboard, at its present virtual time."""
        self._do(Keys(self._selected, bytes(codes)))

    def edit_register(self, name: str, value: int) -> None:
        """Set a register of the selected VM's CPU, in the guest's terms."""
        self._do(EditRegister(self._selected, name, value))
        self.sentence = f"You set {name} of VM {self._selected} to {value:#010x}; Ctrl+Z takes it back."

    def edit_memory(self, space: Space, address: int, data: bytes) -> None:
        """Set bytes of the selected VM's memory, all in one page, by a linear or guest-physical address."""
        self._do(EditMemory(self._selected, self._physical_for(space, address), bytes(data)))
        self.sentence = (
            f"You set {data.hex(' ').upper()} at {space.value.lower()} {address:#010x}; Ctrl+Z takes it back."
        )

    def _physical_for(self, space: Space, address: int) -> int:
        if space is Space.HOST:
            raise RequestError(
                "Memory cannot be set by a host-physical address: it may be a monitor's.",
                "Choose a linear or guest-physical address.",
            )
        if space is Space.PHYSICAL:
            return address
        (piece,) = linear_pieces(self.vmm.physical, self.vmm.guest.paging, address, 1)
        if piece.physical is None:
            raise RequestError(f"There is no memory at linear {address:#010x}.", "Choose an address that is mapped.")
        return piece.physical

    def set_intercept(self, code: int, *, on: bool) -> None:
        """Set or clear an intercept bit of the selected VM's control block; it counts from the next entry."""
        self._do(SetIntercept(self._selected, code, on))

    def set_vmcb_field(self, name: str, value: int) -> None:
        """Write a field of the selected VM's control block; VMRUN judges it at the next entry."""
        self._do(SetVmcbField(self._selected, name, value))

    def set_translation(self, switch: Switch, *, on: bool) -> None:
        """Switch how the selected VM's code is translated from now on."""
        self._do(SetTranslation(self._selected, switch, on))

    # -- look

    @property
    def end(self) -> End | None:
        """How the selected guest's run ended, if it has."""
        return self.vm.interposer.end if self._hypervisor is not None else None

    @property
    def report(self) -> str:
        """After an end by error of the lab: registers and cause, worth saving."""
        return self.vm.interposer.report if self._hypervisor is not None else ""

    @property
    def executed(self) -> int:
        """Instructions and exceptions of the guest since power-on, exact."""
        return self.vm.interposer.executed

    @property
    def machine_executed(self) -> int:
        """Those of all VMs, removed ones included."""
        return self._require_hypervisor().scheduler.state.executed

    @property
    def time(self) -> int:
        """Virtual time of the guest: executed plus idle time skipped."""
        return self.vm.interposer.time

    @property
    def machine_time(self) -> int:
        """The machine's virtual time: instructions of all VMs, and time in which nobody wanted the CPU."""
        return self._require_hypervisor().scheduler.state.time

    @property
    def idle_seconds(self) -> float:
        """How long nobody will want the CPU, in seconds of the machine's clock; 0 if somebody does."""
        return (self._require_hypervisor().scheduler.idle() or 0) / layout.INSTRUCTIONS_PER_SECOND

    @property
    def pc(self) -> int:
        """Linear address of the next instruction."""
        return self.vmm.guest.pc

    @property
    def code_bits(self) -> int:
        """Is the next instruction one of 16 or of 32 bits?"""
        return self.vmm.guest.code_bits

    @property
    def last_pc(self) -> int:
        """Linear address of the instruction that ran last."""
        return self.machine.cpu.last_pc

    @property
    def cr3(self) -> int:
        """CR3 as the guest believes it."""
        return self.vmm.guest.cr(3)

    @property
    def ring(self) -> Ring:
        """The ring the CPU is really in."""
        return Ring(self.machine.cpu.cpl)

    @property
    def believed_ring(self) -> Ring:
        """The ring the guest believes it is in."""
        return Ring(self.vmm.guest.cpl)

    @property
    def console(self) -> bytes:
        """All that the guest has written to its serial port."""
        return bytes(self.vm.console)

    @property
    def console_length(self) -> int:
        """How many bytes that is, without a copy."""
        return len(self.vm.console)

    def registers(self) -> tuple[Register, ...]:
        """What the guest believes beside what the CPU holds."""
        return read_registers(self.vmm.guest, self._real)

    def guest_system(self) -> GuestSystem | None:
        """The guest's processes, read from its memory; None for a guest whose records are not known."""
        assert self.program is not None, "a machine that is on has a program"
        return read_guest(self.program, self.peek, self.vmm.guest.paging.cr3)

    def code(self, system: GuestSystem | None = None) -> Program:
        """The guest's code as the present address space shows it: its own, and the program's that CR3 belongs to.

        `system` is what `guest_system` has just said, if it was asked.
        """
        assert self.program is not None, "a machine that is on has a program"
        system = system or self.guest_system()
        return self.program.seen_from(system.mapped.name) if system and system.mapped else self.program

    def seen(self, look: Look, system: GuestSystem | None) -> Seen:
        """What `look` shows now; `system` as `guest_system` gave it."""
        assert self.program is not None, "a machine that is on has a program"
        monitors = tuple(vm.vmm for vm in self._require_hypervisor().vms.values())
        return look_at(look, Watched(self.vmm, monitors, self.machine, self.program, system, self.peek))

    def place(self, system: GuestSystem | None = None) -> Place:
        """Where the guest is: registers, memory and code, for whoever follows its calls. `system` as for `code`."""
        guest = self.vmm.guest
        registers: dict[int, int] = {reg: guest.reg(reg) for reg in Gpr}
        registers[EIP], registers[CS] = guest.pc, guest.segment(Seg.CS).selector & ~3 | guest.cpl
        system = system or self.guest_system()
        mapped = system.mapped if system is not None else None
        stack = (mapped.kernel_stack, mapped.kernel_stack + PAGE_SIZE) if mapped is not None else None
        return Place(registers, self.peek, self.code(system), self.ring, stack)

    @property
    def unwinder(self) -> Unwinder:
        """Follows the selected guest's calls."""
        known = self._unwinders.get(self._selected)
        if known is None:
            known = self._unwinders[self._selected] = Unwinder(self.vm.spec.program)
        return known

    def call_stack(self, system: GuestSystem | None = None) -> tuple[CallFrame, ...]:
        """The functions that have been entered and not yet left, innermost first, as far as they are certain."""
        return self.unwinder.frames(self.place(system))

    def peek(self, linear: int, size: int) -> bytes | None:
        """Guest memory as ring 0 of the guest sees it; None where nothing is mapped."""
        return self.vmm.linear.peek(self.vmm.guest.paging, linear & 0xFFFF_FFFF, size)

    def peek_code(self, linear: int) -> bytes:
        """The bytes of the instruction at `linear` and perhaps some more; empty where nothing is mapped."""
        return self.vmm.linear.peek_code(self.vmm.guest.paging, linear & 0xFFFF_FFFF)

    def translation_cache(self) -> SeenCache | None:
        """The selected VM's translation cache, if its monitor has one."""
        return self.vmm.seen_cache()

    def translated(self, linear: int) -> GuestInstruction | None:
        """What the guest's instruction at `linear` has been translated into, newest block first."""
        cache = self.vmm.seen_cache()
        for each in reversed(cache.holding(linear) if cache is not None else ()):
            block = self.vmm.seen_block(each.ordinal)
            found = next((one for one in block.guest if one.pc == linear), None) if block is not None else None
            if found is not None:
                return found
        return None

    def read_memory(self, linear: int, size: int) -> bytes:
        """As `peek`; a RequestError where nothing is mapped."""
        found = self.peek(linear, size)
        if found is None:
            raise RequestError(f"Nothing is mapped at {linear:#010x}.", "Choose an address inside the guest's memory.")
        return found

    def recent_pcs(self, count: int) -> list[int]:
        """Linear addresses of the newest instructions, oldest first (needs `recording`)."""
        executed = self.executed
        ring = self.vm.ring
        return [int(ring[n % PC_RING]) for n in range(max(executed - min(count, PC_RING), 0), executed)]

    def snapshot(
        self,
        since_trap: int = 0,
        since_console: int = 0,
        *,
        running: bool = False,
        max_traps: int = 2000,
        listing: int = 48,
    ) -> Snapshot:
        """One picture of the machine, with the traps and console output since the given counts."""
        program = self.program
        self._require_machine()
        assert program is not None, "a machine that is on has a program"
        system = self.guest_system()
        if system is not None and system.mapped is not None:
            self.vm.in_sight = system.mapped.name
        return Snapshot(
            generation=self._power_on_count,
            vm=self._selected,
            kind=self.kind,
            guest=program.name,
            executed=self.executed,
            time=self.time,
            running=running,
            stop=self.stop,
            end=self.end,
            ring=self.ring,
            believed=self.believed_ring,
            stage=self.vmm.stage(),
            pc=self.pc,
            registers=self.registers(),
            listing=disassemble(self.peek_code, self.code(system), self.pc, listing, listing // 4, self.code_bits),
            traps=tuple(self.traps.since(since_trap, max_traps)),
            trap_count=self.traps.count,
            causes=tuple(self.traps.causes.items()),
            console=bytes(self.vm.console[since_console:]),
            console_length=len(self.vm.console),
            breakpoints=self.breakpoints,
            elsewhere=self.vm.breakpoints.elsewhere(self.vm.in_sight),
            sentence=self.sentence,
            host_seconds=self.host_seconds,
            guest_system=system,
            seen=self.seen(self.look, system),
            call_stack=self.call_stack(system),
            vms=self.summaries(),
            machine_time=self.machine_time,
            free_memory=self._require_hypervisor().room,
            past=self.past(),
        )

    def _last_event(self) -> str:
        last = self.traps.last
        return narration.of_trap(last) if last is not None else narration.of_stop(None, None, self.pc)
