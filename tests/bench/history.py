"""What the recorded past costs: a step back, a jump, the checkpoints, and how much recording slows running."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from core.guests.catalog import load_program
from core.session import Session
from core.timeline.timeline import Recording

from .measure import Effort, Limit, Measure

STEP_BACK, JUMP, CHECKPOINTS, SLOWDOWN = Limit(50, "ms"), Limit(250, "ms"), Limit(300, "MB"), Limit(20, "%")
WHOLE = 100_000_000  # instructions of the history in a full run
MOVES = 60


def history_costs(effort: Effort) -> dict[str, Measure]:
    """A run of Pebble that boots and computes, with history and without, by turns."""
    length = min(WHOLE, effort.instructions * 10)
    plain = recorded = float("inf")
    session = _run(None, length)[0]
    for _ in range(2):
        session.close()
        session, seconds = _run(None, length)
        plain = min(plain, seconds)
        session.close()
        session, seconds = _run(Recording(), length)
        recorded = min(recorded, seconds)
    end, chance = session.machine_executed, random.Random(1)
    steps, jumps = [], []
    for _ in range(MOVES):
        steps.append(_milliseconds(session.travel.step_back))
        jumps.append(_milliseconds(lambda: session.travel.go_to(chance.randrange(1, end))))
    size = session.timeline.size / 2**20
    session.close()
    return {
        "step_back.p95": STEP_BACK.measure(_percentile_95(steps)),
        "jump.p95": JUMP.measure(_percentile_95(jumps)),
        "checkpoints": CHECKPOINTS.measure(size),
        "recording": SLOWDOWN.measure(max((recorded / plain - 1) * 100, 0.01)),
    }


def _run(history: Recording | None, length: int) -> tuple[Session, float]:
    session = Session(history=history)
    session.load(load_program("pebble-clean"), "bare", command_line="run=primes 5000000")
    start = time.process_time()
    session.run(length)
    return session, time.process_time() - start


def _milliseconds(move: Callable[[], None]) -> float:
    start = time.perf_counter()
    move()
    return (time.perf_counter() - start) * 1e3


def _percentile_95(values: list[float]) -> float:
    return sorted(values)[round(0.95 * (len(values) - 1))]
