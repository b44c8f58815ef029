"""Journeys in time: what the engine does when it is told to go to another moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.engine import protocol
from app.engine.tasks import Task
from core.events import Cause, StopReason, Trap
from core.past import BackTo

if TYPE_CHECKING:
    from core.session import Session

Journey = (
    protocol.StepBack | protocol.RunBack | protocol.GoTo | protocol.EnterFuture | protocol.DiscardFuture | protocol.Undo
)


def travel(session: Session, journey: Journey) -> Task | None:
    """Go there; or give what is still to be done for it, in slices."""
    match journey:
        case protocol.StepBack():
            session.step_back()
        case protocol.RunBack(BackTo.BREAKPOINT):
            return run_back(session)
        case protocol.RunBack(BackTo.WORLD_SWITCH):
            session.run_back_to_trap(_is_switch)
        case protocol.RunBack():
            session.run_back_to_trap(lambda _: True)
        case protocol.GoTo(time, exactly):
            session.go_to_time(time, exactly=exactly)
        case protocol.EnterFuture(number):
            session.enter_future(number)
        case protocol.DiscardFuture(number):
            session.discard_future(number)
        case protocol.Undo():
            session.undo()
    return None


def run_back(session: Session) -> Task:
    """To the last breakpoint; given up, the guest stands where it did."""
    under_way = session.running_back()
    arrived = False

    def slice_of_it(_: int | None) -> StopReason:
        nonlocal arrived
        try:
            next(under_way)
        except StopIteration:
            arrived = True
            return session.stop or StopReason.BUDGET
        return StopReason.REQUESTED

    return Task(slice_of_it, is_there=lambda: arrived, breaks=False, quiet=True, abandon=under_way.close)


def _is_switch(trap: Trap) -> bool:
    return trap.cause is Cause.WORLD_SWITCH
