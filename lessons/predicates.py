"""What a lesson may ask of the machine: predicates, written as data and examined on the real state.

Each is a small TOML table, told apart by its key: ``{ ring = 3 }``, ``{ register = "IF", believed = 0, real = 1 }``,
``{ traps = { cause = "privileged", ring_from = 1 }, at_least = 2 }``, ``{ not = { console_contains = "fault" } }``.
An examination says in words what was found, or what is still missing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from core.events import EndHow
from core.narration import of_trap, within
from core.vmm import kinds
from lessons.asking import Asking
from lessons.hosting_predicates import AllEnded, OfMachine, ShareOf, TakenFrom
from lessons.laboratory import Evidence
from lessons.names import AtLeastOne, Count, Guest, Kind, Label, RegisterName, RingNumber, Text
from lessons.part import broken_rule
from lessons.snapshot_predicates import ClockBehind, Diverged, OfVm, SnapshotsKept, VmCount
from lessons.translation_predicates import CounterHolds, RanShare, Translated, TranslatorIs
from lessons.traps import TrapPattern
from lessons.workload import Order


class Traps(Asking):
    """So many recorded traps match the pattern: at least one, unless it says otherwise."""

    traps: TrapPattern
    at_least: AtLeastOne | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Traps:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise broken_rule("asks for at least more traps than at most", "Exchange at_least and at_most.")
        return self

    @property
    def _fewest(self) -> int:
        return self.at_least if self.at_least is not None else 0 if self.at_most is not None else 1

    @property
    def asked(self) -> str:
        words = self.traps.words
        if self.at_most == 0:
            return f"No {words}"
        if self.at_most is not None:
            return f"From {self._fewest} to {self.at_most}: {words}"
        if self._fewest == 1:
            return words[0].upper() + words[1:]
        return f"At least {self._fewest}: {words}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        symbols = evidence.program.symbols
        found = [trap for trap in evidence.snapshot.traps if self.traps.matches(trap, symbols)]
        if len(found) < self._fewest:
            if not found:
                return False, f"No {self.traps.words} yet."
            return False, f"{len(found)} of {self._fewest} so far: {self.traps.words}."
        if not found:
            return True, f"No {self.traps.words}, in {evidence.snapshot.executed} instructions."
        said = of_trap(found[-1])
        if len(found) > 1:
            said = f"{len(found)} of them. The last: {said}"
        return self.at_most is None or len(found) <= self.at_most, said


class RegisterHolds(Asking):
    """A register, or a field of one, holds these values for the guest and in the CPU."""

    name: RegisterName = Field(alias="register")
    believed: Count | None = None
    real: Count | None = None
    differs: bool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> RegisterHolds:
        if self.believed is None and self.real is None and self.differs is None:
            raise broken_rule("asks nothing of the register", "Add believed, real or differs.")
        return self

    @property
    def asked(self) -> str:
        parts = []
        if self.believed is not None and self.believed == self.real:
            parts.append(f"is {self.believed:#x}" if self.believed > 9 else f"is {self.believed}")
        else:
            if self.believed is not None:
                parts.append(f"is {_number(self.believed)} to the guest")
            if self.real is not None:
                parts.append(f"is {_number(self.real)} in the CPU")
        if self.differs is not None:
            parts.append("is not what the guest believes" if self.differs else "is what the guest believes")
        return f"{self.name} {' and '.join(parts)}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        reading = evidence.reading(self.name)
        if reading is None:
            return False, f"This machine shows no {self.name}."
        holds = (
            (self.believed is None or self.believed == reading.believed)
            and (self.real is None or self.real == reading.real)
            and (self.differs is None or self.differs == (reading.believed != reading.real))
        )
        if reading.believed == reading.real:
            return holds, f"{self.name} is {reading.spelled(reading.real)}, for the guest and in the CPU."
        believed, real = reading.spelled(reading.believed), reading.spelled(reading.real)
        return holds, f"{self.name}: the guest believes {believed}, the CPU holds {real}."


class ConsoleContains(Asking):
    """The guest has written this to its serial port."""

    console_contains: Text

    @property
    def asked(self) -> str:
        return f"The console shows “{self.console_contains.strip()}”"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        lines = [line.strip() for line in evidence.console.splitlines() if line.strip()]
        if self.console_contains in evidence.console:
            wanted = self.console_contains.strip()
            return True, f"The console shows “{next((line for line in lines if wanted in line), wanted)}”."
        return False, f"The last line of the console is “{lines[-1]}”." if lines else "The console is empty."


_ENDS = {"exit": "The guest exits", "halted": "The guest halts for good", "error": "The machine gives up"}


class Ended(Asking):
    """The run came to its end in this way."""

    end: Literal["exit", "halted", "error"]
    status: Count | None = None

    @property
    def asked(self) -> str:
        how = _ENDS[self.end]
        return how if self.status is None else f"{how} with status {self.status}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        end = evidence.snapshot.end
        if end is None:
            return False, f"It has not ended: {evidence.snapshot.executed} instructions so far."
        return end.how is EndHow(self.end) and self.status in (None, end.status), end.sentence


class InRing(Asking):
    """The CPU is now in this ring, or the guest believes so."""

    ring: RingNumber | None = None
    believed: RingNumber | None = None

    @property
    def asked(self) -> str:
        if self.believed is None or self.believed == self.ring:
            return f"The CPU is in ring {self.ring}"
        believed = f"the guest believes it is in ring {self.believed}"
        return f"The CPU is in ring {self.ring} while {believed}" if self.ring is not None else believed.capitalize()

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        ring, believed = evidence.snapshot.ring, evidence.snapshot.believed
        holds = self.ring in (None, ring) and self.believed in (None, believed)
        if ring == believed:
            return holds, f"The CPU is in ring {int(ring)}."
        return holds, f"The CPU is in ring {int(ring)}; the guest believes it is in ring {int(believed)}."


class ExecutedAtLeast(Asking):
    """So many instructions have been executed since power-on."""

    executed_at_least: AtLeastOne

    @property
    def asked(self) -> str:
        return f"At least {self.executed_at_least} instruction{'s' * (self.executed_at_least > 1)} executed"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        executed = evidence.snapshot.executed
        return executed >= self.executed_at_least, f"{executed} executed so far."


class Loaded(Asking):
    """This guest, this kind of monitor, or both, are in the machine."""

    guest: Guest | None = None
    kind: Kind | None = None

    @property
    def asked(self) -> str:
        guest, kind = _stem(self.guest), self.kind
        return f"The machine runs {guest or 'a guest'}{f' under {within(kinds()[kind].title)}' if kind else ''}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        program, kind = evidence.program, evidence.snapshot.kind
        holds = self.guest in (None, program.name, program.path) and self.kind in (None, kind)
        return holds, f"It runs {program.title}, under {within(kinds()[kind].title)}."


class At(Asking):
    """The instruction about to run stands at this label of the guest."""

    at: Label

    @property
    def asked(self) -> str:
        return f"The CPU has come to {self.at}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        program, pc = evidence.program, evidence.snapshot.pc
        if self.at not in program.symbols:
            return False, f"{program.name} has no label {self.at}."
        return pc == program.symbols[self.at], f"The CPU stands at {program.name_of(pc) or 'no label'}, {pc:#010x}."


class All(Asking):
    """All of these hold."""

    all: Several

    @property
    def asked(self) -> str:
        return "; ".join(one.label or one.asked for one in self.all)

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        found = [one.examine(evidence) for one in self.all]
        missing = [one.said for one in found if not one.holds]
        return not missing, missing[0] if missing else " ".join(one.said for one in found)


class Any_(Asking):
    """At least one of these holds."""

    any: Several

    @property
    def asked(self) -> str:
        return ", or ".join(one.label or one.asked for one in self.any)

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        found = [one.examine(evidence) for one in self.any]
        held = next((one for one in found if one.holds), None)
        return (True, held.said) if held else (False, " ".join(one.said for one in found))


class Not(Asking):
    """This does not hold."""

    inner: Predicate = Field(alias="not")

    @property
    def asked(self) -> str:
        return f"Not: {self.inner.label or self.inner.asked}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        found = self.inner.examine(evidence)
        return not found.holds, found.said


_BY_KEY: dict[str, type[Asking]] = {
    "order": Order,  # before the keys that it shares with others
    "traps": Traps,
    "register": RegisterHolds,
    "vm": OfVm,  # as this
    "console_contains": ConsoleContains,
    "end": Ended,
    "ring": InRing,
    "executed_at_least": ExecutedAtLeast,
    "guest": Loaded,
    "kind": Loaded,
    "at": At,
    "all": All,
    "any": Any_,
    "not": Not,
    "believed": InRing,
    "translated": Translated,
    "counter": CounterHolds,
    "ran": RanShare,
    "translator": TranslatorIs,
    "diverged_from": Diverged,
    "snapshots": SnapshotsKept,
    "clock_behind": ClockBehind,
    "vms": VmCount,
    "share_of": ShareOf,
    "taken_from": TakenFrom,
    "machine": OfMachine,
    "all_ended": AllEnded,
}
PREDICATE_KEYS = tuple(_BY_KEY)


def _which(data: Any) -> str | None:
    if isinstance(data, Asking):
        return type(data).__name__
    if isinstance(data, dict):
        return next((kind.__name__ for key, kind in _BY_KEY.items() if key in data), None)
    return None


Predicate = Annotated[
    Annotated[Traps, Tag("Traps")]
    | Annotated[RegisterHolds, Tag("RegisterHolds")]
    | Annotated[ConsoleContains, Tag("ConsoleContains")]
    | Annotated[Ended, Tag("Ended")]
    | Annotated[InRing, Tag("InRing")]
    | Annotated[ExecutedAtLeast, Tag("ExecutedAtLeast")]
    | Annotated[Loaded, Tag("Loaded")]
    | Annotated[At, Tag("At")]
    | Annotated[Order, Tag("Order")]
    | Annotated[All, Tag("All")]
    | Annotated[Any_, Tag("Any_")]
    | Annotated[Not, Tag("Not")]
    | Annotated[Translated, Tag("Translated")]
    | Annotated[CounterHolds, Tag("CounterHolds")]
    | Annotated[RanShare, Tag("RanShare")]
    | Annotated[TranslatorIs, Tag("TranslatorIs")]
    | Annotated[OfVm, Tag("OfVm")]
    | Annotated[Diverged, Tag("Diverged")]
    | Annotated[SnapshotsKept, Tag("SnapshotsKept")]
    | Annotated[ClockBehind, Tag("ClockBehind")]
    | Annotated[VmCount, Tag("VmCount")]
    | Annotated[ShareOf, Tag("ShareOf")]
    | Annotated[TakenFrom, Tag("TakenFrom")]
    | Annotated[OfMachine, Tag("OfMachine")]
    | Annotated[AllEnded, Tag("AllEnded")],
    Discriminator(_which),
]
Several = Annotated[tuple[Predicate, ...], Field(min_length=1, strict=False)]

for _model in (All, Any_, Not):
    _model.model_rebuild()


def _number(value: int) -> str:
    return str(value) if value < 10 else f"{value:#x}"


def _stem(guest: str | None) -> str | None:
    return guest and guest.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".s")
