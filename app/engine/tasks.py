"""What the engine can be doing for the person, as something that runs in slices.

A slice may end for no reason but time; the next one goes on from there, and the guest never knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.events import Cause, StopReason
from core.step_kind import OnTo

if TYPE_CHECKING:
    from core.looks import Space
    from core.session import Session
    from core.step_kind import StepKind
    from core.stepping import Step

FOREVER = 1 << 62  # instructions


@dataclass(slots=True)
class Task:
    """One thing to do.

    slice     runs the session on until it stops, at most so many instructions if a number is given
    left      instructions until it is done; None: no such number
    is_there  is it done, by where the guest is?
    paced     at the set speed (else as fast as possible)
    patient   goes on waiting when the guest waits for input
    breaks    ends at a breakpoint
    quiet     shows nothing before its end
    standing  can be done without that the guest moves
    busy      why nothing else may be done to the machine meanwhile; empty: it may
    waiting   the guest waits for input now
    dozes     the guest sleeps until its timer fires
    abandon   called if it is ended before it is done
    """

    slice: Callable[[int | None], StopReason]
    left: int | None = None
    is_there: Callable[[], bool] = lambda: False
    paced: bool = False
    patient: bool = False
    breaks: bool = True
    quiet: bool = False
    standing: bool = False
    busy: str = ""
    waiting: bool = False
    dozes: bool = False
    abandon: Callable[[], None] = lambda: None

    def arrived(self) -> bool:
        """Is it done?"""
        return self.left == 0 or self.is_there()


def run(session: Session, allowance: Callable[[], float], watchable: Callable[[], bool] = lambda: False) -> Task:
    """Run at the set speed, through waits for input; while that is `watchable`, the selection follows the CPU.
    `allowance`: for how many seconds the guest may sleep before the caller waits with it."""

    # `creep` and `run` differ in the sentence they leave: of a single step it tells the instruction
    def slice_of_it(due: int | None) -> StopReason:
        return session.run(sleep=allowance()) if due is None else session.creep(due, follow=watchable())

    return Task(slice_of_it, paced=True, patient=True)


def step(session: Session, count: int, quiet: bool = False) -> Task:
    """Run `count` instructions, or fewer if a breakpoint stands among them."""
    return Task(lambda left: session.step(left or 1), left=count, quiet=quiet)


def run_to(session: Session, address: int) -> Task:
    """Run to linear `address`."""
    return Task(lambda _: session.run_to(address), is_there=lambda: session.pc == address, patient=True)


def run_to_new_code(session: Session) -> Task:
    """Run until the monitor has translated another unit."""
    return Task(lambda _: session.run_to_new_code(), patient=True)


def run_on(session: Session, to: OnTo) -> Task:
    """Run to the next time that this happens."""
    left = session.ring

    def slice_of_it(_: int | None) -> StopReason:
        match to:
            case OnTo.RING_CHANGE:
                return session.run_to_ring_change(left)
            case OnTo.WORLD_SWITCH:
                return session.run_until(lambda trap: trap.cause is Cause.WORLD_SWITCH, FOREVER)
            case OnTo.DEPARTURE:
                return session.run_until(lambda _: True, FOREVER)

    return Task(slice_of_it, patient=True)


def run_to_write(session: Session, space: Space, address: int) -> Task:
    """Run until the word there has been written; a UserError where there is none."""
    awaited = session.next_write(space, address)
    return Task(lambda _: session.run_to_write(awaited), patient=True)


def step_by(session: Session, kind: StepKind) -> Task:
    """A step of that kind, which begins where the guest is when its turn comes."""
    under_way: list[Step] = []

    def slice_of_it(_: int | None) -> StopReason:
        if not under_way:
            under_way.append(session.begin_step(kind))
        return session.go_on(under_way[0])

    return Task(slice_of_it, is_there=lambda: bool(under_way) and under_way[0].arrived, patient=True)
