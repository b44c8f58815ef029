"""The holes of x86, measured: what each sensitive instruction of Robin & Irvine does on bare, and under every kind.

Each has a tiny guest (`assets/guests/holes`) that runs it once, at the label `hole`, and leaves what it saw in words
labelled `seen_…`. The guest is run on bare and under a kind; whether the instruction called the monitor is read from
the record of departures, whether it told the guest the same from its memory; nothing is known beforehand. (Robin &
Irvine, "Analysis of the Intel Pentium's ability to support a secure virtual machine monitor", USENIX Security 2000.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from core.cpu.decode import spell
from core.errors import LabFault
from core.events import EndHow, Trap
from core.guests.catalog import GuestInfo, hole_guests, load_program
from core.guests.image import Program
from core.session import Session
from core.vmm import kinds_for

HOLE, SEEN = "hole", "seen_"  # labels in the guests
REFERENCE = "bare"
LIMIT = 100_000  # instructions; the guests need some thousands at most


class Verdict(Enum):
    """What a kind makes of an instruction. `value` names it in JSON; `phrase`, `meaning` are for people."""

    TRAPS = ("traps", "traps", "It traps, the monitor does what it should have done, and the guest sees no difference.")
    SAME = (
        "same",
        "same",
        "No monitor is called: the CPU does it or refuses it, and the guest sees just what it would see on bare.",
    )
    DIFFERS = (
        "silently-differs",
        "silently differs",
        "It does not trap, and the guest sees something else than on the bare machine: a hole.",
    )
    WRONG = ("traps-and-differs", "traps, and differs", "It traps, and the guest still sees something else: a mistake.")

    def __new__(cls, value: str, phrase: str, meaning: str) -> Verdict:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, phrase: str, meaning: str) -> None:
        self.phrase = phrase
        self.meaning = meaning


@dataclass(frozen=True, slots=True)
class Seen:
    """What the guest has seen of one thing: an interrupt flag, a base address."""

    name: str
    value: int

    def __str__(self) -> str:
        return f"{self.name} = {self.value:#x}" if self.value > 9 else f"{self.name} = {self.value}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One instruction under one kind: the verdict, what the guest saw, and the departure that called the monitor, if
    one did."""

    kind: str
    verdict: Verdict
    seen: tuple[Seen, ...]
    trap: Trap | None


@dataclass(frozen=True, slots=True)
class Row:
    """One instruction: the guest that shows it, the address it stands at, its text, what it does, and what came of it
    under each kind, bare first."""

    guest: str
    name: str
    address: int
    instruction: str
    summary: str
    cells: tuple[Cell, ...]

    def under(self, kind: str) -> Cell:
        """What came of it under `kind`."""
        return next(cell for cell in self.cells if cell.kind == kind)


def measure_holes(wanted: Iterable[str] | None = None) -> Iterator[Row]:
    """Every row of the table, each as soon as it is measured, under bare and the kinds `wanted` (default: all)."""
    under = [REFERENCE, *(kind for kind in (wanted if wanted is not None else kinds_for()) if kind != REFERENCE)]
    session = Session(recording=False)
    try:
        for info in hole_guests().values():
            yield _row(session, info, under)
    finally:
        session.close()


def _row(session: Session, info: GuestInfo, under: list[str]) -> Row:
    program = load_program(info.name)
    address = program.symbols[HOLE]
    cells: list[Cell] = []
    instruction = ""
    for kind in under:
        session.load(program, kind)
        instruction = instruction or spell(session.peek_code(address), address)
        seen, trap = run_to_end(session, program, address)
        differs = bool(cells) and seen != cells[0].seen
        if trap is not None:
            verdict = Verdict.WRONG if differs else Verdict.TRAPS
        else:
            verdict = Verdict.DIFFERS if differs else Verdict.SAME
        cells.append(Cell(kind, verdict, seen, trap))
    return Row(info.name, info.title, address, instruction, info.summary, tuple(cells))


def run_to_end(session: Session, program: Program, address: int) -> tuple[tuple[Seen, ...], Trap | None]:
    """Run the guest to its end; what it saw, and the departure by which the instruction at `address` called the
    monitor, if it did."""
    session.run(LIMIT)
    end = session.end
    if end is None or end.how is not EndHow.EXIT:
        raise LabFault(f"{program.name} did not come to its end: {end.sentence if end else 'it ran on and on'}")
    seen = tuple(
        Seen(label.removeprefix(SEEN), int.from_bytes(session.read_memory(at, 4), "little"))
        for label, at in program.symbols.items()
        if label.startswith(SEEN)
    )
    caused = (trap for trap in session.traps.recent() if trap.pc == address and session.vmm.trapped(trap))
    return seen, next(caused, None)
