"""The hypervisor: hosts VMs on one machine, gives each its frames, its devices and its time, and lets each run in turn.

Popek & Goldberg's resource control lies here: a VM has the frames that the allocator gave it and no others, its own
devices on its own bus, a VMM of its own kind, and the CPU when the scheduler says so. Each VM has its own virtual time,
so what it does is equal to the instruction whether it is alone or not. Not modelled: several CPUs, shared pages, live
migration. It is one thing, the list of what is done to VMs; how is in `vm_building`, `worlds` and `scheduler`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.probes import PC_RING, Word
from core.cpu.world import World
from core.errors import RequestError
from core.events import StopReason, Trap
from core.interposer import Interposer
from core.layout import HOST_RESERVED, MONITOR_MEMORY
from core.machine import Machine
from core.memory.onlooker import pages
from core.memory.reclaim import Mappings, Reclaimer
from core.scheduler import Scheduler
from core.snapshot import VmSummary
from core.traplog import NEVER, TrapLog
from core.vm import Vm, VmSpec, check_cap, check_memory, check_room, check_taken, check_weight
from core.vm_building import build, equip
from core.vm_snapshots.going_on import check_carries, check_same
from core.vm_snapshots.taking import take
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vm_summary import summary_of
from core.vmm import check_kind
from core.worlds import Worlds

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Hypervisor:
    """Hosts VMs on `machine` and records every departure, and every world switch, in `log`.

    `worlds` knows whose state is in the CPU, `scheduler` who runs next.
    """

    NOT_STATE = ("_looked_for",)

    def __init__(self, machine: Machine, log: TrapLog) -> None:
        self.machine = machine
        self.log = log
        self.scheduler = Scheduler()
        self.vms: dict[str, Vm] = {}
        self._looked_for: Callable[[Trap], bool] | None = None
        self.worlds = Worlds(machine, log, self.scheduler)
        self._made = 0

    # -- making and unmaking VMs

    def next_letter(self) -> str:
        """The name of the next VM; a RequestError when there have been too many."""
        if self._made < len(LETTERS):
            self._made += 1
            return LETTERS[self._made - 1]
        raise RequestError(f"There have been {len(LETTERS)} VMs, one for each letter.", "Load a guest anew.")

    def check(self, spec: VmSpec, weight: int = 1, cap: int | None = None) -> None:
        """A RequestError if there cannot be such a VM, or if there is no place for it."""
        check_weight(weight)
        check_cap(cap)
        bare = next((vm.spec for vm in self.vms.values() if not vm.spec.kind.hosted), None)
        if self.vms and (bare is not None or not spec.kind.hosted):
            raise RequestError(
                "A guest on the bare machine has it for itself: no monitor stands between it and another guest.",
                "Choose a kind with a monitor for each of them.",
            )
        check_memory(spec.program, spec.memory)
        check_kind(spec.kind, spec.program)
        if spec.kind.hosted:
            check_room(spec.memory, self.room, self.machine.ram.size)

    @property
    def room(self) -> int:
        """Bytes that the memory of one more VM may have, or that existing ones may get back: what is free, less what
        the monitors may yet need."""
        frames = self.machine.frames
        pledged = sum(
            MONITOR_MEMORY - frames.owned_bytes(vm.spec.monitor_owner)
            for vm in self.vms.values()
            if vm.spec.kind.hosted
        )
        host = 0 if frames.owner(HostPhysical(0)) else HOST_RESERVED
        return frames.free_bytes() - pledged - host - MONITOR_MEMORY

    def create(self, spec: VmSpec, weight: int = 1, cap: int | None = None, snapshot: VmSnapshot | None = None) -> Vm:
        """A VM, loaded and powered on, or as it was in `snapshot`; it runs when its turn comes. A RequestError, and
        nothing changed, if there is no place for it."""
        self.check(spec, weight, cap)
        worlds, before = self.worlds, self.worlds.shown
        interposer = Interposer(self.machine, self.log)
        interposer.looked_for = self._looked_for
        ring = self.machine.backing.probes.ring if before is None else np.zeros(PC_RING, np.uint64)
        worlds.load_fresh(ring)
        console = bytearray()
        try:
            vmm = build(self.machine, spec, interposer, console, snapshot=snapshot)
        except RequestError:
            self._free(spec)
            if before is not None:
                worlds.show(before)
            raise
        vm = self.vms[spec.letter] = Vm(spec, interposer, ring, vmm, console)
        interposer.power_cycle = lambda: self._power_cycle(vm)
        self.scheduler.add(spec.letter, weight, cap)
        if snapshot is not None:
            self._note_instant(vm, snapshot)
        worlds.made(vm)
        if before is not None:
            worlds.show(before)
        return vm

    def _note_instant(self, vm: Vm, snapshot: VmSnapshot) -> None:
        """A VM was made what it was in `snapshot`: so is what stands beside it."""
        vm.ring[:] = 0
        vm.write_console_anew(snapshot.console)
        if snapshot.end is not None:
            self.scheduler.end(vm.spec.letter)

    def snapshot(self, letter: str) -> VmSnapshot:
        """A VM at this instant; nothing is changed by it."""
        vm = self.vms[letter]
        with self.worlds.showing(vm):
            return take(vm, self.scheduler.state.shares[letter].owed)

    def revert(self, letter: str, snapshot: VmSnapshot) -> None:
        """Put a VM back to an instant of its own; the machine's time goes on. A RequestError, and nothing changed, if
        the snapshot is another VM's."""
        vm = self.vms[letter]
        check_same(vm.spec, snapshot)
        check_carries(vm.spec.kind, snapshot)
        vm.vmm.check_goes_back(snapshot.own)
        present = self.snapshot(letter)
        with self.worlds.showing(vm):
            try:
                self._go_back(vm, snapshot)
            except RequestError:
                self._go_back(vm, present)
                raise

    def _go_back(self, vm: Vm, snapshot: VmSnapshot) -> None:
        old, cpu = vm.vmm, self.machine.cpu
        count = vm.spec.memory >> PAGE_SHIFT
        self.machine.scrub(vm.spec.monitor_owner)
        cpu.load_world(self.machine.power_on_world)
        physical, vm.reclaimer = old.physical, None
        vm.spec = replace(vm.spec, command_line=snapshot.command_line, disk=snapshot.disk, modules=snapshot.modules)
        frames, kept = physical.frames[:count], dict(physical.kept)
        vm.vmm = equip(self.machine, vm.spec, vm.interposer, vm.console, frames, kept, snapshot)
        vm.vmm.inherit(old)
        if physical.kept and vm.vmm.mappings is not None:
            self._reclaimer(vm, vm.vmm.mappings)
        self.scheduler.revive(vm.spec.letter)
        self._note_instant(vm, snapshot)
        self.worlds.distrust_tlb()

    def _power_cycle(self, vm: Vm) -> None:
        """The guest reset its computer: everything anew, but for what is on the disk and still to be typed."""
        old, cpu = vm.vmm, self.machine.cpu
        self._free(vm.spec)
        cpu.load_world(World(self.machine.power_on_world.context, cpu.save_world().words))
        taken, vm.reclaimer = len(old.physical.kept) * PAGE_SIZE, None
        vm.vmm = build(self.machine, vm.spec, vm.interposer, vm.console, taken=taken)
        vm.vmm.inherit(old)
        if taken and vm.vmm.mappings is not None:
            self._reclaimer(vm, vm.vmm.mappings)
        vm.vmm.pc.disk.state.overlay = old.pc.disk.state.overlay
        vm.vmm.pc.serial.receive(bytes(old.pc.serial.state.outside))
        self.scheduler.revive(vm.spec.letter)

    def _free(self, spec: VmSpec) -> None:
        """Give a VM's frames and its monitor's back."""
        self.machine.scrub(spec.owner)
        self.machine.scrub(spec.monitor_owner)

    def destroy(self, letter: str) -> None:
        """Remove a VM; its frames are free. The last one stays: a RequestError."""
        vm = self.vms[letter]
        if len(self.vms) == 1:
            raise RequestError(f"VM {letter} is the only one.", "Load another guest in its place.")
        if self.worlds.shown is vm:
            self.show(next(other for other in self.vms if other != letter))
        del self.vms[letter]
        self.scheduler.remove(letter)
        self._free(vm.spec)
        self.machine.cpu.forget_all_code()
        self.worlds.forget(vm)

    def reset(self, letter: str) -> None:
        """Power a VM off and on again, whatever state it is in; its virtual time goes on."""
        self.show(letter)
        self.vms[letter].interposer.power_up()
        self.worlds.distrust_tlb()

    # -- looking

    def show(self, letter: str) -> None:
        """Put this VM's state into the CPU. Only while the machine stands still."""
        self.worlds.show(self.vms[letter])

    def look_for(self, found: Callable[[Trap], bool] | None) -> None:
        """Stop right after the first trap of any VM that satisfies `found`."""
        self._looked_for = found
        for vm in self.vms.values():
            vm.interposer.looked_for = found

    def found(self) -> None:
        """What somebody waits for has happened, whoever did it: `run` comes back (BREAKPOINT) before anything else."""
        for vm in self.vms.values():
            vm.interposer.found()

    def forget_found(self) -> None:
        """Whoever waited for it knows."""
        for vm in self.vms.values():
            vm.interposer.forget_found()

    @property
    def stopped_by_find(self) -> bool:
        """Did the last run end since something that somebody waits for had happened, and not at a breakpoint?"""
        ran = self.worlds.ran
        return ran is not None and ran.interposer.stopped_by_find

    @contextmanager
    def looking_for_nothing(self) -> Iterator[None]:
        """What is looked for does not stop a run while this lasts."""
        looked_for = self._looked_for
        self.look_for(None)
        try:
            yield
        finally:
            self.look_for(looked_for)

    def summaries(self) -> tuple[VmSummary, ...]:
        """Every VM in short, in the order of their making."""
        scheduler, ran, owned = self.scheduler, self.worlds.ran, self.machine.frames.owned_bytes
        vms = self.vms.values()
        return tuple(summary_of(vm, scheduler, owned(vm.spec.owner), on_cpu=vm is ran) for vm in vms)

    @property
    def on_cpu(self) -> str:
        """The letter of the VM that ran last, while it is still there."""
        return self.worlds.ran.spec.letter if self.worlds.ran is not None else ""

    # -- what one may do to a VM

    def pause(self, letter: str) -> None:
        """Let it run no more; nothing in it notices."""
        self.scheduler.pause(letter)

    def resume(self, letter: str) -> None:
        """Let it run again."""
        self.scheduler.resume(letter)

    def set_weight(self, letter: str, weight: int) -> None:
        """Its part of the CPU, relative to the others' weights."""
        check_weight(weight)
        self.scheduler.set_weight(letter, weight)

    def set_cap(self, letter: str, cap: int | None) -> None:
        """At most so many percent of the machine's time; None: all of it."""
        check_cap(cap)
        self.scheduler.set_cap(letter, cap)

    def balloon(self, letter: str, taken: int) -> None:
        """Have `taken` bytes of a VM's memory taken back, in whole pages: their frames are free for others, and what
        stood in them comes back when the guest touches it, in place of something else. 0 gives all of it back."""
        vm = self.vms[letter]
        mappings = vm.vmm.mappings
        if mappings is None:
            raise RequestError(f"{vm.spec.kind.title} cannot take memory back.", "Choose another kind of monitor.")
        held = len(vm.vmm.physical.kept) << PAGE_SHIFT
        check_taken(vm.spec, taken, held, self.room + MONITOR_MEMORY)
        with self._at(letter):
            self._reclaimer(vm, mappings).set_taken(taken >> PAGE_SHIFT)

    def _reclaimer(self, vm: Vm, mappings: Mappings) -> Reclaimer:
        if vm.reclaimer is None:
            frames, changed = self.machine.frames, vm.interposer.frame_changed
            vm.reclaimer = Reclaimer(vm.vmm.physical, frames, vm.spec.owner, mappings, changed)
        return vm.reclaimer

    def receive(self, letter: str, data: bytes) -> None:
        """Bytes for its serial port, at its present virtual time."""
        with self._at(letter) as vm:
            vm.vmm.pc.serial.receive(data)

    def press(self, letter: str, codes: bytes) -> None:
        """Scan codes from its keyboard, at its present virtual time."""
        with self._at(letter) as vm:
            vm.vmm.pc.keyboard.press(codes)

    def edit_register(self, letter: str, name: str, value: int) -> None:
        """A register of its CPU, in its guest's terms."""
        with self._at(letter) as vm:
            vm.vmm.edit_register(name, value)

    def edit_memory(self, letter: str, address: int, data: bytes) -> None:
        """Bytes of its memory; a RequestError, before anything is written, where some of it is no RAM."""
        with self._at(letter) as vm:
            parts = list(pages(address, len(data)))
            for start, _ in parts:
                vm.vmm.check_edit(GuestPhysical(start))
            for start, size in parts:
                vm.vmm.edit_memory(GuestPhysical(start), data[start - address : start - address + size])

    @contextmanager
    def _at(self, letter: str) -> Iterator[Vm]:
        """Show this VM for a moment, with the idle time that passed for it while others ran."""
        vm = self.vms[letter]
        with self.worlds.showing(vm):
            self._settle(vm)
            yield vm

    def _settle(self, vm: Vm) -> None:
        share = self.scheduler.state.shares[vm.spec.letter]
        if share.owed:
            vm.interposer.pass_idle(share.owed)
            share.owed = 0

    # -- running

    def run(
        self,
        until: int,
        *,
        leave_breakpoint: bool,
        sleep_until: int = NEVER,
        first: str | None = None,
        until_time: int = NEVER,
    ) -> StopReason:
        """Let the VMs run, each in its turn, until `until` instructions of the machine or something that stops it: see
        `Interposer.run`, whose virtual times are the machine's here. WAITING: nobody can run until something comes from
        outside. ENDED: all have ended. `first` gets the first slice if it can run. Which VM is shown afterwards is
        undefined."""
        scheduler, cpu = self.scheduler, self.machine.cpu
        if first is not None:
            scheduler.direct(first)
        while True:
            if scheduler.state.executed >= until or scheduler.state.time >= until_time:
                return StopReason.BUDGET
            self._notice_wishes()
            letter = scheduler.choose()
            if letter is None:
                if all(share.ended for share in scheduler.state.shares.values()):
                    return StopReason.ENDED
                if cpu.ctl[Word.STOP]:
                    cpu.ctl[Word.STOP] = 0
                    return StopReason.REQUESTED
                reason = self._idle(sleep_until, until_time)
                if reason is not None:
                    return reason
                continue
            reason = self._slice(self.vms[letter], until, leave_breakpoint, sleep_until, until_time)
            leave_breakpoint = False
            if reason in (StopReason.BREAKPOINT, StopReason.REQUESTED):
                return reason
            if self.log.full:
                return StopReason.BUDGET

    def _notice_wishes(self) -> None:
        """Wake whoever got something from outside."""
        for letter, share in self.scheduler.state.shares.items():
            interposer = self.vms[letter].interposer
            if share.asleep and (interposer.wants_interrupt or not interposer.halted):
                self.scheduler.wake(letter)

    def _idle(self, sleep_until: int, until_time: int) -> StopReason | None:
        """Nobody can run: skip the machine's idle time, or say why it cannot be skipped."""
        scheduler = self.scheduler
        left = scheduler.idle()
        if left is None:
            return StopReason.WAITING
        now = scheduler.state.time
        wakes = min(now + left, until_time)
        if wakes > sleep_until:
            return StopReason.IDLE
        scheduler.skip(wakes - now)
        return None

    def _slice(self, vm: Vm, until: int, leave_breakpoint: bool, sleep_until: int, until_time: int) -> StopReason:
        scheduler, interposer, letter = self.scheduler, vm.interposer, vm.spec.letter
        self.worlds.switch_to(vm)
        self._settle(vm)
        start, begun = interposer.executed, interposer.time
        interposer.machine_offset = scheduler.state.time - begun
        left, alone = until - scheduler.state.executed, scheduler.alone(letter)
        if not alone:
            left = min(left, scheduler.longest())
        try:
            return interposer.run(
                start + left,
                leave_breakpoint=leave_breakpoint,
                sleep_until=sleep_until - interposer.machine_offset if alone else begun,
                until_time=until_time - interposer.machine_offset,
            )
        finally:
            scheduler.ran(interposer.executed - start, interposer.time - begun)
            if interposer.end is not None:
                scheduler.end(letter)
            elif (sleeps := interposer.sleeps) != 0:
                scheduler.sleep(letter, sleeps)
