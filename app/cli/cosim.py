"""``ringside cosim``: random programs under every kind, compared with the bare machine."""

from __future__ import annotations

import argparse
import importlib.util
import sys

from app.cli import statuses
from app.cli.checkout import TESTS, from_checkout
from app.cli.numbers import whole
from core.errors import RequestError

PROGRAMS = 20_000

DESCRIPTION = """\
Makes random guests, half of them with paging: privileged and plain instructions, faults, rings, gates, tasks, I/O,
interrupts, code that changes itself. Each is run on the bare machine and under the kinds asked for, and all that a
guest can see is compared. The first difference is shrunk to the shortest program that shows it, and printed; the
status is then 1. The holes of x86 are left out: 'ringside holes' is about those.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "cosim",
        help="look for differences with random guests",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--programs", metavar="N", type=whole(1), default=PROGRAMS, help=f"how many (default: {PROGRAMS:,})"
    )
    parser.add_argument("--seed", metavar="S", type=whole(0), default=0, help="the same seed, the same programs")
    parser.add_argument("--kinds", metavar="A,B", default="trap_emulate", help="which kinds (default: trap_emulate)")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Run them; returns the exit status."""
    from core.vmm import kind_named

    if importlib.util.find_spec("hypothesis") is None:
        raise RequestError(
            "Random programs need the tools of development.", "Run 'python3 ringside.py test', which sets them up."
        )
    fuzz = from_checkout(TESTS / "cosim", "fuzz", "The random programs", "cosim")
    wanted = [kind_named(name.strip()).kind for name in arguments.kinds.split(",") if name.strip()]
    found = fuzz.cosimulate(arguments.programs, arguments.seed, wanted, _show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(found or f"{arguments.programs:,} programs: no difference from the bare machine under {', '.join(wanted)}.")
    return statuses.PROBLEMS if found else statuses.DONE


def _show(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} programs ", end="", file=sys.stderr, flush=True)
