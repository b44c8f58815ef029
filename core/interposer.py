"""The interposer: the one place where every departure from direct execution arrives.

Fault, INT, I/O, CPUID, halt, timer: the CPU stops executing the guest directly, comes here, and here it is named, put
to the monitor (which decides), recorded as a `Trap`, and execution goes on. Devices run in virtual time: the guest is
executed up to exactly the instruction at which the next device event is due (Smith & Nair, "Virtual Machines", ch. 8;
interrupt windows as in AMD APM vol. 2 §15.21). On bare hardware the monitor is the hardware itself.

It is one file, because the loop and the departures are one mechanism: each departure decides how far the loop runs on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVarTuple

from iced_x86 import OpKind

from core.addresses import PAGE_SHIFT
from core.cpu.context import CC_OP_EFLAGS, HF_CPL, HF_CS32, Gpr, Seg
from core.cpu.decode import decode, decoded
from core.cpu.faults import FAULT_CLASS, WITH_ERROR_CODE, GuestFault, Shutdown, Vector, general_protection
from core.cpu.flags import CR0_PE
from core.cpu.guest_cpu import GuestCpu
from core.cpu.io_permission import io_permitted
from core.cpu.modes import SUSPECT, require_carried
from core.cpu.probes import Halted
from core.cpu.unicorn_cpu import END, EXECUTED, LAST_PC, STOP, Breaks
from core.cpu.world import World
from core.devices.pc import Pc
from core.errors import LabFault, UnknownDeparture
from core.events import RINGS, Cause, End, EndHow, Ring, StopReason, Trap, made_quickly, vector_name
from core.machine import Machine
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.walk import LinearMemory
from core.traplog import NEVER, TrapLog

FIRST_EXCEPTION_EXIT, NESTED_PAGE_FAULT = 0x40, 0x400  # exit codes (AMD APM vol. 2 appendix C)
EXCEPTION_EXITS = range(FIRST_EXCEPTION_EXIT, FIRST_EXCEPTION_EXIT + 32)
GUARDED_CODE = 3  # of a page fault: a write, to a page that is there
BUDGET, REQUESTED, GUARDED = Halted.BUDGET, Halted.REQUESTED, Halted.GUARDED  # looking them up costs as much as a call
MOST_MENDINGS = 1_000  # hidden departures of one instruction, far more than it can touch pages
IDLE_BOUND = 64  # timer events that a halted guest may sleep through before the loop looks up


Given = TypeVarTuple("Given")


class Outcome(NamedTuple):
    """What a monitor did about a departure; the interposer makes the `Trap` of it.

    `hidden` says that the guest must not notice: the attempt is not counted, the instruction will be tried again.
    `reason`: see `Trap`.
    """

    cause: Cause
    handler: str
    text: str
    ring_to: Ring
    hidden: bool = False
    reason: Cause | None = None


class Monitor(Protocol):
    """What the interposer asks of a VMM. `guest` is the CPU as the guest believes it."""

    guest: GuestCpu
    linear: LinearMemory
    physical: GuestPhysicalMemory
    pc: Pc
    letter: str

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """The CPU raised `vector`."""

    def before_run(self) -> None:
        """The CPU is about to run the guest; where there is a guest mode, go into it."""

    def exited(self, code: int, info: int) -> Outcome:
        """#VMEXIT with exit code `code` and the low half of EXITINFO1."""

    def io(self, port: int, size: int, text: str, *, reading: bool) -> Outcome:
        """The guest did I/O, as `text` tells, and the device has been served: who handled it?"""

    def timestamp(self) -> int:
        """The guest's time-stamp counter."""

    def shut_down(self, tried: str) -> Outcome:
        """A triple fault, after the exceptions named in `tried`."""

    def fault(self, fault: GuestFault) -> Outcome:
        """Deliver to the guest a fault found by the interposer itself."""

    def sysenter(self) -> Outcome:
        """The guest executed SYSENTER."""

    def interrupt(self, vector: int) -> Outcome:
        """Deliver an external interrupt; the guest accepts it now."""

    def device_name(self, port: int) -> str:
        """Who answers at `port`, for the record."""

    def guarded_write(self) -> Outcome:
        """The CPU was stopped at a store that a page of the monitor's must be kept from."""

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """Make the CPU stop where the guest begins to accept interrupts, if only the CPU can know."""

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """EAX, EBX, ECX, EDX for the guest."""

    def device_address(self, address: int) -> int:
        """The guest-physical address that the machine's address `address`, beyond RAM, stands for."""


