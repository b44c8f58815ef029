"""The seven nanobenchmarks of Adams & Agesen (ASPLOS 2006, §6.2), run by Pebble under a kind, counted round by round.

Each does one thing a thousand times between two readings of the time-stamp counter, and the counting begins and ends at
just these two RDTSCs, so nothing else is in it but the loop itself. Their cr8wr is a write to CR0 here, since the lab's
CPU is a 32-bit one, which has no CR8; what they measured on a processor is counted here, and may be priced.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.account import Account, Tally
from core.compare import Setting
from core.costs import CostModel, Known, Work
from core.errors import LabFault, RequestError
from core.events import Cause, StopReason
from core.guests.catalog import load_program
from core.guests.image import Program
from core.session import Session
from core.vmm import kind_named

GUEST, CLEAN, COMMAND_LINE = "pebble", "pebble-clean", "run=bench"
NAMES = ("syscall", "in", "crwr", "callret", "pgfault", "divzero", "ptemod")  # in the order in which Pebble runs them
ROUNDS = 1000
LIMIT = 30_000_000
Key = TypeVar("Key")
READ_STAMP = b"\x0f\x31"  # RDTSC
USER, KERNEL = "bench", "kernel_bench"


@dataclass(frozen=True, slots=True)
class Nanobenchmark:
    """All ROUNDS of one under one kind: instructions, departures by how and by what, and work. Measured."""

    name: str
    instructions: int
    departures: Mapping[Cause, int]
    acts: Mapping[Cause, int]
    work: Mapping[Work, int]

    def cycles(self, model: CostModel) -> float:
        """Modelled cycles of a round."""
        return sum(count * model.prices[work].cycles for work, count in self.work.items()) / ROUNDS


@dataclass(frozen=True, slots=True)
class Nanobenchmarks:
    """The seven under one kind, and the build of Pebble that ran them."""

    kind: str
    guest: str
    results: tuple[Nanobenchmark, ...]

    def named(self, name: str) -> Nanobenchmark:
        """One of them."""
        return next(each for each in self.results if each.name == name)


JSON = TypeAdapter(Nanobenchmarks)


def run_nanobenchmarks(kind: str) -> Nanobenchmarks:
    """Run them under `kind`, on the build of Pebble that runs there without a difference."""
    vmm = kind_named(kind)
    setting = Setting(load_program(CLEAN if vmm.leaves_holes else GUEST), COMMAND_LINE, LIMIT).under(kind)
    if setting is None:
        raise RequestError(f"No build of Pebble runs under {vmm.title}.", "Choose another kind.")
    session = Session(recording=False)
    try:
        setting.load_into(session, kind)
        return Nanobenchmarks(kind, setting.program.name, tuple(_each(session, setting.program)))
    finally:
        session.close()


def _each(session: Session, program: Program) -> Iterator[Nanobenchmark]:
    stamps, tally = frozenset(_stamps(program)), Tally()
    for name in NAMES:
        accounts = [_at_next_stamp(session, stamps, tally) for _ in range(2)]
        yield _between(name, *accounts)


def _stamps(program: Program) -> Iterator[int]:
    """Where an RDTSC may stand: in the benchmark program, and in the kernel's part of it."""
    for segment in program.programs[USER].segments:
        yield from _found(segment.data, segment.address)
    start = program.symbols[KERNEL]
    for segment in program.segments:
        if segment.address <= start < segment.address + len(segment.data):
            for at in _found(segment.data[start - segment.address :], start):
                if program.symbol_at(at)[0].startswith((KERNEL, "bench_div")):
                    yield at


def _found(data: bytes, address: int) -> Iterator[int]:
    at = data.find(READ_STAMP)
    while at >= 0:
        yield address + at
        at = data.find(READ_STAMP, at + 1)


def _at_next_stamp(session: Session, stamps: frozenset[int], tally: Tally) -> Account:
    """Run to the next RDTSC of theirs; other programs have other code at these addresses."""
    while True:
        reason = session.run_to_any(stamps, leave=True, limit=LIMIT)
        tally.take(session)
        if reason is not StopReason.BREAKPOINT:
            raise LabFault(f"The nanobenchmarks did not come to their end: {session.sentence}")
        if session.peek_code(session.pc).startswith(READ_STAMP):
            return tally.account(session)


def _between(name: str, before: Account, after: Account) -> Nanobenchmark:
    return Nanobenchmark(
        name,
        after.instructions - before.instructions,
        _less(after.departures(), before.departures()),
        _less(after.acts(), before.acts()),
        _less(after.work(), before.work()),
    )


def _less(after: Counter[Key], before: Counter[Key]) -> dict[Key, int]:
    return dict(after - before)


# -- what was published


class Published(BaseModel):
    """Cycles of a round as the paper reports them, None where it does not; `known` and `note` say how well.
    `exception` explains why the lab's order may be another."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    native: Annotated[float, Field(gt=0)] | None = None
    translation: Annotated[float, Field(gt=0)] | None = None
    hardware: Annotated[float, Field(gt=0)] | None = None
    known: Known
    note: str = ""
    exception: str = ""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    cpu: str
    figure: dict[str, Published]


def published() -> dict[str, Published]:
    """The figures of 2006, by nanobenchmark, from `assets/figure2006.toml`."""
    path = Path(str(resources.files("assets"))) / "figure2006.toml"
    return _Table.model_validate(tomllib.loads(path.read_text("utf-8"))).figure
