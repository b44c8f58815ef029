"""Emulation of stores: what a kernel writes page tables with, carried out without a fault.

A store to a traced page costs a fault, a page opened for one instruction, and a fault's return. A monitor that meets
the instruction first does the store itself and has its shadow follow at once (Adams & Agesen, ASPLOS 2006, §4.3).
Results, flags and the order of accesses are the emulated CPU's (Intel SDM vol. 2, each instruction's pseudocode); what
is locked or repeated is left to trap.
"""

from __future__ import annotations

from collections.abc import Callable

from iced_x86 import Code, Instruction, MemorySizeExt, Mnemonic, OpKind, RegisterExt

from core.cpu import flags
from core.cpu.context import Gpr, Seg
from core.vmm.emulate import Emulator

Alu = Callable[[int, int, int], tuple[int, int]]
"""Result and arithmetic flags of (destination, source, bits)."""

_STRINGS = {Code.STOSB_M8_AL: 1, Code.STOSW_M16_AX: 2, Code.STOSD_M32_EAX: 4}
_IMMEDIATE = frozenset(
    {OpKind.IMMEDIATE8, OpKind.IMMEDIATE16, OpKind.IMMEDIATE32, OpKind.IMMEDIATE8TO16, OpKind.IMMEDIATE8TO32}
)


def _shown(result: int, bits: int) -> int:
    """ZF, SF and PF of a result."""
    found = flags.ZF if result == 0 else 0
    found |= flags.SF if result >> bits - 1 else 0
    return found | (flags.PF if not (result & 0xFF).bit_count() & 1 else 0)


def _logic(result: int, bits: int) -> tuple[int, int]:
    return result, _shown(result, bits)


def _add(left: int, right: int, bits: int) -> tuple[int, int]:
    result = left + right & (1 << bits) - 1
    found = _shown(result, bits) | (flags.CF if left + right >> bits else 0)
    found |= flags.AF if (left ^ right ^ result) & 0x10 else 0
    return result, found | (flags.OF if (left ^ result) & (right ^ result) & 1 << bits - 1 else 0)


def _subtract(left: int, right: int, bits: int) -> tuple[int, int]:
    result = left - right & (1 << bits) - 1
    found = _shown(result, bits) | (flags.CF if left < right else 0)
    found |= flags.AF if (left ^ right ^ result) & 0x10 else 0
    return result, found | (flags.OF if (left ^ right) & (left ^ result) & 1 << bits - 1 else 0)


_ALU: dict[int, Alu] = {
    Mnemonic.ADD: _add,
    Mnemonic.INC: _add,
    Mnemonic.SUB: _subtract,
    Mnemonic.DEC: _subtract,
    Mnemonic.AND: lambda left, right, bits: _logic(left & right, bits),
    Mnemonic.OR: lambda left, right, bits: _logic(left | right, bits),
    Mnemonic.XOR: lambda left, right, bits: _logic(left ^ right, bits),
}
_KEEPS_CARRY = frozenset({Mnemonic.INC, Mnemonic.DEC})


def can_store(instruction: Instruction) -> bool:
    """Is it one for `emulate_store`?"""
    if instruction.has_lock_prefix or instruction.has_rep_prefix or instruction.has_repne_prefix:
        return False
    if instruction.code in _STRINGS:
        return True
    if instruction.op0_kind != OpKind.MEMORY:
        return False
    if instruction.op_count == 1:
        return instruction.mnemonic in _KEEPS_CARRY
    known = instruction.mnemonic == Mnemonic.MOV or instruction.mnemonic in _ALU
    register = instruction.op1_kind == OpKind.REGISTER and RegisterExt.is_gpr(instruction.op1_register)
    return known and (register or instruction.op1_kind in _IMMEDIATE)


def emulate_store(emulator: Emulator, instruction: Instruction) -> str:
    """Carry out an instruction that `can_store`, and move EIP on; a clause says what was done. Raises GuestFault where
    the CPU would, with nothing stored."""
    guest = emulator.guest
    if instruction.code in _STRINGS:
        return _store_string(emulator, instruction)
    size = MemorySizeExt.size(instruction.memory_size)
    linear = emulator.address(instruction)
    alu = _ALU.get(instruction.mnemonic)
    value = _source(emulator, instruction, size)
    found = None
    if alu is not None:
        value, found = alu(emulator.load(linear, size), value, 8 * size)
    emulator.memory.write(guest.paging, linear, value.to_bytes(size, "little"), user=guest.cpl == 3)
    if found is not None:
        changed = flags.ARITHMETIC & ~(flags.CF if instruction.mnemonic in _KEEPS_CARRY else 0)
        guest.eflags = guest.eflags & ~changed | found & changed
    guest.eip += instruction.len
    return f"stored {value:#x} at {linear:#010x} for it, without a fault"


def _source(emulator: Emulator, instruction: Instruction, size: int) -> int:
    if instruction.op_count == 1:
        return 1
    if instruction.op1_kind != OpKind.REGISTER:
        return int(instruction.immediate(1)) & (1 << 8 * size) - 1
    register = instruction.op1_register
    value = emulator.guest.reg(Gpr(RegisterExt.number(RegisterExt.full_register32(register))))
    high = size == 1 and 4 <= RegisterExt.number(register) < 8
    return value >> 8 & 0xFF if high else value & (1 << 8 * size) - 1


def _store_string(emulator: Emulator, instruction: Instruction) -> str:
    guest, size = emulator.guest, _STRINGS[instruction.code]
    narrow = instruction.op0_kind == OpKind.MEMORY_ESDI
    index = guest.reg(Gpr.EDI)
    offset = index & 0xFFFF if narrow else index
    linear = (guest.segment(Seg.ES).base + offset) & 0xFFFF_FFFF
    value = guest.reg(Gpr.EAX) & (1 << 8 * size) - 1
    emulator.memory.write(guest.paging, linear, value.to_bytes(size, "little"), user=guest.cpl == 3)
    moved = offset + (-size if guest.eflags & flags.DF else size)
    guest.set_reg(Gpr.EDI, index & 0xFFFF_0000 | moved & 0xFFFF if narrow else moved & 0xFFFF_FFFF)
    guest.eip += instruction.len
    return f"stored {value:#x} at {linear:#010x} for it, without a fault"
