"""How often the CPU crosses between each two rings, when it is too often to see each crossing.

Counts are the interposer's; seconds are the onlooker's clock, so that a figure says what happens on the screen, at full
speed as in slow motion. Where a snapshot lists only the newest of its traps, their shares stand for the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from app.widgets.rings.crossing import Crossing
from core.events import Cause, Ring

WINDOW_SECONDS = 1.0
Way = tuple[Ring, Ring, bool]  # from, to, without a trap


@dataclass(frozen=True, slots=True)
class Flow:
    """Crossings from one ring to another: per second, their main cause, and whether they did without a trap."""

    start: Ring
    end: Ring
    per_second: float
    cause: Cause | None
    direct: bool


@dataclass(frozen=True, slots=True)
class _Sample:
    """What one snapshot added: how many of each way, why, and where the CPU was."""

    time: float
    ways: Mapping[Way, float]
    causes: Counter[tuple[Ring, Ring, Cause]]
    traps: float
    by_cause: Mapping[Cause, float]
    crossings: float
    ring: Ring


class RateMeter:
    """A sliding window over the crossings of successive snapshots."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._samples: deque[_Sample] = deque()

    def clear(self) -> None:
        """Forget everything (a new program, a new power-on)."""
        self._samples.clear()

    def add(self, crossings: tuple[Crossing, ...], trap_delta: float, ring: Ring, now: float) -> None:
        """Count what a snapshot brought at time `now`: `trap_delta` traps happened, `crossings` tell of the newest."""
        # thousands of crossings are of a few sorts
        sorts = Counter((each.legs, each.trap.cause if each.trap is not None else None) for each in crossings)
        listed_causes: Counter[Cause] = Counter()
        for (_, cause), count in sorts.items():
            if cause is not None:
                listed_causes[cause] += count
        listed = listed_causes.total()
        weight = trap_delta / listed if listed else 1.0
        ways: defaultdict[Way, float] = defaultdict(float)
        causes: Counter[tuple[Ring, Ring, Cause]] = Counter()
        for (legs, cause), count in sorts.items():
            for leg in legs:
                ways[leg.start, leg.end, cause is None] += weight * count
                if cause is not None:
                    causes[leg.start, leg.end, cause] += count
        by_cause = {cause: weight * count for cause, count in listed_causes.items()}
        self._samples.append(_Sample(now, ways, causes, trap_delta, by_cause, weight * len(crossings), ring))
        # the oldest sample only marks where the window begins, so one older than the window is kept
        while len(self._samples) > 2 and self._samples[1].time <= now - self._window:
            self._samples.popleft()

    @property
    def seconds(self) -> float:
        """Time that the window covers now; 0 until there are two samples."""
        return self._samples[-1].time - self._samples[0].time if self._samples else 0.0

    def traps_per_second(self) -> float:
        """All traps, of every cause."""
        return self._per_second(sum(sample.traps for sample in self._counted()))

    def crossings_per_second(self) -> float:
        """All crossings, with a trap or without."""
        return self._per_second(sum(sample.crossings for sample in self._counted()))

    def flows(self) -> tuple[Flow, ...]:
        """Each way that was taken, the busiest first."""
        if self.seconds <= 0:
            return ()
        ways: defaultdict[Way, float] = defaultdict(float)
        causes: Counter[tuple[Ring, Ring, Cause]] = Counter()
        for sample in self._counted():
            for way, count in sample.ways.items():
                ways[way] += count
            causes.update(sample.causes)
        return tuple(
            Flow(start, end, count / self.seconds, None if direct else _main_cause(causes, start, end), direct)
            for (start, end, direct), count in sorted(ways.items(), key=lambda item: (-item[1], item[0]))
        )

    def causes(self) -> tuple[tuple[Cause, float], ...]:
        """Traps per second of each cause that occurred, the most frequent first."""
        counts: defaultdict[Cause, float] = defaultdict(float)
        for sample in self._counted():
            for cause, count in sample.by_cause.items():
                counts[cause] += count
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0].value))
        return tuple((cause, self._per_second(count)) for cause, count in ordered if count)

    def shares(self) -> dict[Ring, float]:
        """Share of the window's snapshots that found the CPU in each ring (sampled, 0–1)."""
        rings = Counter(sample.ring for sample in self._samples)
        return {ring: count / len(self._samples) for ring, count in rings.items()}

    def _per_second(self, count: float) -> float:
        return count / self.seconds if self.seconds > 0 else 0.0

    def _counted(self) -> list[_Sample]:
        return list(self._samples)[1:]


def _main_cause(causes: Counter[tuple[Ring, Ring, Cause]], start: Ring, end: Ring) -> Cause | None:
    own = {cause: count for (a, b, cause), count in causes.items() if (a, b) == (start, end)}
    return max(own, key=lambda cause: (own[cause], cause.value)) if own else None
