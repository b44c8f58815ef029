"""Instructions fall due by the clock, exactly, at every speed; the clock here is a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.pace import FORGIVEN, SHORTEST_SLEEP, Pace


def started(speed: float | None, at: float = 100.0) -> Pace:
    pace = Pace(speed)
    pace.start(at)
    return pace


def test_full_speed_never_waits_and_sets_no_number() -> None:
    pace = started(None)
    assert pace.wait(100.0) == 0
    assert pace.due(100.0) is None


def test_the_first_instruction_is_due_at_once_and_the_next_after_one_interval() -> None:
    pace = started(1.0)
    assert pace.due(100.0) == 1
    pace.ran(1)
    assert pace.due(100.0) == 0
    assert pace.wait(100.25) == pytest.approx(0.75)
    assert pace.due(101.0) == 1


def test_a_change_of_speed_does_not_run_an_instruction_at_once() -> None:
    pace = Pace(2.0)
    pace.start(100.0, at_once=False)
    assert pace.due(100.0) == 0
    assert pace.due(100.5) == 1


def test_a_late_host_catches_up_within_what_is_forgiven() -> None:
    pace = started(1000.0)
    assert pace.due(100.0505) == 51


def test_a_stalled_host_is_not_made_up_for() -> None:
    pace = started(1000.0)
    pace.ran(1)
    assert pace.due(200.0) == 1


def test_a_stall_in_slow_motion_is_not_made_up_for_either() -> None:
    pace = started(2.0)
    pace.ran(1)
    assert pace.due(110.0) == 1
    pace.ran(1)
    assert pace.due(110.0) == 0
    assert pace.due(110.5) == 1


def test_above_two_hundred_a_second_they_come_in_handfuls() -> None:
    pace = started(1_000_000.0)
    pace.ran(pace.due(100.0) or 0)
    assert pace.wait(100.0) == SHORTEST_SLEEP
    assert pace.due(100.0 + SHORTEST_SLEEP) == pytest.approx(5000, abs=1)


@given(speed=st.floats(0.5, 5e7), lateness=st.lists(st.floats(0, FORGIVEN / 2), min_size=1, max_size=50))
def test_no_drift_however_unevenly_the_host_wakes(speed: float, lateness: list[float]) -> None:
    """After any sequence of forgiven delays, as many have run as the clock says: one an interval, and the first."""
    pace, now, total = started(speed, 0.0), 0.0, 0
    for late in lateness:
        ran = pace.due(now) or 0
        pace.ran(ran)
        total += ran
        assert total == pytest.approx(now * speed + 1, abs=1.001)
        now += pace.wait(now) + late
