"""The addresses that stand in an instruction or a register, with words for them: what one can go to from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iced_x86 import FlowControl, OpKind, Register, RegisterExt

from core.cpu.decode import decode
from core.snapshot import Register as RegisterFact
from core.snapshot import RegisterGroup

_NAMES = {value: name for name, value in vars(Register).items() if isinstance(value, int)}
_BRANCHES = (FlowControl.UNCONDITIONAL_BRANCH, FlowControl.CONDITIONAL_BRANCH, FlowControl.CALL)
_FLAT = ("", "CS", "DS", "ES", "SS")  # segments that are taken to begin at 0, as in every guest of ours
HOLD_ADDRESSES = ("EIP", "CR2", "GDTR", "IDTR", "LDTR", "TR")


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """A linear address and what it is there: "its memory operand"."""

    address: int
    words: str


def addresses_in(code: bytes, address: int, registers: Mapping[str, int] | None) -> tuple[NamedAddress, ...]:
    """The instruction's own address and those it names; an operand that needs registers only if they are given, because
    they hold what they hold only at the program counter."""
    found = [NamedAddress(address, "the instruction")]
    instruction = decode(code, address)
    if not instruction:
        return tuple(found)
    near = any(instruction.op_kind(n) == OpKind.NEAR_BRANCH32 for n in range(instruction.op_count))
    if instruction.flow_control in _BRANCHES and near:
        found.append(NamedAddress(instruction.near_branch_target & 0xFFFF_FFFF, "where it branches to"))
    if any(instruction.op_kind(n) == OpKind.MEMORY for n in range(instruction.op_count)):
        parts = [instruction.memory_base, instruction.memory_index]
        needs = [_NAMES[each] for each in parts if each != Register.NONE]
        segment = _NAMES[instruction.memory_segment] if instruction.memory_segment != Register.NONE else ""
        narrow = any(RegisterExt.size(each) == 2 for each in parts)
        known = not needs or (registers is not None and all(name in registers for name in needs))
        if known and not narrow and segment in _FLAT:
            values = registers or {}
            base = values.get(_NAMES[instruction.memory_base], 0)
            index = values.get(_NAMES[instruction.memory_index], 0) * instruction.memory_index_scale
            linear = (base + index + instruction.memory_displacement) & 0xFFFF_FFFF
            found.append(NamedAddress(linear, "its memory operand"))
    return tuple(found)


def address_held(register: RegisterFact) -> int | None:
    """The linear address that a register holds for the guest, if it is one that can hold one."""
    general = register.group is RegisterGroup.GENERAL and register.bits == 32
    return register.believed if general or register.name in HOLD_ADDRESSES else None
