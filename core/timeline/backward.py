"""Running back: to the last time before now that something happened.

The intervals between checkpoints are replayed at native speed, the latest first, and what is looked for is noted on
the way; the last that was noted is it. A search is done in slices, so that it can be stopped; where it finds nothing it
ends at power-on. (gdb's reverse-continue does as much on the records of its targets.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from core.events import BETWEEN_INSTRUCTIONS, StopReason, Trap
from core.timeline.journal import Moment
from core.timeline.timeline import Timeline

WIDTHS = (1 << 12, 1 << 16, 1 << 62)  # of the part of an interval that is searched first, then


def to_breakpoint(timeline: Timeline) -> Iterator[None]:
    """To the last breakpoint that was met before now, or to power-on; a slice is one replay of at most an interval."""
    yield from to_stop(timeline, lambda: True, Moment(0, False, 0))


def to_stop(timeline: Timeline, counts: Callable[[], bool], otherwise: Moment) -> Iterator[None]:
    """As `to_breakpoint`, to the last one at which `counts` said so; to `otherwise` if there was none."""
    end = timeline.now
    starts = [Moment(each.time, False, each.executed) for each in timeline.branch.path]
    for start in reversed(starts[: bisect_left(starts, end)]):
        for width in WIDTHS:
            begin = max(start.executed, end.executed - width)
            timeline.seek(begin)
            met = _breakpoints_met(timeline, end, counts)
            if met:
                timeline.seek_moment(met[-1])
                return
            yield
            if begin == start.executed:
                break
        end = start
    timeline.seek_moment(otherwise)


def _breakpoints_met(timeline: Timeline, end: Moment, counts: Callable[[], bool]) -> list[Moment]:
    met: list[Moment] = []
    leave = False
    while timeline.now.executed < end.executed or (end.at_threshold and timeline.now < end):
        reason = timeline.run(end.executed + end.at_threshold, leave_breakpoint=leave)
        leave = reason is StopReason.BREAKPOINT
        if leave and timeline.now < end:
            if counts():
                met.append(timeline.now)
        elif reason in (StopReason.ENDED, StopReason.WAITING):
            break
    return met


def to_trap(timeline: Timeline, wanted: Callable[[Trap], bool], recent: list[Trap]) -> bool:
    """To before the last departure that is `wanted`, of those before now; `recent` are the newest ones, oldest first.
    False, and at power-on, if there is none."""
    now = timeline.now
    for trap in departures(timeline, recent, wanted):
        time = trap.machine_time - (trap.cause not in BETWEEN_INSTRUCTIONS)
        if (time, False) < (now.time, now.at_threshold):
            timeline.seek_time(time)
            return True
    timeline.seek(0)
    return False


def departures(
    timeline: Timeline, recent: Sequence[Trap], wanted: Callable[[Trap], bool] = lambda _: True
) -> Iterator[Trap]:
    """Those before now that are wanted, the newest first; `recent` are the newest of all, oldest first. Where a
    checkpoint remembers only the last before it, the others are found by replaying: that moves the timeline."""
    yield from filter(wanted, reversed(recent))
    first = recent[0].number if recent else timeline.traps
    for start, end in reversed(list(pairwise(timeline.branch.path))):
        if start.traps >= first:
            continue
        kept = end.records[0].number if end.records else end.traps
        yield from (trap for trap in reversed(end.records) if trap.number < first and wanted(trap))
        first = min(first, kept)
        if start.traps < first:
            found = timeline.departures(start, end, wanted)
            yield from (trap for trap in reversed(found) if trap.number < first)
            first = start.traps
