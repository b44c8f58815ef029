"""All benchmarks, by the figures they give."""

from __future__ import annotations

from collections.abc import Iterator, Set

from .comparison import comparison_time
from .departures import LOOPS, departure_rates, monitor_memory
from .hardware import KINDS, MEMORY, assisted_pebble, exit_cost
from .history import history_costs
from .idle import waiting_pebble
from .looks import look_cost
from .measure import Benchmark, Effort, Measure
from .pebble import pebble_speeds
from .speed import run_speeds
from .translation import adapted_store, cache_growth, rewriting_speed, system_call, translated_speeds
from .traps import trap_cost
from .window import step_to_paint, time_to_stop

SUITE: dict[Benchmark, tuple[str, ...]] = {
    run_speeds: ("run.raw", "run.count", "run.record"),
    trap_cost: ("trap.median",),
    departure_rates: tuple(f"traps.{name}" for name in LOOPS),
    monitor_memory: ("vm.memory",),
    translated_speeds: ("translation.guarded", "translation.calls", "translation.flags"),
    rewriting_speed: ("translation.rewriting",),
    system_call: ("translation.system_call",),
    adapted_store: ("translation.ptemod",),
    cache_growth: ("translation.growth",),
    look_cost: ("look.median", "look.size"),
    exit_cost: ("exit.median", "exit.rate"),
    time_to_stop: ("stop.max",),
    step_to_paint: ("step_paint.p95",),
    pebble_speeds: ("pebble.boot", "pebble.primes", "pebble.boot.trap_emulate"),
    history_costs: ("step_back.p95", "jump.p95", "checkpoints", "recording"),
    assisted_pebble: (
        *(f"pebble.boot.{kind}" for kind in KINDS),
        *(f"{name}.{kind}{what}" for name in MEMORY for kind in KINDS for what in ("", ".exits")),
    ),
    comparison_time: ("compare.pebble",),
    waiting_pebble: ("prompt.max", "idle.engine", "idle.window"),
}


def measure(wanted: Set[str], effort: Effort | None = None) -> Iterator[tuple[str, Measure]]:
    """The figures wanted, each as soon as it is known."""
    for benchmark, figures in SUITE.items():
        if not wanted.isdisjoint(figures):
            for name, figure in benchmark(effort or Effort()).items():
                if name in wanted:
                    yield name, figure
