"""What departures cost by cause under trap-and-emulate, and what one VM's monitor takes beyond the VM's own memory."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from pathlib import Path

from core.addresses import PAGE_SIZE
from core.events import Cause
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.image import Program
from core.session import Session

from .measure import Effort, Limit, Measure

LOOPS = ("privileged", "io", "system_call", "fault", "page_fault", "remap", "interrupt")
BATCH = 4000  # instructions timed together
SETTLED = 30_000  # instructions after which every loop turns


def loop_guest(name: str) -> Program:
    """A guest that departs for one cause over and over."""
    source = Path(__file__).with_name("departures.s").read_text(encoding="utf-8")
    return assemble(f".set LOOP, {name}\n{source}", "departures.s")


def departure_rates(effort: Effort) -> dict[str, Measure]:
    """traps.NAME, in thousands a second of this thread's own time, recorded: all departures of the loop that is made of
    this one."""
    return {f"traps.{name}": Measure(_rate(name, effort), "k/s") for name in LOOPS}


def _rate(name: str, effort: Effort) -> float:
    session = Session()
    session.load(loop_guest(name), "trap_emulate")
    session.step(SETTLED)
    rates = []
    for _ in range(3 * effort.repeats):
        before = session.traps.count
        start = time.thread_time()
        session.run(BATCH)
        rates.append((session.traps.count - before) / (time.thread_time() - start) / 1e3)
    assert session.end is None, session.end
    session.close()
    return statistics.median(rates)


def causes(name: str) -> set[Cause]:
    """Why the loop departs."""
    session = Session(recording=False)
    session.load(loop_guest(name), "trap_emulate")
    session.step(SETTLED)
    before = session.traps.count
    session.step(200)
    found = {trap.cause for trap in session.traps.since(before)}
    session.close()
    return found


def monitor_memory(_effort: Effort) -> dict[str, Measure]:
    """vm.memory, in megabytes: what a second VM adds to a machine beyond its own RAM, after Pebble has forked in it:
    its monitor's frames and its objects in Python. Without the record of departures, which is shared and bounded.
    """
    program = load_program("pebble-clean")
    session = Session(recording=False)
    session.load(program, "trap_emulate", command_line="run=forks")
    session.run()  # what is made once for all is there now
    before = _monitors(session)
    gc.collect()
    tracemalloc.start()
    letter = session.vms.add(program, "trap_emulate", command_line="run=forks")
    session.run()
    ended = next(summary.end for summary in session.vms.summaries() if summary.letter == letter)
    session.traps.restore(session.traps.count, session.traps.causes, ())
    gc.collect()
    objects, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    frames = _monitors(session) - before
    session.close()
    assert ended is not None
    return {"vm.memory": Limit(2, "MB").measure((objects + frames) / 1e6)}


def _monitors(session: Session) -> int:
    """Bytes of RAM that are monitors' own."""
    return sum(owner.startswith("monitor") for owner in session.machine.frames.owners()) * PAGE_SIZE
