"""A guest asleep: woken seldom, and right by the clock in the long run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.doze import FORGIVEN, LATE, LATEST, Doze

TICK = 0.01


def slept_through(doze: Doze, now: float) -> int:
    """How many sleeps of a tick are over at `now`, of a guest that sleeps through all that it may in one go."""
    ticks = int(doze.allowance(now) / TICK + 1e-6)
    doze.passed(ticks * TICK, now)
    doze.sleep(TICK, now)
    return ticks


def begun(now: float) -> Doze:
    doze = Doze.begun(now)
    doze.sleep(TICK, now)
    return doze


@given(st.lists(st.floats(0.0, 0.1), min_size=1, max_size=50))
def test_ticks_are_neither_lost_nor_added_however_late_the_host_is(lateness: list[float]) -> None:
    doze, now = begun(100.0), 100.0
    ticks = 0
    for late in lateness:
        now += doze.wait(now) + late
        ticks += slept_through(doze, now)
    assert -1e-6 <= now - (100.0 + ticks * TICK) < TICK + 1e-6


def test_several_ticks_are_handled_in_one_waking() -> None:
    doze, now = begun(10.3), 10.3
    assert doze.wait(now) == pytest.approx(TICK + LATE)
    assert slept_through(doze, now + doze.wait(now) + 0.001) == 6


def test_the_longer_nothing_is_seen_the_more_ticks_are_handled_at_a_time() -> None:
    doze, now, wakings = begun(10.3), 10.3, []
    while now < 60.0:
        wakings.append(round(doze.wait(now), 6))
        now += doze.wait(now)
        slept_through(doze, now)
    assert wakings == sorted(wakings)
    assert wakings[-1] == pytest.approx(TICK + LATEST, abs=TICK)
    doze.seen(now)
    assert doze.wait(now) == pytest.approx(TICK + LATE, abs=TICK)


def test_ticks_that_were_put_off_are_all_made_up_for_also_in_several_goes() -> None:
    doze, now = begun(10.0), 10.0
    doze.seen_at = -100.0
    doze.sleep(TICK, now)
    now += doze.wait(now)
    for part in (0.3, 0.3, now - 10.6):
        assert doze.allowance(now) >= part - 1e-6
        doze.passed(part, now)
    assert doze.at == pytest.approx(now)


def test_a_host_that_was_away_does_not_make_up_for_it() -> None:
    doze = begun(5.0)
    assert slept_through(doze, 5.0 + 3 * FORGIVEN) == 0
    assert doze.wakes_at == pytest.approx(5.0 + 3 * FORGIVEN + TICK)


def test_a_guest_that_computed_faster_than_its_clock_does_not_wait_for_it() -> None:
    doze = begun(5.0)
    doze.passed(7.0, 6.0)
    assert doze.at == 6.0


def test_what_comes_from_outside_ends_it_at_the_moment_of_the_guests_that_is_now() -> None:
    doze = Doze.begun(1.0)
    doze.sleep(10, 1.0)
    doze.wake(1.5)
    assert doze.wait(1.5) == 0
    assert doze.allowance(1.5) == 0.5
