"""A guest measured whole under a kind: equivalence, efficiency, resource control, and the way through JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.compare import Setting, same_but_for
from core.errors import RequestError
from core.events import EndHow
from core.guests.assembler import assemble
from core.guests.catalog import load_program, shipped_guests
from core.measured import JSON, Measured, measure


def setting(guest: str, command_line: str = "") -> Setting:
    return Setting(load_program(guest), command_line, 20_000_000)


def test_a_kind_that_needs_another_build_runs_it_and_says_so() -> None:
    found = measure(setting("pebble", "run=hello"), "paravirt")
    assert (found.guest, found.own_build) == ("pebble-pv", True)
    assert found.first_difference is None
    assert found.status == 0
    assert found.output_differences == ()


def test_the_speed_that_a_changed_guest_measures_of_itself_is_told_from_other_output() -> None:
    found = measure(setting("pebble", "run=bench crwr"), "paravirt")
    (line,) = found.output_differences
    assert (line.where, line.own_speed, found.equivalent) == ("console, line 3", True, True)
    assert line.found != line.expected


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("bench in: 1000 rounds, 40 cycles, 4 a round", "bench in: 1000 rounds, 77 cycles, 7 a round", True),
        ("bench in: 1000 rounds, 40 cycles, 4 a round", "bench in: 1001 rounds, 40 cycles, 4 a round", False),
        ("bench in: 1000 rounds, 40 cycles, 4 a round", "bench in: 1000 rounds, 40 cycles", False),
        ("40 cycles a round", "41 cycles a round", False),
    ],
)
def test_only_the_figures_of_its_own_speed_may_differ(expected: str, found: str, same: bool) -> None:
    assert same_but_for(shipped_guests()["pebble"].own_speed, expected, found) is same


def test_a_guest_without_such_a_build_is_refused() -> None:
    with pytest.raises(RequestError, match="No build of rings"):
        measure(setting("rings"), "paravirt")


def test_the_paravirtual_build_finds_its_way_back_to_bare() -> None:
    found = measure(setting("pebble-pv", "run=hello"), "bare")
    assert (found.guest, found.own_build) == ("pebble", False)


@pytest.mark.parametrize("kind", ["translation", "hardware", "hardware_shadow"])
def test_memory_is_taken_back_and_the_guest_does_not_notice(kind: str) -> None:
    taken = measure(setting("pebble", "run=hello"), kind, control=True).taken_back
    assert taken is not None
    assert taken.taken == 4 << 20
    assert taken.unnoticed
    assert taken.brought_back > 0


def test_bare_takes_nothing_back_and_says_why() -> None:
    taken = measure(setting("hello"), "bare", control=True).taken_back
    assert taken is not None
    assert "cannot take memory back" in taken.refused


def test_the_hole_is_found_with_its_place() -> None:
    found = measure(setting("hole"), "trap_emulate").first_difference
    assert found is not None
    assert found.instruction == "pushf"
    assert found.documented


def test_all_of_it_goes_through_json_and_back() -> None:
    found = measure(setting("hole"), "trap_emulate", control=True)
    back: Measured = JSON.validate_json(JSON.dump_json(found))
    assert back == found


def test_a_guest_that_waits_for_input_and_one_that_runs_on_are_told_apart() -> None:
    waiting = measure(Setting(assemble("sti\nhlt\nnop"), "", 1000), "hardware")
    assert (waiting.end, waiting.status, waiting.equivalent) == (EndHow.HALTED, None, True)
    assert "waits for input" in waiting.sentence
    cut = measure(replace(setting("hello"), limit=100), "bare")
    assert (cut.end, cut.account.instructions) == (EndHow.LIMIT, 100)
