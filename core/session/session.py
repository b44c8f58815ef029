"""The whole lab without a screen: load, run, step, look. The window, the command line, lessons and tests are its users.

What one can see of it, an `Introspection` says, which a session is; what one does beside running it, its parts do.
Two sessions given the same calls are equal byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core import layout, narration
from core.cpu.calibration import verify_layout
from core.cpu.decode import spell
from core.devices.disk_image import DiskImage, save_disk_image
from core.errors import RequestError
from core.events import Ring, StopReason, Trap
from core.guest_os import ZOMBIE
from core.guests.image import Program
from core.guests.modules import Module
from core.looks import Space
from core.machine import Backing
from core.next_write import NextWrite
from core.session.host import FOREVER, Host
from core.session.inputs import Inputs
from core.session.introspection import Introspection
from core.session.snapshots import Snapshots
from core.session.travel import Travel
from core.session.vms import Vms
from core.session.whole_lab import WholeLab
from core.step_kind import StepKind
from core.stepping import Step
from core.timeline.actions import AddVm, KeepDisk, ResetVm
from core.timeline.timeline import Recording
from core.vm_snapshots.vm_snapshot import VmSnapshot


class Session(Introspection):
    """One lab: a machine and the VMs on it. One VM is *selected*; whatever is said of "the guest" is said of that one.
    While there is one VM, its time is the machine's.

    vms        which there are, and what each gets
    snapshots  VMs at an instant
    inputs     what comes to the selected VM from outside
    travel     to other moments, and into other futures
    lab        all of it as facts, to be kept

    `backing` may be shared memory of at least `layout.MACHINE_MEMORY` bytes of RAM and its probes' buffers.
    `recording` keeps the PC ring, page heat and dirty pages; without it only counts are exact, and running is faster.
    `history` lets one go back to any moment since power-on.
    """

    def __init__(
        self, *, backing: Backing | None = None, recording: bool = True, history: Recording | None = None
    ) -> None:
        assert recording or history is None, "the history needs the dirty pages"
        verify_layout()
        host = Host(backing or Backing.private(layout.MACHINE_MEMORY), recording=recording, history=history)
        super().__init__(host)
        self.vms = Vms(host)
        self.snapshots = Snapshots(host, self, self.vms)
        self.inputs = Inputs(host, self)
        self.travel = Travel(host, self)
        self.lab = WholeLab(host, self, self.travel, self.snapshots.shelf)

    # -- power

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
        self._host.power_on(AddVm(program, kind, memory, 1, None, command_line, disk, modules))

    def power_on_from(self, snapshot: VmSnapshot, kind: str = "") -> None:
        """As `load`, but the VM goes on from `snapshot`, under its kind or another."""
        self._host.power_on(AddVm.going_on(snapshot, kind))

    def reset(self) -> None:
        """The same program and kind, from power-on. Beside others only the selected VM is powered off and on: its
        virtual time, its disk and the record go on."""
        if not self._host.is_on:
            raise RequestError("There is nothing to reset.", "Load a guest first.")
        spec, switched = self.vm.spec, self.vmm.switches
        if len(self.vms.letters) == 1:
            self.load(
                spec.program, spec.kind.kind, command_line=spec.command_line, disk=spec.disk, modules=spec.modules
            )
            for switch in self.vmm.switches ^ switched:
                self.inputs.set_translation(switch, on=switch in switched)
            return
        self._host.do(ResetVm(self.selected))
        title = spec.kind.title
        self._host.sentence = narration.of_power_on(f"{spec.program.name} in VM {spec.letter}", title, self.pc)

    def close(self) -> None:
        """Power off; the session can load again."""
        self._host.power_off()

    def save_disk(self, path: Path, *, replace: bool = False) -> None:
        """Write what is on the selected VM's disk now to a file: its own, if nobody else has changed that, or another.

        `replace`: also over another file that is there. A reset then begins with the disk as saved.
        """
        disk = self.vm.spec.disk
        if disk is None:
            raise RequestError("The guest has no disk.", "Start it with one.")
        save_disk_image(disk, self.vmm.pc.disk.contents(), path, replace=replace)
        if disk.path and Path(disk.path).exists() and path.samefile(disk.path):
            self._host.do(KeepDisk(self.selected))

    # -- which VM, and where in it

    def select(self, letter: str) -> None:
        """Look at this VM from now on: registers, code, memory, console, breakpoints and input are its own."""
        self._host.select(letter)
        spec = self.vm.spec
        self._host.sentence = narration.of_selected(letter, spec.program.title, spec.kind.title, self.pc, self.ring)

    @property
    def breakpoints(self) -> frozenset[int]:
        """Linear addresses in the selected VM before which the run stops.

        One that is set in a program of the guest's counts in that program alone, whichever others have code at the same
        address: in the program that the last snapshot showed.
        """
        return self._host.breakpoints.addresses

    @breakpoints.setter
    def breakpoints(self, addresses: frozenset[int]) -> None:
        kept, is_on = self._host.breakpoints, self._host.is_on
        kept.replace(frozenset(addresses), self.program, self.vm.in_sight if is_on else "")
        if is_on:
            self.machine.cpu.breakpoints = kept.addresses

    # -- run

    def run(self, limit: int | None = None, *, resumed: bool = False, sleep: float | None = None) -> StopReason:
        """Until end, breakpoint, request, wait for input, or `limit` more instructions of the machine. With several VMs
        the end is that of the last of them, a wait is that of all; at a breakpoint the VM that met it is selected.

        `resumed`: this goes on with a run that only paused for breath, so that a breakpoint right here counts.
        `sleep`: the guest may sleep until so many seconds of the machine's time from here. Before it sleeps longer, for
        `idle_seconds`, this comes back (IDLE), so that the caller may wait too.
        """
        until = FOREVER if limit is None else self.machine_executed + limit
        reason = self._host.run_to(until, leave=not resumed, sleep=sleep)
        if limit is None:
            self.explain(reason)
        else:
            self._tell_event(reason)
        return reason

    def step(self, count: int = 1) -> StopReason:
        """`count` instructions, or fewer if something ends or stops the run before.

        They are the machine's, and the selected VM's first: if another had the CPU, there is a world switch. Where the
        scheduler gives the CPU to another VM, the selection goes along, so that one sees what was stepped.
        """
        self.require_steppable()
        if self.vm.interposer.end is not None:
            self._host.stop = StopReason.ENDED
            self.explain(StopReason.ENDED)
            return StopReason.ENDED
        return self._advance(count, self.selected, follow=True)

    def creep(self, count: int, *, follow: bool) -> StopReason:
        """As `step`, but as the scheduler decides from the start: a piece of a run at a set speed. `follow`: the
        selection goes along with the CPU."""
        return self._advance(count, None, follow=follow)

    def require_steppable(self) -> None:
        """A RequestError if the selected VM cannot be stepped."""
        if self.hypervisor.scheduler.state.shares[self.selected].paused:
            raise RequestError(f"VM {self.selected} is paused.", "Resume it, or select another.")

    def _advance(self, count: int, first: str | None, *, follow: bool) -> StopReason:
        cpu = self.machine.cpu
        traps, before, bits = self.traps.count, Ring(cpu.cpl), self.code_bits
        reason = self._host.run_to(self.machine_executed + count, leave=True, first=first, follow=follow)
        if self.end is not None or reason is not StopReason.BUDGET:
            self.explain(reason)
        elif self.traps.count > traps or count > 1:
            self._host.sentence = self._last_event()
        else:
            text = spell(self.peek_code(cpu.last_pc), cpu.last_pc, bits)
            self._host.sentence = narration.of_step(text, before, Ring(cpu.cpl))
        return reason

    def step_over(self) -> StopReason:
        """One instruction; a CALL, an INT or a repeated one runs until it has come back, to this stack and program."""
        return self.go_on(self.begin_step(StepKind.OVER))

    def run_to(self, address: int, limit: int | None = None) -> StopReason:
        """Until the instruction at linear `address` is about to run."""
        until = FOREVER if limit is None else self.machine_executed + limit
        reason = self.run_to_any(frozenset({address}), leave=True, limit=until)
        if reason is StopReason.BREAKPOINT and self.pc == address and address not in self.breakpoints:
            self._host.sentence = self._last_event()
        return reason

    def run_until(self, found: Callable[[Trap], bool], limit: int) -> StopReason:
        """Stop right after the first departure that satisfies `found`, within `limit` instructions."""
        self.hypervisor.look_for(found)
        try:
            reason = self._host.run_to(self.machine_executed + limit, leave=True)
        finally:
            self.hypervisor.look_for(None)
        self._tell_event(reason)
        return reason

    def run_to_ring_change(self, left: Ring, limit: int = FOREVER) -> StopReason:
        """Until right before the selected VM's first instruction in another ring than `left` (BREAKPOINT), or until the
        machine's count is `limit`."""
        interposer, traps, bits = self.vm.interposer, self.traps.count, self.code_bits
        interposer.ring_left = left
        try:
            reason = self._host.run_to(limit, leave=True)
        finally:
            interposer.ring_left = None
        if self.ring is left or self.end is not None:
            self.explain(reason)
        elif self.traps.count > traps and self.traps.recent()[-1].machine_time == self.machine_time:
            self._host.sentence = self._last_event()
        else:
            text = spell(self.peek_code(self.last_pc), self.last_pc, bits)
            self._host.sentence = narration.of_step(text, left, self.ring)
        return reason

    def next_write(self, space: Space, address: int) -> NextWrite:
        """The next store to the word at that address of the selected VM, to be waited for."""
        return NextWrite(self, self.physical(space, address))

    def run_to_write(self, awaited: NextWrite, limit: int = FOREVER) -> StopReason:
        """Until right after the instruction, or departure, that stored to that word (BREAKPOINT), or until the count of
        the machine is `limit`."""
        traps, applied = self.traps.count, self.timeline.applied
        reason = awaited.run(lambda: self._host.run_to(limit, leave=True))
        if awaited.written is None:
            self.explain(reason)
            return reason
        if awaited.travelled:
            self._host.arrive()
        self._host.select(awaited.letter)
        self._host.stop = reason
        last = self.traps.last
        departed = last is not None and self.traps.count > traps and last.machine_time == self.machine_time
        code, pc = self.peek_code(self.last_pc), self.last_pc
        what = self._last_event() if departed else narration.of_place(spell(code, pc, self.code_bits), pc)
        if self.timeline.applied > applied and (given := self.travel.newest_input).moment.time == self.machine_time:
            what = narration.of_outside(given.action.in_words())
        self._host.sentence = narration.of_write(what, awaited.address, *awaited.written)
        return reason

    def run_to_new_code(self) -> StopReason:
        """Until right before code that the selected VM's monitor has just made for it (BREAKPOINT)."""
        interposer = self.vm.interposer
        interposer.stops_at_new_code = True
        try:
            reason = self._host.run_to(FOREVER, leave=True)
        finally:
            interposer.stops_at_new_code = False
        self._tell_event(reason)
        return reason

    def run_to_any(self, addresses: frozenset[int], *, leave: bool, limit: int = FOREVER) -> StopReason:
        """Until the instruction at one of `addresses` or at a breakpoint is about to run; `leave`: not the present."""
        vm = self.vm
        self.machine.cpu.breakpoints, vm.breakpoints.temporary = vm.breakpoints.addresses | addresses, addresses
        try:
            reason = self._host.run_to(limit, leave=leave)
        finally:
            vm.breakpoints.temporary = frozenset()
            self.machine.cpu.breakpoints = self.vm.breakpoints.wanted
        self.explain(reason)
        return reason

    def begin_step(self, kind: StepKind) -> Step:
        """A step of any kind from here; `go_on` runs it."""
        system = self.guest_system() if self.vmm.guest.cpl == Ring.USER.value else None
        return Step(self, kind, system.mapped if system is not None else None)

    def go_on(self, step: Step) -> StopReason:
        """Run on until the step has arrived (BUDGET), is interrupted (REQUESTED: call again), or something stops it;
        or until it never can arrive, since its program is over (BUDGET)."""
        reason = step.go()
        if step.whole and not step.arrived and (over := self._what_is_over(step, reason)):
            self._host.sentence = narration.of_no_return(step.kind, over)
            if reason is not StopReason.ENDED:
                step.arrived, reason = True, StopReason.BUDGET
        elif step.arrived and step.kind is StepKind.OVER:
            if step.whole:
                self._host.sentence = self._last_event()
        elif step.arrived:
            code, pc = self.code(), self.pc
            self._host.sentence = narration.of_line(code.name_of(pc), code.line_at(pc), pc, self.ring)
        else:
            self.explain(reason)
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

    # -- stop

    def request_stop(self) -> None:
        """From any thread; takes effect before the next instruction."""
        self.machine.cpu.request_stop()

    def explain(self, reason: StopReason) -> None:
        """Say that the run ended for that, where whoever ran it in pieces knows it."""
        self._host.sentence = narration.of_stop(reason, self.end, self.pc)

    def _tell_event(self, reason: StopReason) -> None:
        """Say what happened last: the end, if it was that, or the newest departure."""
        if self.end is not None:
            self.explain(reason)
        else:
            self._host.sentence = self._last_event()

    def _last_event(self) -> str:
        last = self.traps.last
        return narration.of_trap(last) if last is not None else narration.of_stop(None, None, self.pc)
