"""Instructions a second, by the wall clock and without drift: from one a second to millions.

The clock is handed in, so that the arithmetic can be tested without waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from core.scheduler import SLICE

SLOW_MOTION = 30.0  # instructions a second up to which every single one is shown
FORGIVEN = 0.1  # seconds of lateness after which a slow host or guest is not made up for
SHORTEST_SLEEP = 0.005  # seconds: above 200 instructions a second they come in handfuls


@dataclass(slots=True)
class Pace:
    """When which instruction is due. The first is due at once, number n after n / `speed` seconds.

    speed   instructions a second; None: as fast as possible
    origin  clock time at which the first was due
    done    instructions run since then
    """

    speed: float | None
    origin: float = 0.0
    done: int = 0

    @property
    def slow_motion(self) -> bool:
        """Slow enough to show every instruction?"""
        return self.speed is not None and self.speed <= SLOW_MOTION

    @property
    def watchable(self) -> bool:
        """So slow that one can follow the CPU from VM to VM?"""
        return self.speed is not None and self.speed <= SLICE

    def start(self, now: float, *, at_once: bool = True) -> None:
        """Begin to count at clock time `now`; if not `at_once`, the first instruction is due one interval later."""
        self.origin = now if at_once or self.speed is None else now + 1 / self.speed
        self.done = 0

    def due(self, now: float) -> int | None:
        """How many instructions should run now to be on time; None for as many as one likes."""
        if self.speed is None:
            return None
        if self.wait(now) > 0:
            return 0
        if now - (self.origin + self.done / self.speed) > max(FORGIVEN, 1 / self.speed):
            self.origin = now - self.done / self.speed
        return max(1, floor((now - self.origin) * self.speed) + 1 - self.done)

    def ran(self, count: int) -> None:
        """`count` instructions were run."""
        self.done += count

    def wait(self, now: float) -> float:
        """Seconds to sleep until the next instruction is due; 0 if one is."""
        if self.speed is None:
            return 0.0
        ahead = self.origin + self.done / self.speed - now
        return max(ahead, SHORTEST_SLEEP) if ahead > 0 else 0.0
