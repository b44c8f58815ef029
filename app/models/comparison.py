"""One guest under several kinds, as it is shown: columns of modelled cycles, a table of counts, rows by instruction.

It holds what was measured and one cost model; with another model the same counts are priced anew, and nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.models.numerals import address, grouped
from core.account import Account, Count
from core.compare import REFERENCE
from core.costs import CostModel, Part, Work
from core.events import Cause, Ring
from core.measured import Measured
from core.vmm import kinds

MEASURED, MODELLED = "measured", "modelled"
HOW_IT_LEFT = (Cause.EXIT, Cause.CALLOUT, Cause.HYPERCALL)


@dataclass(frozen=True, slots=True)
class Column:
    """One kind: where its modelled cycles go, and whether the guest was still the same. `ratio` is the total in terms
    of bare's, None if that is not known; `differs`: something was found that the guest could see, so that from there on
    it was another run."""

    kind: str
    title: str
    guest: str
    own_build: bool
    parts: tuple[tuple[Part, int], ...]
    ratio: float | None
    differs: bool
    verdict: str

    @property
    def total(self) -> int:
        """Modelled cycles."""
        return sum(cycles for _, cycles in self.parts)


@dataclass(frozen=True, slots=True)
class CountRow:
    """A line of the table of counts: `origin` is MEASURED or MODELLED; a value by kind."""

    name: str
    meaning: str
    origin: str
    values: dict[str, int]
    indent: bool = False


@dataclass(slots=True)
class InstructionRow:
    """One of the guest's instructions, or a function with all of its; what it came to under each kind: (count, modelled
    cycles). `guest` is the build it stands in, `words` explains each kind's cell."""

    name: str
    pc: int = 0
    place: str = ""
    guest: str = ""
    ring: Ring = Ring.KERNEL
    counts: dict[str, int] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    children: list[InstructionRow] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """The most that any kind pays for it."""
        return max(self.cycles.values(), default=0)


