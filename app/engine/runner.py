"""What the engine is doing for the person, and what is to be done after it; runs the guest for that, in slices.

A task that comes to an end by itself lets those that are asked for meanwhile wait for it; any other gives way to them.
Slices of a run at a set speed begin when their instructions are due, and those of a guest that dozes when it wakes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from app.engine.audience import SNAPSHOT_PERIOD, Audience
from app.engine.doze import Doze
from app.engine.pace import Pace
from app.engine.tasks import Task
from core import narration
from core.errors import LabFault, RequestError
from core.events import StopReason
from core.layout import INSTRUCTIONS_PER_SECOND

if TYPE_CHECKING:
    from core.session import Session

MADE_UP = 0.1  # seconds that a command waits at most for a guest that dozes to have had its ticks
PUT_OFF = 0.5  # seconds that a snapshot waits for such a guest to be asleep


class StopLine(Protocol):
    """The window's stop requests, as `app.engine.shared_memory.SharedViews` has them."""

    @property
    def stop_wanted(self) -> bool: ...
    def serve_stops(self) -> None: ...


class Runner:
    """Runs `session`, and has the `audience` know of it.

    slices  entered while the guest runs: it interrupts the session now and then (`app.engine.metronome`)
    clock   seconds, monotonic
    fault   tells of an end that is the lab's, and not the guest's
    """

    def __init__(
        self,
        session: Session,
        audience: Audience,
        stops: StopLine,
        slices: AbstractContextManager[None],
        clock: Callable[[], float],
        fault: Callable[[LabFault], None],
    ) -> None:
        self._session = session
        self._audience = audience
        self._stops = stops
        self._slices = slices
        self._clock = clock
        self._fault = fault
        self._task: Task | None = None
        self._next: deque[Task] = deque()
        self._pace = Pace(None)
        self._doze = Doze()
        self._stopped_by: StopReason | None = None

    # -- what is under way

    @property
    def busy(self) -> str:
        """Why nothing may be done to the machine now; empty: it may."""
        return self._task.busy if self._task is not None else ""

    @property
    def running(self) -> bool:
        """Is anything under way?"""
        return self._task is not None

    @property
    def goes_on(self) -> bool:
        """Is anything under way that does not wait for input?"""
        return self._task is not None and not self._task.waiting

    @property
    def quiet(self) -> bool:
        """Is nothing to be seen before it is over?"""
        return self._task is not None and self._task.quiet

    @property
    def idles(self) -> bool:
        """Has the guest done no more since the last snapshot than answer its timer?"""
        return self._task is not None and self._task.dozes and self._audience.saw_nearly_all

    @property
    def stop(self) -> StopReason | None:
        """Why nothing runs: why the last task ended, or that the present one waits."""
        if self._task is None:
            return self._stopped_by
        return StopReason.WAITING if self._task.waiting else None

    @property
    def sentence(self) -> str:
        """What happens, for the person."""
        session, task = self._session, self._task
        if task is None or session.stop is StopReason.BUDGET:
            return session.sentence
        if task.waiting:
            return narration.of_stop(StopReason.WAITING, None, session.pc)
        # in the middle of a run, which was only interrupted for this picture
        last = session.traps.last_of(session.selected)
        return narration.of_trap(last) if last is not None else "Running."

    def allowance(self) -> float:
        """Seconds that may pass for a guest that sleeps."""
        return self._doze.allowance(self._clock())

    @property
    def watchable(self) -> bool:
        """Is it so slow that one can follow the CPU from VM to VM?"""
        return self._pace.watchable

    # -- begin and end

    def begin(self, task: Task) -> None:
        """Start on a task: after those under way that come to an end by themselves, in place of one that does not."""
        if self._session.program is None:
            raise RequestError("No guest is loaded.", "Choose one in the toolbar first.")
        if self._task is not None and not self._task.paced:
            self._next.append(task)
        else:
            self.start(task)

    def begin_step(self, task: Task) -> None:
        """As `begin`, for what goes by the selected VM."""
        self._session.require_steppable()
        self.begin(task)

    def start(self, task: Task) -> None:
        """Start on a task at once."""
        self._task = task
        self._doze = Doze.begun(now := self._clock())
        self._stopped_by = None
        self._audience.stale = True
        self._pace.start(now)

    def end(self, reason: StopReason, *, arrived: bool = False, explain: bool = False) -> None:
        """End the task; the next begins if this one `arrived` at what it was for. `explain` where the session cannot
        know why: it was only interrupted."""
        if self._task is not None and not arrived:
            self._task.abandon()
        self._task = None
        self._stopped_by = reason
        self._audience.stale = True
        self._stops.serve_stops()
        if reason is StopReason.REQUESTED:
            self._audience.hurry(self._clock())
        if explain:
            self._session.explain(reason)
        if reason is StopReason.ENDED and self._session.report:  # not the guest's end, but the lab's
            sentence = self._session.end.sentence if self._session.end else "The machine cannot go on."
            self._fault(LabFault(sentence, self._session.report))
        if arrived and self._next:
            self.start(self._next.popleft())
        else:
            self._next.clear()

    def interrupt(self, *, explain: bool = False) -> None:
        """Whatever is under way ends."""
        if self._task is not None:
            self.end(StopReason.REQUESTED, explain=explain)
        self._stops.serve_stops()

    def forget(self) -> None:
        """Whatever was under way was that of another machine, or is not to be heard of."""
        self._task = self._stopped_by = None
        self._next.clear()
        self._audience.stale = True
        self._stops.serve_stops()

    def end_search(self) -> None:
        """Something is about to be done to the machine: a search of the past ends, standing where it began, or a lab
        that is being opened where it is; and what waited for that begins."""
        if self._task is not None and self._task.standing:
            self._task.abandon()
            self._task, self._audience.stale = None, True
            if self._next:
                self.start(self._next.popleft())

    def abandon(self) -> None:
        """The engine ends: a search of the past puts the guest back, which must be there for it."""
        if self._task is not None:
            self._task.abandon()

    def set_speed(self, speed: float | None) -> None:
        """Instructions a second, from now on."""
        self._pace = Pace(speed)
        self._pace.start(self._clock(), at_once=False)

    def go_on(self) -> None:
        """What a run waited for may have come: go on at once. And the window must learn that it was obeyed."""
        self._audience.stale = True
        self._doze.wake(self._clock())
        if self._task is not None:
            self._task.waiting = False

    def vms_changed(self) -> None:
        """A step of a VM ends where another is looked at, or it may not go on; a run of the machine goes on."""
        if self._task is not None and not self._task.paced:
            self.end(StopReason.REQUESTED)
        self.go_on()

    def seen(self) -> None:
        """Somebody looks at what the guest does now."""
        self._doze.seen(self._clock())

    # -- in slices

    def wait(self, now: float) -> float | None:
        """Seconds until the next slice; None: there is none to run."""
        return self._time_to_slice(self._task, now) if self._task is not None and self.goes_on else None

    def _time_to_slice(self, task: Task, now: float) -> float:
        if not task.paced:
            return 0.0
        if self.must_be_seen:
            return max(0.0, self._audience.due(idle=False) - now) if self._audience.ready else SNAPSHOT_PERIOD
        return max(self._pace.wait(now), self._doze.wait(now))

    @property
    def must_be_seen(self) -> bool:
        """In slow motion every instruction is shown: must the next one wait until the window has the last?"""
        return self._task is not None and self._task.paced and self._pace.slow_motion and self._audience.stale

    def not_yet_to_be_seen(self, now: float) -> bool:
        """Is the guest not asleep, but somewhere in the middle of the ticks that it makes up for?"""
        return self.idles and not self._doze.rests and now < self._audience.due(idle=True) + PUT_OFF

    def run_slice(self) -> None:
        """Run the guest for the task, if it is time to."""
        task, now = self._task, self._clock()
        if task is None or task.waiting or self._time_to_slice(task, now) > 0:
            return
        if self._stops.stop_wanted:
            self.end(StopReason.REQUESTED, explain=True)
            return
        before = self._session.machine_executed
        with self._slices:
            reason = self._slice_of(task, self._pace.due(now) if task.paced else task.left)
            while reason is StopReason.IDLE and not self._sleeps() and not self._stops.stop_wanted:
                reason = self._slice_of(task, None)  # ticks that have come due since
        ran = self._session.machine_executed - before
        self._audience.stale = self._audience.stale or ran != 0
        if task.paced:
            self._pace.ran(ran)
        if task.left is not None:
            task.left -= ran
        self._judge(task, reason, ran != 0)

    def _slice_of(self, task: Task, due: int | None) -> StopReason:
        before = self._session.machine_time
        reason = task.slice(due)
        self._doze.passed((self._session.machine_time - before) / INSTRUCTIONS_PER_SECOND, self._clock())
        return reason

    def _sleeps(self) -> bool:
        return self._doze.sleep(self._session.idle_seconds, self._clock())

    def arrears(self) -> Iterator[None]:
        """While there is another slice to run, before anything is done to a guest that dozes or is seen of it, so that
        it has had its ticks."""
        begun = self._clock()
        while self.idles and not self._doze.asleep(now := self._clock()) and now < begun + MADE_UP:
            if self._stops.stop_wanted or self._pace.wait(now) > 0:
                return
            self._doze.wake(now)
            yield

    def _judge(self, task: Task, reason: StopReason, moved: bool) -> None:
        """Is the task over, after a slice that stopped for `reason`?"""
        session, interrupted = self._session, reason in (StopReason.BUDGET, StopReason.REQUESTED, StopReason.IDLE)
        if reason is not StopReason.REQUESTED:  # where a slice was cut short says nothing
            task.dozes = reason is StopReason.IDLE
        waits = reason is StopReason.WAITING and task.patient
        if self._stops.stop_wanted and (interrupted or waits):
            self.end(StopReason.REQUESTED, explain=True)
        elif waits:
            task.waiting = self._audience.stale = True
        elif (moved or task.standing) and task.arrived() and reason is not StopReason.ENDED:
            counted = task.left == 0 or reason is StopReason.BUDGET
            self.end(StopReason.BUDGET if counted else StopReason.BREAKPOINT, arrived=True)
        elif not interrupted:
            self.end(reason)
        elif moved and task.breaks and session.at_breakpoint:
            # the slice ended just where the next would begin by leaving the breakpoint
            self.end(StopReason.BREAKPOINT, explain=True)
