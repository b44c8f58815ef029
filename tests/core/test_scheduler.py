"""The scheduler by itself: shares follow weights, caps hold, sleepers save nothing up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scheduler import PERIOD, SLICE, Scheduler


def run(scheduler: Scheduler, instructions: int) -> dict[str, int]:
    """Let VMs that never sleep run, and tell what each got."""
    before = {letter: share.executed for letter, share in scheduler.state.shares.items()}
    end = scheduler.state.time + instructions
    while scheduler.state.time < end:
        if scheduler.choose() is None:
            scheduler.skip(scheduler.idle() or 0)
            continue
        part = min(scheduler.longest(), end - scheduler.state.time)
        assert part > 0
        scheduler.ran(part, part)
    return {letter: share.executed - before.get(letter, 0) for letter, share in scheduler.state.shares.items()}


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_shares_follow_the_weights_to_within_a_slice(weights: list[int]) -> None:
    scheduler = Scheduler()
    for letter, weight in zip("ABCDE", weights, strict=False):
        scheduler.add(letter, weight, None)
    got = run(scheduler, 2_000_000)
    for letter, weight in zip("ABCDE", weights, strict=False):
        assert got[letter] == pytest.approx(2_000_000 * weight / sum(weights), abs=2 * SLICE)


@given(st.integers(1, 100), st.integers(1, 3))
def test_a_cap_bounds_each_period_even_if_nobody_else_wants_the_cpu(cap: int, periods: int) -> None:
    scheduler = Scheduler()
    scheduler.add("A", 1, cap)
    assert run(scheduler, periods * PERIOD) == {"A": periods * PERIOD * cap // 100}
    assert scheduler.state.time == periods * PERIOD


def test_what_a_cap_leaves_goes_to_the_others() -> None:
    scheduler = Scheduler()
    scheduler.add("A", 1, 10)
    scheduler.add("B", 1, None)
    assert run(scheduler, 2 * PERIOD) == {"A": PERIOD // 5, "B": 2 * PERIOD - PERIOD // 5}


def test_who_slept_or_came_late_gets_a_fair_share_from_then_on_and_no_more() -> None:
    scheduler = Scheduler()
    scheduler.add("A", 1, None)
    scheduler.add("B", 1, None)
    scheduler.choose()
    scheduler.sleep("B", PERIOD)
    assert run(scheduler, PERIOD) == {"A": PERIOD, "B": 0}
    scheduler.add("C", 2, None)
    got = run(scheduler, PERIOD)
    assert got["A"] == pytest.approx(PERIOD / 4, abs=2 * SLICE)
    assert got["B"] == pytest.approx(PERIOD / 4, abs=2 * SLICE)
    assert got["C"] == pytest.approx(PERIOD / 2, abs=2 * SLICE)


def test_time_passes_for_a_sleeper_while_others_run_but_not_while_it_is_paused() -> None:
    scheduler = Scheduler()
    scheduler.add("A", 1, None)
    scheduler.add("B", 1, None)
    scheduler.choose()
    scheduler.sleep("B", 100_000)
    run(scheduler, 60_000)
    scheduler.pause("B")
    run(scheduler, 500_000)
    assert scheduler.state.shares["B"].owed == 60_000
    scheduler.resume("B")
    assert not scheduler.ready("B")
    run(scheduler, 40_000)
    assert scheduler.ready("B")
    assert scheduler.state.shares["B"].owed == 100_000


def test_a_run_that_is_cut_into_pieces_gives_the_same_order() -> None:
    def order(piece: int) -> list[str]:
        scheduler = Scheduler()
        for letter, weight in (("A", 1), ("B", 3), ("C", 2)):
            scheduler.add(letter, weight, None)
        ran = []
        while scheduler.state.time < 500_000:
            ran += [scheduler.choose() or ""] * (part := min(scheduler.longest(), piece - scheduler.state.time % piece))
            scheduler.ran(part, part)
        return ran

    assert order(500_000) == order(7_777)[:500_000]


moments = st.integers(1, 8 * SLICE) | st.integers(1, 8).map(SLICE.__mul__)


@given(st.integers(1, 9), st.lists(moments), moments)
def test_who_runs_alone_is_charged_alike_wherever_its_run_is_cut(weight: int, cuts: list[int], end: int) -> None:
    """To the last digit: a moment that is come to in other pieces is the same moment."""
    states = []
    for ends in ([end], sorted({*(cut for cut in cuts if cut < end), end})):
        scheduler = Scheduler()
        scheduler.add("A", weight, None)
        for before, until in pairwise([0, *ends]):
            assert scheduler.choose() == "A"
            scheduler.ran(until - before, until - before)
        states.append(scheduler.state)
    assert states[0] == states[1]


@given(st.integers(1, 2 * SLICE), st.integers(1, 2 * SLICE))
def test_who_runs_alone_has_the_same_slices_whether_it_was_seen_asleep_or_not(before: int, after: int) -> None:
    states = []
    for is_seen in (False, True):
        scheduler = Scheduler()
        scheduler.add("A", 1, None)
        assert scheduler.choose() == "A"
        if is_seen:
            scheduler.ran(before, before)
            scheduler.sleep("A", 1000)
            assert scheduler.choose() is None
            scheduler.skip(1000)
            scheduler.state.shares["A"].owed = 0  # its own time has passed, as its interposer says
            assert scheduler.choose() == "A"
            scheduler.ran(after, after)
        else:
            scheduler.ran(before + after, before + 1000 + after)
        states.append(scheduler.state)
    assert states[0] == states[1]


def test_one_may_direct_the_next_slice_and_the_fair_order_makes_up_for_it() -> None:
    scheduler = Scheduler()
    for letter in "ABC":
        scheduler.add(letter, 1, None)
    assert scheduler.choose() == "A"
    scheduler.direct("C")
    assert scheduler.choose() == "C"
    run(scheduler, 30 * SLICE)
    assert {share.executed for share in scheduler.state.shares.values()} == {10 * SLICE}
