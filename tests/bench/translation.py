"""Binary translation: how fast rewritten code runs beside the bare machine, how fast it is made, what a call costs."""

from __future__ import annotations

import time

from core.cpu.decode import decode
from core.events import Cause
from core.guests.catalog import load_program
from core.guests.image import Program
from core.session import Session
from core.translations import Switch
from core.translator.blocks import LONGEST_UNIT, Mode, find_unit
from core.translator.rewrite import Surroundings, translate

from . import loops
from .departures import BATCH, loop_guest
from .measure import Effort, Measure

SETTLED = 30_000
LONGEST_READ = 15 * LONGEST_UNIT
INSTRUCTIONS_OF_REMAP = 5


def translated_speeds(effort: Effort) -> dict[str, Measure]:
    """Steady state in millions of instructions a second of the CPU's time: a kernel's loop that guards its work with
    CLI and STI, one that calls and returns in every round of fourteen instructions, and one that guards it with PUSHF
    and POPF."""
    found = {}
    codes = {"guarded": loops.GUARDED_WORK, "calls": loops.CALLING_WORK, "flags": loops.FLAGS_WORK}
    for name, code in codes.items():
        batch = effort.instructions // 4
        bare, rewritten = (_speed(loops.program(code), kind, effort.repeats, batch) for kind in ("bare", "translation"))
        found[f"translation.{name}"] = Measure(rewritten, "MIPS", rewritten / bare, "the same on bare")
    return found


def _speed(program: Program, kind: str, repeats: int, batch: int) -> float:
    session = Session()
    session.load(program, kind)
    session.run(SETTLED)
    best = 0.0
    for _ in range(repeats):
        start = time.process_time()
        session.run(batch)
        best = max(best, batch / (time.process_time() - start) / 1e6)
    session.close()
    return best


def rewriting_speed(effort: Effort) -> dict[str, Measure]:
    """translation.rewriting: thousands of Pebble's instructions a second, found, decided on and emitted."""
    code = max((segment.data for segment in load_program("pebble").segments), key=len)
    mode, wanted = Mode(0, 32, True), effort.instructions // 500
    around = Surroundings(0xFFC3_0000, 0xFFE0_0000, 0xFFC5_0010)
    best = 0.0
    for _ in range(effort.repeats):
        done = at = 0
        start = time.perf_counter()
        while done < wanted:
            here = code[at : at + LONGEST_READ]
            unit = find_unit(here, at, mode)
            if unit is None or not unit.instructions:
                at = (at + decode(here, at).len) % (len(code) - LONGEST_READ)
                continue
            translate(unit, here, 0xFFC5_0100, around)
            done += len(unit.instructions)
            at = unit.end % (len(code) - LONGEST_READ)
        best = max(best, done / (time.perf_counter() - start) / 1e3)
    return {"translation.rewriting": Measure(best, "k/s", best / 50, "the promised 50 k/s")}


def system_call(effort: Effort) -> dict[str, Measure]:
    """translation.system_call, in microseconds: from a program to its kernel and back."""
    guest = loop_guest("call_from_program")
    cost = {kind: 1 / _calls(guest, kind, effort.repeats) for kind in ("trap_emulate", "translation")}
    value, of = cost["translation"] * 1e6, "the same under trap-and-emulate"
    return {"translation.system_call": Measure(value, "µs", cost["translation"] / cost["trap_emulate"], of)}


def _calls(program: Program, kind: str, repeats: int) -> float:
    """System calls a second."""
    session = Session()
    session.load(program, kind)
    session.run(SETTLED)
    best = 0.0
    for _ in range(repeats):
        before = session.traps.causes[Cause.SYSTEM_CALL]
        start = time.perf_counter()
        session.run(BATCH)
        best = max(best, (session.traps.causes[Cause.SYSTEM_CALL] - before) / (time.perf_counter() - start))
    session.close()
    return best


def adapted_store(effort: Effort) -> dict[str, Measure]:
    """translation.ptemod, in microseconds of the CPU's time: a round of a loop that changes a page table and uses it,
    against the same with its store left to trap."""
    cost = {adaptive: _round(adaptive, effort.repeats) for adaptive in (True, False)}
    return {
        "translation.ptemod": Measure(cost[True] * 1e6, "µs", cost[True] / cost[False], "the same without adapting")
    }


def _round(adaptive: bool, repeats: int) -> float:
    session = Session()
    session.load(loop_guest("remap"), "translation")
    session.inputs.set_translation(Switch.ADAPTIVE, on=adaptive)
    session.run(SETTLED)
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        session.run(BATCH)
        best = min(best, (time.process_time() - start) * INSTRUCTIONS_OF_REMAP / BATCH)
    session.close()
    return best


def cache_growth(_effort: Effort) -> dict[str, Measure]:
    """translation.growth: bytes in the cache after twelve million instructions of Pebble that takes page faults in a
    loop; the ratio is the part that was added since the first three million."""
    session = Session()
    session.load(load_program("pebble"), "translation", command_line="run=bench pgfault")
    used = []
    for until in (3_000_000, 12_000_000):
        session.run(until - session.executed)
        seen = session.vmm.seen_cache()
        assert seen is not None
        used.append(seen.used)
    assert session.end is None, "the loop still turns"
    session.close()
    return {"translation.growth": Measure(used[1], "B", (used[1] - used[0]) / used[1], "all, added once warm")}
