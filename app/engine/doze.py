"""A guest that sleeps until its timer fires sleeps by the host's clock too: rarely woken, never drifting.

Waking a process costs more than a tick of the guest does. So a tick may come late by what nobody can see, and all that
are due then are handled in one go; the next is reckoned from when this one was due, not from when it was handled.
"""

from __future__ import annotations

from dataclasses import dataclass

LATE = 0.05  # seconds by which a tick may be late while its guest does things that are seen
LATEST = 1.0  # the same however long nothing has been seen
NOTICED = 0.1  # the part of a wait by which it may be longer before anybody notices
FORGIVEN = 0.5  # seconds of lateness after which a slow host is not made up for


@dataclass(slots=True)
class Doze:
    """The guest's time by the host's clock.

    at         clock time that its present moment stands for
    wakes_at   clock time until which it wants to sleep
    looked_at  clock time at which the host is to look after it again
    seen_at    clock time at which it last did something that is seen
    rests      does it stand asleep, rather than somewhere in what it has to make up for?
    """

    at: float = 0.0
    wakes_at: float = 0.0
    looked_at: float = 0.0
    seen_at: float = 0.0
    rests: bool = False

    @classmethod
    def begun(cls, now: float) -> Doze:
        """Of a guest that begins to run."""
        return cls(now, now, now, now)

    def allowance(self, now: float) -> float:
        """Seconds that may pass for the guest while it sleeps, now that it runs on."""
        if now - self.wakes_at > self._most(now):
            self.at = now
        return max(now - self.at, 0.0)

    def passed(self, seconds: float, now: float) -> None:
        """So much time has passed for the guest."""
        at = self.at + seconds
        self.at = at if now - self._most(now) <= at <= now else now
        self.rests = False

    def sleep(self, seconds: float, now: float) -> bool:
        """It wants to sleep for so long. May the host sleep too?"""
        self.wakes_at = self.at + seconds
        self.looked_at = self.wakes_at + self._late(now)
        self.rests = True
        return self.looked_at > now

    def wait(self, now: float) -> float:
        """Seconds until the host should look after it again."""
        return max(self.looked_at - now, 0.0)

    def asleep(self, now: float) -> bool:
        """Does it want to sleep now?"""
        return self.wakes_at > now

    def wake(self, now: float) -> None:
        """Something has come from outside."""
        self.wakes_at = self.looked_at = min(self.at, now)

    def seen(self, now: float) -> None:
        """It did something that is seen."""
        self.seen_at = now
        self.looked_at = min(self.looked_at, self.wakes_at + LATE)

    def _most(self, now: float) -> float:
        return self._late(now) + FORGIVEN

    def _late(self, now: float) -> float:
        return min(max(NOTICED * (now - self.seen_at), LATE), LATEST)
