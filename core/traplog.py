"""The record of departures: every one counted, the newest kept."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice

from core.events import Cause, Trap

KEPT = 65_536
NEVER = 1 << 62


class TrapLog:
    """Traps in the order in which they happened; counts are exact, only old details are forgotten."""

    def __init__(self) -> None:
        self._kept: deque[Trap] = deque(maxlen=KEPT)
        self.causes: Counter[Cause] = Counter()
        self.count = 0
        self.pause_at = NEVER  # whoever runs the machine comes back when so many have been counted

    @property
    def full(self) -> bool:
        """Have as many been counted as somebody waits for?"""
        return self.count >= self.pause_at

    def restore(self, count: int, causes: Counter[Cause], kept: Iterable[Trap]) -> None:
        """Be what it was after `count` traps, of which `kept` are the newest."""
        self.count = count
        self.causes = Counter(causes)
        self._kept.clear()
        self._kept.extend(kept)

    def append(self, trap: Trap) -> bool:
        """Record one; is it `full` now?"""
        self._kept.append(trap)
        self.causes[trap.cause] += 1
        self.count = count = self.count + 1
        return count >= self.pause_at

    @property
    def last(self) -> Trap | None:
        """The newest, if any."""
        return self._kept[-1] if self._kept else None

    def last_of(self, vm: str, most: int = 4096) -> Trap | None:
        """The newest of that VM, if one is among the newest `most`."""
        return next((trap for trap in islice(reversed(self._kept), most) if trap.vm == vm), None)

    def since(self, number: int, most: int = KEPT) -> list[Trap]:
        """Those with ordinal `number` or later, oldest first; of more than `most` only the newest."""
        wanted = min(max(self.count - number, 0), most, len(self._kept))
        newest = list(islice(reversed(self._kept), wanted))  # few are wanted of many
        newest.reverse()
        return newest

    def recent(self, most: int = KEPT) -> list[Trap]:
        """The newest `most`, oldest first."""
        return self.since(0, most)
