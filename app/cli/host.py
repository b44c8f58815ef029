"""``ringside host``: several VMs on one machine, each under a monitor of its own, without a window.

What the guests write goes to standard output, line by line, each marked with its VM's letter; at the end the shares
that each had of the machine go to standard error, or with --json everything to standard output as one object.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import statuses
from app.cli.numbers import whole
from app.cli.run import SLICE, ctrl_c
from core.errors import RequestError
from core.events import EndHow, StopReason
from core.layout import MIB, VM_MEMORY

if TYPE_CHECKING:
    from core.session import Session
    from core.snapshot import VmSummary

HELP = "run several guests beside each other, each in a VM"
DESCRIPTION = """\
Hosts several VMs on one machine and prints what each writes, marked by its letter. The CPU is shared by weights and
caps, in virtual time, so the run is exactly repeatable; and each guest does exactly what it does alone.

Each VM is given as GUEST, or GUEST:KEY=VALUE,KEY=VALUE … with these keys. A VM's file (.ringvm) is a guest, too.
  kind     the kind of monitor (default: that of --vmm)
  memory   MiB (default 16)
  weight   its part of the CPU relative to the others' (default 1)
  cap      percent of the CPU that it may have at most
  append   command line, for a multiboot guest
"""
EXAMPLES = f"""\
examples:
  ringside host pebble-clean:append=run=forks pebble-clean:append=run=primes,weight=3
  ringside host hello rings hole --json
  ringside host pebble-clean pebble-clean:cap=20 --input 'echo hi\\n' --max-instructions 10000000

{statuses.EXPLAINED}"""
KEYS = ("kind", "memory", "weight", "cap", "append")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "host",
        help=HELP,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("vms", metavar="VM", nargs="+", help="a guest, perhaps with how its VM is to be")
    parser.add_argument("--vmm", metavar="KIND", default="trap_emulate", help="the kind of monitor (trap_emulate)")
    parser.add_argument(
        "--max-instructions", metavar="N", type=whole(1), help="stop after N instructions of the machine"
    )
    parser.add_argument("--input", metavar="TEXT", default="", help="what is typed to each guest; \\n is Enter")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the outcome, and nothing else")
    parser.set_defaults(main=main)


@dataclass(frozen=True, slots=True)
class Wish:
    """One VM as the person wants it; memory in bytes."""

    guest: str
    kind: str
    memory: int = VM_MEMORY
    weight: int = 1
    cap: int | None = None
    append: str = ""


def parse(text: str, kind: str) -> Wish:
    """``GUEST:KEY=VALUE,…``; a RequestError for what cannot be understood."""
    guest, _, rest = text.partition(":")
    given: dict[str, str] = {}
    for part in rest.split(",") if rest else ():
        key, is_there, value = part.partition("=")
        if key not in KEYS or not is_there:
            raise RequestError(
                f"“{part}” in {text} is not understood.", f"Write KEY=VALUE, KEY one of {', '.join(KEYS)}."
            )
        given[key] = value
    numbers = {}
    for key in ("memory", "weight", "cap"):
        if key in given:
            try:
                numbers[key] = int(given[key])
            except ValueError:
                raise RequestError(f"“{given[key]}” in {text} is no whole number.", f"Give {key} as one.") from None
    return Wish(
        guest,
        given.get("kind", kind),
        numbers["memory"] * MIB if "memory" in numbers else VM_MEMORY,
        numbers.get("weight", 1),
        numbers.get("cap"),
        given.get("append", ""),
    )


class Consoles:
    """Prints whole lines of every VM's console, marked; `flush` also what is not yet a line."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: dict[str, int] = dict.fromkeys(session.vms.letters, 0)

    def show(self, *, all_of_it: bool = False) -> None:
        """Print what is new."""
        for letter in self._session.vms.letters:
            fresh = self._session.vms.console_of(letter)[self._shown[letter] :]
            end = len(fresh) if all_of_it else fresh.rfind(b"\n") + 1
            self._shown[letter] += end
            for line in fresh[:end].decode("utf-8", "backslashreplace").splitlines():
                print(f"{letter}| {line}")
        sys.stdout.flush()


