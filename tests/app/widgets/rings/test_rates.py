"""Rates are the interposer's counts over the onlooker's seconds."""

from __future__ import annotations

import pytest

from app.widgets.rings.crossing import Crossing, Leg, crossing_of
from app.widgets.rings.paint_rates import rate_words
from app.widgets.rings.rates import Flow, RateMeter
from core.events import Cause, Ring
from tests.app.builders import trap

CLI = crossing_of(trap())
OUT = crossing_of(trap(cause=Cause.IO))
CALL = crossing_of(trap(ring_from=Ring.USER, ring_to=Ring.KERNEL, ring_after=Ring.KERNEL, cause=Cause.SYSTEM_CALL))
RETURN = Crossing((Leg(Ring.KERNEL, Ring.USER),))


def test_without_a_past_there_is_no_rate() -> None:
    meter = RateMeter()
    meter.add((CLI,), 1, Ring.ONE, now=5.0)
    assert meter.flows() == ()
    assert meter.traps_per_second() == 0


def test_ten_traps_in_half_a_second_are_twenty_a_second() -> None:
    meter = RateMeter()
    meter.add((), 0, Ring.USER, now=0.0)
    meter.add((CALL, RETURN) * 5, 5, Ring.USER, now=0.25)
    meter.add((CALL, RETURN) * 5, 5, Ring.USER, now=0.5)
    assert meter.traps_per_second() == pytest.approx(20)
    assert meter.crossings_per_second() == pytest.approx(40)
    assert meter.flows() == (
        Flow(Ring.KERNEL, Ring.USER, pytest.approx(20), None, direct=True),
        Flow(Ring.USER, Ring.KERNEL, pytest.approx(20), Cause.SYSTEM_CALL, direct=False),
    )


def test_each_leg_of_a_trap_counts_for_its_own_way() -> None:
    meter = RateMeter()
    meter.add((), 0, Ring.ONE, now=0.0)
    meter.add((CLI, CLI, OUT), 3, Ring.ONE, now=1.0)
    flows = {(flow.start, flow.end): flow for flow in meter.flows()}
    assert flows[Ring.ONE, Ring.KERNEL].per_second == pytest.approx(3)
    assert flows[Ring.KERNEL, Ring.ONE].per_second == pytest.approx(3)
    assert flows[Ring.ONE, Ring.KERNEL].cause is Cause.PRIVILEGED  # two of the three


def test_the_listed_traps_stand_for_those_that_the_snapshot_left_out() -> None:
    meter = RateMeter()
    meter.add((), 0, Ring.ONE, now=0.0)
    meter.add((CLI, CALL), 5000, Ring.ONE, now=1.0)
    flows = {(flow.start, flow.end): flow.per_second for flow in meter.flows()}
    assert flows[Ring.USER, Ring.KERNEL] == pytest.approx(2500)
    assert meter.traps_per_second() == pytest.approx(5000)


def test_causes_are_counted_once_a_trap_whatever_its_ways() -> None:
    meter = RateMeter()
    meter.add((), 0, Ring.ONE, now=0.0)
    meter.add((CLI, CLI, CALL, OUT, RETURN), 8, Ring.ONE, now=0.5)
    assert meter.causes() == (
        (Cause.PRIVILEGED, pytest.approx(8)),
        (Cause.IO, pytest.approx(4)),
        (Cause.SYSTEM_CALL, pytest.approx(4)),
    )


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    meter = RateMeter(window=1.0)
    meter.add((), 0, Ring.ONE, now=0.0)
    meter.add((CLI,) * 100, 100, Ring.ONE, now=0.5)
    for tenth in range(6, 40):
        meter.add((), 0, Ring.USER, now=tenth / 10)
    assert meter.traps_per_second() == 0
    assert meter.seconds == pytest.approx(1.0, abs=0.11)
    assert meter.flows() == ()


def test_shares_tell_in_which_ring_the_snapshots_found_the_cpu() -> None:
    meter = RateMeter()
    for index, ring in enumerate((Ring.USER, Ring.USER, Ring.KERNEL, Ring.USER)):
        meter.add((), 0, ring, now=index / 10)
    assert meter.shares() == {Ring.USER: 0.75, Ring.KERNEL: 0.25}


def test_clearing_forgets_everything() -> None:
    meter = RateMeter()
    meter.add((), 0, Ring.USER, now=0.0)
    meter.add((CLI,), 1, Ring.USER, now=1.0)
    meter.clear()
    assert (meter.flows(), meter.shares(), meter.seconds) == ((), {}, 0.0)


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.04, "0.0 /s"), (7.26, "7.3 /s"), (9.96, "10 /s"), (1234.4, "1\u202f234 /s"), (2e6, "2\u202f000\u202f000 /s")],
)
def test_rates_are_written_with_as_many_figures_as_mean_something(rate: float, words: str) -> None:
    assert rate_words(rate) == words
