"""The recorded past of one machine: runs it on, takes checkpoints on the way, goes back, and keeps other futures.

Checkpoints fall after a fixed number of instructions or departures since the one before, never by the clock, so that a
replay empties the TLB at the same moments as the first run. Going back is loading the nearest one before and replaying
from there; what it passes where old ones were thinned out is kept again. Whatever is done in the past begins a new
branch; the future that was there stays. (Elnozahy et al., ACM Computing Surveys 2002, §2: checkpoints and replay.)
It is one file: where one is, how one gets there and which futures there are is one state.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from core.cpu.unicorn_cpu import Breaks
from core.errors import RequestError
from core.events import BETWEEN_INSTRUCTIONS, Cause, StopReason, Trap
from core.hypervisor import Hypervisor
from core.past import Future, Past, Stretch
from core.timeline.actions import NO_ACTS, Action, Direct
from core.timeline.checkpoint import Camera, Checkpoint
from core.timeline.journal import Branch, Input, Moment
from core.traplog import NEVER, TrapLog

THINNED = 15 / 16  # of the budget: what is left when there were too many checkpoints
ALWAYS_KEPT = 16  # checkpoints nearest to the present that are never thinned out
MOST_SHOWN = 200  # checkpoints, and inputs, that an onlooker gets
NARROW, WIDE = 4_000, 1 << 24  # virtual time of a slice of a long replay
BUSY = 500_000  # a slice that costs so much (see `_cost`), about a hundredth of a second, is long enough
TRAP_COST = 2_500  # replaying a departure takes as long as replaying so many instructions


@dataclass(frozen=True, slots=True)
class Recording:
    """How densely the past is kept: from one checkpoint to the next at most so many instructions and departures, and of
    all of them about `budget` bytes; beyond that old ones are thinned out."""

    instructions: int = 500_000
    departures: int = 350
    budget: int = 280 << 20


class Timeline:
    """The past of the machine that `hypervisor` runs, from now on."""

    def __init__(self, hypervisor: Hypervisor, log: TrapLog, recording: Recording) -> None:
        self._hypervisor = hypervisor
        self._cpu = hypervisor.machine.cpu
        self._log = log
        self._recording = recording
        self._camera = Camera(hypervisor, log)
        self._applied = 0  # inputs of the branch, so far
        self._at_threshold = False
        first = self._camera.take(0)
        self._bytes = first.size
        self._mark = first.executed, first.traps
        self.branch = Branch(0, [], [first], self.now)
        self.branches = [self.branch]
        self._numbers = 0

    # -- where we are

    @property
    def now(self) -> Moment:
        """The present moment."""
        state = self._hypervisor.scheduler.state
        return Moment(state.time, self._at_threshold, state.executed)

    @property
    def in_past(self) -> bool:
        """Is there a recorded future?"""
        return self._applied < len(self.branch.inputs) or self.now < self.branch.reached

    @property
    def traps(self) -> int:
        """How many departures there have been."""
        return self._log.count

    @property
    def size(self) -> int:
        """Bytes of all checkpoints, about."""
        return self._bytes

    # -- running on

    def run(
        self,
        until: int,
        *,
        leave_breakpoint: bool,
        sleep_until: int = NEVER,
        first: str | None = None,
        until_time: int = NEVER,
    ) -> StopReason:
        """As `Hypervisor.run`, from now on, with what came from outside. In the past `first` gives way to history."""
        hypervisor, state, log = self._hypervisor, self._hypervisor.scheduler.state, self._log
        if first is not None and not self.in_past and hypervisor.scheduler.would_direct(first):
            self.act(Direct(first))
        while True:
            self._apply_due()
            (mark, traps), apart = self._mark, self._recording.instructions
            log.pause_at = traps + self._recording.departures
            try:
                reason = hypervisor.run(
                    min(until, mark + apart),
                    until_time=min(until_time, self._next_input_time()),
                    leave_breakpoint=leave_breakpoint,
                    sleep_until=sleep_until,
                )
            finally:
                log.pause_at = NEVER
            leave_breakpoint = False
            state = hypervisor.scheduler.state
            self._at_threshold = reason is StopReason.BREAKPOINT
            if self._at_threshold and hypervisor.stopped_by_find:
                self._settle_find()
            due = state.executed >= mark + apart or log.count >= traps + self._recording.departures
            if due and not self._at_threshold:
                self._pass_mark()
            self.branch.reached = max(self.branch.reached, self.now)
            there = state.executed >= until or state.time >= until_time
            if reason is StopReason.BUDGET and not there:
                continue
            if reason is StopReason.WAITING and not there and self._next_input_time() <= state.time:
                continue
            return reason

    def _next_input_time(self) -> int:
        inputs = self.branch.inputs
        return inputs[self._applied].moment.time if self._applied < len(inputs) else NEVER

    def _apply_due(self) -> None:
        """Do what was done at this moment."""
        while self._next_input_time() <= self.now.time:
            if self.branch.inputs[self._applied].moment.at_threshold and not self._at_threshold:
                self.to_threshold()
            self._do_next()

    def _do_next(self) -> None:
        self._applied += 1
        self.branch.inputs[self._applied - 1].action.carry_out(self._hypervisor)

    def to_threshold(self) -> None:
        """Do all that precedes the next instruction, as a breakpoint on it does."""
        with self._breaks(Breaks.ALWAYS):
            reason = self._hypervisor.run(self.now.executed + 1, leave_breakpoint=False)
        self._at_threshold = reason is StopReason.BREAKPOINT

    def _settle_find(self) -> None:
        """Where what was looked for has happened: after an instruction, which is a moment as any other; or between two,
        and then there is a moment again only where all has happened that precedes the next."""
        last, self._at_threshold = self._log.last, False
        if last is not None and last.cause in BETWEEN_INSTRUCTIONS and last.machine_time == self.now.time:
            with self._hypervisor.looking_for_nothing():
                self.to_threshold()

    @contextmanager
    def _breaks(self, breaks: Breaks) -> Iterator[None]:
        self._cpu.breaks = breaks
        try:
            yield
        finally:
            self._cpu.breaks = Breaks.AS_SET

    # -- what comes from outside

    def act(self, action: Action) -> None:
        """Do something to the machine, now; in the past it begins a new branch. A UserError leaves everything be."""
        moment = self.now
        action.carry_out(self._hypervisor)
        if self.in_past:
            self.fork()
        self.branch.inputs.append(Input(moment, action))
        self._applied += 1

    # -- checkpoints

    def _pass_mark(self) -> None:
        """Here a checkpoint belongs: take it, or if there is one empty the TLB as when it was taken."""
        executed, traps, path = self.now.executed, self._log.count, self.branch.path
        self._mark = executed, traps
        place = bisect_right(path, (executed, traps), key=_place_of)
        before = path[place - 1]
        if _place_of(before) == self._mark:
            self._camera.pass_by(before)
            return
        after = path[place] if place < len(path) else None
        taken = self._camera.take(self._applied, after)
        self._bytes += taken.size
        if after is None:
            path.append(taken)
        else:
            for branch in self.branches:
                if after in branch.path:
                    branch.path.insert(branch.path.index(after), taken)
        self._thin_out()

    def _thin_out(self) -> None:
        """Where they take too much, drop checkpoints until the rest fits with some room, so that this is seldom to be
        done: first those with near neighbours, far from the present."""
        if self._bytes <= self._recording.budget:
            return
        dropped = True
        while dropped and self._bytes > self._recording.budget * THINNED:
            dropped = self._drop_some()

    def _drop_some(self) -> bool:
        """Drop the least missed of them, up to a quarter and no two that are neighbours; is one gone?"""
        candidates = sorted(self._droppable(), key=lambda each: each[0])
        touched: set[int] = set()
        for _, earlier, later in candidates[: len(candidates) // 4 + 1]:
            if id(earlier) in touched or id(later) in touched:
                continue
            touched |= {id(earlier), id(later)}
            self._bytes -= earlier.size + later.size
            later.take_in(earlier)
            self._bytes += later.size
            for branch in self.branches:
                if earlier in branch.path:
                    branch.path.remove(earlier)
            if self._bytes <= self._recording.budget * THINNED:
                break
        return bool(touched)

    def _droppable(self) -> Iterator[tuple[float, Checkpoint, Checkpoint]]:
        """Each checkpoint that may go, with the one that would take it in, and how much it would be missed."""
        here = _cost(self.now.executed, self._log.count)
        successors: dict[int, set[int]] = {}
        for branch in self.branches:
            for each, later in pairwise(branch.path):
                successors.setdefault(id(each), set()).add(id(later))
        place = bisect_right(self.branch.path, self._mark, key=_place_of)
        kept = {id(each) for each in self.branch.path[max(place - ALWAYS_KEPT, 0) : place + ALWAYS_KEPT]}
        seen: set[int] = set()
        for branch in self.branches:
            for before, each, later in zip(branch.path, branch.path[1:], branch.path[2:], strict=False):
                if id(each) in kept or id(each) in seen or len(successors[id(each)]) > 1:
                    continue
                seen.add(id(each))
                gap = _cost(*_place_of(later)) - _cost(*_place_of(before))
                yield gap / (1 + abs(_cost(*_place_of(each)) - here)), each, later

    # -- going to another moment

    def seek(self, executed: int) -> None:
        """To the moment at which the machine's count was first `executed`; beyond the recorded past this runs on, and
        may end before."""
        self._seek(lambda each: each.executed, executed, until=executed)

    def seek_time(self, time: int) -> None:
        """To the first moment at which the machine's time was `time` or more."""
        self._seek(lambda each: each.time, time, until_time=time)

    def _seek(
        self, key: Callable[[Checkpoint], int], wanted: int, *, until: int = NEVER, until_time: int = NEVER
    ) -> None:
        start = self.branch.path[max(bisect_right(self.branch.path, wanted, key=key) - 1, 0)]
        now = self.now
        here = now.time if until is NEVER else now.executed
        if not (key(start) <= here < wanted and now >= Moment(start.time, False, start.executed)):
            self._load(start)
        self.replay(until=until, until_time=until_time)

    def seek_moment(self, wanted: Moment) -> None:
        """To exactly this moment, before what came from outside at it."""
        self.seek(wanted.executed)
        if self.now.time < wanted.time:
            self.replay(until_time=wanted.time)
        if wanted.at_threshold:
            self.to_threshold()

    def return_to(self, moment: Moment, inputs: int) -> None:
        """As `seek_moment`, with the first `inputs` inputs done, as they were there."""
        self.seek_moment(moment)
        while self._applied < inputs:
            self._do_next()

    def _load(self, checkpoint: Checkpoint) -> None:
        self._camera.load(checkpoint)
        self._applied = checkpoint.inputs
        self._at_threshold = False
        self._mark = _place_of(checkpoint)

    def replay(self, *, until: int = NEVER, until_time: int = NEVER) -> None:
        """Run on, heeding no breakpoint and no request to stop, until there or until nothing can run any more."""
        with self._breaks(Breaks.NEVER):
            while self.now.executed < until and self.now.time < until_time:
                reason = self.run(until, until_time=until_time, leave_breakpoint=False)
                if reason in (StopReason.ENDED, StopReason.WAITING):
                    return

    def departures(self, start: Checkpoint, end: Checkpoint, wanted: Callable[[Trap], bool]) -> list[Trap]:
        """Those between two checkpoints that are wanted, oldest first, found by replaying up to the second."""
        found: list[Trap] = []

        def note(trap: Trap) -> bool:
            if trap.number < end.traps and wanted(trap):
                found.append(trap)
            return False

        self.seek(start.executed)
        self._hypervisor.look_for(note)
        try:
            self.replay(until=end.executed)
        finally:
            self._hypervisor.look_for(None)
        return found

    def step_back(self) -> None:
        """To before the newest instruction, or the newest thing that was done between two instructions."""
        now, traps = self.now, self._log.count
        if now.executed == 0:
            raise RequestError("This is power-on: there is nothing before it.", "Step or run forward.")
        if self._at_threshold:
            self.seek(now.executed)
            if self._log.count < traps:
                return
        self.seek(now.executed - 1)

    def preview_time(self, time: int) -> None:
        """To the last checkpoint at or before virtual time `time`: quick, and not quite there."""
        path = self.branch.path
        self._load(path[max(bisect_right(path, time, key=lambda each: each.time) - 1, 0)])

    def take_over(self, futures: list[Branch], present: Branch) -> None:
        """At power-on: have these futures of another run of the same machine, of which nothing has been replayed."""
        first = self.branch.path[0]
        for each in futures:
            each.path[:] = [first]
        self.branches, self.branch = futures, present
        self._numbers = max(each.number for each in futures)
        self._load(first)

    def approach(self, wanted: Moment, inputs: int) -> Iterator[None]:
        """As `seek_moment` from before `wanted`, with the first `inputs` inputs done, in slices short enough to wait
        for; a RequestError if the run does not come to such a moment."""
        width = NARROW
        while self.now.time < wanted.time:
            before, traps = self.now, self._log.count
            self.replay(until_time=min(before.time + width, wanted.time))
            if self.now == before:
                break
            ran = _cost(self.now.executed - before.executed, self._log.count - traps)
            width = min(width * 2, WIDE) if ran < BUSY else max(width // 2, NARROW)
            yield
        if wanted.at_threshold and self.now.time == wanted.time:
            self.to_threshold()
        while self._applied < inputs and self.now == wanted:
            self._do_next()
        if self.now != wanted or self._applied != inputs:
            raise RequestError("The run, replayed, does not come to where it was.", "Start the guest anew.")

    @property
    def applied(self) -> int:
        """How many inputs of this future have been done."""
        return self._applied

    @property
    def recording(self) -> Recording:
        """How densely this past is kept."""
        return self._recording

    # -- futures

    def fork(self) -> Branch:
        """Begin another future here; the one that was recorded stays in its branch."""
        old, now = self.branch, self.now
        self._numbers += 1
        place = bisect_right(old.path, self._mark, key=_place_of)
        new = Branch(self._numbers, old.inputs[: self._applied], old.path[:place], now, old, now)
        self.branches.append(new)
        self.branch = new
        return new

    def enter(self, branch: Branch) -> None:
        """To the end of another future."""
        self.branch = branch
        self._load(branch.path[-1])
        self.seek_moment(branch.reached)
        self._apply_due()

    def numbered(self, number: int) -> Branch:
        """The future of that number; a RequestError if there is none."""
        for branch in self.branches:
            if branch.number == number:
                return branch
        raise RequestError(f"There is no future {number}.", "Choose one of the marks on the timeline.")

    def undo(self) -> Action:
        """To before the last thing that was done from outside, in a future without it; what it was."""
        inputs = self.branch.inputs[: self._applied]
        index = next((n for n in range(len(inputs) - 1, -1, -1) if not isinstance(inputs[n].action, NO_ACTS)), None)
        if index is None:
            raise RequestError("Nothing was done that could be undone.", "Step back, or go back on the timeline.")
        undone = inputs[index]
        self.seek_moment(undone.moment)
        while self._applied < index:
            self._do_next()
        self.fork()
        return undone.action

    # -- to be looked at

    def _parts(self, other: Branch) -> int:
        """The virtual time at which another future and the present one part."""
        mine, its = _line_of(self.branch), _line_of(other)
        while mine and its and mine[-1] is its[-1]:  # oldest last
            mine.pop()
            its.pop()
        return min((line[-1].forked_at.time for line in (mine, its) if line), default=0)

    def past(self) -> Past:
        """The facts for an onlooker."""
        path = self.branch.path
        acts = [each for each in self.branch.inputs if not isinstance(each.action, NO_ACTS)]
        shown = path[:: len(path) // MOST_SHOWN + 1]
        return Past(
            now=self.now.time,
            reached=self.branch.reached.time,
            stretches=tuple(Stretch(each.time, each.traps, each.causes[Cause.WORLD_SWITCH]) for each in shown),
            inputs=tuple(each.moment.time for each in acts[-MOST_SHOWN:]),
            futures=tuple(Future(each.number, self._parts(each), each.reached.time) for each in self.branches),
            present=self.branch.number,
            can_undo=any(not isinstance(each.action, NO_ACTS) for each in self.branch.inputs[: self._applied]),
        )

    def discard(self, branch: Branch) -> None:
        """Throw a future away; not the present one."""
        if branch is self.branch:
            raise RequestError("This future is the present one.", "Go to another future first.")
        self.branches.remove(branch)
        kept = {id(each) for other in self.branches for each in other.path}
        self._bytes -= sum(each.size for each in branch.path if id(each) not in kept)


def _line_of(branch: Branch) -> list[Branch]:
    """It, and those it was forked from."""
    line = [branch]
    while line[-1].parent is not None:
        line.append(line[-1].parent)
    return line


def _place_of(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.executed, checkpoint.traps


def _cost(executed: int, traps: int) -> int:
    """What replaying it costs, in instructions."""
    return executed + TRAP_COST * traps
