"""A guest asleep: woken seldom, and right by the clock in the long run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.doze import FORGIVEN, LATE, LATE_UNSEEN, Doze


def slept_through(doze: Doze, ticks: float, now: float) -> int:
    """How many sleeps of `ticks` seconds are over at `now`."""
    count = 1
    while not doze.sleep(ticks, now):
        count += 1
    return count


@given(st.lists(st.floats(0.0, 0.1), min_size=1, max_size=50))
def test_ticks_are_neither_lost_nor_added_however_late_the_host_is(lateness: list[float]) -> None:
    doze, now, begun = Doze(), 100.0, 100.0
    assert doze.sleep(0.01, now)
    ticks = 1
    for late in lateness:
        now += doze.wait(now) + late
        ticks += slept_through(doze, 0.01, now)
    assert abs((begun + ticks * 0.01) - now) < 0.011


def test_several_ticks_are_handled_in_one_waking() -> None:
    doze, now = Doze(), 10.3
    doze.sleep(0.01, now)
    assert doze.wait(now) == pytest.approx(0.01 + LATE)
    assert slept_through(doze, 0.01, now + doze.wait(now) + 0.001) == 6


def test_ticks_that_show_nothing_are_handled_more_at_a_time_until_something_comes() -> None:
    doze, now = Doze(unseen=True), 10.3
    doze.sleep(0.01, now)
    assert doze.wait(now) == pytest.approx(0.01 + LATE_UNSEEN)
    doze.wake()
    doze.sleep(0.01, now)
    assert doze.wait(now) == pytest.approx(0.01 + LATE)


def test_a_host_that_was_away_does_not_make_up_for_it() -> None:
    doze = Doze()
    doze.sleep(0.01, 5.0)
    assert slept_through(doze, 0.01, 5.0 + 2 * FORGIVEN) == 1


def test_what_comes_from_outside_ends_it() -> None:
    doze = Doze()
    doze.sleep(10, 1.0)
    doze.wake()
    assert doze.wait(1.5) == 0
