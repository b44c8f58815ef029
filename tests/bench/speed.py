"""How fast a guest runs: the emulated CPU alone, with exact counting, and with everything recorded.

The three take turns, so that a busy machine slows all of them alike; each figure is the best of its turns, which is
what the machine can do.
"""

from __future__ import annotations

import time

from unicorn import UC_ARCH_X86, UC_MODE_32, x86_const
from unicorn.unicorn_py3 import Uc

from core.session import Session

from . import loops
from .measure import Effort, Measure


def run_speeds(effort: Effort) -> dict[str, Measure]:
    """run.raw, run.count and run.record, in millions of instructions a second."""
    rounds = effort.instructions // loops.WORK_INSTRUCTIONS
    raw = count = record = 0.0
    for _ in range(effort.repeats):
        raw = max(raw, _raw(rounds))
        count = max(count, _session(rounds, recording=False))
        record = max(record, _session(rounds, recording=True))
    return {
        "run.raw": Measure(raw, "MIPS"),
        "run.count": Measure(count, "MIPS", count / raw, "run.raw"),
        "run.record": Measure(record, "MIPS", record / raw, "run.raw"),
    }


def raw_speed(instructions: int) -> float:
    """A bare Unicorn with no hook at all, in millions of instructions a second."""
    return _raw(instructions // loops.WORK_INSTRUCTIONS)


def _raw(rounds: int) -> float:
    uc = Uc(UC_ARCH_X86, UC_MODE_32)
    uc.mem_map(0, 4 << 20)
    uc.mem_write(loops.CODE, loops.work(rounds))
    uc.reg_write(x86_const.UC_X86_REG_EIP, loops.CODE)
    start = time.perf_counter()
    uc.emu_start(loops.CODE, 0xFFFF_FFFF)
    seconds = time.perf_counter() - start
    assert uc.reg_read(x86_const.UC_X86_REG_ECX) == 0
    return rounds * loops.WORK_INSTRUCTIONS / seconds / 1e6


def _session(rounds: int, *, recording: bool) -> float:
    session = Session(recording=recording)
    session.load(loops.program(loops.work(rounds)), "bare")
    start = time.perf_counter()
    session.run()
    seconds = time.perf_counter() - start
    executed = session.executed
    session.close()
    assert executed >= rounds * loops.WORK_INSTRUCTIONS
    return executed / seconds / 1e6
