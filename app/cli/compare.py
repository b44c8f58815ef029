"""``ringside compare``: one guest under every kind, and the first difference from the bare machine, if there is one."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.cli import statuses
from app.cli.numbers import whole
from app.cli.start_options import add_start_options, start_with

if TYPE_CHECKING:
    from core.compare import Difference, Setting

LIMIT = 200_000_000

DESCRIPTION = """\
Runs a guest on the bare machine and under each kind of monitor, side by side, and looks for the first instruction after
which anything that the guest can see is different: a register, a word of its memory, its console. That is the first of
Popek and Goldberg's three properties, equivalence. The status is 0 if there is no difference, or only one that begins
at an instruction known not to trap (PUSHF, SGDT and their like), and 1 if there is another.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "compare",
        help="run a guest under every kind and find the first difference",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", metavar="IMAGE", help="a shipped guest's name, or a path")
    parser.add_argument("--kinds", metavar="A,B", default="", help="which kinds (default: all)")
    add_start_options(parser)
    parser.add_argument(
        "--max-instructions", metavar="N", type=whole(1), default=LIMIT, help=f"at most (default: {LIMIT:,})"
    )
    parser.add_argument("--json", action="store_true", help="one object, for scripts")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Compare; returns the exit status."""
    from core.compare import REFERENCE, Setting, first_difference
    from core.guests.catalog import load_program
    from core.vmm import kind_named, kinds_for

    program = load_program(arguments.image)
    chosen = [kind_named(name.strip()).kind for name in arguments.kinds.split(",") if name.strip()]
    wanted = chosen or list(kinds_for(program.interface))
    start = start_with(arguments)
    setting = Setting(
        program,
        start.command_line,
        arguments.max_instructions,
        start.read_disk(),
        start.read_modules(),
    )
    rows: dict[str, dict[str, Any]] = {}
    worst = statuses.DONE
    for kind in [REFERENCE, *(kind for kind in wanted if kind != REFERENCE)]:
        row = rows[kind] = _run(setting, kind)
        found = None if kind == REFERENCE else first_difference(setting, kind, _progress(kind))
        row["first_difference"] = None if found is None else asdict(found)
        if found is not None and not found.documented:
            worst = statuses.PROBLEMS
        if not arguments.json:
            _say(kind, row, found)
    if arguments.json:
        print(json.dumps({"image": arguments.image, "kinds": rows}))
    return worst


def _run(setting: Setting, kind: str) -> dict[str, Any]:
    """The same object as of ``run --json``."""
    from app.cli.run import run
    from core.session import Session

    session = Session(recording=False)
    try:
        setting.load_into(session, kind)
        return run(session, setting.limit, lambda _: None).as_json()
    finally:
        session.close()


def _progress(kind: str) -> Any:
    def show(executed: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{kind}: equal after {executed:,} instructions ", end="", file=sys.stderr, flush=True)

    return show


def _say(kind: str, row: dict[str, Any], found: Difference | None) -> None:
    end = row["end"]["how"] + (f" {row['end']['status']}" if row["end"]["status"] is not None else "")
    traps = ", ".join(f"{count:,} {cause}" for cause, count in row["traps"].items()) or "none"
    print(f"{kind}: {end}, {row['instructions']:,} instructions; traps: {traps}")
    if found is not None:
        known = " (a known hole: it does not trap)" if found.documented else ""
        print(
            f"  first difference after {found.executed:,} instructions, by {found.instruction} at {found.pc:#010x}"
            f"{known}:"
            f"\n  {found.where} is {found.found}, on the bare machine {found.expected}"
        )
    elif kind != "bare":
        print("  no difference from the bare machine")
