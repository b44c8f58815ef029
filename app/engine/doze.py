"""A guest that sleeps until its timer fires sleeps by the host's clock too: rarely woken, never drifting.

Waking a process costs more than a tick of the guest does. So a tick may come late by what nobody can see, and those
that are due then are handled together; the next is reckoned from when this one was due, not from when it was handled.
"""

from __future__ import annotations

from dataclasses import dataclass

LATE = 0.05  # seconds by which a tick may be late
LATE_UNSEEN = 0.2  # the same while ticks do nothing that anyone sees
FORGIVEN = 0.5  # seconds of lateness after which a slow host is not made up for


@dataclass(slots=True)
class Doze:
    """`wakes_at`: clock time at which the guest has slept as long as it wanted to; `unseen`: its ticks show nothing."""

    wakes_at: float = 0.0
    unseen: bool = False

    def sleep(self, seconds: float, now: float) -> bool:
        """It wants to sleep so long after what it last slept for. Does it really, or is that time over already?"""
        begun = now if now - self.wakes_at > FORGIVEN else self.wakes_at
        self.wakes_at = begun + seconds
        return self.wakes_at > now

    def wait(self, now: float) -> float:
        """Seconds until the host should look after it again."""
        left = self.wakes_at - now
        return left + (LATE_UNSEEN if self.unseen else LATE) if left > 0 else 0.0

    def wake(self) -> None:
        """Something has come from outside."""
        self.wakes_at = 0.0
        self.unseen = False
