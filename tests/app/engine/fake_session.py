"""A session without a CPU: instruction n stands at address n, and every hundredth makes a trap and a byte of console.

It has the part of `core.session.Session` that the engine's loop uses, and does what that promises.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from core import narration
from core.errors import RequestError
from core.events import Cause, End, Ring, StopReason, Trap
from core.guests.image import Program
from core.lab.lab import Lab, LabFuture, Rhythm, Stand
from core.layout import INSTRUCTIONS_PER_SECOND
from core.looks import Look
from core.snapshot import Snapshot
from core.stage import BARE
from core.timeline.actions import AddVm
from core.timeline.journal import Moment
from core.traplog import TrapLog
from core.vm_snapshots.shelf import Shelf


def program(name: str = "count") -> Program:
    return Program(name, name.title(), "", f"{name}.s", 0, ())


@dataclass
class FakeSession:
    """`slice_length` is how far an unlimited run gets before it is interrupted, as by the metronome; with
    `idle_seconds` the guest sleeps so long between its timer's ticks, each a silent instruction, until input comes."""

    slice_length: int = 1000
    idle_seconds: float = 0.0
    waits_at: int | None = None
    raises: BaseException | None = None
    program: Program | None = None
    kind: str = ""
    generation: int = 0
    journal: tuple[object, ...] = ()
    executed: int = 0
    ticks: int = 0
    input: bytes = b""
    keys: bytes = b""
    look: Look = field(default_factory=Look)
    breakpoints: frozenset[int] = frozenset()
    sentence: str = ""
    report: str = ""
    traps: TrapLog = field(default_factory=TrapLog)
    shelf: Shelf = field(default_factory=Shelf)
    end: End | None = None
    stop: StopReason | None = None
    on_slice: Callable[[], None] = lambda: None

    @property
    def inputs(self) -> FakeSession:
        """It is each of a session's parts itself."""
        return self

    vms = snapshots = travel = lab = inputs

    def explain(self, reason: StopReason) -> None:
        self.sentence = narration.of_stop(reason, self.end, self.pc)

    @property
    def begun(self) -> Lab:
        assert self.program is not None
        start = Moment(0, False, 0)
        only = LabFuture(0, None, start, start, ())
        return Lab(AddVm(self.program, self.kind, 0), Rhythm(1, 1), (only,), 0, start, 0, "A")

    @property
    def futures(self) -> tuple[LabFuture, ...]:
        return self.begun.futures

    @property
    def stand(self) -> Stand:
        now = Moment(self.executed, False, self.executed)
        return Stand(0, now, now, 0, "A", {})

    @property
    def machine_executed(self) -> int:
        return self.executed

    @property
    def machine_time(self) -> int:
        return self.executed + round(self.ticks * self.idle_seconds * INSTRUCTIONS_PER_SECOND)

    @property
    def letters(self) -> tuple[str, ...]:
        return ("A",)

    @property
    def selected(self) -> str:
        return "A"

    def require_steppable(self) -> None:
        """It can always be stepped."""

    def creep(self, count: int, *, follow: bool) -> StopReason:
        return self.step(count)

    @property
    def pc(self) -> int:
        return self.executed

    def load(self, program: Program, kind: str, **given: object) -> None:
        self.program, self.kind, self.given = program, kind, given
        self.reset()

    def reset(self) -> None:
        if self.program is None:
            raise RequestError("No guest is loaded.", "Load one.")
        self.generation += 1
        self.executed = 0

    @property
    def console_length(self) -> int:
        return (self.executed - self.ticks) // 100

    @property
    def at_breakpoint(self) -> bool:
        return self.pc in self.breakpoints

    def run(self, limit: int | None = None, *, sleep: float | None = None) -> StopReason:
        if sleep is not None and self.idle_seconds and not self.input:
            ticks = round(sleep / self.idle_seconds - 0.5)  # those that come within it
            self.executed += ticks  # each takes its handler an instruction
            self.ticks += ticks
            return StopReason.IDLE
        return self._go(limit, self.breakpoints)

    def run_to(self, address: int, limit: int | None = None) -> StopReason:
        return self._go(limit, {*self.breakpoints, address})

    def step(self, count: int = 1) -> StopReason:
        return self._go(count, self.breakpoints)

    def _go(self, limit: int | None, stops: Set[int]) -> StopReason:
        if self.raises is not None:
            raised, self.raises = self.raises, None
            raise raised
        last = self.executed + min(self.slice_length, limit or self.slice_length)
        reason = StopReason.BUDGET if limit is not None and limit <= self.slice_length else StopReason.REQUESTED
        while self.executed < last:
            if self.executed == self.waits_at and not self.input:
                reason = StopReason.WAITING
                break
            self.executed += 1
            if self.executed in stops and self.executed != last:  # a slice that ends on one does not tell
                reason = StopReason.BREAKPOINT
                break
        if self.end is not None:
            reason = StopReason.ENDED
        self.on_slice()
        self.stop = reason
        return reason

    def send(self, data: bytes) -> None:
        self.input += data

    def press_keys(self, codes: bytes) -> None:
        self.keys += codes

    def snapshot(self, since_trap: int = 0, since_console: int = 0, *, running: bool = False) -> Snapshot:
        traps = self.executed // 100
        return Snapshot(
            generation=self.generation,
            vm="A",
            kind=self.kind,
            guest=self.program.name if self.program else "",
            executed=self.executed,
            time=self.executed,
            running=running,
            stop=self.stop,
            end=self.end,
            ring=Ring.KERNEL,
            believed=Ring.KERNEL,
            stage=BARE,
            pc=self.pc,
            registers=(),
            listing=(),
            traps=tuple(self._trap(number) for number in range(since_trap, traps)),
            trap_count=traps,
            causes=(),
            console=b"." * (self.console_length - since_console),
            console_length=self.console_length,
            breakpoints=self.breakpoints,
            sentence=self.sentence,
            host_seconds=0.0,
        )

    @staticmethod
    def _trap(number: int) -> Trap:
        ring = Ring.KERNEL
        return Trap(
            number=number,
            time=number * 100,
            vm="A",
            ring_from=ring,
            believed=ring,
            ring_to=ring,
            ring_after=ring,
            cause=Cause.FAULT,
            vector=None,
            error_code=None,
            pc=number * 100,
            instruction="nop",
            handler="",
            outcome="",
            pc_after=number * 100,
        )
