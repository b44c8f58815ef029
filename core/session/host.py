"""The computer that a session works on: switched on or off, its hypervisor, the VM before which the person sits.

All that changes a machine from outside passes `do`, and all of its running `run_to`, so that where a past is kept both
are in it. Nothing here depends on wall-clock time but `host_seconds`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from core import layout, narration
from core.breakpoints import Breakpoints
from core.errors import RequestError, UnknownName, UserError
from core.events import StopReason
from core.guests.boot import check_start
from core.guests.start import StartWith
from core.hypervisor import Hypervisor
from core.machine import Backing, Machine
from core.session.guest import stops_here
from core.timeline.actions import Action, AddVm
from core.timeline.timeline import Recording, Timeline
from core.traplog import TrapLog
from core.vm import Vm, VmSpec, check_memory, check_room
from core.vm_snapshots.going_on import check_carries
from core.vmm import check_kind, kind_named

FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class PoweredOn:
    """What there is while the machine is on; `first` is what it was powered on with, `timeline` its past, if kept."""

    first: AddVm
    machine: Machine
    hypervisor: Hypervisor
    timeline: Timeline | None


class Host:
    """One computer, of which any number of machines are made, one after the other.

    traps         the record since power-on
    selected      the letter of the VM that is looked at
    generation    counts power-ons and journeys in time: what was seen before is no past of what is seen now
    stop          why the last run ended; None: there was none since power-on or a journey
    sentence      what happened last, for the person
    host_seconds  how long it has been run since power-on, by the clock on the wall
    """

    def __init__(self, backing: Backing, *, recording: bool, history: Recording | None) -> None:
        self.backing = backing
        self.history = history
        self.generation = 0
        self.selected = ""
        self._recording = recording
        self._on: PoweredOn | None = None
        self._breakpoints = Breakpoints()  # for the next machine's first VM
        self._put_back: dict[str, int] = {}  # what is known of `Vm.put_back`, by letter
        self._forget()

    def _forget(self) -> None:
        self.traps = TrapLog()
        self.stop: StopReason | None = None
        self.sentence = ""
        self.host_seconds = 0.0

    # -- power

    @property
    def is_on(self) -> bool:
        """Is there a machine?"""
        return self._on is not None

    @property
    def on(self) -> PoweredOn:
        """The machine that is on, and what runs it; a RequestError if none is."""
        if self._on is None:
            raise RequestError("No guest is loaded.", "Load a guest first.")
        return self._on

    def power_on(self, first: AddVm, history: Recording | None = None) -> None:
        """A fresh machine with that VM; on a UserError the former one is untouched. `history`: of another rhythm than
        this host's."""
        vmm_class, program, memory, snapshot = kind_named(first.kind), first.program, first.memory, first.snapshot
        command_line, disk, modules = first.command_line, first.disk, first.modules
        check_kind(vmm_class, program)
        if snapshot is not None:
            check_carries(vmm_class, snapshot)
        check_memory(program, memory)
        check_start(program, memory, command_line, modules)
        ram = self.backing.ram.nbytes
        reserved = layout.HOST_RESERVED + layout.MONITOR_MEMORY if vmm_class.hosted else 0
        check_room(memory, ram - reserved, ram, hosted=vmm_class.hosted)
        size = min(vmm_class.machine_memory(memory), ram)
        if snapshot is not None:
            vmm_class.check_machine(snapshot.own, size)
        self.power_off()
        self._forget()
        machine = Machine(size, self.backing, recording=self._recording)
        hypervisor = Hypervisor(machine, self.traps)
        letter = hypervisor.next_letter()
        try:
            vm = hypervisor.create(
                VmSpec(letter, vmm_class, program, memory, command_line, disk, modules), snapshot=snapshot
            )
        except UserError:
            machine.close()
            raise
        self.selected = letter
        vm.breakpoints = self._breakpoints
        self._put_back = {letter: vm.put_back}
        history = history or self.history
        self._on = PoweredOn(first, machine, hypervisor, Timeline(hypervisor, self.traps, history) if history else None)
        self.watch(vm)
        self.generation += 1
        title, pc = vmm_class.title, vm.vmm.guest.pc
        given = StartWith(command_line, disk.path if disk else "", tuple(module.path for module in modules)).in_words()
        self.sentence = narration.of_power_on(program.name, title, pc, given)
        if snapshot is not None:
            self.sentence = narration.of_going_on(program.name, title, snapshot.time, pc)

    def power_off(self) -> None:
        """It can be powered on again; the breakpoints in the selected VM stay for that."""
        if self._on is not None:
            self._breakpoints = self.vm.breakpoints
            self._on.machine.close()
            self._on = None

    # -- VMs

    @property
    def vm(self) -> Vm:
        """The selected VM."""
        return self.on.hypervisor.vms[self.selected]

    def vm_named(self, letter: str) -> Vm:
        """The VM of that letter; an UnknownName if there is none."""
        vms = self.on.hypervisor.vms
        if letter not in vms:
            raise UnknownName(f"There is no VM {letter}.", f"Choose one of: {', '.join(vms)}.")
        return vms[letter]

    def select(self, letter: str) -> None:
        """Sit before this VM from now on."""
        self.vm_named(letter)
        self.on.hypervisor.show(letter)
        self.selected = letter

    def settle(self) -> None:
        """The machine may be another than it was: look at the selected VM as it is now, or at another if it is gone."""
        hypervisor = self.on.hypervisor
        if self.selected not in hypervisor.vms:
            self.selected = hypervisor.on_cpu or next(iter(hypervisor.vms))
        hypervisor.show(self.selected)
        for vm in hypervisor.vms.values():
            self.watch(vm)

    @property
    def breakpoints(self) -> Breakpoints:
        """Those in the selected VM; while none is on, those that the next will have."""
        return self.vm.breakpoints if self.is_on else self._breakpoints

    def watch(self, vm: Vm) -> None:
        """Have a breakpoint of this VM judged as its guest is when it comes there, whichever VM is selected."""
        vm.interposer.stops_here = partial(stops_here, vm)
        if vm is self.vm:
            self.on.machine.cpu.breakpoints = vm.breakpoints.addresses

    # -- what is done to it, and its running

    def do(self, action: Action) -> None:
        """Something from outside: into the journal, if there is one, and done."""
        on = self.on
        if on.timeline is not None:
            on.timeline.act(action)
        else:
            action.carry_out(on.hypervisor)

    def run_to(
        self, until: int, *, leave: bool, sleep: float | None = None, first: str | None = None, follow: bool = False
    ) -> StopReason:
        """As `Hypervisor.run`, until the machine's count is `until`. `first` has the first slice; the VM that ran last
        is selected afterwards if `follow`, or at a breakpoint. `sleep`: seconds of the machine's time."""
        on = self.on
        started, sleep_until = time.perf_counter(), FOREVER
        if sleep is not None:
            sleep_until = on.hypervisor.scheduler.state.time + int(sleep * layout.INSTRUCTIONS_PER_SECOND)
        try:
            run = on.hypervisor.run if on.timeline is None else on.timeline.run
            self.stop = run(until, leave_breakpoint=leave, sleep_until=sleep_until, first=first)
        finally:
            self.host_seconds += time.perf_counter() - started
            if follow or self.stop is StopReason.BREAKPOINT:
                self.selected = on.hypervisor.on_cpu or self.selected
            on.hypervisor.show(self.selected)
            self.notice_put_back()
        return self.stop

    def notice_put_back(self) -> None:
        """A VM that was put back to an instant has another past than onlookers saw."""
        now = {letter: vm.put_back for letter, vm in self.on.hypervisor.vms.items()}
        if any(self._put_back.get(letter, count) != count for letter, count in now.items()):
            self.generation += 1
        self._put_back = now

    def arrive(self) -> None:
        """After a journey in time: what an onlooker remembers is not this machine's past any more."""
        self.settle()
        self.notice_put_back()
        self.generation += 1
        self.stop = None