def main(arguments: argparse.Namespace) -> int:
    """Host them; returns the exit status."""
    from core.session import Session

    session = Session(recording=False)
    try:
        for text in arguments.vms:
            _power_on(session, parse(text, arguments.vmm))
        for letter in session.vms.letters if arguments.input else ():
            session.select(letter)
            session.inputs.send(arguments.input.replace("\\n", "\n").encode())
        consoles = None if arguments.json else Consoles(session)
        reason, interrupted = _run(session, arguments.max_instructions, consoles)
        if consoles is not None:
            consoles.show(all_of_it=True)
        summaries = session.vms.summaries()
        if arguments.json:
            print(json.dumps(_as_json(session, summaries, reason, interrupted)))
        else:
            print(_in_words(session, summaries), file=sys.stderr)
    finally:
        session.close()
    return _status(summaries, reason, interrupted)


def _power_on(session: Session, wish: Wish) -> None:
    from core.guests.catalog import load_program
    from core.lab.archive import is_vm_file
    from core.vm import check_cap, check_weight

    if is_vm_file(Path(wish.guest)):
        _go_on(session, wish)
        return
    program = load_program(wish.guest)
    if session.program is not None:
        session.vms.add(
            program, wish.kind, memory=wish.memory, weight=wish.weight, cap=wish.cap, command_line=wish.append
        )
        return
    check_weight(wish.weight)
    check_cap(wish.cap)
    session.load(program, wish.kind, command_line=wish.append, memory=wish.memory)
    session.vms.set_weight(session.selected, wish.weight)
    session.vms.set_cap(session.selected, wish.cap)


def _go_on(session: Session, wish: Wish) -> None:
    """With the VM in that file, whose memory and command line are its own."""
    from core.lab.vm_files import open_vm
    from core.vm import check_cap, check_weight

    if wish.append or wish.memory != VM_MEMORY:
        raise RequestError("A VM that goes on has its memory and command line already.", "Leave them out.")
    _, snapshot = open_vm(Path(wish.guest))
    if session.program is not None:
        session.vms.add_from(snapshot, wish.kind, weight=wish.weight, cap=wish.cap)
        return
    check_weight(wish.weight)
    check_cap(wish.cap)
    session.power_on_from(snapshot, wish.kind)
    session.vms.set_weight(session.selected, wish.weight)
    session.vms.set_cap(session.selected, wish.cap)


def _run(session: Session, limit: int | None, consoles: Consoles | None) -> tuple[StopReason, bool]:
    from app.engine.metronome import Metronome

    metronome, reason = Metronome(session.request_stop, SLICE), StopReason.REQUESTED
    with ctrl_c() as interrupted:
        while reason is StopReason.REQUESTED and not interrupted():
            with metronome:
                reason = session.run(None if limit is None else limit - session.machine_executed, resumed=True)
            if consoles is not None:
                consoles.show()
        was_interrupted = interrupted()
    metronome.close()
    return reason, was_interrupted


def _status(summaries: tuple[VmSummary, ...], reason: StopReason, interrupted: bool) -> int:
    if interrupted:
        return statuses.INTERRUPTED
    if any(vm.end is not None and vm.end.how is EndHow.ERROR for vm in summaries):
        return statuses.GUEST_ERROR
    return statuses.LIMIT if reason is StopReason.BUDGET else statuses.DONE


def _as_json(
    session: Session, summaries: tuple[VmSummary, ...], reason: StopReason, interrupted: bool
) -> dict[str, Any]:
    return {
        "stop": "interrupted" if interrupted else reason.value,
        "instructions": session.machine_executed,
        "world_switches": sum(count for cause, count in session.traps.causes.items() if cause.value == "world-switch"),
        "vms": {
            vm.letter: {
                "guest": vm.guest,
                "kind": vm.kind,
                "state": vm.state.value,
                "weight": vm.weight,
                "cap": vm.cap,
                "instructions": vm.executed,
                "share": None if vm.share is None else round(vm.share, 6),
                "end": None if vm.end is None else {"how": vm.end.how.value, "status": vm.end.status},
                "console": session.vms.console_of(vm.letter).decode("utf-8", "backslashreplace"),
            }
            for vm in summaries
        },
    }


def _in_words(session: Session, summaries: tuple[VmSummary, ...]) -> str:
    lines = [f"{session.machine_executed:,} instructions of the machine, shared by {len(summaries)}:"]
    for vm in summaries:
        share = f"{vm.share:6.1%}" if vm.share is not None else "     –"
        state = vm.end.sentence if vm.end is not None else f"It is {vm.state.value}."
        bound = f", cap {vm.cap} %" if vm.cap is not None else ""
        lines.append(
            f"{vm.letter}  {vm.guest} under {vm.kind}, weight {vm.weight}{bound}: {vm.executed:>13,} {share}  {state}"
        )
    return "\n".join(lines)
