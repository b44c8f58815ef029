"""A laboratory whose machine follows a script: one `Moment` an instruction. Everything a lesson asks of a real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.devices.disk_image import DiskImage
from core.errors import UnknownName
from core.events import Cause, End, EndHow, Ring, StopReason, Trap
from core.guests.image import Program
from core.snapshot import Register, RegisterGroup, Snapshot
from core.stage import BARE
from core.translations import GuestInstruction, SeenCache, Switch
from core.vm_snapshots.shelf import Shelf

BASE = 0x0010_0000
FLAG_IF = 1 << 9


def program(name: str, **symbols: int) -> Program:
    """A program with nothing in it but its labels."""
    return Program(
        name=name,
        title=name.capitalize(),
        summary="",
        path=f"/guests/{name}.s",
        entry=BASE,
        segments=(),
        symbols={label: BASE + index for label, index in symbols.items()},
        lines={},
        sources=(),
        multiboot=False,
    )


def trap(
    cause: Cause,
    ring_from: int,
    ring_to: int = 0,
    *,
    believed: int | None = None,
    instruction: str = "cli",
    vector: int | None = None,
    time: int = 0,
    number: int = 0,
    pc: int = BASE,
) -> Trap:
    """One departure."""
    return Trap(
        number=number,
        time=time,
        vm="A",
        ring_from=Ring(ring_from),
        believed=Ring(ring_from if believed is None else believed),
        ring_to=Ring(ring_to),
        ring_after=Ring(ring_from),
        cause=cause,
        vector=vector,
        error_code=None,
        pc=pc,
        instruction=instruction,
        handler="monitor: CLI",
        outcome="cleared the virtual IF",
        pc_after=pc + 1,
    )


@dataclass(frozen=True)
class Moment:
    """The machine after one more instruction; `believed_if` and `real_if` are what guest and CPU hold as IF."""

    ring: int = 0
    believed: int = 0
    believed_if: int = 0
    real_if: int = 0
    writes: str = ""
    trap: Trap | None = None
    end: End | None = None


EXIT = Moment(end=End(EndHow.EXIT, 0, "The guest ended its run with status 0."))


class FakeLaboratory:
    """Plays `scripts`: for each guest and kind the moments from power-on (the first is power-on itself)."""

    def __init__(self, programs: Sequence[Program], scripts: Mapping[tuple[str, str], Sequence[Moment]]) -> None:
        self.programs = {each.name: each for each in programs}
        self._scripts = scripts
        self.program: Program | None = None
        self._kind = ""
        self._script: Sequence[Moment] = (Moment(),)
        self._executed = 0
        self._generation = 0
        self.typed = b""
        self.intercepts: dict[int, bool] = {}
        self.switches: dict[Switch, bool] = {}
        self.cache: SeenCache | None = None
        self.became: dict[int, GuestInstruction] = {}
        self.shelf = Shelf()
        self.disk: DiskImage | None = None

    @property
    def inputs(self) -> FakeLaboratory:
        """It is its parts itself."""
        return self

    vms = snapshots = inputs

    def program_named(self, name: str) -> Program:
        """In place of `core.guests.image.load_program`."""
        if name not in self.programs:
            raise UnknownName(f"There is no guest “{name}”.", "Use another.")
        return self.programs[name]

    def load(self, program: Program, kind: str, *, disk: DiskImage | None = None) -> None:
        self.program, self._kind, self.disk = program, kind, disk
        self.reset()

    def close(self) -> None:
        self.program = None

    def reset(self) -> None:
        assert self.program is not None
        self._script = self._scripts[self.program.name, self._kind]
        self._executed = 0
        self._generation += 1

    def run(self, limit: int | None = None) -> StopReason:
        return self._go(lambda: False, limit)

    def step(self, count: int = 1) -> StopReason:
        return self._go(lambda: False, count)

    def step_over(self) -> StopReason:
        return self.step()

    def run_to(self, address: int, limit: int | None = None) -> StopReason:
        return self._go(lambda: BASE + self._executed == address, limit)

    def run_until(self, found: Callable[[Trap], bool], limit: int) -> StopReason:
        def is_there() -> bool:
            happened = self._now.trap
            return happened is not None and found(happened)

        return self._go(is_there, limit)

    def set_intercept(self, code: int, *, on: bool) -> None:
        self.intercepts[code] = on

    def set_translation(self, switch: Switch, *, on: bool) -> None:
        self.switches[switch] = on

    def run_to_new_code(self) -> StopReason:
        return self._go(lambda: True, None)

    def translation_cache(self) -> SeenCache | None:
        return self.cache

    def translated(self, linear: int) -> GuestInstruction | None:
        return self.became.get(linear)

    def send(self, data: bytes) -> None:
        self.typed += data

    def snapshot(
        self, since_trap: int = 0, since_console: int = 0, *, max_traps: int = 2000, listing: int = 48
    ) -> Snapshot:
        past, now = self._script[: self._executed + 1], self._now
        traps = [moment.trap for moment in past if moment.trap]
        console = "".join(moment.writes for moment in past).encode()
        assert self.program is not None
        return Snapshot(
            generation=self._generation,
            vm="A",
            kind=self._kind,
            guest=self.program.name,
            executed=self._executed,
            time=self._executed,
            running=False,
            stop=None,
            end=now.end,
            ring=Ring(now.ring),
            believed=Ring(now.believed),
            stage=BARE,
            pc=BASE + self._executed,
            registers=_registers(now),
            listing=(),
            traps=tuple(traps[since_trap:][-max_traps:]),
            trap_count=len(traps),
            causes=tuple(Counter(each.cause for each in traps).items()),
            console=console[since_console:],
            console_length=len(console),
            breakpoints=frozenset(),
            sentence="",
            host_seconds=0.0,
        )

    @property
    def _now(self) -> Moment:
        return self._script[self._executed]

    def _go(self, stops: Callable[[], bool], limit: int | None) -> StopReason:
        done = 0
        while self._executed + 1 < len(self._script):
            if limit is not None and done >= limit:
                return StopReason.BUDGET
            self._executed += 1
            done += 1
            if self._now.end:
                return StopReason.ENDED
            if stops():
                return StopReason.BREAKPOINT
        return StopReason.WAITING


def _registers(now: Moment) -> tuple[Register, ...]:
    def register(name: str, believed: int, real: int, bits: int = 32) -> Register:
        return Register(name, RegisterGroup.CONTROL, bits, believed, real, "")

    return (
        register("EAX", 0x2A, 0x2A),
        register("EFLAGS", 2 | now.believed_if * FLAG_IF, 2 | now.real_if * FLAG_IF),
        register("IF", now.believed_if, now.real_if, 1),
        register("CPL", now.believed, now.ring, 2),
        register("CR0", 0x11, 0x8000_0011),
    )
