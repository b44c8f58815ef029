"""Which program a breakpoint belongs to, and where it counts."""

from __future__ import annotations

from core.breakpoints import Breakpoints
from core.guests.catalog import load_program

PEBBLE = load_program("pebble")
MAIN = PEBBLE.programs["forks"].symbols["main"]
TRAP = PEBBLE.symbols["trap"]


def test_one_in_a_program_belongs_to_the_program_in_sight_and_one_in_the_kernel_to_nobody() -> None:
    kept = Breakpoints()
    kept.replace(frozenset({MAIN, TRAP}), PEBBLE, "forks")
    assert (kept.counts(MAIN, "forks"), kept.counts(MAIN, "init"), kept.counts(MAIN, "")) == (True, False, False)
    assert kept.counts(TRAP, "init")
    assert kept.elsewhere("init") == {MAIN}
    assert kept.elsewhere("forks") == frozenset()


def test_others_set_later_leave_it_where_it_belongs() -> None:
    kept = Breakpoints()
    kept.replace(frozenset({MAIN}), PEBBLE, "forks")
    kept.replace(frozenset({MAIN, MAIN + 4}), PEBBLE, "primes")
    assert kept.counts(MAIN, "forks")
    assert not kept.counts(MAIN, "primes")
    assert kept.counts(MAIN + 4, "primes")


def test_cleared_and_set_again_it_belongs_to_what_is_in_sight_then() -> None:
    kept = Breakpoints()
    kept.replace(frozenset({MAIN}), PEBBLE, "forks")
    kept.replace(frozenset(), PEBBLE, "primes")
    kept.replace(frozenset({MAIN}), PEBBLE, "primes")
    assert not kept.counts(MAIN, "forks")
    assert kept.counts(MAIN, "primes")


def test_in_a_guest_without_programs_it_counts_everywhere() -> None:
    kept = Breakpoints()
    kept.replace(frozenset({0x10_0000}), None, "")
    assert kept.counts(0x10_0000, "")
    assert not kept.needs_program(0x10_0000)
