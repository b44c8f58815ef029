"""What a benchmark answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: `ratio` is the value divided by what `of` names, another benchmark or a limit in words."""

    value: float
    unit: str
    ratio: float | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure should stay below."""

    value: float
    unit: str

    def measure(self, value: float) -> Measure:
        """`value` as a measure against this limit."""
        return Measure(value, self.unit, value / self.value, f"limit {self.value:g} {self.unit}")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to run: `repeats` of each figure, `instructions` in each run of a loop."""

    repeats: int = 7
    instructions: int = 10_000_000


Benchmark = Callable[[Effort], dict[str, Measure]]
"""Measures one or more figures, by name."""
