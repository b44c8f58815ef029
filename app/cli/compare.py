"""``ringside compare``: one guest under every kind, counted, and the first difference from the bare machine, if any."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.cli import statuses
from app.cli.numbers import whole
from app.cli.start_options import add_start_options, start_with

if TYPE_CHECKING:
    from core.compare import Setting
    from core.costs import CostModel
    from core.events import Cause
    from core.measured import Measured

LIMIT = 200_000_000

DESCRIPTION = """\
Runs a guest on the bare machine and under each kind of monitor, side by side, and looks for the first instruction after
which anything that the guest can see is different: a register, a word of its memory, its console. That is the first of
Popek and Goldberg's three properties, equivalence. The status is 0 if there is no difference, or only one that begins
at an instruction known not to trap (PUSHF, SGDT and their like), and 1 if there is another. With --every-program that
is done for each program of a guest such as pebble-clean, and the JSON has "runs" by command line in place of "kinds".

A paravirtual kind needs a changed guest: it runs its own build of the same source, if there is one, and is said to. Two
builds are compared by what they show on the console and how they end. All counts are measured, and the same at every
repetition; with --costs, cycles are modelled from them.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "compare",
        help="run a guest under every kind, count, and find the first difference",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", metavar="IMAGE", help="a shipped guest's name, or a path")
    parser.add_argument("--kinds", metavar="A,B", default="", help="which kinds beside bare (default: all)")
    add_start_options(parser)
    parser.add_argument(
        "--every-program",
        action="store_true",
        help="run every program that is in the image, one after another: the command lines that its build names",
    )
    parser.add_argument(
        "--max-instructions", metavar="N", type=whole(1), default=LIMIT, help=f"at most (default: {LIMIT:,})"
    )
    parser.add_argument("--costs", metavar="NAME", help="also model cycles: pentium4-2006, sandy-bridge-2011")
    parser.add_argument("--json", action="store_true", help="one object, for scripts")
    parser.add_argument(
        "--only",
        metavar="KIND",
        help="measure this kind alone, take memory back from the guest meanwhile, and print all that is known as JSON, "
        "the departures of each guest instruction included; progress goes to standard error",
    )
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Compare; returns the exit status."""
    from dataclasses import replace

    from core.compare import REFERENCE, Setting
    from core.cost_table import model_named
    from core.guests.catalog import load_program
    from core.measured import JSON, measure
    from core.vmm import kind_named, kinds

    costs = None if arguments.costs is None else model_named(arguments.costs)
    start = start_with(arguments)
    setting = Setting(
        load_program(arguments.image),
        start.command_line,
        arguments.max_instructions,
        start.read_disk(),
        start.read_modules(),
    )
    lines = _every_program(arguments)
    if arguments.only is not None:
        found = measure(setting, kind_named(arguments.only).kind, _report, control=True)
        print(JSON.dump_json(found).decode())
        return statuses.DONE
    chosen = [kind_named(name.strip()).kind for name in arguments.kinds.split(",") if name.strip()]
    wanted = chosen or _suited(setting, kinds())
    runs: dict[str, dict[str, dict[str, Any]]] = {}
    worst = statuses.DONE
    for line in lines or [setting.command_line]:
        rows = runs[line] = {}
        if lines and not arguments.json:
            print(f"{line}:")
        for kind in [REFERENCE, *(kind for kind in wanted if kind != REFERENCE)]:
            found = measure(replace(setting, command_line=line), kind, _progress(kind))
            rows[kind] = _row(found, costs)
            if _is_problem(found):
                worst = statuses.PROBLEMS
            if not arguments.json:
                _say(found, costs)
    if arguments.json:
        told = {"runs": runs} if lines else {"kinds": runs[setting.command_line]}
        print(json.dumps({"image": arguments.image, **told}))
    return worst


def _every_program(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The command lines of the guest's own programs; none unless they were asked for."""
    from core.errors import RequestError
    from core.guests.catalog import shipped_guests

    if not arguments.every_program:
        return ()
    if arguments.append or arguments.only is not None:
        raise RequestError("--every-program goes neither with --append nor with --only.", "Leave one of them out.")
    info = shipped_guests().get(arguments.image)
    if info is None or not info.runs:
        able = ", ".join(name for name, guest in shipped_guests().items() if guest.runs)
        raise RequestError(f"{arguments.image} names no programs that are in it.", f"Choose one of: {able}.")
    return info.runs


def _suited(setting: Setting, kinds: Any) -> list[str]:
    """The kinds for which there is a build of the guest."""
    return [kind for kind in kinds if setting.under(kind) is not None]


def _is_problem(found: Measured) -> bool:
    if found.first_difference is not None:
        return not found.first_difference.documented
    return not found.equivalent


def _row(found: Measured, costs: CostModel | None) -> dict[str, Any]:
    """What ``run --json`` prints, and beside it what comes of comparing."""
    from dataclasses import asdict

    from app.cli.run import Modelled

    account = found.account
    return {
        "kind": found.kind,
        "image": found.guest,
        "own_build": found.own_build,
        "end": {"how": found.end.value, "status": found.status},
        "instructions": account.instructions,
        "ran": {"direct": account.direct, "translated": account.translated, "with_monitor": account.with_monitor},
        "console": found.console,
        "traps": _by_name(account.departures()),
        "acts": _by_name(account.acts()),
        "work": {work.value: count for work, count in account.work().items() if count},
        "wall_s": round(found.seconds, 6),
        "mips": round(account.instructions / found.seconds / 1e6, 3) if found.seconds else 0.0,
        "modelled_cycles": Modelled(costs, account.cycles(costs)).as_json() if costs else None,
        "first_difference": asdict(found.first_difference) if found.first_difference else None,
        "output_differences": [asdict(each) for each in found.output_differences],
    }


def _by_name(counts: Mapping[Cause, int]) -> dict[str, int]:
    return dict(sorted((cause.value, count) for cause, count in counts.items()))


def _report(stage: str, executed: int) -> None:
    """One line of progress for a program that reads it."""
    print(f"{executed} {stage}", file=sys.stderr, flush=True)


def _progress(kind: str) -> Any:
    def show(stage: str, executed: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{kind}: {stage}, {executed:,} instructions ", end="", file=sys.stderr, flush=True)

    return show


def _say(found: Measured, costs: CostModel | None) -> None:
    from app.cli.run import Modelled

    account = found.account
    end = found.end.value + (f" {found.status}" if found.status is not None else "")
    traps = ", ".join(f"{count:,} {cause}" for cause, count in _by_name(account.departures()).items()) or "none"
    own = f" ({found.guest}, its own build of the same source)" if found.own_build else ""
    print(f"{found.kind}{own}: {end}, {account.instructions:,} instructions; traps: {traps}")
    if costs is not None:
        print(f"  {Modelled(costs, account.cycles(costs)).in_words()}")
    first = found.first_difference
    if first is not None:
        known = " (a known hole: it does not trap)" if first.documented else ""
        print(
            f"  first difference after {first.executed:,} instructions, by {first.instruction} at {first.pc:#010x}"
            f"{known}:"
            f"\n  {first.where} is {first.found}, on the bare machine {first.expected}"
        )
    for each in found.output_differences:
        known = " (its own speed, which it measures)" if each.own_speed else ""
        print(f"  {each.where}{known}: {each.found!r}, on the bare machine {each.expected!r}")
    if found.kind != "bare" and found.equivalent:
        print(f"  no {'other ' if found.output_differences else ''}difference from the bare machine")
