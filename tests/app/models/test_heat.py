"""The glow of memory: only what happened between two looks glows, more of it brighter, and it fades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.heat import FADE, Access, Heat
from core.cpu.probes import ProbeBuffers

EVERY = frozenset(Access)
ALL = np.arange(4, dtype=np.uint32)


@pytest.fixture
def counters() -> ProbeBuffers:
    return ProbeBuffers.private(4 << 12)


def test_what_happened_before_the_first_look_does_not_glow(counters: ProbeBuffers) -> None:
    counters.reads[:] = 1000
    heat = Heat()
    heat.look(counters, 0.0)
    assert not heat.glow(EVERY, ALL).any()


def test_one_access_is_seen_and_a_thousand_are_brighter(counters: ProbeBuffers) -> None:
    heat = Heat()
    heat.look(counters, 0.0)
    counters.writes[1] += np.uint32(1)
    counters.writes[2] += np.uint32(1000)
    heat.look(counters, 0.0)
    glow = heat.glow(EVERY, ALL)
    assert 0.25 < glow[1] < glow[2] <= 1
    assert glow[0] == glow[3] == 0


def test_kinds_of_access_glow_apart_and_in_the_order_of_the_frames(counters: ProbeBuffers) -> None:
    heat = Heat()
    heat.look(counters, 0.0)
    counters.fetches[3] = 7
    heat.look(counters, 0.0)
    assert not heat.glow(frozenset({Access.READS, Access.WRITES}), ALL).any()
    assert np.flatnonzero(heat.glow(frozenset({Access.FETCHES}), ALL[::-1].copy())).tolist() == [0]


def test_a_glow_falls_to_a_third_and_ends(counters: ProbeBuffers) -> None:
    heat = Heat()
    heat.look(counters, 0.0)
    counters.reads[0] = 1 << 30
    heat.look(counters, 1.0)
    before = float(heat.glow(EVERY, ALL)[0])
    assert heat.fade(1.0 + FADE)
    assert float(heat.glow(EVERY, ALL)[0]) == pytest.approx(before / np.e, rel=1e-3)
    assert not heat.fade(9.0)


def test_reduced_motion_shows_the_last_look_alone_and_does_not_fade(counters: ProbeBuffers) -> None:
    heat = Heat()
    heat.steady = True
    heat.look(counters, 0.0)
    counters.reads[0] = 1
    heat.look(counters, 1.0)
    assert heat.glow(EVERY, ALL)[0] > 0
    counters.reads[1] = 1
    heat.look(counters, 2.0)
    assert np.flatnonzero(heat.glow(EVERY, ALL)).tolist() == [1]


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 31) - 1))
def test_counters_that_overflow_count_on(start: int, more: int) -> None:
    counters, heat = ProbeBuffers.private(4 << 12), Heat()
    counters.reads[0] = start
    heat.look(counters, 0.0)
    counters.reads[0] = (start + more) & 0xFFFF_FFFF
    heat.look(counters, 0.0)
    assert bool(heat.glow(EVERY, ALL)[0] > 0) == (more > 0)


def test_counters_that_went_away_glow_nowhere() -> None:
    heat = Heat()
    heat.look(ProbeBuffers.private(4 << 12), 0.0)
    heat.look(ProbeBuffers.private(0), 1.0)
    assert heat.glow(EVERY, ALL).size == 0


def test_time_that_goes_back_lets_nothing_glow(counters: ProbeBuffers) -> None:
    heat = Heat()
    counters.reads[0] = 500
    heat.look(counters, 0.0)
    counters.reads[0] = 20
    heat.look(counters, 0.0)
    assert not heat.glow(EVERY, ALL).any()
