"""``ringside figure``: the seven nanobenchmarks of Adams & Agesen (2006) under every kind, beside theirs."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from app.cli import statuses

if TYPE_CHECKING:
    from core.costs import CostModel
    from core.nanobenchmarks import Nanobenchmarks

DESCRIPTION = """\
Runs seven tiny benchmarks in Pebble under each kind, a thousand rounds each, and counts what happens between the two
readings of the time-stamp counter around them. The counts are measured; cycles a round are modelled from them by a
table of published costs, and stand beside the figures that Adams and Agesen published in 2006.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "figure",
        help="the seven nanobenchmarks of 2006 under every kind",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--costs", metavar="NAME", default="pentium4-2006", help="whose costs (default: pentium4-2006)")
    parser.add_argument("--json", action="store_true", help="one object by kind, for scripts")
    parser.add_argument("--only", metavar="KIND", help="run this kind alone, and print all its counts as JSON")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Run and print."""
    from core.cost_table import model_named
    from core.nanobenchmarks import JSON, run_nanobenchmarks
    from core.vmm import kind_named, kinds

    model = model_named(arguments.costs)
    if arguments.only is not None:
        print(JSON.dump_json(run_nanobenchmarks(kind_named(arguments.only).kind)).decode())
        return statuses.DONE
    results = [run_nanobenchmarks(kind) for kind in kinds()]
    if arguments.json:
        print(json.dumps({result.kind: _as_json(result, model) for result in results}))
    else:
        _say(results, model)
    return statuses.DONE


def _as_json(result: Nanobenchmarks, model: CostModel) -> dict[str, Any]:
    from core.nanobenchmarks import ROUNDS

    return {
        each.name: {
            "rounds": ROUNDS,
            "instructions": each.instructions,
            "traps": {cause.value: count for cause, count in each.departures.items()},
            "modelled_cycles_a_round": each.cycles(model),
        }
        for each in result.results
    }


def _say(results: list[Nanobenchmarks], model: CostModel) -> None:
    from core.nanobenchmarks import NAMES, published

    print(f"Modelled cycles a round, {model.title}; published: Adams & Agesen 2006, native, translation, hardware.")
    print(f"{'':<8}" + "".join(f"{result.kind:>16}" for result in results) + f"{'published':>24}")
    for name in NAMES:
        told = published()[name]
        cells = "".join(f"{result.named(name).cycles(model):>16,.0f}" for result in results)
        known = ", ".join("–" if x is None else f"{x:,.0f}" for x in (told.native, told.translation, told.hardware))
        print(f"{name:<8}{cells}{known:>24}")
