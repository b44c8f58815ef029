"""``ringside bench``: how fast this machine runs the lab, from the benchmarks in the checkout."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

from app.cli import statuses
from app.cli.checkout import TESTS, from_checkout
from core.errors import UnknownName

PLACE = TESTS / "bench"

DESCRIPTION = """\
Measures how fast this machine runs the lab: a loop on the emulated CPU alone (run.raw), with every instruction
counted (run.count), with everything recorded (run.record); one departure through the interposer (trap.median); how
many a second by cause (traps.…; remap is a write to a page table and the hidden page fault after it); what a VM's
monitor takes beyond the VM's own memory (vm.memory); what a picture costs with all views of memory in sight
(look.median, look.size); the slowest of many Stops in endless loops (stop.max); the time from Step to the painted
window (step_paint.p95); and how fast a real guest boots and computes (pebble.boot, pebble.primes,
pebble.boot.trap_emulate). Under binary translation (translation.…): loops of a kernel as rewritten code beside the bare
machine, how fast code is rewritten, a system call, a round of page-table changes with and without adapting, and how
much the cache grows once it is warm. Under AMD-V: an exit (exit.…), Pebble's boot, and page tables changed and page
faults taken with nested and with shadow tables (ptemod.…, pgfault.…), in time and in exits. The wait for a comparison
of Pebble's boot under every kind (compare.pebble). All in one run, so that the ratios compare; nothing is judged.
"""
NAMES = (
    "run.raw",
    "run.count",
    "run.record",
    "trap.median",
    "traps.privileged",
    "traps.io",
    "traps.system_call",
    "traps.fault",
    "traps.page_fault",
    "traps.remap",
    "traps.interrupt",
    "vm.memory",
    "translation.guarded",
    "translation.calls",
    "translation.flags",
    "translation.rewriting",
    "translation.system_call",
    "translation.ptemod",
    "translation.growth",
    "look.median",
    "look.size",
    "exit.median",
    "exit.rate",
    "stop.max",
    "step_paint.p95",
    "pebble.boot",
    "pebble.primes",
    "pebble.boot.trap_emulate",
    "step_back.p95",
    "jump.p95",
    "checkpoints",
    "recording",
    "pebble.boot.hardware",
    "pebble.boot.hardware_shadow",
    "ptemod.hardware",
    "ptemod.hardware.exits",
    "ptemod.hardware_shadow",
    "ptemod.hardware_shadow.exits",
    "pgfault.hardware",
    "pgfault.hardware.exits",
    "pgfault.hardware_shadow",
    "pgfault.hardware_shadow.exits",
    "compare.pebble",
    "prompt.max",
    "idle.engine",
    "idle.window",
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine runs the lab",
        description=DESCRIPTION,
        epilog=f"names: {', '.join(NAMES)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="what to measure (default: everything)")
    parser.add_argument(
        "--json", action="store_true", help="print {name: {value, unit, ratio, of}}; ratio is value divided by of"
    )
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        raise UnknownName(f"There is no benchmark named “{unknown[0]}”.", f"Choose from: {', '.join(NAMES)}.")
    suite = load_suite()
    wanted = frozenset(arguments.names or NAMES)
    figures = {}
    for figure, measure in suite.measure(wanted):
        figures[figure] = measure
        if not arguments.json:
            against = f"{measure.ratio:8.3f} × {measure.of}" if measure.ratio is not None else ""
            print(f"{figure:<16}{measure.value:10.2f} {measure.unit:<5}{against}".rstrip(), flush=True)
    if arguments.json:
        print(
            json.dumps(
                {
                    name: {"value": one.value, "unit": one.unit, "ratio": one.ratio, "of": one.of}
                    for name, one in figures.items()
                }
            )
        )
    return statuses.DONE


def load_suite(place: Path = PLACE) -> ModuleType:
    """The benchmarks of the checkout this program runs from; an installed Ringside has none."""
    return from_checkout(place, "suite", "The benchmarks", "bench")
