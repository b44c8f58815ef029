"""Crossings are read from traps, and those without a trap from what lies between them."""

from __future__ import annotations

from app.widgets.rings.crossing import Crossing, Leg, crossing_of, crossings_between
from core.events import Cause, Ring
from tests.app.builders import snapshot, trap

SYSTEM_CALL = {
    "cause": Cause.SYSTEM_CALL,
    "ring_from": Ring.USER,
    "ring_to": Ring.KERNEL,
    "ring_after": Ring.KERNEL,
    "instruction": "int 0x80",
    "vector": 0x80,
}


def bare(ring: Ring, **facts: object) -> object:
    return snapshot(**{"kind": "bare", "ring": ring, "believed": ring, "traps": (), "trap_count": 0, **facts})


def test_a_trap_that_is_emulated_goes_in_and_out_again() -> None:
    crossing = crossing_of(trap())
    assert crossing.legs == (Leg(Ring.ONE, Ring.KERNEL), Leg(Ring.KERNEL, Ring.ONE))
    assert (crossing.headline, crossing.detail) == ("cli", "Privileged instruction")
    assert crossing.route == "ring 1 → ring 0 → ring 1"


def test_a_trap_whose_handler_goes_on_has_one_leg() -> None:
    assert crossing_of(trap(**SYSTEM_CALL)).legs == (Leg(Ring.USER, Ring.KERNEL),)


def test_what_no_instruction_asked_for_is_named_by_its_vector() -> None:
    assert crossing_of(trap(cause=Cause.INTERRUPT, vector=0x20)).headline == "interrupt 0x20"
    assert crossing_of(trap(cause=Cause.FAULT, vector=13)).headline == "#GP general protection"
    assert crossing_of(trap(cause=Cause.WORLD_SWITCH, vector=None, instruction="")).headline == "World switch"


def test_another_ring_and_no_trap_that_says_so_is_a_direct_return() -> None:
    (crossing,) = crossings_between(bare(Ring.KERNEL), bare(Ring.USER, executed=2))
    assert crossing == Crossing((Leg(Ring.KERNEL, Ring.USER),))
    assert (crossing.headline, crossing.detail) == ("returned directly", "no trap")


def test_inward_without_a_trap_is_a_direct_call() -> None:
    (crossing,) = crossings_between(bare(Ring.USER), bare(Ring.KERNEL, executed=2))
    assert crossing.headline == "called directly"


def test_direct_returns_are_found_before_between_and_after_traps() -> None:
    happened = (trap(0, **SYSTEM_CALL), trap(1, **SYSTEM_CALL))
    found = crossings_between(bare(Ring.KERNEL), bare(Ring.USER, executed=9, traps=happened, trap_count=2))
    assert [crossing.headline for crossing in found] == [
        "returned directly",
        "int 0x80",
        "returned directly",
        "int 0x80",
        "returned directly",
    ]


def test_traps_that_were_shown_before_are_not_shown_again() -> None:
    before = bare(Ring.KERNEL, traps=(trap(0, **SYSTEM_CALL),), trap_count=1)
    after = bare(Ring.KERNEL, executed=2, traps=(trap(0, **SYSTEM_CALL), trap(1, ring_from=Ring.KERNEL,
                 ring_to=Ring.KERNEL, ring_after=Ring.KERNEL)), trap_count=2)  # fmt: skip
    found = crossings_between(before, after)
    assert [crossing.trap.number for crossing in found if crossing.trap] == [1]
    assert len(found) == 1


def test_nothing_is_guessed_across_a_gap_in_the_traps() -> None:
    newest = (trap(50, **SYSTEM_CALL),)
    found = crossings_between(bare(Ring.ONE), bare(Ring.KERNEL, executed=999, traps=newest, trap_count=51))
    assert [crossing.headline for crossing in found] == ["int 0x80"]


def test_going_back_in_time_crosses_nothing() -> None:
    assert crossings_between(bare(Ring.USER, executed=10), bare(Ring.KERNEL, executed=5)) == ()


def test_a_new_power_on_has_no_past() -> None:
    later = bare(Ring.USER, generation=2, executed=0)
    assert crossings_between(bare(Ring.KERNEL, executed=10), later) == ()


def test_only_the_crossings_of_the_vm_that_is_shown_are_its_own() -> None:
    others = {"vm": "B", "ring_from": Ring.KERNEL, "ring_to": Ring.HOST, "ring_after": Ring.KERNEL}
    switch = {"cause": Cause.WORLD_SWITCH, "ring_from": Ring.ONE, "ring_to": Ring.KERNEL, "ring_after": Ring.KERNEL}
    happened = (trap(0), trap(1, **switch), trap(2, **others), trap(3))
    found = crossings_between(
        snapshot(ring=Ring.ONE, traps=(), trap_count=0),
        snapshot(ring=Ring.ONE, traps=happened, trap_count=4, executed=9),
    )
    assert [crossing.trap.number for crossing in found if crossing.trap] == [0, 1, 3]
    assert all(crossing.route == "ring 1 → ring 0 → ring 1" for crossing in found)


def test_another_vm_that_is_shown_has_come_from_nowhere() -> None:
    assert crossings_between(bare(Ring.KERNEL), bare(Ring.USER, vm="B", executed=2)) == ()
