"""When a crossing is where: a queue of crossings played against a clock that is handed in.

At rest the running code stands left or right below the rings' centre; each crossing carries it to the other side, by
way of the handler in the middle where it has two legs. So two crossings that follow each other never hide one another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from app.widgets.rings.crossing import Crossing
from core.events import Ring

LEG_SECONDS = 0.26
DWELL_SHARE = 0.4  # of a leg's time, the pause in the handler's ring


class Side(IntEnum):
    """Where the running code rests."""

    LEFT = -1
    RIGHT = 1

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side(-self)


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture's moving part at one moment.

    ring      where the running code rests, if nothing moves
    side      the side that `crossing` came from; without one, the side where the code rests
    crossing  the crossing under way, or else the last one, which stays to be looked at
    leg       index of the leg under way
    progress  of that leg, eased, 0–1; 1 on the last leg when all is at rest
    moving    is something under way?
    """

    ring: Ring
    side: Side
    crossing: Crossing | None = None
    leg: int = 0
    progress: float = 1.0
    moving: bool = False


def ease(share: float) -> float:
    """Slow at both ends (cubic), 0–1 to 0–1."""
    share = min(1.0, max(0.0, share))
    return 4 * share**3 if share < 0.5 else 1 - (2 - 2 * share) ** 3 / 2


class Playback:
    """Plays crossings one after another. All times are seconds of one monotonic clock."""

    def __init__(self, ring: Ring, *, leg_seconds: float = LEG_SECONDS, stepped: bool = False) -> None:
        self.leg_seconds = leg_seconds
        self.stepped = stepped  # reduced motion: each leg is a step, held as long as the motion would take
        self._ring = ring
        self._side = Side.LEFT
        self._queue: deque[Crossing] = deque()
        self._current: Crossing | None = None
        self._last: Crossing | None = None
        self._started = 0.0
        self._now = 0.0

    @property
    def moving(self) -> bool:
        """Is a crossing under way?"""
        return self._current is not None

    @property
    def newest(self) -> Crossing | None:
        """The newest crossing handed in: waiting, under way, or played."""
        return self._queue[-1] if self._queue else self._current or self._last

    def backlog(self) -> float:
        """Seconds until all that waits has been played."""
        waiting = sum(self._seconds(crossing) for crossing in self._queue)
        if self._current is not None:
            waiting += max(0.0, self._started + self._seconds(self._current) - self._now)
        return waiting

    def add(self, crossings: Iterable[Crossing], now: float) -> None:
        """Queue crossings; the first starts at once if nothing moves."""
        self._now = now
        self._queue.extend(crossings)
        self._start_next(now)

    def settle(self, ring: Ring, last: Crossing | None = None) -> None:
        """Forget what waits and stand in `ring`; `last` is then shown as the last crossing."""
        self._queue.clear()
        self._current = None
        self._ring = ring
        self._last = last

    def advance(self, now: float) -> None:
        """Go on to the time `now`, finishing every crossing that ends before it."""
        self._now = now
        while self._current is not None:
            ends = self._started + self._seconds(self._current)
            if now < ends:
                return
            self._ring = self._current.end
            self._side = self._side.other
            self._last, self._current = self._current, None
            self._start_next(ends)

    def frame(self) -> Frame:
        """The moment last advanced to."""
        if self._current is None:
            came_from = self._side.other if self._last else self._side
            leg = len(self._last.legs) - 1 if self._last else 0
            return Frame(self._ring, came_from, self._last, leg)
        leg, progress = self._place(self._current, self._now - self._started)
        return Frame(self._ring, self._side, self._current, leg, progress, moving=True)

    def _start_next(self, now: float) -> None:
        if self._current is None and self._queue:
            self._current, self._started = self._queue.popleft(), now

    def _place(self, crossing: Crossing, elapsed: float) -> tuple[int, float]:
        """The leg under way after `elapsed` seconds, and its eased progress."""
        length = self.leg_seconds * (1 + DWELL_SHARE)
        leg = min(int(elapsed / length), len(crossing.legs) - 1) if length else len(crossing.legs) - 1
        if self.stepped or not self.leg_seconds:
            return leg, 1.0
        return leg, ease((elapsed - leg * length) / self.leg_seconds)

    def _seconds(self, crossing: Crossing) -> float:
        return self.leg_seconds * (len(crossing.legs) + DWELL_SHARE * (len(crossing.legs) - 1))
