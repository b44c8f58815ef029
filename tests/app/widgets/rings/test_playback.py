"""Crossings play one after another, by a clock that is handed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.widgets.rings.crossing import Crossing, Leg, crossing_of
from app.widgets.rings.playback import DWELL_SHARE, Playback, Side, ease
from core.events import Ring
from tests.app.builders import trap

EMULATED = crossing_of(trap())  # ring 1 → 0 → 1
DIRECT = Crossing((Leg(Ring.ONE, Ring.USER),))
LEG = 0.2


def playback(**options: object) -> Playback:
    return Playback(Ring.ONE, leg_seconds=LEG, **options)  # type: ignore[arg-type]


def test_at_rest_the_code_stands_in_its_ring() -> None:
    frame = playback().frame()
    assert (frame.ring, frame.side, frame.crossing, frame.moving) == (Ring.ONE, Side.LEFT, None, False)


def test_a_crossing_travels_in_rests_at_its_handler_and_travels_out() -> None:
    play = playback()
    play.add([EMULATED], now=10.0)
    moments = []
    for elapsed in (0.0, LEG / 2, LEG, LEG * (1 + DWELL_SHARE / 2), LEG * (1.5 + DWELL_SHARE)):
        play.advance(10.0 + elapsed)
        frame = play.frame()
        assert frame.moving
        moments.append((frame.leg, round(frame.progress, 3)))
    assert moments == [(0, 0.0), (0, 0.5), (0, 1.0), (0, 1.0), (1, 0.5)]


def test_afterwards_the_code_rests_on_the_other_side_and_the_crossing_stays_in_sight() -> None:
    play = playback()
    play.add([EMULATED], now=0.0)
    play.advance(60.0)
    frame = play.frame()
    assert not frame.moving
    assert (frame.ring, frame.crossing, frame.leg, frame.progress) == (Ring.ONE, EMULATED, 1, 1.0)
    assert frame.side is Side.LEFT  # where it came from
    play.add([DIRECT], now=60.0)
    assert play.frame().side is Side.RIGHT


def test_those_that_wait_follow_without_a_pause() -> None:
    play = playback()
    play.add([DIRECT, EMULATED], now=0.0)
    play.advance(1.5 * LEG)
    frame = play.frame()
    assert frame.crossing is EMULATED
    assert frame.progress == pytest.approx(0.5)


def test_a_late_clock_finishes_all_that_should_have_ended() -> None:
    play = playback()
    play.add([DIRECT, EMULATED, DIRECT], now=0.0)
    play.advance(1000.0)
    assert not play.moving
    assert play.frame().ring is Ring.USER


def test_the_backlog_is_the_time_still_to_play() -> None:
    play = playback()
    play.add([DIRECT, EMULATED], now=0.0)
    assert play.backlog() == pytest.approx(LEG * (3 + DWELL_SHARE))
    play.advance(LEG / 2)
    assert play.backlog() == pytest.approx(LEG * (2.5 + DWELL_SHARE))
    play.advance(99)
    assert play.backlog() == 0


def test_reduced_motion_goes_in_steps() -> None:
    play = playback(stepped=True)
    play.add([EMULATED], now=0.0)
    seen = []
    for step in range(60):
        play.advance(step * LEG / 25)
        seen.append((play.frame().leg, play.frame().progress))
    assert set(seen) == {(0, 1.0), (1, 1.0)}
    assert seen == sorted(seen)


def test_settling_forgets_what_waits() -> None:
    play = playback()
    play.add([EMULATED, EMULATED], now=0.0)
    play.settle(Ring.USER)
    assert not play.moving
    assert play.frame().crossing is None
    assert play.frame().ring is Ring.USER


@given(st.floats(0, 1), st.floats(0, 1))
def test_easing_never_goes_back(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= ease(low) <= ease(high) <= 1


def test_easing_is_slow_at_both_ends() -> None:
    assert ease(0.1) < 0.1
    assert ease(0.9) > 0.9
    assert (ease(0), ease(0.5), ease(1)) == (0, 0.5, 1)


@given(st.lists(st.floats(0, 0.3), max_size=40), st.integers(1, 6))
def test_however_the_clock_ticks_it_ends_where_the_last_crossing_ended(ticks: list[float], count: int) -> None:
    play = playback()
    play.add([EMULATED] * (count - 1) + [DIRECT], now=0.0)
    now = 0.0
    for tick in ticks:
        now += tick
        play.advance(now)
    play.advance(now + count * LEG * 3)
    assert play.frame().ring is Ring.USER
    assert not play.moving
