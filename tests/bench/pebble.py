"""How fast a real guest is: Pebble's boot to its first program, and a program that computes, beside the CPU alone."""

from __future__ import annotations

import time

from core.guests.catalog import load_program
from core.session import Session

from .measure import Effort, Measure
from .speed import raw_speed

BOOT, PRIMES = "run=hello", "run=primes 1000000"


def pebble_speeds(effort: Effort) -> dict[str, Measure]:
    """Boot and primes on bare in millions of instructions a second, and the boot's time under trap-and-emulate."""
    raw = boot = primes = 0.0
    bare = deprivileged = float("inf")
    for _ in range(effort.repeats):
        raw = max(raw, raw_speed(effort.instructions))
        executed, seconds = _run(BOOT, "bare")
        boot, bare = max(boot, executed / seconds / 1e6), min(bare, seconds)
        deprivileged = min(deprivileged, _run(BOOT, "trap_emulate")[1])
        executed, seconds = _run(PRIMES if effort.instructions > 1_000_000 else "run=primes 1000", "bare")
        primes = max(primes, executed / seconds / 1e6)
    return {
        "pebble.boot": Measure(boot, "MIPS", boot / raw, "run.raw"),
        "pebble.primes": Measure(primes, "MIPS", primes / raw, "run.raw"),
        "pebble.boot.trap_emulate": Measure(deprivileged * 1e3, "ms", deprivileged / bare, "pebble.boot on bare"),
    }


def _run(command_line: str, kind: str) -> tuple[int, float]:
    """Instructions and seconds of a scripted run of the build that every kind can carry."""
    session = Session(recording=False)
    session.load(load_program("pebble-clean"), kind, command_line=command_line)
    start = time.perf_counter()
    session.run()
    seconds = time.perf_counter() - start
    executed = session.executed
    session.close()
    return executed, seconds
