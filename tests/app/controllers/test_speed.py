"""The speeds: from one a second to full, in round numbers, each said in words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.controllers.speed import FULL, SPEEDS, stop_of, words_of


def test_slider_goes_from_one_a_second_to_full() -> None:
    assert SPEEDS[0] == 1
    assert SPEEDS[FULL] is None
    numbers = [speed for speed in SPEEDS if speed is not None]
    assert all(2 <= later / earlier <= 2.5 for earlier, later in pairwise(numbers))


def test_each_stop_finds_itself_again() -> None:
    assert [stop_of(speed) for speed in SPEEDS] == list(range(len(SPEEDS)))


@given(st.floats(0, 1e9))
def test_any_speed_has_a_stop(speed: float) -> None:
    stop = stop_of(speed)
    found = SPEEDS[stop]
    assert found is None or found >= speed


def test_words() -> None:
    assert [words_of(speed) for speed in (1.0, 20.0, 5000.0, 1e7, None)] == [
        "1 instruction/s",
        "20 instructions/s",
        "5 thousand/s",
        "10 million/s",
        "full speed",
    ]
