"""A guest under one kind of monitor, measured whole: what it came to, whether it is the same guest, who is in control.

These are Popek & Goldberg's three properties, each with what it rests on: `core.account` for efficiency, `core.compare`
for equivalence, `core.taking_back` for resource control. The result is plain facts, and goes to JSON and back, since
each kind may be measured by a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter

from core.account import Account, Tally
from core.compare import (
    REFERENCE,
    Difference,
    OutputDifference,
    Setting,
    first_difference,
    output_differences,
)
from core.errors import RequestError
from core.events import EndHow, StopReason
from core.session import Session
from core.taking_back import TakenBack, take_back
from core.traplog import KEPT
from core.vmm import kind_named

PIECE = 500_000  # instructions between two reports of progress
FULL = KEPT // 2  # departures after which they are counted
WAITS, LIMITED = "The guest waits for input.", "The guest reached the limit of instructions."
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """`guest` is the build that ran; `own_build`: it is another than the bare machine's, so they were compared by what
    they show (`output_differences`) and not by the instruction (`first_difference`). `taken_back` is None if it was not
    tried. `seconds` are the host's, and the only figure that another run would not give again."""

    kind: str
    guest: str
    own_build: bool
    end: EndHow
    status: int | None
    sentence: str
    console: str
    seconds: float
    account: Account
    first_difference: Difference | None = None
    output_differences: tuple[OutputDifference, ...] = ()
    taken_back: TakenBack | None = None

    @property
    def equivalent(self) -> bool:
        """Was nothing found to differ, but the speed that a build of its own has measured of itself?"""
        return self.first_difference is None and all(each.own_speed for each in self.output_differences)


JSON = TypeAdapter(Measured)


def measure(
    setting: Setting, kind: str, progress: Progress = lambda _stage, _count: None, *, control: bool = False
) -> Measured:
    """Run `setting` under `kind` to its end or limit, compare it with bare, and with `control` try to take memory back.
    `progress(stage, instructions)` is told how far it is. A RequestError if no build of the guest suits the kind."""
    suited = _suited(setting, kind)
    reference = _suited(setting, REFERENCE)
    own_build = suited.program.name != reference.program.name
    session = Session(recording=False)
    try:
        suited.load_into(session, kind)
        tally = Tally()
        reason = _run_whole(session, suited.limit, lambda count: progress("running", count), tally)
        account = tally.account(session)
        differences: tuple[OutputDifference, ...] = ()
        if own_build:
            differences = _against_bare(reference, session)
        end, console, seconds = session.end, session.console, session.host_seconds
    finally:
        session.close()
    first = None
    if kind != REFERENCE and not own_build:
        first = first_difference(suited, kind, lambda count: progress("comparing with bare", count))
    taken = None
    if control:
        progress("taking memory back", 0)
        taken = take_back(suited, kind, account, console)
    waiting = reason is StopReason.WAITING
    return Measured(
        kind=kind,
        guest=suited.program.name,
        own_build=own_build,
        end=end.how if end else EndHow.HALTED if waiting else EndHow.LIMIT,
        status=end.status if end else None,
        sentence=end.sentence if end else WAITS if waiting else LIMITED,
        console=console.decode("utf-8", "backslashreplace"),
        seconds=seconds,
        account=account,
        first_difference=first,
        output_differences=differences,
        taken_back=taken,
    )


def _suited(setting: Setting, kind: str) -> Setting:
    suited = setting.under(kind)
    if suited is None:
        title = kind_named(kind).title
        raise RequestError(f"No build of {setting.program.name} runs under {title}.", "Leave that kind out.")
    return suited


def _against_bare(reference: Setting, other: Session) -> tuple[OutputDifference, ...]:
    bare = Session(recording=False)
    try:
        reference.load_into(bare, REFERENCE)
        bare.run(reference.limit)
        return output_differences(bare, other)
    finally:
        bare.close()


def _run_whole(session: Session, limit: int, progress: Callable[[int], None], tally: Tally) -> StopReason:
    reason = StopReason.BUDGET
    while reason is StopReason.BUDGET and session.executed < limit:
        session.traps.pause_at = session.traps.count + FULL
        reason = session.run(min(PIECE, limit - session.executed))
        tally.take(session)
        progress(session.executed)
    return reason
