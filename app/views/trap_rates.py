"""How often the machine departs from direct execution, over the last moment of wall-clock time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from app.models.numerals import grouped, scaled
from app.widgets.rings.rates import WINDOW_SECONDS  # the same as the rings picture's, so that both say the same
from core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class _Point:
    at: float
    traps: int
    executed: int


class TrapRates:
    """Measures from snapshots and the time they arrived."""

    def __init__(self) -> None:
        self._points: deque[_Point] = deque()
        self._generation = -1

    def words(self, snapshot: Snapshot, now: float) -> str:
        """Rates while it runs, totals while it stands. `now` is a monotonic clock, in seconds."""
        if snapshot.generation != self._generation or not snapshot.running:
            self._points.clear()
            self._generation = snapshot.generation
        self._points.append(_Point(now, snapshot.trap_count, snapshot.executed))
        while len(self._points) > 2 and now - self._points[0].at > WINDOW_SECONDS:
            self._points.popleft()
        first, last = self._points[0], self._points[-1]
        if not snapshot.running or last.at - first.at < 0.1:
            return self._totals(snapshot)
        traps, executed = last.traps - first.traps, last.executed - first.executed
        if not traps:
            return "no traps now"
        alone = len(snapshot.vms) < 2  # the traps are those of all VMs, the instructions those of one
        each = f" · one in {scaled(executed / traps)} instructions" if alone and executed > traps else ""
        return f"{scaled(traps / (last.at - first.at))} traps/s{each}"

    @staticmethod
    def _totals(snapshot: Snapshot) -> str:
        traps = "1 trap" if snapshot.trap_count == 1 else f"{grouped(snapshot.trap_count)} traps"
        if len(snapshot.vms) > 1:
            return f"{traps} of all VMs"
        unit = "instruction" if snapshot.executed == 1 else "instructions"
        return f"{traps} in {grouped(snapshot.executed)} {unit}"
