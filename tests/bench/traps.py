"""What a departure costs: CLI in a guest kernel under trap-and-emulate, through the interposer and back."""

from __future__ import annotations

import statistics
import time

from core.session import Session

from . import loops
from .measure import Effort, Limit, Measure

BATCH = 1000  # traps timed together: one alone is near the clock's own cost
BATCHES_PER_REPEAT = 10


def trap_cost(effort: Effort) -> dict[str, Measure]:
    """trap.median, in microseconds of this thread's own time, as an exit's is (`hardware.exit_cost`); the loop's other
    instruction is in it, some ten nanoseconds."""
    session = Session()
    session.load(loops.program(loops.TRAPS), "trap_emulate")
    session.step(BATCH * loops.TRAPS_INSTRUCTIONS)
    costs = []
    for _ in range(BATCHES_PER_REPEAT * effort.repeats):
        before = session.traps.count
        start = time.thread_time()
        session.run(BATCH * loops.TRAPS_INSTRUCTIONS)
        seconds = time.thread_time() - start
        costs.append(seconds / (session.traps.count - before) * 1e6)
    session.close()
    return {"trap.median": Limit(10, "µs").measure(statistics.median(costs))}
