"""Going back by what the code does: over calls, out of a function, to the last change of ring.

Each is a search of the recorded past, in slices, so that it can be stopped. A call is found again by its place before
the address it returns to and by the stack pointer it had; a change of ring that left no record (IRET runs directly) by
halving the stretch between two departures. (gdb's reverse-next and reverse-finish are the models.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from iced_x86 import FlowControl, Instruction, Mnemonic

from core.call_stack import Place, Unwinder
from core.cpu.context import Gpr
from core.cpu.decode import decode
from core.errors import RequestError
from core.events import BETWEEN_INSTRUCTIONS, Cause, Ring
from core.guests.unwind import EIP
from core.hypervisor import Hypervisor
from core.timeline.backward import departures, to_stop
from core.timeline.timeline import Timeline
from core.traplog import TrapLog
from core.vm import Vm

LONGEST_CALL = 7
ENTERING = (FlowControl.CALL, FlowControl.INDIRECT_CALL, FlowControl.INTERRUPT)
FAR_BACK = (Mnemonic.IRET, Mnemonic.IRETD)
NO_CALLER = "The call of this function is not known: its code does not say where its frame begins."


class Retraced(Protocol):
    """What is needed of the session. `settle` has it look at the machine where the timeline stands now."""

    @property
    def traps(self) -> TrapLog: ...
    @property
    def hypervisor(self) -> Hypervisor: ...
    @property
    def timeline(self) -> Timeline: ...
    @property
    def unwinder(self) -> Unwinder: ...
    @property
    def selected(self) -> str: ...
    @property
    def vm(self) -> Vm: ...
    @property
    def pc(self) -> int: ...
    @property
    def ring(self) -> Ring: ...
    def place(self) -> Place: ...
    def peek_code(self, linear: int) -> bytes: ...
    def settle(self) -> None: ...


# -- calls


def over(session: Retraced) -> Iterator[None]:
    """To before the newest instruction; what returned to here is taken back whole, with its call."""
    after, stack = session.pc, session.vm.vmm.guest.reg(Gpr.ESP)
    session.timeline.step_back()
    session.settle()
    newest = _instruction(session, session.pc)
    if newest is None or newest.flow_control != FlowControl.RETURN:
        return
    interrupt = newest.mnemonic in FAR_BACK
    before = stack - (newest.immediate(0) if newest.op_count else 0)
    yield from _to_entry(session, after, before, interrupt=interrupt)


def out(session: Retraced) -> Iterator[None]:
    """To before the call that entered the present function; a RequestError if that is not known."""
    place = session.place()
    frames = session.unwinder.activations(place)
    here, caller = next(frames, None), next(frames, None)
    if here is None or caller is None:
        raise RequestError(NO_CALLER, "Step back, or step out forwards.")
    interrupt = here.row is not None and here.row.by_interrupt
    yield from _to_entry(session, caller.registers[EIP], caller.registers[Gpr.ESP], interrupt=interrupt)


def _to_entry(session: Retraced, returns_to: int, stack: int, *, interrupt: bool) -> Iterator[None]:
    """To the last time before now that what returns to `returns_to` was entered with that stack pointer."""
    entries = {at for at in range(returns_to - LONGEST_CALL, returns_to) if _enters(session, at, returns_to)}
    if interrupt:
        entries.add(returns_to)  # an interrupt, or a fault, came before that instruction
    stops, vm, letter = frozenset(at & 0xFFFF_FFFF for at in entries), session.vm, session.selected

    def met() -> bool:
        guest = vm.vmm.guest
        return session.hypervisor.on_cpu == letter and guest.pc in stops and guest.reg(Gpr.ESP) == stack & 0xFFFF_FFFF

    vm.breakpoints.temporary = stops
    session.settle()
    try:
        yield from to_stop(session.timeline, met, session.timeline.now)
    finally:
        vm.breakpoints.temporary = frozenset()
        session.settle()


def _enters(session: Retraced, at: int, returns_to: int) -> bool:
    found = _instruction(session, at)
    return found is not None and found.flow_control in ENTERING and at + found.len == returns_to


def _instruction(session: Retraced, at: int) -> Instruction | None:
    code = session.peek_code(at)
    return decode(code, at) if code else None


# -- rings


def to_ring_change(session: Retraced) -> Iterator[None]:
    """To before the last instruction, or departure, after which the selected VM's CPU was in another ring."""
    timeline = session.timeline
    now, ring = timeline.now, session.ring
    end = now.time
    for trap in departures(timeline, session.traps.recent()):
        if trap.vm != session.selected or trap.cause is Cause.WORLD_SWITCH or trap.machine_time > end:
            continue
        if trap.ring_after is not ring:
            yield from _halve(session, trap.machine_time, end, ring)
            return
        start = trap.machine_time - (trap.cause not in BETWEEN_INSTRUCTIONS)
        if trap.ring_from is not ring and (start, False) < (now.time, now.at_threshold):
            timeline.seek_time(start)
            return
        end, ring = start, trap.ring_from
        yield
    timeline.seek(0)
    session.settle()
    if session.ring is not ring:
        yield from _halve(session, 0, end, ring)


def _halve(session: Retraced, low: int, high: int, ring: Ring) -> Iterator[None]:
    """Between two times, at the second of which the CPU was in `ring` and at the first not: to before the change."""
    while high - low > 1:
        middle = (low + high) // 2
        session.timeline.seek_time(middle)
        session.settle()
        if session.timeline.now.time >= high or session.ring is ring:
            high = middle
        else:
            low = middle
        yield
    session.timeline.seek_time(low)
