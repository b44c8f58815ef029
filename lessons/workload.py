"""What a stretch of a lesson's guest costs under a kind: run from label to label on a machine of its own, and counted.

A lesson that contrasts the kinds asks for their order, which no single machine can show. So each kind runs the stretch
once, and what is counted is priced by the shipped costs: the counts are measured, the cycles modelled.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from core.account import Tally
from core.cost_table import load_costs
from core.errors import LessonError
from core.events import StopReason
from core.guests.catalog import load_program
from core.guests.image import Interface
from core.session import Session
from core.vmm import kinds
from lessons.asking import Asking
from lessons.laboratory import Evidence
from lessons.names import Guest, Kind, Label

LIMIT = 1_000_000  # instructions to either label
MODEL = load_costs()[0]
PROCESSOR = MODEL.title


@lru_cache(maxsize=64)
def modelled_cycles(guest: str, kind: str, start: str, end: str) -> int:
    """Cycles from first coming to label `start` to first coming to `end`; a LessonError if it does not come there."""
    program = load_program(guest)
    session, tally = Session(recording=False), Tally()
    try:
        session.load(program, kind)
        spent = []
        for label in (start, end):
            if label not in program.symbols:
                raise LessonError(f"{program.name} has no label “{label}”.", "Correct the lesson or the guest.")
            if session.run_to(program.symbols[label], LIMIT) is not StopReason.BREAKPOINT:
                raise LessonError(f"{program.name} does not come to {label} under {kind}.", "Correct the guest.")
            spent.append(sum(tally.account(session).cycles(MODEL).values()))
        return spent[1] - spent[0]
    finally:
        session.close()


class Order(Asking):
    """Between two labels a guest costs the least under the first kind named, more under the next, and so on: modelled
    cycles, from what is counted when the guest runs there under each kind. `ported` runs where a changed guest must."""

    order: Annotated[tuple[Kind, ...], Field(min_length=2, strict=False)]
    guest: Guest
    ported: Guest | None = None
    between: Annotated[tuple[Label, Label], Field(strict=False)]

    @property
    def asked(self) -> str:
        start, end = self.between
        return f"From {start} to {end}, cheapest first: {', '.join(kinds()[kind].title for kind in self.order)}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        cycles = [modelled_cycles(self._guest_of(kind), kind, *self.between) for kind in self.order]
        told = ", ".join(f"{kinds()[kind].title} {cost:,}" for kind, cost in zip(self.order, cycles, strict=True))
        return all(one < other for one, other in pairwise(cycles)), f"Modelled cycles on a {PROCESSOR}: {told}."

    def _guest_of(self, kind: str) -> str:
        changed = kinds()[kind].interface is Interface.PARAVIRT
        return self.ported if changed and self.ported is not None else self.guest
