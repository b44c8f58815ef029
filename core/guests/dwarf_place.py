"""Where a variable is at some instruction, and what it holds: DWARF location expressions (DWARF 4 §2.5 and §2.6).

Only what can be known for certain: an expression that needs a register which nobody saved, or an operation that is not
among these, gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.guests.unwind import Registers

ReadBytes = Callable[[int, int], bytes | None]

_BINARY: dict[str, Callable[[int, int], int]] = {
    "DW_OP_plus": lambda a, b: a + b,
    "DW_OP_minus": lambda a, b: a - b,
    "DW_OP_mul": lambda a, b: a * b,
    "DW_OP_and": lambda a, b: a & b,
    "DW_OP_or": lambda a, b: a | b,
    "DW_OP_xor": lambda a, b: a ^ b,
    "DW_OP_shl": lambda a, b: a << (b & 63),
    "DW_OP_shr": lambda a, b: (a & 0xFFFF_FFFF) >> (b & 63),
}
_CONSTANTS = ("DW_OP_addr", "DW_OP_constu", "DW_OP_consts", *(f"DW_OP_const{n}{s}" for n in (1, 2, 4) for s in "us"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an expression: name and operands, as pyelftools calls them."""

    name: str
    operands: tuple[object, ...] = ()

    @property
    def number(self) -> int:
        """Its first operand."""
        return int(str(self.operands[0])) if self.operands else 0


@dataclass(frozen=True, slots=True)
class FrameContext:
    """What an expression may use: the frame's registers as far as they are known, its bases, and memory."""

    registers: Registers
    base: int | None  # canonical frame address
    frame_base: int | None  # what DW_OP_fbreg counts from
    read: ReadBytes


def evaluate(expression: Sequence[Operation], frame: FrameContext, size: int) -> int | None:
    """The unsigned value of `size` bytes that the expression describes; None if it cannot be known."""
    stack: list[int] = []
    for at, operation in enumerate(expression):
        name = operation.name
        if name.startswith("DW_OP_reg"):
            number = operation.number if name == "DW_OP_regx" else int(name.removeprefix("DW_OP_reg"))
            held = frame.registers.get(number)
            # a value in a register, whole, is the whole expression
            return None if held is None or len(expression) > 1 or size > 4 else held & (1 << 8 * size) - 1
        if name == "DW_OP_stack_value":
            return stack[-1] & (1 << 8 * size) - 1 if stack and at == len(expression) - 1 else None
        if not _apply(operation, stack, frame):
            return None
    data = frame.read(stack[-1] & 0xFFFF_FFFF, size) if stack else None
    return None if data is None else int.from_bytes(data, "little")


def address_of(expression: Sequence[Operation], frame: FrameContext) -> int | None:
    """The address, or the register's value, that a frame base expression gives."""
    if len(expression) == 1 and expression[0].name.startswith("DW_OP_reg"):
        return evaluate(expression, frame, 4)
    stack: list[int] = []
    if not all(_apply(operation, stack, frame) for operation in expression) or not stack:
        return None
    return stack[-1] & 0xFFFF_FFFF


def _apply(operation: Operation, stack: list[int], frame: FrameContext) -> bool:
    """Do it on the stack; False if it is unknown or lacks what it needs."""
    name = operation.name
    if name.startswith("DW_OP_breg"):
        return _push(stack, frame.registers.get(int(name.removeprefix("DW_OP_breg"))), operation.number)
    if name == "DW_OP_fbreg":
        return _push(stack, frame.frame_base, operation.number)
    if name == "DW_OP_call_frame_cfa":
        return _push(stack, frame.base, 0)
    if name in _CONSTANTS:
        return _push(stack, operation.number, 0)
    if name.startswith("DW_OP_lit"):
        return _push(stack, int(name.removeprefix("DW_OP_lit")), 0)
    if not stack:
        return False
    if name == "DW_OP_plus_uconst":
        return _push(stack, stack.pop(), operation.number)
    if name in ("DW_OP_deref", "DW_OP_deref_size"):
        data = frame.read(stack.pop() & 0xFFFF_FFFF, 4 if name == "DW_OP_deref" else operation.number)
        return _push(stack, None if data is None else int.from_bytes(data, "little"), 0)
    if name in _BINARY and len(stack) > 1:
        second = stack.pop()
        return _push(stack, _BINARY[name](stack.pop(), second), 0)
    return False


def _push(stack: list[int], value: int | None, more: int) -> bool:
    if value is None:
        return False
    stack.append(value + more)
    return True
