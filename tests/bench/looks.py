"""What looking at memory costs: all memory views in sight at once, beside the time between two pictures."""

from __future__ import annotations

import pickle
import statistics
import time

from core.guests.catalog import load_program
from core.looks import Follow, Look, Space, Span
from core.session import Session

from .measure import Effort, Limit, Measure

EVERYTHING = Look(Span(Space.LINEAR, -576, 1536, Follow.ESP), Follow.EIP, map=True, page=0x150, screen=True)
LOOKS_PER_REPEAT = 10
MILLISECONDS, MEGABYTES = 3.3, 0.1  # a tenth of the time between two pictures; bytes of one picture


def look_cost(effort: Effort) -> dict[str, Measure]:
    """look.median: milliseconds of the engine for one look at everything, Pebble with several processes, under shadow
    paging. look.size: what the answer is long in the pipe."""
    session = Session()
    session.load(load_program("pebble-clean"), "trap_emulate", command_line="run=forks 4")
    session.run(limit=1_000_000)
    system = session.guest_system()
    times = []
    for _ in range(LOOKS_PER_REPEAT * effort.repeats):
        start = time.perf_counter()
        seen = session.seen(EVERYTHING, system)
        times.append((time.perf_counter() - start) * 1000)
    return {
        "look.median": Limit(MILLISECONDS, "ms").measure(statistics.median(times)),
        "look.size": Limit(MEGABYTES, "MB").measure(len(pickle.dumps(seen)) / 1e6),
    }
