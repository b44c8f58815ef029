"""The one sentence that says what just happened, in plain words with live values."""

from __future__ import annotations

from core.events import Cause, End, Ring, StopReason, Trap, vector_name
from core.step_kind import StepKind

# Causes for which the vector says more than the cause.
_BY_VECTOR = frozenset({Cause.FAULT, Cause.PRIVILEGED, Cause.HALT})


def _place(trap: Trap) -> str:
    if trap.believed == trap.ring_from:
        return f"in ring {trap.ring_from.value}"
    return f"in guest ring {trap.believed.value} is really in ring {trap.ring_from.value}"


def _place_between(trap: Trap) -> str:
    """The same for what came between two instructions, of which none is said to have been anywhere."""
    if trap.believed == trap.ring_from:
        return f"in ring {trap.ring_from.value}"
    return f"in guest ring {trap.believed.value}, really ring {trap.ring_from.value}"


def _event(trap: Trap) -> str:
    if trap.vector is not None and trap.cause in _BY_VECTOR:
        return vector_name(trap.vector).split(" ", 1)[0]
    phrase = trap.cause.phrase
    return phrase[0].lower() + phrase[1:] if phrase[1].islower() else phrase


def _actor(trap: Trap) -> str:
    actors = (("monitor", "the monitor"), ("hypervisor", "the hypervisor"))
    return next((actor for start, actor in actors if trap.handler.startswith(start)), "the CPU")


def of_trap(trap: Trap) -> str:
    """What a departure was, who handled it and how."""
    what = trap.instruction.upper().replace("0X", "0x") if trap.instruction else f"The instruction at {trap.pc:#010x}"
    where = f"the guest goes on at {trap.pc_after:#010x} in ring {trap.ring_after.value}"
    if trap.cause is Cause.WORLD_SWITCH:
        return f"Before {what}, the hypervisor {trap.outcome}, which goes on at {trap.pc_after:#010x}."
    if trap.cause is Cause.INTERRUPT:
        return f"Before {what}, {_place_between(trap)}, a device interrupted: {_actor(trap)} {trap.outcome}; {where}."
    if trap.cause is Cause.IO and trap.ring_from == trap.ring_to:
        return f"{what} {_place(trap)} {trap.outcome}."
    return f"{what} {_place(trap)}: {_event(trap)}, and {_actor(trap)} {trap.outcome}; {where}."


def of_step(instruction: str, before: Ring, after: Ring) -> str:
    """An instruction that ran directly."""
    what = instruction.upper().replace("0X", "0x") if instruction else "An instruction"
    if before != after:
        return f"{what} ran directly and went from ring {before.value} to ring {after.value}: no trap, no monitor."
    return f"{what} ran directly in ring {after.value}."


def of_place(instruction: str, pc: int) -> str:
    """An instruction, by its place: no whole sentence."""
    what = instruction.upper().replace("0X", "0x") if instruction else "The instruction"
    return f"{what} at {pc:#010x}"


def of_outside(what: str) -> str:
    """Something that had been done from outside was done again, as it belongs there."""
    return f"Done here from outside: {what}."


def of_write(what: str, address: int, before: bytes, after: bytes) -> str:
    """An instruction that wrote a word of the guest's memory; or a sentence that says what did."""
    held, holds = (int.from_bytes(each, "little") for each in (before, after))
    how = f"{held:#010x} became {holds:#010x}" if held != holds else f"{held:#010x} with itself"
    return f"{what}{' It' * what.endswith('.')} wrote to the word at guest-physical {address:#010x}: {how}."


def of_line(name: str, place: tuple[str, int] | None, pc: int, ring: Ring) -> str:
    """Where a step by source lines, or out of a function, has led."""
    where = f"{place[0]}, line {place[1]}" if place is not None else "code without source"
    return f"Stepped to {where}{f', in {name}' if name else ''}: {pc:#010x}, in ring {ring.value}."


def of_no_return(kind: StepKind, over: str) -> str:
    """A step that has nowhere to arrive, because of what is `over`, a sentence."""
    by_line = kind in (StepKind.LINE_INTO, StepKind.LINE_OVER)
    what = "There is no next line" if by_line else "The function never returned"
    return f"{what}: {over[:1].lower()}{over[1:]}"


def of_stop(reason: StopReason | None, end: End | None, pc: int) -> str:
    """Why the machine stands still."""
    if end is not None:
        return end.sentence
    match reason:
        case StopReason.BREAKPOINT:
            return f"Stopped at the breakpoint at {pc:#010x}, before its instruction."
        case StopReason.REQUESTED:
            return f"Stopped at {pc:#010x}, as you asked."
        case StopReason.WAITING:
            return "The guest waits for an interrupt that only you can cause: type something into the console."
        case _:
            return f"Ready at {pc:#010x}."


def of_selected(letter: str, guest: str, kind: str, pc: int, ring: Ring) -> str:
    """Another VM is looked at."""
    return f"VM {letter} is looked at: {guest} under {within(kind)}, at {pc:#010x} in ring {ring.value}."


def within(kind: str) -> str:
    """The title of a kind within a sentence; AMD-V stays AMD-V."""
    return kind[:1].lower() + kind[1:] if kind[1:2].islower() else kind


def of_power_on(guest: str, kind: str, pc: int, given: str = "") -> str:
    """A machine that has just been switched on; `given`: what the guest got on its way."""
    given = f" with {given}" if given else ""
    return (
        f"Power on: {guest} under {within(kind)}{given}, ready at {pc:#010x} in the guest's ring 0. Press Step or Run."
    )


def of_replay(time: int, whole: int) -> str:
    """A lab is being opened."""
    return f"Opening the lab: {100 * time // max(whole, 1)} % of its history is replayed. Stop leaves it there."


def of_journey(executed: int, instruction: str, pc: int) -> str:
    """The machine is at another moment than before."""
    if not executed:
        return f"Back at power-on, ready at {pc:#010x}."
    return f"After {executed:,} instructions, before {instruction or 'the instruction'} at {pc:#010x}."


def of_undoing(what: str, instruction: str, pc: int) -> str:
    """What was done from outside is undone."""
    return f"Undone: {what}. The guest stands before {instruction or 'the instruction'} at {pc:#010x}, as it did then."


def of_snapshot(name: str, letter: str, time: int, diverged: str) -> str:
    """A VM was written down."""
    return f"“{name}” holds VM {letter} at its virtual time {time:,}; it differs from its image in {diverged}."


def of_revert(letter: str, name: str, time: int, instruction: str, pc: int) -> str:
    """A VM was put back to an instant of its own."""
    where = f"before {instruction or 'the instruction'} at {pc:#010x}"
    return f"VM {letter} is back at “{name}”, its virtual time {time:,}, {where}; the machine's time goes on."


def of_clone(letter: str, guest: str, kind: str, time: int) -> str:
    """One more VM goes on from a snapshot."""
    return f"VM {letter} is {guest} as it was at virtual time {time:,}, and goes on from there under {within(kind)}."


def of_going_on(guest: str, kind: str, time: int, pc: int) -> str:
    """A machine was switched on with a VM that goes on from a snapshot."""
    return f"{guest} goes on under {within(kind)} from its virtual time {time:,}, at {pc:#010x}. Press Step or Run."
