"""The hypervisor: hosts VMs on one machine, gives each its frames, its devices and its time, and switches worlds.

Popek & Goldberg's resource control lies here: a VM has the frames that the allocator gave it and no others, its own
devices on its own bus, a VMM of its own kind, and the CPU when the scheduler says so. A world switch puts the whole CPU
of one VM away and brings another's (Bugnion et al., TOCS 2012, §3.2). Each VM has its own virtual time, so what it does
is equal to the instruction whether it is alone or not. Not modelled: several CPUs, shared pages, live migration. It is
one file, because making, running and switching worlds are one thing: who is in the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.decode import spell
from core.cpu.probes import PC_RING, Word
from core.cpu.world import World
from core.devices.pc import Pc
from core.errors import RequestError
from core.events import RINGS, Cause, Ring, StopReason, Trap
from core.guests.boot import boot_memory, boot_state
from core.interposer import Interposer
from core.layout import HOST_RESERVED, MIB, MONITOR_MEMORY
from core.machine import Machine
from core.memory.guest_physical import ABSENT
from core.memory.onlooker import pages
from core.memory.reclaim import LEAST_RESIDENT, Mappings, Reclaimer
from core.scheduler import SLICE, Scheduler
from core.snapshot import VmState, VmSummary
from core.traplog import NEVER, TrapLog
from core.vm import Vm, VmSpec, check_cap, check_memory, check_room, check_weight
from core.vm_snapshots.going_on import check_carries, check_same, put_memory
from core.vm_snapshots.taking import take
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import check_kind
from core.vmm.vmm import Vmm

TAIL = 200  # bytes of a console that a summary shows
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class _Place:
    """What a VMM stands on."""

    machine: Machine
    interposer: Interposer


class Hypervisor:
    """Hosts VMs on `machine` and records every departure, and every world switch, in `log`.

    Whenever the machine stands still one VM is *shown*: its state is in the CPU, where it can be read and changed. That
    costs no world switch; who runs next is the scheduler's business.
    """

    NOT_STATE = ("_looked_for",)

    def __init__(self, machine: Machine, log: TrapLog) -> None:
        self.machine = machine
        self.log = log
        self.scheduler = Scheduler()
        self.vms: dict[str, Vm] = {}
        self._looked_for: Callable[[Trap], bool] | None = None
        self._shown: Vm | None = None
        self._tlb_of: Vm | None = None  # the TLB knows no VM, so it holds translations of one only
        self._on_cpu = ""  # the VM that ran last
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
        cpu, before = self.machine.cpu, self._shown
        interposer = Interposer(self.machine, self.log)
        interposer.looked_for = self._looked_for
        ring = self.machine.backing.probes.ring if before is None else np.zeros(PC_RING, np.uint64)
        self._put_away()
        cpu.load_world(self.machine.power_on_world)
        cpu.write_pcs_to(ring)
        console = bytearray()
        try:
            vmm = self._build(spec, interposer, console, snapshot=snapshot)
        except RequestError:
            self._free(spec)
            if before is not None:
                self.show(before.spec.letter)
            raise
        vm = self.vms[spec.letter] = Vm(spec, interposer, ring, vmm, console)
        interposer.power_cycle = lambda: self._power_cycle(vm)
        self.scheduler.add(spec.letter, weight, cap)
        if snapshot is not None:
            self._note_instant(vm, snapshot)
        cpu.connect(interposer)
        self._shown = vm
        if before is not None:
            self.show(before.spec.letter)
        return vm

    def _build(
        self,
        spec: VmSpec,
        interposer: Interposer,
        console: bytearray,
        taken: int = 0,
        snapshot: VmSnapshot | None = None,
    ) -> Vmm:
        """Frames (but for `taken` bytes), devices, the program in memory, a monitor; the guest's registers as at
        power-on."""
        own = snapshot.own if snapshot is not None else None
        frames = [*spec.kind.frames_for(self.machine.frames, spec.memory - taken, spec.owner, own)]
        frames += [ABSENT] * (taken >> PAGE_SHIFT)
        kept = {number: bytearray() for number in range(len(frames) - (taken >> PAGE_SHIFT), len(frames))}
        return self._equip(spec, interposer, console, frames, kept, snapshot)

    def _equip(
        self,
        spec: VmSpec,
        interposer: Interposer,
        console: bytearray,
        frames: Sequence[HostPhysical],
        kept: dict[int, bytearray],
        snapshot: VmSnapshot | None,
    ) -> Vmm:
        """What comes upon the VM's frames, of which those in `kept` are absent."""
        pc = Pc(
            clock=lambda: interposer.time,
            console=console.append,
            on_exit=interposer.guest_exits,
            on_interrupt=interposer.interrupt_line,
            on_reset=interposer.guest_resets,
            memory=spec.memory,
            disk=spec.disk,
        )
        physical = spec.kind.memory(self.machine.ram, frames, pc.bus, spec.owner)
        physical.kept = kept
        if snapshot is not None:
            put_memory(physical, snapshot)
        else:
            for address, data in boot_memory(spec.program, spec.memory, spec.command_line, spec.modules):
                physical.write(address, data)
        cpu = self.machine.cpu
        cpu.forget_all_code()
        vmm = spec.kind(_Place(self.machine, interposer), spec.letter, physical, pc, spec.program.name_of)
        cpu.pull()
        if snapshot is None:
            vmm.power_on(boot_state(spec.program))
        else:
            cpu.executed, cpu.last_pc = snapshot.executed, snapshot.cpu.last_pc
            interposer.go_on_from(
                skipped=snapshot.idle, halted=snapshot.halted, interrupted=snapshot.interrupted, end=snapshot.end
            )
            vmm.go_on_from(snapshot.cpu, snapshot.own)
            pc.load(snapshot.devices)
        interposer.attach(vmm)
        return vmm

    def _note_instant(self, vm: Vm, snapshot: VmSnapshot) -> None:
        """A VM was made what it was in `snapshot`: so is what stands beside it."""
        vm.ring[:] = 0
        vm.write_console_anew(snapshot.console)
        if snapshot.end is not None:
            self.scheduler.end(vm.spec.letter)

    def snapshot(self, letter: str) -> VmSnapshot:
        """A VM at this instant; nothing is changed by it."""
        shown, vm = self._shown, self.vms[letter]
        self.show(letter)
        try:
            return take(vm, self.scheduler.state.shares[letter].owed)
        finally:
            if shown is not None:
                self.show(shown.spec.letter)

    def revert(self, letter: str, snapshot: VmSnapshot) -> None:
        """Put a VM back to an instant of its own; the machine's time goes on. A RequestError, and nothing changed, if
        the snapshot is another VM's."""
        vm, shown = self.vms[letter], self._shown
        check_same(vm.spec, snapshot)
        check_carries(vm.spec.kind, snapshot)
        vm.vmm.check_goes_back(snapshot.own)
        present = self.snapshot(letter)
        self.show(letter)
        try:
            self._go_back(vm, snapshot)
        except RequestError:
            self._go_back(vm, present)
            raise
        finally:
            if shown is not None:
                self.show(shown.spec.letter)

    def _go_back(self, vm: Vm, snapshot: VmSnapshot) -> None:
        old, cpu = vm.vmm, self.machine.cpu
        count = vm.spec.memory >> PAGE_SHIFT
        self._scrub(vm.spec.monitor_owner)
        cpu.load_world(self.machine.power_on_world)
        physical, vm.reclaimer = old.physical, None
        vm.spec = replace(vm.spec, command_line=snapshot.command_line, disk=snapshot.disk, modules=snapshot.modules)
        vm.vmm = self._equip(vm.spec, vm.interposer, vm.console, physical.frames[:count], dict(physical.kept), snapshot)
        vm.vmm.inherit(old)
        if physical.kept and vm.vmm.mappings is not None:
            self._reclaimer(vm, vm.vmm.mappings)
        self.scheduler.revive(vm.spec.letter)
        self._note_instant(vm, snapshot)
        self._tlb_of = None

    def _power_cycle(self, vm: Vm) -> None:
        """The guest reset its computer: everything anew, but for what is on the disk and still to be typed."""
        old, cpu = vm.vmm, self.machine.cpu
        self._free(vm.spec)
        cpu.load_world(World(self.machine.power_on_world.context, cpu.save_world().words))
        taken, vm.reclaimer = len(old.physical.kept) * PAGE_SIZE, None
        vm.vmm = self._build(vm.spec, vm.interposer, vm.console, taken)
        vm.vmm.inherit(old)
        if taken and vm.vmm.mappings is not None:
            self._reclaimer(vm, vm.vmm.mappings)
        vm.vmm.pc.disk.state.overlay = old.pc.disk.state.overlay
        vm.vmm.pc.serial.receive(bytes(old.pc.serial.state.outside))
        self.scheduler.revive(vm.spec.letter)

    def _free(self, spec: VmSpec) -> None:
        """Give a VM's frames and its monitor's back."""
        self._scrub(spec.owner)
        self._scrub(spec.monitor_owner)

    def _scrub(self, owner: str) -> None:
        """Give all frames of `owner` back; the next owner finds nothing in them."""
        frames = self.machine.frames
        for frame in frames.owned(owner):
            self.machine.ram.write(frame, bytes(PAGE_SIZE))
        frames.release(owner)

    def destroy(self, letter: str) -> None:
        """Remove a VM; its frames are free. The last one stays: a RequestError."""
        vm = self.vms[letter]
        if len(self.vms) == 1:
            raise RequestError(f"VM {letter} is the only one.", "Load another guest in its place.")
        if self._shown is vm:
            self.show(next(other for other in self.vms if other != letter))
        del self.vms[letter]
        self.scheduler.remove(letter)
        self._free(vm.spec)
        self.machine.cpu.forget_all_code()
        self._tlb_of = None if self._tlb_of is vm else self._tlb_of

    def reset(self, letter: str) -> None:
        """Power a VM off and on again, whatever state it is in; its virtual time goes on."""
        self.show(letter)
        self.vms[letter].interposer.power_up()
        self._tlb_of = None

    # -- looking

    def show(self, letter: str) -> None:
        """Put this VM's state into the CPU. Only while the machine stands still."""
        vm = self.vms[letter]
        if self._shown is vm:
            return
        self._put_away()
        cpu, world = self.machine.cpu, vm.interposer.away
        assert world is not None, "a VM that is not shown has been put away"
        vm.interposer.away = None
        cpu.load_world(world)
        cpu.write_pcs_to(vm.ring)
        cpu.breakpoints = vm.breakpoints.wanted
        cpu.connect(vm.interposer)
        self._shown = vm

    def put_back(self, world: World) -> None:
        """Everything else of a former moment is back in place: put the CPU of then, too."""
        assert self._shown is not None, "a VM is always shown"
        cpu = self.machine.cpu
        cpu.load_world(world)
        cpu.write_pcs_to(self._shown.ring)
        cpu.breakpoints = self._shown.breakpoints.wanted
        cpu.connect(self._shown.interposer)

    def _put_away(self) -> None:
        if self._shown is not None:
            self._shown.interposer.away = self.machine.cpu.save_world()
            self._shown = None

    def balloon(self, letter: str, taken: int) -> None:
        """Have `taken` bytes of a VM's memory taken back, in whole pages: their frames are free for others, and what
        stood in them comes back when the guest touches it, in place of something else. 0 gives all of it back."""
        vm, spec = self.vms[letter], self.vms[letter].spec
        pages, limit = taken >> PAGE_SHIFT, (spec.memory >> PAGE_SHIFT) - LEAST_RESIDENT
        mappings = vm.vmm.mappings
        if mappings is None:
            raise RequestError(f"{spec.kind.title} cannot take memory back.", "Choose another kind of monitor.")
        if not 0 <= pages <= limit:
            most = limit * PAGE_SIZE / MIB
            raise RequestError(
                f"{taken / MIB:.1f} MiB cannot be taken from VM {letter}.",
                f"Choose 0 to {most:.0f} MiB: it needs some.",
            )
        held = len(vm.vmm.physical.kept)
        if (held - pages) * PAGE_SIZE > self.room + MONITOR_MEMORY:
            raise RequestError(
                f"VM {letter} cannot have {(held - pages) * PAGE_SIZE / MIB:.1f} MiB back: only "
                f"{max(self.room + MONITOR_MEMORY, 0) / MIB:.1f} MiB are free.",
                "Take them from another VM, or remove one.",
            )
        with self._at(letter):
            self._reclaimer(vm, mappings).set_taken(pages)

    def _reclaimer(self, vm: Vm, mappings: Mappings) -> Reclaimer:
        if vm.reclaimer is None:
            frames, changed = self.machine.frames, vm.interposer.frame_changed
            vm.reclaimer = Reclaimer(vm.vmm.physical, frames, vm.spec.owner, mappings, changed)
        return vm.reclaimer

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
        vm = self.vms.get(self._on_cpu)
        return vm is not None and vm.interposer.stopped_by_find

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
        return tuple(self._summary(vm) for vm in self.vms.values())

    def _summary(self, vm: Vm) -> VmSummary:
        letter, schedule = vm.spec.letter, self.scheduler.state
        share = schedule.shares[letter]
        memory = self.machine.frames.owned_bytes(vm.spec.owner)
        return VmSummary(
            letter=letter,
            guest=vm.spec.program.name,
            kind=vm.spec.kind.kind,
            state=self._state(vm),
            weight=share.weight,
            cap=share.cap,
            executed=vm.interposer.executed,
            share=share.executed / schedule.executed if schedule.executed else None,
            entitled=self.scheduler.entitled(letter),
            memory=memory,
            taken_back=vm.spec.memory - memory,
            end=vm.interposer.end,
            console_tail=bytes(vm.console[-TAIL:]),
            title=vm.spec.program.title,
            kind_title=vm.spec.kind.title,
        )

    def _state(self, vm: Vm) -> VmState:
        letter = vm.spec.letter
        share = self.scheduler.state.shares[letter]
        if share.ended:
            return VmState.ENDED
        if share.paused:
            return VmState.PAUSED
        if share.asleep:
            return VmState.HALTED
        if self.scheduler.capped(letter):
            return VmState.CAPPED
        return VmState.RUNNING if letter == self._on_cpu else VmState.READY

    @property
    def on_cpu(self) -> str:
        """The letter of the VM that ran last, while it is still there."""
        return self._on_cpu if self._on_cpu in self.vms else ""

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
        shown, vm = self._shown, self.vms[letter]
        self.show(letter)
        self._settle(vm)
        yield vm
        if shown is not None:
            self.show(shown.spec.letter)

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
        self._switch_to(vm)
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

    def _switch_to(self, vm: Vm) -> None:
        """The world switch: one VM's CPU away, the other's in its place, the TLB emptied, and the whole recorded."""
        letter, before = vm.spec.letter, self.on_cpu
        if before in ("", letter):
            self.show(letter)
        else:
            old = self.vms[before]
            self.show(before)
            why = self._why_away(old)
            left = self._standing(old)
            self.show(letter)
            ring = old.vmm.io_ring
            interposer = vm.interposer
            interposer.keep(
                left._replace(
                    ring_to=Ring.KERNEL if ring is None else ring,
                    ring_after=RINGS[self.machine.cpu.cpl],
                    outcome=f"put {before} aside ({why}) and let {letter} run",
                    pc_after=vm.vmm.guest.pc,
                )
            )
        self._on_cpu = letter
        if self._tlb_of is not vm:
            self.machine.cpu.flush_tlb()
            self._tlb_of = vm

    def _standing(self, vm: Vm) -> Trap:
        """Where the VM that is shown stands: the half of a world switch that is known before it."""
        guest = vm.vmm.guest
        pc, real = guest.pc, RINGS[self.machine.cpu.cpl]
        code = vm.vmm.linear.peek_code(guest.paging, pc)
        return Trap(
            number=self.log.count,
            time=vm.interposer.time,
            vm=vm.spec.letter,
            ring_from=real,
            believed=RINGS[guest.cpl],
            ring_to=real,
            ring_after=real,
            cause=Cause.WORLD_SWITCH,
            vector=None,
            error_code=None,
            pc=pc,
            instruction=spell(code, pc, guest.code_bits) if code else "",
            handler="hypervisor: scheduler",
            outcome="",
            pc_after=pc,
            machine_time=self.scheduler.state.time,
        )

    def _why_away(self, vm: Vm) -> str:
        share = self.scheduler.state.shares[vm.spec.letter]
        if share.ended:
            return "its guest has ended"
        if share.paused:
            return "it is paused"
        if share.asleep:
            return "it halted"
        if self.scheduler.capped(vm.spec.letter):
            return f"its cap of {share.cap} % is used up"
        return f"its turn of at most {SLICE:,} instructions is over"
