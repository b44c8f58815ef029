"""The first difference between two kinds: found, placed, and told apart from the holes that are known."""

from __future__ import annotations

import pytest

from core.compare import Setting, first_difference
from core.cpu.decode import decode
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.vmm.holes import is_hole
from core.vmm.trap_emulate import TrapEmulate


def compared(text: str) -> object:
    return first_difference(Setting(assemble(text, "guest.s"), "", 100_000), "trap_emulate")


@pytest.mark.parametrize("guest", ["hello", "rings", "privileged"])
def test_guests_that_only_trap_show_no_difference(guest: str) -> None:
    assert first_difference(Setting(load_program(guest), "", 1_000_000), "trap_emulate") is None


def test_a_guest_operating_system_shows_no_difference() -> None:
    assert first_difference(Setting(load_program("pebble-clean"), "run=forks", 20_000_000), "trap_emulate") is None


def test_the_first_difference_is_placed_to_the_instruction() -> None:
    found = first_difference(Setting(load_program("hole"), "", 100_000), "trap_emulate")
    assert found is not None
    assert (found.executed, found.instruction, found.documented) == (3, "pushf", True)
    assert (found.where, found.expected, found.found) == ("memory at 0x00007ffc", "0x00000002", "0x00000202")


def test_a_hole_is_no_excuse_for_a_kind_that_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrapEmulate, "leaves_holes", False)
    found = first_difference(Setting(load_program("hole"), "", 100_000), "trap_emulate")
    assert found is not None
    assert (found.instruction, found.documented) == ("pushf", False)


def test_a_difference_late_in_a_run_is_found_by_bisection() -> None:
    found = first_difference(Setting(load_program("pebble"), "run=hello", 20_000_000), "trap_emulate")
    assert found is not None
    assert found.executed > 200_000
    assert found.instruction == "pushf"


def test_a_register_that_differs_is_named() -> None:
    found = compared("mov ecx, 20000\nloop: dec ecx\njnz loop\nmov eax, cs\nhlt")
    assert (getattr(found, "where", ""), getattr(found, "expected", ""), getattr(found, "found", "")) == (
        "EAX", "0x8", "0x9",
    )  # fmt: skip


def test_progress_is_told_on_the_way() -> None:
    told: list[int] = []
    first_difference(Setting(load_program("rings"), "", 1_000_000), "trap_emulate", told.append)
    assert told == sorted(told)
    assert told


@pytest.mark.parametrize(
    ("code", "hole"),
    [
        ("9c", True), ("9d", True), ("0f0100", True), ("0f01e0", True), ("0f00c8", True), ("8cc8", True), ("0e", True),
        ("0f02c1", True), ("0f00e0", True), ("9a000000000800", True), ("8ed8", True), ("07", True), ("cb", True),
        ("ea000000000800", True), ("50", False), ("89c8", False),
        ("fa", False), ("e800000000", False),
    ],
)  # fmt: skip
def test_the_instructions_of_robin_and_irvine_are_known(code: str, hole: bool) -> None:
    assert is_hole(decode(bytes.fromhex(code), 0)) is hole
