"""The kind that rewrites its guest's kernel: what its cache does over time, and both of its modes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.events import Cause, Ring, StopReason
from core.guests.catalog import load_program
from core.session import Session
from core.translations import UnitCause, UnitEnd
from core.vmm.translation import Translation
from tests.bench import loops


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def monitor(session: Session) -> Translation:
    assert isinstance(session.vmm, Translation)
    return session.vmm


def test_once_it_has_seen_a_loop_nothing_is_added_and_nobody_is_called(session: Session) -> None:
    session.load(loops.program(loops.CALLING_WORK), "translation")
    session.run(1000)
    cache = monitor(session).cache
    used, departures, hits = cache.used, session.traps.count, cache.hits
    session.run(100_000)
    assert (cache.used, session.traps.count) == (used, departures)
    assert cache.hits - hits > 7000


def test_ahead_of_time_is_the_same_run_with_less_to_translate_on_its_way(session: Session) -> None:
    ends, on_the_way = [], []
    for ahead in (False, True):
        session.load(load_program("pebble"), "translation", command_line="run=hello")
        found = monitor(session).translate_ahead([session.pc]) if ahead else 0
        session.run(5_000_000)
        ends.append((session.end, session.executed, session.time, session.console))
        on_the_way.append(monitor(session).cache.counters.units - found)
    assert ends[0] == ends[1]
    assert on_the_way[1] < on_the_way[0] / 2


def test_a_cache_that_is_full_is_emptied_and_the_guest_never_knows(session: Session) -> None:
    ends = []
    for kind in ("bare", "translation"):
        session.load(load_program("pebble"), kind, command_line="run=hello")
        if kind == "translation":
            cache = monitor(session).cache
            cache.region.size = 8192
        session.run(5_000_000)
        ends.append((session.end, session.executed, session.console))
    assert ends[0] == ends[1]
    assert cache.counters.flushes > 0


def test_the_cache_is_a_belt_on_ring_1(session: Session) -> None:
    session.load(load_program("hello"), "translation")
    session.run(200)
    (belt,) = monitor(session).stage().belts
    assert belt.ring is Ring.ONE
    assert 0 < belt.filled < 1


def test_pushf_shows_the_virtual_if_without_a_trap(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("bc00802000 fa 9c 58 fb 9c 5b 90 90 ebfe")), "translation")
    session.run(8)
    registers = {register.name: register.believed for register in session.registers()}
    assert registers["EAX"] & 0x200 == 0
    assert registers["EBX"] & 0x200
    assert Cause.PRIVILEGED not in {trap.cause for trap in session.traps.since(0)}


def test_running_to_new_code_stops_before_each_unit_and_changes_nothing() -> None:
    """Each unit is reported as it is made, and the guest that was stopped so often ends as if it had not been."""
    plain, halting = Session(recording=False), Session(recording=False)
    for session in (plain, halting):
        session.load(load_program("privileged"), "translation")
    plain.run()
    met = []
    while halting.run_to_new_code() is StopReason.BREAKPOINT:
        cache, block = halting.vmm.seen_cache(), halting.vmm.seen_block(None)
        assert cache is not None
        assert cache.newest is not None
        assert block is not None
        assert (cache.newest.ordinal, cache.newest.pc) == (block.block.ordinal, halting.pc)
        assert block.block.entered == 0
        met.append(cache.newest)
    ended = plain.vmm.seen_cache()
    assert ended is not None
    assert [each.ordinal for each in met] == list(range(ended.counters.units))
    assert {each.cause for each in met} >= {UnitCause.ENTRY, UnitCause.JUMP, UnitCause.LOOKUP}
    assert {each.end for each in met} >= {UnitEnd.FLOW, UnitEnd.LENGTH}
    assert (halting.end, halting.executed, halting.console) == (plain.end, plain.executed, plain.console)
    assert [trap[:12] for trap in halting.traps.since(0, 9999)] == [trap[:12] for trap in plain.traps.since(0, 9999)]
    plain.close()
    halting.close()
