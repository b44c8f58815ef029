"""The seven nanobenchmarks: what a round does is counted exactly, and the orders of 2006 hold."""

from __future__ import annotations

from functools import cache

import pytest

from core.cost_table import load_costs
from core.events import Cause
from core.nanobenchmarks import NAMES, ROUNDS, Nanobenchmark, Nanobenchmarks, published, run_nanobenchmarks

PENTIUM, _ = load_costs()


@cache
def ran(kind: str) -> Nanobenchmarks:
    return run_nanobenchmarks(kind)


def cycles(kind: str, name: str) -> float:
    return ran(kind).named(name).cycles(PENTIUM)


def departures(each: Nanobenchmark) -> dict[Cause, int]:
    """Those of every round: what happens now and then, such as the timer, is left out."""
    return {cause: round(count / ROUNDS) for cause, count in each.departures.items() if count >= ROUNDS // 2}


def test_a_round_is_what_its_name_says_on_the_bare_machine() -> None:
    assert {name: departures(ran("bare").named(name)) for name in NAMES} == {
        "syscall": {Cause.SYSTEM_CALL: 1},
        "in": {Cause.IO: 1},
        "crwr": {},
        "callret": {},
        "pgfault": {Cause.PAGE_FAULT_TRUE: 1},
        "divzero": {Cause.FAULT: 1},
        "ptemod": {},
    }


@pytest.mark.parametrize("name", ["in", "ptemod", "pgfault"])
def test_hardware_without_nested_paging_is_slower_than_translation(name: str) -> None:
    assert cycles("hardware_shadow", name) > cycles("translation", name)
    told = published()[name]
    assert told.hardware is not None
    assert told.translation is not None
    assert told.hardware > told.translation


def test_system_calls_are_dearer_translated_than_in_guest_mode() -> None:
    assert cycles("translation", "syscall") > cycles("hardware_shadow", "syscall")
    assert departures(ran("hardware_shadow").named("syscall")) == {Cause.SYSTEM_CALL: 1}


def test_nested_paging_takes_the_exits_for_page_tables_away() -> None:
    for name in ("pgfault", "ptemod", "crwr"):
        assert cycles("hardware", name) < cycles("hardware_shadow", name) / 2
        assert departures(ran("hardware").named(name)) == departures(ran("bare").named(name))


def test_a_changed_guest_asks_once_where_an_unchanged_one_traps() -> None:
    changed = ran("paravirt")
    assert changed.guest == "pebble-pv"
    assert departures(changed.named("ptemod")) == {Cause.HYPERCALL: 1}
    assert departures(changed.named("syscall")) == {Cause.SYSTEM_CALL: 1}
    assert cycles("paravirt", "ptemod") < cycles("hardware_shadow", "ptemod")
