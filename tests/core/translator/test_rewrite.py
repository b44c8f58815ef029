"""What each kind of instruction becomes, and that every byte of it is accounted for."""

from __future__ import annotations

import pytest
from iced_x86 import Decoder

from core.cpu.relocation import ADDRESS, COUNTS
from core.translations import Fate
from core.translator.blocks import LONGEST_UNIT, Mode, Unit, find_unit
from core.translator.rewrite import Emitted, Surroundings, translate

FLAT = Mode(0, 32, True)
AT, VARIABLES = 0xFFC5_0100, 0xFFC3_0000
AROUND = Surroundings(VARIABLES, 0xFFE0_0000, 0xFFC5_0010)
PC = 0x10_0000


def unit_of(code: bytes, mode: Mode = FLAT, pc: int = PC) -> Unit:
    found = find_unit(code, pc, mode)
    assert found is not None
    return found


def translated(code: bytes, mode: Mode = FLAT) -> Emitted:
    return translate(unit_of(code, mode), code, AT, AROUND)


def fates(code: bytes) -> list[Fate]:
    return [step.fate for step in translated(code).steps]


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("01d8", Fate.COPIED),  # add eax, ebx
        ("8ed8", Fate.IN_LINE),  # mov ds, eax: its RPL is looked at
        ("8ed0", Fate.CALLOUT),  # mov ss, eax
        ("fa", Fate.IN_LINE),  # cli
        ("9c", Fate.IN_LINE),  # pushfd
        ("0f20c0", Fate.IN_LINE),  # mov eax, cr0
        ("0f22c0", Fate.CALLOUT),  # mov cr0, eax
        ("0f010500000000", Fate.IN_LINE),  # sgdt [0]
        ("0e", Fate.IN_LINE),  # push cs
        ("1e", Fate.COPIED),  # push ds
        ("0f02c3", Fate.CALLOUT),  # lar eax, ebx
        ("c3", Fate.BRANCH),
        ("e810000000", Fate.BRANCH),
        ("7410", Fate.BRANCH),
        ("cf", Fate.CALLOUT),  # iretd
        ("cd80", Fate.COPIED),
        ("f4", Fate.CALLOUT),  # hlt
        ("e4 21", Fate.COPIED),  # in al, 0x21: comes to the monitor by itself
    ],
)
def test_an_instruction_becomes(code: str, fate: Fate) -> None:
    assert fates(bytes.fromhex(code) + b"\x90")[0] is fate


def test_a_copy_is_the_same_bytes() -> None:
    code = bytes.fromhex("01d8 8b4508 894608 eb00")
    made = translated(code)
    assert made.code[made.steps[0].offset :].startswith(code[:8])


def test_a_unit_ends_after_twelve_instructions_or_with_control_flow_or_with_the_page() -> None:
    assert len(unit_of(b"\x90" * 40).instructions) == LONGEST_UNIT
    assert len(unit_of(b"\x90\x90\xc3" + b"\x90" * 40).instructions) == 3
    assert len(unit_of(b"\x90" * 40, pc=0xFFD).instructions) == 3


def test_an_instruction_that_straddles_two_pages_is_a_unit_of_its_own_and_asks_for_the_second() -> None:
    code = bytes.fromhex("b878563412") + b"\x90" * 16
    assert find_unit(code[:2], 0xFFE, FLAT) is None
    unit = unit_of(code, pc=0xFFE)
    assert [each.len for each in unit.instructions] == [5]


def test_each_of_the_guests_instructions_counts_once_whatever_it_became() -> None:
    code = bytes.fromhex("fa 9c 58 0f20c0 0f010500002000 9d 90 ff1500002000")
    made = translated(code)
    counted = [entry & ADDRESS for _, entry in made.entries if entry & COUNTS]
    assert counted == [step.pc for step in made.steps]
    assert [offset for offset, entry in made.entries if entry & COUNTS] == [step.offset for step in made.steps]


def test_every_instruction_in_the_cache_has_its_place_in_the_code_map() -> None:
    code = bytes.fromhex("fa 9c 58 0f20c0 0f010500002000 9d 90 ff1500002000")
    made = translated(code)
    starts = [instruction.ip - AT for instruction in Decoder(32, made.code, ip=AT)]
    assert [offset for offset, _ in made.entries] == starts


def test_a_call_pushes_the_guests_own_return_address() -> None:
    made = translated(bytes.fromhex("e810000000"))
    push = Decoder(32, made.code[made.steps[0].offset :], ip=AT).decode()
    assert str(push) == f"push {PC + 5:X}h"
    assert [each.target for each in made.exits] == [PC + 0x15]


def test_code_whose_segment_has_a_base_pushes_an_offset_and_reaches_the_variables_all_the_same() -> None:
    made = translated(bytes.fromhex("fa e810000000"), Mode(0x1_0000, 32, True))
    cli, push = list(Decoder(32, made.code[made.steps[0].offset :], ip=AT + made.steps[0].offset))[:2]
    assert cli.memory_displacement + 0x1_0000 & 0xFFFF_FFFF == VARIABLES
    assert push.immediate32 == PC + 6 - 0x1_0000