class Comparison:
    """What has been measured so far, by kind, in the order of the kinds."""

    def __init__(self, model: CostModel) -> None:
        self.model = model
        self._results: dict[str, Measured] = {}

    def clear(self) -> None:
        """Nothing is measured."""
        self._results = {}

    def add(self, measured: Measured) -> None:
        """One more kind was measured."""
        self._results[measured.kind] = measured

    @property
    def results(self) -> dict[str, Measured]:
        """By kind, the simplest first."""
        return {kind: self._results[kind] for kind in kinds() if kind in self._results}

    # -- cycles

    def columns(self) -> tuple[Column, ...]:
        """One a kind."""
        bare = self._results.get(REFERENCE)
        whole = sum(bare.account.cycles(self.model).values()) if bare else 0
        return tuple(self._column(measured, whole) for measured in self.results.values())

    def _column(self, measured: Measured, whole: int) -> Column:
        parts = measured.account.cycles(self.model)
        total = sum(parts.values())
        return Column(
            kind=measured.kind,
            title=kinds()[measured.kind].title,
            guest=measured.guest,
            own_build=measured.own_build,
            parts=tuple((part, parts[part]) for part in Part if part in parts),
            ratio=total / whole if whole else None,
            differs=measured.first_difference is not None,
            verdict=verdict(measured),
        )

    # -- counts

    def count_rows(self) -> list[CountRow]:
        """The table: everything measured first, what is modelled of it after."""
        return [*self._instruction_counts(), *self._departure_counts(), *self._cycle_rows()]

    def _instruction_counts(self) -> Iterator[CountRow]:
        for name, meaning, value, indent in (
            (
                "Instructions",
                "Instructions and exceptions of the guest, from power-on to its end.",
                "instructions",
                False,
            ),
            ("ran directly", "As they stand in the guest's memory, with no software in between.", "direct", True),
            ("ran translated", "As the monitor's translation of them.", "translated", True),
            (
                "needed the monitor",
                "The monitor was called to carry them out, or to pass them on.",
                "with_monitor",
                True,
            ),
        ):
            yield self._row(name, meaning, lambda account, value=value: getattr(account, value), indent=indent)
        yield self._row(
            "Translated by the monitor",
            "Instructions that the translator rewrote: once each, however often they run.",
            lambda account: account.unseen.get(Work.TRANSLATION, 0),
        )

    def _departure_counts(self) -> Iterator[CountRow]:
        yield self._row(
            "Departures", "How often direct execution was left.", lambda account: sum(account.departures().values())
        )
        seen = {cause for measured in self._results.values() for cause in measured.account.acts()}
        for cause in Cause:
            if cause in seen and cause not in HOW_IT_LEFT:
                yield self._row(cause.phrase, cause.meaning, lambda a, c=cause: a.acts()[c], indent=True)
        for cause in HOW_IT_LEFT:
            if any(measured.account.departures()[cause] for measured in self._results.values()):
                yield self._row(f"by {cause.phrase}", cause.meaning, lambda a, c=cause: a.departures()[c], indent=True)

    def _cycle_rows(self) -> Iterator[CountRow]:
        costs = {kind: measured.account.cycles(self.model) for kind, measured in self.results.items()}
        where = f"Modelled for a {self.model.title} from the counts above; nothing of it was measured."
        yield CountRow("Cycles", where, MODELLED, {kind: sum(parts.values()) for kind, parts in costs.items()})
        for part in Part:
            if any(part in parts for parts in costs.values()):
                values = {kind: parts.get(part, 0) for kind, parts in costs.items()}
                yield CountRow(part.short, f"{part.phrase}. {where}", MODELLED, values, indent=True)

    def _row(self, name: str, meaning: str, value: Callable[[Account], int], *, indent: bool = False) -> CountRow:
        values = {kind: value(measured.account) for kind, measured in self.results.items()}
        return CountRow(name, meaning, MEASURED, values, indent)

    # -- by instruction

    def instruction_rows(self) -> list[InstructionRow]:
        """Functions with their instructions, the dearest first. Builds of one source meet in the functions; where the
        image is the same, the instructions meet, too."""
        functions: dict[str, InstructionRow] = {}
        rows: dict[tuple[str, str, int, str], InstructionRow] = {}
        for kind, measured in self.results.items():
            for each in measured.account.sites:
                name = each.function or ("programs" if each.site.ring is Ring.USER else "elsewhere")
                function = functions.setdefault(name, InstructionRow(name))
                key = (name, measured.guest, each.site.pc, each.site.instruction)
                row = rows.get(key)
                if row is None:
                    row = rows[key] = InstructionRow(
                        each.site.instruction or "?", each.site.pc, each.place, measured.guest, each.site.ring
                    )
                    function.children.append(row)
                for one in (function, row):
                    self._enter(one, kind, measured.account, each)
        found = sorted(functions.values(), key=lambda row: -row.weight)
        for function in found:
            function.children.sort(key=lambda row: (-row.weight, row.pc))
        return found

    def _enter(self, row: InstructionRow, kind: str, account: Account, each: Count) -> None:
        work = account.work_at(each.site)
        cycles = each.count * self.model.cycles(work)
        row.counts[kind] = row.counts.get(kind, 0) + each.count
        row.cycles[kind] = row.cycles.get(kind, 0) + cycles
        if row.pc:
            row.words.setdefault(kind, []).append(self._in_words(each, work, cycles))

    def _in_words(self, each: Count, work: tuple[Work, ...], cycles: int) -> str:
        act = each.site.cause.phrase
        if each.site.reason is not None:
            act = f"{act} ({each.site.reason.phrase})"
        prices = " + ".join(f"{grouped(self.model.prices[one].cycles)} {one.value}" for one in work) or "nothing"
        return f"{grouped(each.count)} × {act}: {prices} = {grouped(cycles)} modelled cycles"


def verdict(measured: Measured) -> str:
    """Is the guest the same as on bare hardware? In a few words, with the place where it is not."""
    first = measured.first_difference
    if measured.kind == REFERENCE:
        return "the reference"
    if first is not None:
        return f"differs at {first.instruction}, {address(first.pc)}, after {grouped(first.executed)}"
    if not measured.own_build:
        return "no difference from bare"
    if not measured.output_differences:
        return f"{measured.guest}: same output as bare"
    if measured.equivalent:
        return f"{measured.guest}: same output as bare, but for its own speed"
    first_output = measured.output_differences[0]
    more = len(measured.output_differences) - 1
    others = f", and {more} more" if more else ""
    return f"{measured.guest}, its own build: {first_output.where} differs{others}"
