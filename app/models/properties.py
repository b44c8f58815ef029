"""Popek & Goldberg's three properties of 1974, for each kind, with what was found of them and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from app.models.comparison import Comparison, verdict
from app.models.numerals import address, grouped
from core.compare import REFERENCE
from core.layout import MIB
from core.measured import Measured
from core.vmm import kinds


class Property(Enum):
    """The three; `phrase` heads a column, `meaning` explains it."""

    EQUIVALENCE = (
        "equivalence",
        "Equivalence",
        "A program acts under the monitor exactly as on the bare machine, save for timing and resources.",
    )
    EFFICIENCY = (
        "efficiency",
        "Efficiency",
        "A statistically dominant part of the instructions runs directly, without the monitor.",
    )
    CONTROL = (
        "control",
        "Resource control",
        "The guest reaches nothing that it was not given, and what it was given can be taken back.",
    )

    def __new__(cls, value: str, phrase: str, meaning: str) -> Property:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, phrase: str, meaning: str) -> None:
        self.phrase = phrase
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a run to be gone to: the guest under a kind, after so many instructions."""

    guest: str
    kind: str
    executed: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """One property of one kind. `shares` are parts of a whole, each 0 to 1; `broken`: the property does not hold;
    `evidence` tells what it rests on; `place`, if there is one, is where it can be seen."""

    kind: str
    property: Property
    headline: str
    detail: str
    shares: tuple[float, ...]
    broken: bool
    evidence: str
    place: Place | None = None


def gauges(comparison: Comparison) -> Iterator[tuple[Measured, tuple[Gauge, Gauge, Gauge]]]:
    """The three of each kind that was measured."""
    for measured in comparison.results.values():
        yield measured, (_equivalence(measured), _efficiency(measured), _control(measured))


def _equivalence(measured: Measured) -> Gauge:
    first, kind = measured.first_difference, measured.kind
    compared = grouped(measured.account.instructions)
    title = kinds()[kind].title
    if kind == REFERENCE:
        words = "The bare machine is what the others are compared with."
        return Gauge(kind, Property.EQUIVALENCE, "the reference", "nothing to differ from", (1.0,), False, words)
    if first is not None:
        known = (
            "It is one of the instructions of x86 that do not trap where they should."
            if first.documented
            else "Nothing is known that would excuse it."
        )
        evidence = (
            f"{title}: after {grouped(first.executed)} instructions, by {first.instruction} at {address(first.pc)}, "
            f"{first.where} is {first.found}; on the bare machine it is {first.expected}. {known}"
        )
        place = Place(measured.guest, kind, first.executed - 1)
        return Gauge(kind, Property.EQUIVALENCE, "broken", verdict(measured), (0.0,), True, evidence, place)
    if measured.own_build:
        lines = "; ".join(f"{each.where}: {each.found!r} for {each.expected!r}" for each in measured.output_differences)
        evidence = f"{title} runs {measured.guest}, a changed guest, so it can only be compared by what it shows: " + (
            f"{lines}. The rest of the console, and the end, are the same." if lines else "all of it is the same."
        )
        if lines and measured.equivalent:
            evidence += " What differs is the speed that the guest measured of itself, and a changed guest has its own."
        count = sum(not each.own_speed for each in measured.output_differences)
        headline = f"{count} line{'s' * (count != 1)} of output differ{'s' * (count == 1)}" if count else "same output"
        return Gauge(kind, Property.EQUIVALENCE, headline, "of a guest that was changed", (0.0, 1.0), False, evidence)
    evidence = (
        f"{title} and the bare machine ran in step for {compared} instructions; registers as the guest believes them, "
        "all of its memory, its console and its end were compared on the way, and never differed."
    )
    return Gauge(
        kind, Property.EQUIVALENCE, "0 differences", f"in {compared} instructions", (1.0,), False, evidence
    )  # fmt: skip


def _efficiency(measured: Measured) -> Gauge:
    account = measured.account
    shares = tuple(share for _, share in account.shares())
    direct, translated, with_monitor = shares
    headline = f"{100 * direct:.2f} % direct"
    detail = f"{grouped(account.with_monitor)} needed the monitor"
    if account.translated:
        headline = f"{100 * (direct + translated):.2f} % without it"
        detail = f"{100 * translated:.1f} % of all as translated code"
    evidence = (
        f"{kinds()[measured.kind].title}: of {grouped(account.instructions)} instructions {grouped(account.direct)} "
        f"ran as they stand, {grouped(account.translated)} as their translation, and for "
        f"{grouped(account.with_monitor)} ({100 * with_monitor:.3f} %) the monitor was called. Counted, not modelled."
    )
    return Gauge(measured.kind, Property.EFFICIENCY, headline, detail, shares, False, evidence)


def _control(measured: Measured) -> Gauge:
    kind, account, taken = measured.kind, measured.account, measured.taken_back
    title = kinds()[kind].title
    stopped = account.met_monitor()
    total = sum(stopped.values())
    what = ", ".join(f"{grouped(count)} {cause.phrase}" for cause, count in stopped.most_common())
    if kind == REFERENCE:
        words = f"{title}: nobody stands beneath the guest. It owns the machine, and nothing can be taken from it."
        return Gauge(kind, Property.CONTROL, "none", "the guest owns the machine", (0.0,), False, words)
    met = f"{title}: {grouped(total)} times the guest reached for the machine and met the monitor ({what})."
    if taken is None:
        return Gauge(kind, Property.CONTROL, f"{grouped(total)} stopped", "taking back not tried", (1.0,), False, met)
    if taken.refused:
        evidence = f"{met} Taking memory back: {taken.refused}"
        return Gauge(
            kind, Property.CONTROL, f"{grouped(total)} stopped", "memory is not taken back", (0.5,), False, evidence
        )
    noticed = "and ended just as without" if taken.unnoticed else "and did not end as without"
    evidence = (
        f"{met} In another run {taken.taken / MIB:.0f} MiB were taken from it after {grouped(taken.after)} "
        f"instructions; it touched {taken.brought_back} of these pages later, got them back for others, {noticed}."
    )
    detail = f"{taken.taken / MIB:.0f} MiB taken back, {'unnoticed' if taken.unnoticed else 'noticed'}"
    return Gauge(
        kind, Property.CONTROL, f"{grouped(total)} stopped", detail, (1.0,), not taken.unnoticed, evidence
    )  # fmt: skip
