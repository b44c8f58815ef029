"""What guest mode costs: an exit, Pebble's boot, and memory by nested or by shadow tables, beside the bare machine."""

from __future__ import annotations

import statistics
import time

from core.events import Cause
from core.guests.catalog import load_program
from core.session import Session

from . import loops
from .measure import Effort, Limit, Measure

EXITS = bytes.fromhex("0fa2 ebfc".replace(" ", ""))  # cpuid; jmp to it
BATCH, BATCHES_PER_REPEAT = 1000, 10
KINDS = ("hardware", "hardware_shadow")
MEMORY = ("ptemod", "pgfault")


def exit_cost(effort: Effort) -> dict[str, Measure]:
    """exit.median in microseconds, recorded, from the guest to the hypervisor and back; exit.rate, a second; both of
    this thread's own time, since what else the machine does meanwhile is no part of it."""
    session = Session()
    session.load(loops.program(EXITS), "hardware")
    session.step(2 * BATCH)
    costs = []
    for _ in range(BATCHES_PER_REPEAT * effort.repeats):
        before = session.traps.count
        start = time.thread_time()
        session.run(2 * BATCH)
        costs.append((time.thread_time() - start) / (session.traps.count - before) * 1e6)
    session.close()
    median = statistics.median(costs)
    return {"exit.median": Limit(10, "µs").measure(median), "exit.rate": Measure(1e6 / median, "exits/s")}


def assisted_pebble(effort: Effort) -> dict[str, Measure]:
    """Pebble, unmodified: its boot, and two of its nanobenchmarks of memory, in time and in exits."""
    figures: dict[str, Measure] = {}
    boot = {kind: min(_run("run=hello", kind)[0] for _ in range(effort.repeats)) for kind in ("bare", *KINDS)}
    for kind in KINDS:
        figures[f"pebble.boot.{kind}"] = Measure(boot[kind] * 1e3, "ms", boot[kind] / boot["bare"], "pebble on bare")
    for name in MEMORY:
        bare = min(_run(f"run=bench {name}", "bare")[0] for _ in range(effort.repeats))
        for kind in KINDS:
            runs = [_run(f"run=bench {name}", kind) for _ in range(effort.repeats)]
            seconds, exits = min(each[0] for each in runs), runs[0][1]
            figures[f"{name}.{kind}"] = Measure(seconds * 1e3, "ms", seconds / bare, f"{name} on bare")
            figures[f"{name}.{kind}.exits"] = Measure(exits, "exits")
    return figures


def _run(command_line: str, kind: str) -> tuple[float, int]:
    """Seconds and exits of a scripted run."""
    session = Session(recording=False)
    session.load(load_program("pebble"), kind, command_line=command_line)
    start = time.perf_counter()
    session.run()
    seconds, exits = time.perf_counter() - start, session.traps.causes[Cause.EXIT]
    session.close()
    return seconds, exits
