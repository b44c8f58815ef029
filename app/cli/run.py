"""``ringside run``: one guest under one kind of monitor, without a window.

The guest's serial port is standard output, byte for byte; what is said about the run goes to standard error, or with
--json both go to standard output as one object.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import statuses
from app.cli.numbers import whole
from app.cli.start_options import add_start_options, start_with
from app.cli.terminal import Keyboard, keyboard
from app.cli.version import version
from core.events import EndHow, StopReason
from core.layout import INSTRUCTIONS_PER_SECOND

if TYPE_CHECKING:
    from core.costs import CostModel, Part
    from core.guests.start import StartWith
    from core.session import Session

BARE = "bare"
SLICE = 0.05  # seconds after which Python may notice Ctrl-C, and output is passed on

HELP = "run a guest in the terminal"
DESCRIPTION = """\
Runs a guest and prints what it writes to its serial port; in a terminal, what you type goes to it. The run is exactly
repeatable: virtual time counts instructions, so the same guest with the same input at the same time gives the same
traps at the same instructions, always.
"""
EXAMPLES = f"""\
examples:
  ringside run hello --vmm bare              a shipped guest on the bare machine, with no monitor
  ringside run pebble                        a small operating system: type help at its prompt, Ctrl-C to leave
  ringside run hole --vmm trap_emulate       the same instructions, a less privileged kernel: spot the difference
  ringside run mykernel.elf --vmm bare --max-instructions 1000000 --json
  ringside run pebble --until 2000000 --snapshot early.ringvm    the whole VM into a file …
  ringside run early.ringvm --vmm translation                    … that goes on from there

