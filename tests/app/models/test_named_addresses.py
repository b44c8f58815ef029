"""Which addresses stand in an instruction or a register."""

from __future__ import annotations

import pytest

from app.models.named_addresses import address_held, addresses_in
from tests.app.builders import registers

HELD = {"EBP": 0x1000, "EAX": 4, "ESI": 0xFFFF_FFF0}


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("90", {}),
        ("e8 00 01 00 00", {"where it branches to": 0x205}),
        ("75 fe", {"where it branches to": 0x100}),
        ("a1 20 31 40 00", {"its memory operand": 0x40_3120}),
        ("8b 4c 85 10", {"its memory operand": 0x1020}),
        ("8b 46 20", {"its memory operand": 0x10}),
        ("8b 03", {}),  # EBX is not given
        ("65 8b 08", {}),  # GS may begin anywhere
        ("67 8b 02", {}),  # 16-bit addressing
        ("ff", {}),
    ],
)
def test_operands_and_targets_of_an_instruction(code: str, named: dict[str, int]) -> None:
    found = {each.words: each.address for each in addresses_in(bytes.fromhex(code), 0x100, HELD)}
    assert found == {"the instruction": 0x100, **named}


def test_elsewhere_than_at_the_program_counter_registers_say_nothing() -> None:
    assert len(addresses_in(bytes.fromhex("8b4c8510"), 0x100, None)) == 1
    assert len(addresses_in(bytes.fromhex("a120314000"), 0x100, None)) == 2


def test_registers_that_hold_addresses() -> None:
    held = {register.name: address_held(register) for register in registers(esp=0x7FF0)}
    assert held["ESP"] == 0x7FF0
    assert held["EIP"] is not None
    assert held["GDTR"] == 0x1000
    assert [held[name] for name in ("CS", "EFLAGS", "CR0", "CR3")] == [None] * 4
