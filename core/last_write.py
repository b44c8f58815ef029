"""Going back to the last write to a word, also one that left it as it was.

Between checkpoints the run is replayed at native speed while every store to the word is noted. The last that was seen
is then pinned to its instruction by halving. What the MMU writes by itself (accessed and dirty bits) is no store, and
is found because the word differs. (gdb's hardware watchpoints, run backward, find changes alone.)
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import pairwise
from typing import Protocol

from core.addresses import GuestPhysical
from core.hypervisor import Hypervisor
from core.timeline.checkpoint import Checkpoint
from core.timeline.journal import Moment
from core.timeline.timeline import Timeline
from core.watched_word import WORD, Mark, WatchedWord

NEAR = 4  # within so much virtual time before it was seen a store has begun, unless the guest slept


class Searched(Protocol):
    """What is needed of the session. `settle` has it look at the machine where the timeline stands now."""

    @property
    def hypervisor(self) -> Hypervisor: ...
    @property
    def timeline(self) -> Timeline: ...
    @property
    def selected(self) -> str: ...
    def settle(self) -> None: ...


def to_write(session: Searched, address: GuestPhysical, size: int = WORD) -> Iterator[None]:
    """To before the last instruction, or departure, that wrote to the word at guest-physical `address`, in slices; to
    power-on if there was none."""
    timeline, word = session.timeline, WatchedWord(session, address, size)
    search = _Search(session, word)
    now, mark = timeline.now, word.mark()
    end = Moment(now.time, False, now.executed)
    timeline.seek_moment(end)
    if now.at_threshold:
        with word.watched(mark.places):
            timeline.to_threshold()
        delivered = word.seen is not None
        timeline.seek_moment(end)
        if delivered:
            return
    session.settle()
    before = word.mark()
    if before.value != mark.value:
        return  # a person set it, here
    path: list[Checkpoint] = [each for each in timeline.branch.path if each.time < end.time]
    followers = [*(later for _, later in pairwise(path)), None]
    for start, follower in zip(reversed(path), reversed(followers), strict=True):
        if follower is None or not word.untouched_since_the_one_before(follower, before):
            here = Moment(start.time, False, start.executed)
            found = yield from search.last_between(here, end, before)
            if found is not None:
                timeline.seek_time(found)
                return
            timeline.seek_moment(here)
            session.settle()
            before = word.mark()
        end = Moment(start.time, False, start.executed)
    timeline.seek(0)


class _Search:
    """Looks for the last write between two moments; a time that is found is the last one before it."""

    def __init__(self, session: Searched, word: WatchedWord) -> None:
        self._session, self._timeline, self._word = session, session.timeline, word

    def last_between(self, start: Moment, end: Moment, after: Mark) -> Generator[None, None, int | None]:
        """At `end` the word is as in `after`."""
        timeline, word = self._timeline, self._word
        timeline.seek_moment(start)
        self._session.settle()
        before = word.mark()
        with word.watched(after.places):
            timeline.replay(until_time=end.time)
        yield
        if word.seen is not None:
            return (yield from self._pin_down(start.time, end.time, word.seen, after))
        if before.places == after.places and before.moves == after.moves:
            if before.value == after.value:
                return None
            return (yield from self._last_difference(start.time, end.time, after))
        middle = (start.time + end.time) // 2
        if middle == start.time:
            return start.time if before.value != after.value else None
        timeline.seek_time(middle)  # the page has moved: stores to where it was before are seen there only
        self._session.settle()
        half, between = timeline.now, word.mark()
        found = yield from self.last_between(half, end, after)
        return found if found is not None else (yield from self.last_between(start, half, between))

    def _pin_down(self, low: int, end: int, seen: int, after: Mark) -> Generator[None, None, int]:
        """A store was `seen` last at that time: when did it begin? And did the MMU change the word after it?"""
        stop = min(end, seen + 2)
        high, near = stop, max(low, seen - NEAR)
        if near > low and self._stored_from(near, stop, after):
            low = near
        while high - low > 1:
            middle = (low + high) // 2
            if self._stored_from(middle, stop, after):
                low = middle
            else:
                high = middle
            yield
        self._timeline.seek_time(low + 1)
        self._session.settle()
        if low + 1 < end and self._word.mark().value != after.value:
            return (yield from self._last_difference(low + 1, end, after))
        return low

    def _stored_from(self, time: int, stop: int, after: Mark) -> bool:
        self._timeline.seek_time(time)
        with self._word.watched(after.places):
            self._timeline.replay(until_time=stop)
        return self._word.seen is not None

    def _last_difference(self, low: int, high: int, after: Mark) -> Generator[None, None, int]:
        """The word is another at `low` than at `high`, and nothing was seen to store to it: the last time at which it
        still was."""
        while high - low > 1:
            middle = (low + high) // 2
            self._timeline.seek_time(middle)
            self._session.settle()
            if self._word.mark().value != after.value:
                low = middle
            else:
                high = middle
            yield
        return low
