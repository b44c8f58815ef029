"""Location expressions: what they give, and that they give nothing rather than a guess."""

from __future__ import annotations

import pytest

from core.cpu.context import Gpr
from core.guests.dwarf_place import FrameContext, Operation, evaluate

MEMORY = bytes(range(256))


def read(address: int, size: int) -> bytes | None:
    return MEMORY[address : address + size] if 0 <= address <= len(MEMORY) - size else None


FRAME = FrameContext({Gpr.EAX: 0x1234_5678, Gpr.EBP: 0x10}, 0x20, 0x10, read)


def op(name: str, *operands: int) -> Operation:
    return Operation(f"DW_OP_{name}", operands)


@pytest.mark.parametrize(
    ("expression", "size", "value"),
    [
        ([op("reg0")], 4, 0x1234_5678),
        ([op("reg0")], 1, 0x78),
        ([op("reg1")], 4, None),  # nobody saved ECX
        ([op("reg0"), op("piece", 2)], 4, None),
        ([op("fbreg", 8)], 4, 0x1B1A_1918),
        ([op("fbreg", -8)], 1, 0x08),
        ([op("breg5", 4)], 2, 0x1514),
        ([op("breg3", 4)], 2, None),
        ([op("call_frame_cfa")], 1, 0x20),
        ([op("addr", 0x30)], 1, 0x30),
        ([op("addr", 0x400)], 1, None),  # not mapped
        ([op("lit7"), op("stack_value")], 4, 7),
        ([op("consts", -1), op("stack_value")], 2, 0xFFFF),
        ([op("breg0", 0), op("constu", 0xFF), op("and"), op("stack_value")], 4, 0x78),
        ([op("lit9"), op("lit4"), op("minus"), op("stack_value")], 4, 5),
        ([op("lit3"), op("lit4"), op("shl"), op("stack_value")], 4, 0x30),
        ([op("addr", 4), op("deref_size", 1), op("plus_uconst", 2), op("stack_value")], 4, 6),
        ([op("GNU_entry_value"), op("stack_value")], 4, None),
        ([op("plus")], 4, None),
        ([], 4, None),
    ],
)
def test_an_expression_gives_its_value_or_nothing(expression: list[Operation], size: int, value: int | None) -> None:
    assert evaluate(expression, FRAME, size) == value