{statuses.EXPLAINED}"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run", help=HELP, description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "image",
        metavar="IMAGE",
        help="a shipped guest's name (see 'ringside guests') or a path: ELF32, flat, .s; or a VM's file (.ringvm)",
    )
    parser.add_argument(
        "--vmm",
        metavar="KIND",
        help="the kind of monitor it runs under (see 'ringside kinds'); bare, the default, is none at all; the default "
        "for a VM that goes on is its own",
    )
    parser.add_argument(
        "--max-instructions",
        "--until",
        metavar="N",
        type=whole(1),
        help="stop after N instructions (default: run to the end)",
    )
    parser.add_argument(
        "--snapshot",
        metavar="FILE",
        type=Path,
        help="when the run is over, write the whole VM to this file (.ringvm), to go on from there at any time",
    )
    parser.add_argument(
        "--input", metavar="TEXT", default="", help="bytes waiting at the serial port when the guest starts"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object with the outcome, and nothing else")
    add_start_options(parser)
    parser.add_argument(
        "--save-disk",
        metavar="FILE",
        type=Path,
        help="when the run is over, write the disk to this file: that of --disk, or a new one",
    )
    parser.add_argument(
        "--costs",
        metavar="NAME",
        help="also model the cycles it would cost on a processor: pentium4-2006, sandy-bridge-2011",
    )
    parser.add_argument(
        "--translate",
        choices=("on-demand", "ahead"),
        help="binary translation: each unit as it is reached (the default), or all that can be found before it runs",
    )
    parser.add_argument(
        "--no-adaptive",
        action="store_true",
        help="binary translation: leave what traps often as it is, instead of calling the monitor for it",
    )
    parser.set_defaults(main=main)


@dataclass(frozen=True, slots=True)
class Modelled:
    """What a run would cost by a table of published costs: a model, not a measurement."""

    model: CostModel
    parts: dict[Part, int]

    @property
    def total(self) -> int:
        """Cycles."""
        return sum(self.parts.values())

    def as_json(self) -> dict[str, Any]:
        """The shape that scripts rely on."""
        parts = {part.value: cycles for part, cycles in self.parts.items()}
        return {"generation": self.model.name, "total": self.total, "parts": parts}

    def in_words(self) -> str:
        """The same for people."""
        parts = ", ".join(f"{100 * cycles / self.total:.0f} % {part.value}" for part, cycles in self.parts.items())
        return f"Modelled on a {self.model.title}: {self.total:,} cycles ({parts})."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went. `how` is None if the person interrupted it; `sentence` is for people."""

    kind: str
    how: EndHow | None
    status: int | None
    sentence: str
    instructions: int
    console: bytes
    traps: dict[str, int]
    seconds: float
    modelled: Modelled | None = None

    @property
    def mips(self) -> float:
        """Millions of instructions a second, measured."""
        return self.instructions / self.seconds / 1e6 if self.seconds else 0.0

    @property
    def exit_status(self) -> int:
        """What the process ends with."""
        match self.how:
            case EndHow.EXIT:
                return (self.status or 0) & 0xFF
            case EndHow.HALTED:
                return statuses.DONE
            case EndHow.LIMIT:
                return statuses.LIMIT
            case EndHow.ERROR:
                return statuses.GUEST_ERROR
            case None:
                return statuses.INTERRUPTED

    def as_json(self) -> dict[str, Any]:
        """The shape that scripts rely on."""
        return {
            "kind": self.kind,
            "end": {"how": self.how.value if self.how else "interrupted", "status": self.status},
            "instructions": self.instructions,
            "console": self.console.decode("utf-8", "backslashreplace"),
            "traps": self.traps,
            "wall_s": round(self.seconds, 6),
            "mips": round(self.mips, 3),
            "modelled_cycles": self.modelled.as_json() if self.modelled else None,
        }

    def in_words(self) -> str:
        """The same for people."""
        traps = ", ".join(f"{count:,} {cause}" for cause, count in self.traps.items()) or "none"
        return (
            f"{self.sentence}\n{self.instructions:,} instructions under {self.kind} in {self.seconds:.3f} s "
            f"({self.mips:.1f} million a second). Traps: {traps}."
        ) + (f"\n{self.modelled.in_words()}" if self.modelled else "")


def main(arguments: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    from core.account import Tally
    from core.cost_table import model_named
    from core.guests.catalog import load_program
    from core.lab.archive import is_vm_file
    from core.lab.vm_files import save_vm
    from core.session import Session
    from core.translations import Switch

    costs = None if arguments.costs is None else model_named(arguments.costs)
    session = Session(recording=False)  # nobody looks at heat or the ring of program counters
    try:
        start = start_with(arguments)
        if arguments.save_disk is not None:
            _check_saving(start, arguments.save_disk)
        if arguments.snapshot is not None:
            _check_snapshot(arguments.snapshot)
        if is_vm_file(Path(arguments.image)):
            _go_on(session, Path(arguments.image), start, arguments.vmm or "")
        else:
            session.load(
                load_program(arguments.image),
                arguments.vmm or BARE,
                command_line=start.command_line,
                disk=start.read_disk(),
                modules=start.read_modules(),
            )
        if arguments.translate is not None:
            session.inputs.set_translation(Switch.AHEAD, on=arguments.translate == "ahead")
        if arguments.no_adaptive:
            session.inputs.set_translation(Switch.ADAPTIVE, on=False)
        if arguments.input:
            session.inputs.send(arguments.input.encode())
        tally = Tally()

        def between(new: bytes) -> None:
            tally.take(session)
            if not arguments.json:
                _print_console(new)

        with _keys_for(session, arguments) as keys:
            outcome = run(session, arguments.max_instructions, between, keys)
        if costs is not None:
            outcome = replace(outcome, modelled=Modelled(costs, tally.account(session).cycles(costs)))
        report = session.report
        if arguments.save_disk is not None:
            session.save_disk(arguments.save_disk)
        if arguments.snapshot is not None:
            save_vm(session.snapshots.now(), arguments.snapshot.stem, arguments.snapshot, version())
    finally:
        session.close()
    if arguments.json:
        print(json.dumps(outcome.as_json()))
    else:
        _say(outcome.in_words())
    if report:  # the run ended by a fault of the lab, not of the guest
        print(report, file=sys.stderr)
        return statuses.LAB_FAULT
    return outcome.exit_status


def _go_on(session: Session, path: Path, start: StartWith, kind: str) -> None:
    """Power on with the VM in that file."""
    from core.errors import RequestError
    from core.lab.vm_files import open_vm

    if start.command_line or start.disk or start.modules:
        raise RequestError("A VM that goes on has its command line, disk and modules already.", "Leave them out.")
    session.power_on_from(open_vm(path)[1], kind)


def _check_snapshot(path: Path) -> None:
    """Refuse before the run what could not be saved after it."""
    from core.errors import LabError
    from core.lab.files import check_place

    check_place(path, "VM")
    if path.exists():
        raise LabError("There is a file already.", "Choose another name.", str(path))


def _check_saving(start: StartWith, path: Path) -> None:
    """Refuse before the run what could not be saved after it."""
    from core.devices.disk_image import check_target
    from core.errors import ImageError, RequestError

    if not start.disk:
        raise RequestError("There is no disk to save.", "Give one with --disk; “ringside disk FILE” makes a blank one.")
    check_target(path)
    if path.exists() and not (Path(start.disk).exists() and path.samefile(start.disk)):
        raise ImageError("There is a file already.", "Name the file of --disk, or a new one.", str(path))


@contextmanager
def _keys_for(session: Session, arguments: argparse.Namespace) -> Iterator[Keyboard | None]:
    """The person's keys, unless a script gives the input or reads the output."""
    if arguments.json or arguments.input:
        yield None
        return
    with keyboard(session.request_stop) as keys:
        yield keys


def run(
    session: Session, limit: int | None, on_console: Callable[[bytes], None], keys: Keyboard | None = None
) -> Outcome:
    """Run a loaded session to its end or the limit, giving `on_console` new output now and then. Ctrl-C ends it too.
    With `keys` a person types to it, and while it sleeps it does so by the wall clock."""
    from app.engine.doze import Doze
    from app.engine.metronome import Metronome

    metronome = Metronome(session.request_stop, SLICE)
    shown, begun = session.console_length, session.executed  # a VM that goes on has a past
    doze = Doze.begun(time.monotonic())
    goes_on = {StopReason.REQUESTED} | ({StopReason.IDLE, StopReason.WAITING} if keys is not None else set())
    reason = StopReason.REQUESTED
    start = time.perf_counter()
    with ctrl_c() as interrupted:
        while reason in goes_on and not interrupted():
            typed = keys.taken() if keys is not None else b""
            if typed:
                doze.wake(time.monotonic())
            sleep, before = doze.allowance(time.monotonic()) if keys is not None else None, session.machine_time
            with metronome:
                reason = session.run(None if limit is None else begun + limit - session.executed, sleep=sleep)
            now = time.monotonic()
            doze.passed((session.machine_time - before) / INSTRUCTIONS_PER_SECOND, now)
            on_console(session.console[shown:])
            if shown < session.console_length:
                shown = session.console_length
                doze.seen(now)
            if keys is None:
                continue
            if typed and reason in goes_on:
                session.inputs.send(typed)
                reason = StopReason.REQUESTED
            elif reason is StopReason.WAITING:
                keys.wait(inf)
            elif reason is StopReason.IDLE and doze.sleep(session.idle_seconds, now):
                keys.wait(doze.wait(now))
    seconds = time.perf_counter() - start
    metronome.close()
    how, status, sentence = _end(session, reason, interrupted())
    traps = dict(sorted((cause.value, count) for cause, count in session.traps.causes.items()))
    return Outcome(session.kind, how, status, sentence, session.executed - begun, session.console, traps, seconds)


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    """Inside, Ctrl-C raises nothing; the value given tells whether it was pressed."""
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: pressed.set())
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _end(session: Session, reason: StopReason, interrupted: bool) -> tuple[EndHow | None, int | None, str]:
    if session.end is not None:
        return session.end.how, session.end.status, session.end.sentence
    if interrupted:
        return None, None, "You interrupted the run."
    if reason is StopReason.WAITING:
        return EndHow.HALTED, None, "The guest waits for input, and there is no more: give it some with --input."
    return EndHow.LIMIT, None, "The guest reached the instruction limit."


def _print_console(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _say(words: str) -> None:
    sys.stdout.flush()
    print(f"\n{words}" if sys.stdout.isatty() and sys.stderr.isatty() else words, file=sys.stderr)
