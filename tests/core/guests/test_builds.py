"""What differs between two builds of Pebble, as people read it."""

from __future__ import annotations

import pytest

from core.errors import RequestError
from core.guests.builds import as_seen, build_of, counterpart, difference
from core.guests.catalog import shipped_guests
from core.guests.image import Interface

GUESTS = shipped_guests()


def test_marks_are_decided_and_other_conditionals_stay() -> None:
    lines = ["#ifndef X", "#ifdef PEBBLE_PV", "a", "#ifdef Y", "b", "#endif", "#else", "c", "#endif", "d", "#endif"]
    assert as_seen(lines, {"PEBBLE_PV"}) == ["#ifndef X", "a", "#ifdef Y", "b", "#endif", "d", "#endif"]
    assert as_seen(lines, set()) == ["#ifndef X", "c", "d", "#endif"]


def test_the_port_to_a_hypervisor_is_told_file_by_file() -> None:
    told = difference(GUESTS["pebble"], GUESTS["pebble-pv"])
    assert "--- nothing\n+++ pebble-pv/kernel/pv.c\n" in told
    assert "--- pebble/kernel/segments.c\n+++ nothing\n" in told
    assert "+    kernel_directory = first_directory();" in told
    assert "PEBBLE_PV\n" not in told
    assert "kernel/syscall.c" not in told  # what programs see of the kernel is the same


def test_a_build_does_not_differ_from_itself() -> None:
    assert difference(GUESTS["pebble"], GUESTS["pebble"]) == ""


def test_a_guest_in_assembly_has_no_builds() -> None:
    with pytest.raises(RequestError, match="was not built from C"):
        build_of(GUESTS["hello"])


def test_the_build_of_the_same_sources_for_another_interface_is_found() -> None:
    assert counterpart(GUESTS["pebble"], Interface.PARAVIRT) == GUESTS["pebble-pv"]
    assert counterpart(GUESTS["pebble-pv"], Interface.PC) == GUESTS["pebble"]
    assert counterpart(GUESTS["pebble-clean"], Interface.PC) == GUESTS["pebble-clean"]
    assert counterpart(GUESTS["rings"], Interface.PARAVIRT) is None
