"""``ringside rewind-check``: run a guest, go back to random moments of its run, and compare everything."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from app.cli import statuses
from app.cli.host import parse
from app.cli.numbers import whole

if TYPE_CHECKING:
    from core.rewind import Wrong

LIMIT = 5_000_000
SHOWN = 20

DESCRIPTION = """\
Runs a guest, or several beside each other, and looks at the whole machine at random moments: the CPU with its hidden
segments, every byte of RAM, every field of every device and monitor, the record of departures, the consoles. Then goes
back to each moment, in random order, and looks again; from the last one it runs on to the end, and looks once more. The
status is 0 only if all was equal, and 1 if anything was not.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "rewind-check",
        help="go back to random moments of a run and compare everything",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", metavar="IMAGE", help="a shipped guest's name, or a path")
    parser.add_argument("--vmm", metavar="KIND", default="bare", help="kind of monitor (default: bare)")
    parser.add_argument(
        "--with",
        dest="beside",
        metavar="VM",
        action="append",
        default=[],
        help="one more VM on the machine, as `host` takes it: GUEST:kind=KIND,weight=N …; any number of them",
    )
    parser.add_argument(
        "--acts",
        metavar="N",
        type=whole(0),
        default=0,
        help="how often something is done to a VM on the way: its share, a pause, memory taken back, keys (default: 0)",
    )
    parser.add_argument("--points", metavar="N", type=whole(1), default=100, help="how many moments (default: 100)")
    parser.add_argument("--seed", metavar="S", type=whole(0), default=1, help="which moments (default: 1)")
    parser.add_argument("--append", metavar="TEXT", default="", help="command line for a multiboot guest")
    parser.add_argument(
        "--max-instructions", metavar="N", type=whole(1), default=LIMIT, help=f"at most (default: {LIMIT:,})"
    )
    parser.add_argument("--json", action="store_true", help="one object, for scripts")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Check; returns the exit status."""
    from core.guests.catalog import load_program
    from core.rewind import rewind_check
    from core.timeline.actions import AddVm
    from core.vmm import kind_named

    kind = kind_named(arguments.vmm).kind
    program = load_program(arguments.image)
    wishes = [parse(text, kind) for text in arguments.beside]
    beside = [
        AddVm(load_program(one.guest), kind_named(one.kind).kind, one.memory, one.weight, one.cap, one.append)
        for one in wishes
    ]
    progress = _Progress(arguments.points)
    wrong = rewind_check(
        program,
        kind,
        points=arguments.points,
        seed=arguments.seed,
        limit=arguments.max_instructions,
        command_line=arguments.append,
        beside=beside,
        acts=arguments.acts,
        progress=progress,
    )
    if arguments.json:
        rows = [asdict(each) for each in wrong]
        print(json.dumps({"image": arguments.image, "kind": kind, "points": progress.done, "different": rows}))
    else:
        _say(progress.done, wrong)
    return statuses.PROBLEMS if wrong else statuses.DONE


class _Progress:
    """How many moments were compared, told on a terminal."""

    def __init__(self, points: int) -> None:
        self._points, self.done = points, 0

    def __call__(self, done: int) -> None:
        self.done = done
        if sys.stderr.isatty():
            print(f"\r{done:,} of {self._points:,} moments ", end="", file=sys.stderr, flush=True)


def _say(points: int, wrong: list[Wrong]) -> None:
    if not wrong:
        print(f"{points:,} moments, each exactly as it was, and the same end from there")
    for each in wrong[:SHOWN]:
        when = "back at" if each.going_back else "having run on to"
        print(f"{when} {each.executed:,} instructions: {each.what} differs")
    if len(wrong) > SHOWN:
        print(f"and {len(wrong) - SHOWN:,} more differences")
