"""Journeys in time: what the engine does when it is told to go to another moment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from app.engine import protocol
from app.engine.tasks import Task
from core.errors import UserError
from core.events import Cause, StopReason, Trap
from core.past import BackTo

if TYPE_CHECKING:
    from core.session import Session


def travel(session: Session, journey: protocol.Journey, refuse: Callable[[UserError], None]) -> Task | None:
    """Go there; or give what is still to be done for it, in slices, in which it may be found that it cannot be."""
    match journey:
        case protocol.StepBackOver():
            return search(session, session.travel.stepping_back_over(), refuse)
        case protocol.RunBack(BackTo.CALL):
            return search(session, session.travel.running_back_out(), refuse)
        case protocol.RunBack(BackTo.RING_CHANGE):
            return search(session, session.travel.running_back_to_ring_change(), refuse)
        case protocol.BackToWrite(space, address):
            return search(session, session.travel.running_back_to_write(space, address), refuse)
        case protocol.GoToInstruction(executed):
            session.travel.go_to_instruction(executed)
        case protocol.StepBack():
            session.travel.step_back()
        case protocol.RunBack(BackTo.BREAKPOINT):
            return search(session, session.travel.running_back(), refuse)
        case protocol.RunBack(BackTo.WORLD_SWITCH):
            session.travel.run_back_to_trap(_is_switch)
        case protocol.RunBack():
            session.travel.run_back_to_trap(lambda _: True)
        case protocol.GoTo(time, exactly):
            session.travel.go_to_time(time, exactly=exactly)
        case protocol.EnterFuture(number):
            session.travel.enter(number)
        case protocol.DiscardFuture(number):
            session.travel.discard(number)
        case protocol.Undo():
            session.travel.undo()
    return None


def search(session: Session, under_way: Iterator[None], refuse: Callable[[UserError], None]) -> Task:
    """Search the past; given up, or if there can be nothing to find, the guest stands where it did."""
    arrived = False

    def slice_of_it(_: int | None) -> StopReason:
        nonlocal arrived
        try:
            next(under_way)
        except StopIteration:
            arrived = True
            return session.stop or StopReason.BUDGET
        except UserError as error:
            arrived = True
            refuse(error)
            return StopReason.BUDGET
        return StopReason.REQUESTED

    def abandon() -> None:
        if isinstance(under_way, Generator):
            under_way.close()

    return Task(slice_of_it, is_there=lambda: arrived, standing=True, breaks=False, quiet=True, abandon=abandon)


def _is_switch(trap: Trap) -> bool:
    return trap.cause is Cause.WORLD_SWITCH