@dataclass(frozen=True, slots=True)
class _DeniedIo:
    """An IN or OUT that the guest may not do, to be undone: the emulated CPU cannot refuse it."""

    registers: tuple[int, ...]
    eip: int
    pc: int
    stored_at: int | None
    stored: bytes


class Interposer:
    """Drives the machine for the monitor of one VM and records every departure in `log`. While another VM has the CPU,
    `away` is this one's world."""

    NOT_STATE = (
        "looked_for", "stops_at_new_code", "stops_at_moves", "ring_left", "stops_here", "stopped_by_find", "_found",
        "_until_time", "_settled",
    )  # fmt: skip

    def __init__(self, machine: Machine, log: TrapLog) -> None:
        self.machine = machine
        self.cpu = machine.cpu
        self.log = log
        self.away: World | None = None
        self.skipped = 0  # idle virtual time
        self.machine_offset = 0  # from this VM's virtual time to the machine's, while this VM has the CPU
        self.end: End | None = None
        self.report = ""
        self.halted = False
        self.code = b""  # at the place of the present departure
        self.here = decoded(b"", 0, 32)  # the instruction there
        self._place_now = 0  # its linear address
        self.monitor: Monitor  # attached before the machine runs; an attribute, since it is asked for at every turn
        self._line = False  # the interrupt controller's INTR output
        self._denied: _DeniedIo | None = None
        self._reset_wanted = False
        self.power_cycle: Callable[[], None] = lambda: None  # set by the hypervisor
        self._settled = 0  # the count up to which departures have been handled; the next instruction exceeds it
        self._mended_at, self._mendings = -1, 0  # the count at the newest hidden departure, and how many came there
        self._after_step: list[Callable[[], None]] = []
        self._changed: list[int] = []  # numbers of frames whose contents the CPU may know from before
        self.stops_here: Callable[[], bool] = lambda: True  # at a breakpoint: is it one for this address space?
        self.looked_for: Callable[[Trap], bool] | None = None  # stop right after the first trap that satisfies it
        self.stops_at_new_code = False  # stop before code runs that the monitor has just made for the guest
        self.stops_at_moves = False  # stop when a page of the VM lies in another frame, or it has another monitor
        self.ring_left: Ring | None = None  # stop before the first instruction in another ring than this
        self.stopped_by_find = False  # what ended the last run was that something was found, no breakpoint
        self._found = False
        self._until_time = NEVER
        self._delivered_at = -1  # the count at which an interrupt was delivered: none follows before an instruction ran

    def attach(self, monitor: Monitor) -> None:
        """Hand departures to `monitor` from now on."""
        self.monitor = monitor
        self._found = self._found or self.stops_at_moves

    @property
    def executed(self) -> int:
        """Instructions and exceptions of this VM so far."""
        return self.cpu.executed if self.away is None else self.away.executed

    @property
    def time(self) -> int:
        """Virtual time of this VM."""
        return self.executed + self.skipped

    @property
    def sleeps(self) -> int | None:
        """Virtual time until the guest may have something to do; None: until something comes from outside."""
        if not self.halted or self._line or not self.monitor.guest.interrupts_enabled:
            return 0
        due = self.monitor.pc.bus.next_event()
        return None if due is None else max(due - self.time, 0)

    @property
    def wants_interrupt(self) -> bool:
        """Is an interrupt waiting to be taken?"""
        return self._line

    @property
    def interrupted_now(self) -> bool:
        """Was an interrupt delivered, and has no instruction run since?"""
        return self._delivered_at == self.executed

    def pass_idle(self, time: int) -> None:
        """So much time has passed while others ran: for a halted guest it is idle time, up to its next event."""
        self.skipped += min(time, self.sleeps or 0)

    # -- what a monitor or a device may ask

    def interrupt_line(self, level: bool) -> None:
        """The interrupt controller's INTR output changed."""
        self._line = level
        if level:
            self.cpu.end = min(self.cpu.end, self.cpu.executed)

    def guest_exits(self, status: int) -> None:
        """The guest wrote its status to the exit port."""
        self.finish(End(EndHow.EXIT, status, f"The guest ended its run with status {status}."))

    def guest_resets(self) -> None:
        """The guest pulled its CPU's reset line: the VM is powered on again before the next instruction."""
        self._reset_wanted = True
        self.cpu.end = 0

    def finish(self, end: End) -> None:
        """End the run after the present instruction."""
        if self.end is None:
            self.end = end
        self.cpu.end = 0

    def halt(self) -> None:
        """The guest waits for an interrupt from the next instruction on."""
        self.halted = True
        self.cpu.end = 0
        if not self.monitor.guest.interrupts_enabled:
            self.finish(End(EndHow.HALTED, None, "The guest halted with interrupts off: nothing can wake it."))

    def power_up(self) -> None:
        """The VM is switched on again after its end; virtual time goes on."""
        self.end, self.report = None, ""
        self._reset()

    def go_on_from(self, *, skipped: int, halted: bool, interrupted: bool, end: End | None) -> None:
        """The VM is put back to an instant, at which its CPU had the count that it has now."""
        self._reset_wanted = self._line = False
        self._denied = None
        self._after_step.clear()
        self.skipped, self.halted, self.end, self.report = skipped, halted, end, ""
        self._delivered_at = self.cpu.executed if interrupted else -1
        self._mended_at = -1

    def frame_changed(self, frame: int) -> None:
        """What stands in the machine's frame at `frame` was exchanged: no more instruction runs before the CPU has
        forgotten the code that it knew there. For use while handling a hidden departure, or between runs."""
        self._changed.append(frame >> PAGE_SHIFT)
        self._found = self._found or self.stops_at_moves
        self.cpu.end = min(self.cpu.end, max(self.cpu.executed - 1, 0))  # the hidden attempt is uncounted after this

    def code_was_made(self) -> None:
        """The monitor has made code for the guest, which is about to run."""
        if self.stops_at_new_code:
            self.found()

    def found(self) -> None:
        """What somebody waits for has happened: no more instruction runs before `run` has come back."""
        self._found = True
        self.cpu.end = min(self.cpu.end, self.cpu.executed)

    def forget_found(self) -> None:
        """Whoever waited knows it."""
        self._found = False

    def after_one_step(self, action: Callable[[], None]) -> None:
        """Let exactly one more instruction run, then call `action`. For use while handling a hidden departure."""
        self._after_step.append(action)
        self.cpu.end = min(self.cpu.end, self.cpu.executed)  # the hidden attempt is uncounted after this

    def before_the_next(self, action: Callable[[], None]) -> None:
        """Call `action`, for which the CPU must stand still, before another instruction runs. For use while handling a
        departure that is not hidden."""
        self._after_step.append(action)
        self.cpu.end = min(self.cpu.end, self.cpu.executed)

    # -- the loop

    def run(
        self, until: int, *, leave_breakpoint: bool, sleep_until: int = NEVER, until_time: int = NEVER
    ) -> StopReason:
        """Execute until the count `until`, the virtual time `until_time`, enough traps (`TrapLog.full`), a breakpoint,
        a request to stop, the end, or a wait for outside input.

        `leave_breakpoint`: a breakpoint on the very first instruction does not count. `sleep_until`: come back (IDLE)
        before idle time is skipped beyond that virtual time. Where a run is interrupted makes no difference to the
        guest nor to the record: a stop never falls between an instruction and what goes before it.
        """
        cpu, ctl, monitor = self.cpu, self.cpu.ctl, self.monitor
        stop_wanted = False
        begun = cpu.executed
        self._until_time, self.stopped_by_find = until_time, False
        cpu.watch_ring(self.ring_left)
        if leave_breakpoint:
            cpu.pass_breakpoint()
        try:
            while True:
                if self._after_step:
                    self._do_after_step()
                if self._changed:
                    self._forget_changed()
                if self._reset_wanted:
                    self._reset()
                    monitor = self.monitor
                if self.end is not None:
                    return StopReason.ENDED
                if self._found and self._take_found():
                    return StopReason.BREAKPOINT
                executed, full = ctl[EXECUTED], self.log.full
                if executed >= until or executed + self.skipped >= until_time or (full and executed > begun):
                    ctl[STOP] |= stop_wanted
                    return StopReason.BUDGET
                if ctl[STOP] or stop_wanted:
                    ctl[STOP] = 0
                    return StopReason.REQUESTED
                if self.halted:
                    stopped = self._sleep(sleep_until)
                    if stopped is not None:
                        return stopped
                    if self.halted:
                        continue
                end = self._next_end(until)
                # the interrupt just delivered: it was looked for, was not the guest's, or was the end of its run
                if self._found or self.halted or self.end is not None:
                    continue
                self._settled = executed = ctl[EXECUTED]
                ctl[END] = min(end, executed + 1) if self.log.full else end
                monitor.before_run()
                halted = cpu.run()
                while halted is REQUESTED or halted is GUARDED:
                    if halted is GUARDED:
                        self._recorded(cpu.last_pc, Vector.PF, GUARDED_CODE, monitor.guarded_write)
                        if not self._after_step:
                            break
                    else:  # what was done for the next instruction already goes with it
                        stop_wanted = True
                        ctl[STOP] = 0
                    cpu.end = min(cpu.end, cpu.executed + 1)
                    self._settled = cpu.executed
                    halted = cpu.run()
                if self._denied is not None:
                    self._refuse_io()
                if halted is BUDGET:
                    continue
                if halted is Halted.NONE:
                    self._note_halt()
                elif halted is Halted.NOWHERE:
                    self._execute_open_bus()
                elif halted is Halted.OTHER_RING:
                    return StopReason.BREAKPOINT
                elif halted is Halted.BREAKPOINT:
                    if cpu.is_break(monitor.guest.pc) and (cpu.breaks is Breaks.ALWAYS or self.stops_here()):
                        return StopReason.BREAKPOINT
                    cpu.pass_breakpoint()
        except UnknownDeparture as fault:
            self._give_up(fault)
            return StopReason.ENDED
        finally:
            self.monitor.guest.forget_past_shadow()

    def _next_end(self, until: int) -> int:
        """Bring devices up to now, deliver what can be delivered; the count up to which nothing else can happen."""
        monitor, executed = self.monitor, self.cpu.ctl[EXECUTED]
        bus = monitor.pc.bus
        until = min(until, self._until_time - self.skipped)
        due = bus.next_event()
        if due is not None and due <= executed + self.skipped:
            bus.advance(executed + self.skipped)
            due = bus.next_event()
        if due is not None:
            until = min(until, max(due - self.skipped, executed + 1))
        watching = False
        if self._line:
            if monitor.guest.interrupt_shadow or self._delivered_at == executed:
                until = min(until, executed + 1)
            elif monitor.guest.interrupts_enabled:
                self._deliver_interrupt()
                # what was delivered may have left another one pending
                return executed + 1 if self._line else until
            else:
                watching = True
        monitor.watch_for_open_interrupts(watching)
        return until

    def _take_found(self) -> bool:
        """Has what was looked for happened? Asked once."""
        self.stopped_by_find, self._found = self._found, False
        return self.stopped_by_find

    def _deliver_interrupt(self) -> None:
        monitor = self.monitor
        vector = monitor.pc.pic.acknowledge()
        pc = monitor.guest.pc
        self._delivered_at = self.cpu.executed
        self.cpu.heed_breakpoints()  # the handler's first instruction is not the one that was to be left
        self._recorded(pc, vector, None, monitor.interrupt, vector)

    def _sleep(self, until: int) -> StopReason | None:
        """Pass idle time until an interrupt wakes the guest or the loop should look up. IDLE: it wants to sleep beyond
        virtual time `until`; WAITING: only outside input can wake it."""
        bus = self.monitor.pc.bus
        for _ in range(IDLE_BOUND):
            if self._line:
                self.halted = False
                return None
            due, now = bus.next_event(), self.time
            if due is None:
                return StopReason.ENDED if self.end is not None else StopReason.WAITING
            wakes = min(due, self._until_time)
            if wakes > now:
                if wakes > until:
                    return StopReason.IDLE
                self.skipped += wakes - now
            if due <= wakes:
                bus.advance(max(due, now))
            if wakes >= self._until_time:
                return None
        return None

    def _note_halt(self) -> None:
        """HLT at real ring 0: the emulator simply returned."""
        self.halt()
        pc, believed = self.cpu.last_pc, RINGS[self.monitor.guest.cpl]
        self._note_code(pc)
        self._record(
            Outcome(Cause.HALT, "hardware", "stopped until the next interrupt", believed),
            pc,
            None,
            None,
            RINGS[self.cpu.cpl],
            believed,
        )

    def _execute_open_bus(self) -> None:
        """Code beyond RAM reads as all ones, which is no instruction: #UD."""
        pc = self.monitor.guest.pc
        self.cpu.count_attempt(pc)
        self._recorded(pc, Vector.UD, None, self.monitor.fault, GuestFault(Vector.UD))

    def _forget_changed(self) -> None:
        world = self.cpu.save_world()
        self.cpu.forget_code_in(self._changed, self.machine.power_on_world)
        self._changed.clear()
        self.cpu.load_world(world)
        self.cpu.flush_tlb()

    def _do_after_step(self) -> None:
        actions, self._after_step = self._after_step, []
        for action in actions:
            action()

    def _reset(self) -> None:
        """Power the VM on again; virtual time, the record and the console go on."""
        self._reset_wanted = self.halted = self._line = False
        self._denied = None
        self._after_step.clear()
        self.power_cycle()

    def _give_up(self, fault: LabFault) -> None:
        self.report = f"{fault}\n\n{fault.report or self.cpu.dump()}"
        self.finish(End(EndHow.ERROR, None, str(fault)))

    # -- DepartureHandler

    def exception(self, vector: int, error_code: int, software: bool) -> None:
        """See `DepartureHandler`."""
        if self._denied is not None:  # its own page fault comes second to the refusal
            self._refuse_io()
            return
        fault = not software and vector in FAULT_CLASS
        pc = self._place(fault, broken_off=fault)
        if pc is not None:
            pushed = error_code if vector in WITH_ERROR_CODE and not software else None
            self._recorded(pc, vector, pushed, self.monitor.exception, vector, error_code, software)

    def exited(self, code: int, info: int) -> None:
        """See `DepartureHandler`."""
        if self._denied is not None:
            self._refuse_io()
            return
        vector = error_code = None
        if code not in EXCEPTION_EXITS:
            pc = self._place(code == NESTED_PAGE_FAULT, broken_off=True)
        else:
            vector = code - FIRST_EXCEPTION_EXIT
            fault = vector in FAULT_CLASS
            pc = self._place(fault, broken_off=fault)
            error_code = info if vector in WITH_ERROR_CODE else None
        if pc is not None:
            self._recorded(pc, vector, error_code, self.monitor.exited, code, info)

    def _place(self, refused: bool, *, broken_off: bool) -> int | None:
        """The linear address of the instruction of a departure, counted; `refused`: it is to be tried again, and its
        fetch may be what failed; `broken_off`: the CPU left it in the middle. None: nothing may happen any
        more in this run, and the CPU was told so."""
        cpu = self.cpu
        if self.end is not None:
            cpu.stop_now()
            return None
        pc = cpu.ctl[LAST_PC]
        if refused and ((now := self.monitor.guest.pc) != pc or cpu.ctl[EXECUTED] == self._settled):
            # fetching the instruction faulted, so no probe has seen and counted it
            if cpu.executed >= cpu.end:
                cpu.stop_now()
                return None
            pc = now
            cpu.count_attempt(pc)
        elif broken_off:  # a probe has seen it: the flags are whole in cc_src, but the emulator has put cc_op back
            cpu.state.cc_op = CC_OP_EFLAGS
        return pc

    def port_read(self, port: int, size: int) -> int:
        """See `DepartureHandler`."""
        if not self._io_allowed(port, size, reading=True):
            return 0
        bus = self.monitor.pc.bus
        register = bus.describe(port)  # before the access, which may change what comes next
        value = bus.read_port(port, size)
        self._record_io(port, size, f"read {value:#x} from {register}", reading=True)
        if bus.moves_events(port, size):
            self.reschedule()
        return value

    def port_write(self, port: int, size: int, value: int) -> None:
        """See `DepartureHandler`."""
        if not self._io_allowed(port, size, reading=False):
            return
        bus = self.monitor.pc.bus
        self._record_io(port, size, f"wrote {value:#x} to {bus.describe(port, write=True)}", reading=False)
        bus.write_port(port, size, value)
        if bus.moves_events(port, size):
            self.reschedule()

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """See `DepartureHandler`."""
        return self.monitor.cpuid(leaf, subleaf)

    def timestamp(self) -> int:
        """See `DepartureHandler`."""
        return self.monitor.timestamp()

    def sysenter(self) -> None:
        """See `DepartureHandler`."""
        self._recorded(self.cpu.last_pc, None, None, self.monitor.sysenter)

    def syscall(self) -> None:
        """See `DepartureHandler`."""
        pc = self.cpu.last_pc  # CPUID does not promise it in 32-bit mode: an invalid opcode
        self._recorded(pc, Vector.UD, None, self.monitor.fault, GuestFault(Vector.UD))

    def memory_read(self, address: int, size: int) -> int:
        """See `DepartureHandler`."""
        return self.monitor.pc.bus.read_memory(self.monitor.device_address(address), size)

    def memory_write(self, address: int, size: int, value: int) -> None:
        """See `DepartureHandler`."""
        self.monitor.pc.bus.write_memory(self.monitor.device_address(address), size, value)
        self.reschedule()

    # -- I/O permission, which the emulated CPU does not check

    def _io_allowed(self, port: int, size: int, *, reading: bool) -> bool:
        monitor = self.monitor
        guest = monitor.guest
        if io_permitted(guest, monitor.linear, port, size):
            return True
        state = self.cpu.state
        stored_at, stored = None, b""
        pc = self.cpu.last_pc
        instruction = decode(monitor.linear.peek_code(guest.paging, pc), pc, guest.code_bits)
        if reading and instruction.is_string_instruction:
            offset = guest.reg(Gpr.EDI) & (0xFFFF if instruction.op0_kind == OpKind.MEMORY_ESDI else 0xFFFF_FFFF)
            target = (guest.segment(Seg.ES).base + offset) & 0xFFFF_FFFF
            kept = monitor.linear.peek(guest.paging, target, size)
            if kept is not None:
                stored_at, stored = target, kept
        self._denied = _DeniedIo(tuple(state.regs), (pc - state.segs[Seg.CS].base) & 0xFFFF_FFFF, pc, stored_at, stored)
        self.cpu.end = 0
        return False

    def _refuse_io(self) -> None:
        """Undo the denied access and raise the #GP that the CPU should have raised."""
        denied, self._denied = self._denied, None
        assert denied is not None
        monitor, state = self.monitor, self.cpu.state
        for index, value in enumerate(denied.registers):
            state.regs[index] = value
        state.eip = denied.eip
        if denied.stored_at is not None:
            monitor.linear.write(monitor.guest.paging, denied.stored_at, denied.stored)
        self._recorded(denied.pc, Vector.GP, 0, monitor.fault, general_protection())

    # -- the record

    def _note_code(self, pc: int) -> None:
        monitor = self.monitor
        paging = monitor.guest.paging
        if not paging.cr0 & CR0_PE or paging.cr4 & SUSPECT:
            require_carried(paging.cr0, paging.cr4)
        self.code = code = monitor.linear.peek_code(paging, pc)
        self.here = decoded(code, pc, 32 if self.cpu.state.hflags & HF_CS32 else 16)

    def departed(self, vector: int | None, error_code: int | None, act: Callable[[], Outcome]) -> None:
        """Let `act` handle a departure that the CPU does not report, before the guest's next instruction; record it."""
        self._recorded(self.monitor.guest.pc, vector, error_code, act)

    def departed_within(self, outcome: Outcome) -> None:
        """Record a departure that happened while the present one was handled, as while an event is delivered."""
        self._record(outcome, self._place_now, None, None, RINGS[self.cpu.cpl], RINGS[self.monitor.guest.cpl])

    def _recorded(
        self,
        pc: int,
        vector: int | None,
        error_code: int | None,
        act: Callable[[*Given], Outcome],
        *given: *Given,
    ) -> None:
        """Let the monitor act on what is `given`, and record what it did; a shutdown ends the run."""
        monitor, cpu = self.monitor, self.cpu
        guest = monitor.guest
        real, believed = RINGS[cpu.state.hflags & HF_CPL], RINGS[guest.cpl]
        self._note_code(pc)
        self._place_now = pc
        try:
            outcome = act(*given)
        except Shutdown as shutdown:
            names = ", then ".join(vector_name(tried) for tried in shutdown.vectors)
            self.finish(End(EndHow.ERROR, None, f"Triple fault at {pc:#010x}: {names}. The CPU shut down."))
            outcome = monitor.shut_down(names)
        self._record(outcome, pc, vector, error_code, real, believed)
        if outcome.hidden:
            cpu.uncount_attempt(real)
            self._see_progress(outcome)
        self._settled = cpu.ctl[EXECUTED]
        if self._line and guest.interrupts_enabled:
            cpu.end = min(cpu.end, cpu.executed)

    def _see_progress(self, outcome: Outcome) -> None:
        """An instruction that is mended again and again, and never runs, would go on for ever, deaf to a stop."""
        if self.cpu.executed != self._mended_at:
            self._mended_at, self._mendings = self.cpu.executed, 0
        self._mendings += 1
        if self._mendings > MOST_MENDINGS:
            raise UnknownDeparture(
                f"An instruction was mended again and again, and never ran: the monitor {outcome.text}."
            )

    def _record(
        self,
        outcome: Outcome,
        pc: int,
        vector: int | None,
        error_code: int | None,
        real: Ring,
        believed: Ring,
        pc_after: int | None = None,
    ) -> None:
        monitor, cpu = self.monitor, self.cpu
        cause, handler, text, ring_to, _hidden, reason = outcome
        after = monitor.guest.pc if pc_after is None else pc_after
        time = cpu.ctl[EXECUTED] + self.skipped
        self.keep(made_quickly(Trap, (
            self.log.count, time, monitor.letter, real, believed, ring_to, RINGS[cpu.state.hflags & HF_CPL], cause,
            vector, error_code, pc, self.here.text, handler, text, after, None, time + self.machine_offset, reason,
        )))  # fmt: skip

    def keep(self, trap: Trap) -> None:
        """Put it into the record; stop if it is what somebody waits for."""
        full = self.log.append(trap)
        if self.looked_for is not None and self.looked_for(trap):
            self._found = True
        if self._found or full:
            self.cpu.end = min(self.cpu.end, self.cpu.executed)

    def _record_io(self, port: int, size: int, text: str, *, reading: bool) -> None:
        monitor, cpu = self.monitor, self.cpu
        pc = cpu.ctl[LAST_PC]
        self._note_code(pc)
        outcome = monitor.io(port, size, text, reading=reading)
        real, believed = RINGS[cpu.state.hflags & HF_CPL], RINGS[monitor.guest.cpl]
        self._record(outcome, pc, None, None, real, believed, pc + self.here.length & 0xFFFF_FFFF)

    def reschedule(self) -> None:
        """A device was touched: its next event may have come nearer than the end of this slice."""
        due = self.monitor.pc.bus.next_event()
        if due is not None:
            self.cpu.end = min(self.cpu.end, max(due - self.skipped, self.cpu.executed))
