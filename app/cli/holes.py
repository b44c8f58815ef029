"""``ringside holes``: what each sensitive instruction of x86 does on bare and under every kind, measured now."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from app.cli import statuses

if TYPE_CHECKING:
    from core.hole_table import Cell, Row

DESCRIPTION = """\
Runs a tiny guest for each sensitive instruction that Robin and Irvine found in x86, on the bare machine and under each
kind of monitor, and says what came of it: it traps, it is the same without a trap, or it silently differs. What the
guest saw stands beside it. Each guest can be run and stepped by its name, such as holes/popf.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "holes",
        help="measure which sensitive instructions trap under which kind",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kinds", metavar="A,B", default="", help="which kinds beside bare (default: all)")
    parser.add_argument("--json", action="store_true", help="one object by guest, for scripts")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from core.hole_table import measure_holes
    from core.vmm import kind_named

    wanted = [kind_named(name.strip()).kind for name in arguments.kinds.split(",") if name.strip()]
    rows = list(measure_holes(wanted or None))
    if arguments.json:
        print(json.dumps({row.guest: _as_json(row) for row in rows}))
    else:
        _say(rows)
    return statuses.DONE


def _as_json(row: Row) -> dict[str, Any]:
    kinds = {
        cell.kind: {
            "verdict": cell.verdict.value,
            "seen": {seen.name: seen.value for seen in cell.seen},
            "words": [str(seen) for seen in cell.seen],
            "cause": cell.trap.cause.value if cell.trap else None,
        }
        for cell in row.cells
    }
    return {
        "name": row.name,
        "instruction": row.instruction,
        "address": row.address,
        "summary": row.summary,
        "kinds": kinds,
    }


def _say(rows: list[Row]) -> None:
    table = [["", *(cell.kind for cell in rows[0].cells)]]
    for row in rows:
        table.append([row.name, *(_words(cell, first=at == 0) for at, cell in enumerate(row.cells))])
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())


def _words(cell: Cell, *, first: bool) -> str:
    """What was seen; for all but the bare machine after the verdict."""
    seen = ", ".join(str(each) for each in cell.seen)
    return seen if first else f"{cell.verdict.phrase}: {seen}"
