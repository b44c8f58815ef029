"""The figure of 2006: cycles a round of seven nanobenchmarks under every kind, beside what was published then.

Where our order of two kinds is not theirs, it is an exception, and gets an explanation; values within a quarter of each
other count as equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from app.models.comparison import MEASURED, MODELLED, CountRow
from core.costs import CostModel
from core.nanobenchmarks import NAMES, ROUNDS, Nanobenchmark, Nanobenchmarks, Published, published
from core.vmm import kinds

EQUAL = 1.25
COUNTERPARTS = {"bare": "native", "translation": "translation", "hardware_shadow": "hardware"}
PUBLISHED = "published"
MEANINGS = {
    "syscall": "A program calls its kernel for nothing: INT 0x80, and back.",
    "in": "The kernel reads port 0x80.",
    "crwr": "The kernel reads CR0 and writes it back.",
    "callret": "The kernel calls an empty function.",
    "pgfault": "A program touches a new page; the kernel finds a frame, clears it and maps it.",
    "divzero": "The kernel divides by zero, and its handler goes on after that.",
    "ptemod": "The kernel changes a page-table entry of its own.",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind at one nanobenchmark: modelled cycles a round, and what was published for such a kind, if anything."""

    kind: str
    name: str
    cycles: float
    published: float | None
    words: str


class Figure:
    """What has been run so far, priced by a model."""

    def __init__(self, model: CostModel) -> None:
        self.model = model
        self.published = published()
        self._results: dict[str, Nanobenchmarks] = {}

    def clear(self) -> None:
        """Nothing has been run."""
        self._results = {}

    def add(self, result: Nanobenchmarks) -> None:
        """One more kind has run them."""
        self._results[result.kind] = result

    @property
    def results(self) -> dict[str, Nanobenchmarks]:
        """By kind, the simplest first."""
        return {kind: self._results[kind] for kind in kinds() if kind in self._results}

    def groups(self) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        """The nanobenchmarks with a bar for each kind."""
        for name in NAMES:
            yield name, tuple(self._bar(kind, name) for kind in self.results)

    def _bar(self, kind: str, name: str) -> Bar:
        each = self._results[kind].named(name)
        told = _told(self.published[name], kind)
        cycles = each.cycles(self.model)
        words = [f"{name} under {kinds()[kind].title}", f"{cycles:,.0f} modelled cycles a round ({self.model.title})"]
        words.append(f"{each.instructions / ROUNDS:,.0f} instructions a round, measured; {departures(each)}")
        if told is not None:
            words.append(f"{told:,.0f} cycles reported by Adams & Agesen, 2006 ({self.published[name].known.value})")
        return Bar(kind, name, cycles, told, "\n".join(words))

    def count_rows(self) -> Iterator[CountRow]:
        """The same as a table."""
        for name in NAMES:
            values = {kind: result.named(name) for kind, result in self.results.items()}
            cycles = {kind: round(each.cycles(self.model)) for kind, each in values.items()}
            yield CountRow(name, f"{MEANINGS[name]} Cycles a round, {self.model.title}.", MODELLED, cycles)
            told = {kind: _told(self.published[name], kind) for kind in values}
            shown = {kind: round(value) for kind, value in told.items() if value is not None}
            yield CountRow(
                "reported in 2006", f"Adams & Agesen, ASPLOS 2006. {self.published[name].note}", PUBLISHED, shown, True
            )
            left = {kind: round(sum(each.departures.values()) / ROUNDS) for kind, each in values.items()}
            yield CountRow("departures a round", "How often the guest left direct execution.", MEASURED, left, True)
            ran = {kind: round(each.instructions / ROUNDS) for kind, each in values.items()}
            yield CountRow("instructions a round", "The loop's own, and the kernel's for it.", MEASURED, ran, True)

    def exceptions(self) -> Iterator[str]:
        """Where our order of two kinds is not the published one, and why."""
        for name in NAMES:
            told = self.published[name]
            pairs = [
                (one, other)
                for one, other in combinations([kind for kind in COUNTERPARTS if kind in self._results], 2)
                if self._order(name, one, other) != _order(_told(told, one), _told(told, other))
            ]
            if pairs:
                which = "; ".join(f"{_short(one)} against {_short(other)}" for one, other in pairs)
                yield f"{name} ({which}): {self._reason(told)}"

    def _order(self, name: str, one: str, other: str) -> int:
        return _order(*(self._results[kind].named(name).cycles(self.model) for kind in (one, other)))

    def _reason(self, told: Published) -> str:
        if told.exception:
            return told.exception
        return f"the paper's processor is a Pentium 4 of 2006; with the costs of {self.model.title} the order turns."


def departures(each: Nanobenchmark) -> str:
    """How often a round left direct execution, by cause."""
    counts = [
        f"{count / ROUNDS:.3g} {cause.phrase}" for cause, count in each.departures.items() if count / ROUNDS >= 0.001
    ]
    return ("departures: " + ", ".join(counts)) if counts else "no departure"


def _told(figure: Published, kind: str) -> float | None:
    return getattr(figure, COUNTERPARTS[kind]) if kind in COUNTERPARTS else None


def _order(one: float | None, other: float | None) -> int:
    if one is None or other is None or max(one, other) <= EQUAL * min(one, other):
        return 0
    return 1 if one > other else -1


def _short(kind: str) -> str:
    return {"bare": "native", "translation": "translation", "hardware_shadow": "hardware"}[kind]
