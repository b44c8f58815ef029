"""What a lesson may ask about binary translation.

As other predicates, told apart by their keys: ``{ translated = "quiet", into = "replaced" }``, ``{ counter = "misses",
at_most = 2 }``, ``{ ran = "direct", at_least = 50 }`` (in percent), ``{ translator = "ahead", on = true }``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.translations import KINDS
from lessons.asking import Asking
from lessons.laboratory import Evidence
from lessons.names import Count, CounterName, Label, SwitchName, switch_named
from lessons.part import broken_rule

Percent = Annotated[float, Field(ge=0, le=100, strict=False)]
NO_CACHE = "This machine translates nothing."


class Translated(Asking):
    """The instruction at this label has been translated, into something of this kind."""

    translated: Label
    into: Literal["identical", "rewritten", "replaced", "callout"] | None = None

    @property
    def asked(self) -> str:
        return f"The instruction at {self.translated} is translated{f': {self.into}' if self.into else ''}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        address = evidence.program.symbols.get(self.translated)
        if address is None:
            return False, f"{evidence.program.name} has no label {self.translated}."
        found = evidence.translated(address)
        if found is None:
            return False, f"What stands at {self.translated} has not been translated."
        kind = KINDS[found.fate]
        return self.into in (None, kind), f"“{found.text}” at {self.translated} is {kind}: {found.reason.phrase}."


class CounterHolds(Asking):
    """The translator has counted so many of these since power-on."""

    counter: CounterName
    at_least: Count | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> CounterHolds:
        if self.at_least is None and self.at_most is None:
            raise broken_rule("asks nothing of the counter", "Add at_least or at_most.")
        return self

    @property
    def asked(self) -> str:
        return f"{_between(self.at_least, self.at_most)} {self.counter}, as the translator counts"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        if evidence.cache is None:
            return False, NO_CACHE
        count = getattr(evidence.cache.counters, self.counter)
        holds = count >= (self.at_least or 0) and (self.at_most is None or count <= self.at_most)
        return holds, f"The translator counts {count} {self.counter}."


class RanShare(Asking):
    """Of the guest's instructions that ran, this part, in percent, ran in this way."""

    ran: Literal["direct", "identical", "rewritten", "replaced", "callouts"]
    at_least: Percent | None = None
    at_most: Percent | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> RanShare:
        if self.at_least is None and self.at_most is None:
            raise broken_rule("asks nothing of the share", "Add at_least or at_most.")
        return self

    @property
    def asked(self) -> str:
        return f"{_between(self.at_least, self.at_most)} % of the instructions ran as: {self.ran}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        ran = evidence.cache.ran if evidence.cache is not None else None
        if ran is None or not ran.total:
            return False, NO_CACHE if evidence.cache is None else "Nothing has run yet."
        share = ran.share(self.ran)
        holds = share >= (self.at_least or 0) and (self.at_most is None or share <= self.at_most)
        return holds, f"{share:.2g} % of the instructions ran as: {self.ran}."


class TranslatorIs(Asking):
    """A switch of the translator is set or not."""

    translator: SwitchName
    on: bool

    @property
    def asked(self) -> str:
        return f"{switch_named(self.translator).phrase} is switched {'on' if self.on else 'off'}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        if evidence.cache is None:
            return False, NO_CACHE
        on = switch_named(self.translator) in evidence.cache.switches
        return on == self.on, f"{switch_named(self.translator).phrase} is switched {'on' if on else 'off'}."


def _between(least: float | None, most: float | None) -> str:
    if least is None:
        return f"At most {most:g}"
    return f"At least {least:g}" if most is None else f"From {least:g} to {most:g}"
