"""Emulation of the sensitive instructions that do not trap: for monitors that find them before they run.

Robin & Irvine (USENIX Security 2000) list them; trap-and-emulate never gets to see them (`core.vmm.holes`). Here they
do to the guest's CPU what they do to the real one in the ring that the guest believes in (Intel SDM vol. 2, each
instruction's pseudocode), and where the emulated CPU departs from it, as that does.
"""

from __future__ import annotations

from collections.abc import Callable

from iced_x86 import Code, Instruction, Mnemonic, OpKind, RegisterExt

from core.cpu import descriptors, flags
from core.cpu.context import Seg
from core.cpu.guest_cpu import Table
from core.vmm.emulate import Emulator

LAR_SYSTEM = frozenset({1, 2, 3, 4, 5, 9, 11, 12})  # system descriptor types that LAR knows
LSL_SYSTEM = frozenset({1, 2, 3, 9, 11})  # those that have a limit
LAR_MASK = 0x00F0_FF00


def emulate_silent(emulator: Emulator, instruction: Instruction) -> str | None:
    """As `Emulator.emulate`, for these instructions."""
    action = _ACTIONS.get(instruction.mnemonic)
    if action is None:
        return None
    done = action(emulator, instruction)  # raises before anything has changed
    if done is None:
        return None
    emulator.guest.eip += instruction.len
    return done


def _pushf(emulator: Emulator, instruction: Instruction) -> str:
    value = emulator.guest.eflags & ~(flags.VM | flags.RF)
    emulator.push((value,), 2 if instruction.code == Code.PUSHFW else 4)
    return f"pushed the guest's flags, {value:#x}"


def _popf(emulator: Emulator, instruction: Instruction) -> str:
    guest = emulator.guest
    size = 2 if instruction.code == Code.POPFW else 4
    popped = emulator.peek_stack(0, size)
    emulator.drop_stack(size)
    changeable = flags.ARITHMETIC | flags.TF | flags.DF | flags.NT
    if size == 4:
        changeable |= flags.AC | flags.ID
    if guest.cpl == 0:
        changeable |= flags.IOPL
    if guest.cpl <= guest.iopl:
        changeable |= flags.IF
    guest.eflags = guest.eflags & ~(changeable | flags.RF) | popped & changeable
    return f"loaded the guest's flags with {popped:#x}"


def _store_table(emulator: Emulator, instruction: Instruction) -> str:
    guest = emulator.guest
    global_ = instruction.mnemonic == Mnemonic.SGDT
    table: Table = guest.gdtr if global_ else guest.idtr
    narrow = instruction.code in (Code.SGDT_M1632_16, Code.SIDT_M1632_16)
    base = table.base & 0xFF_FFFF if narrow else table.base
    data = (table.limit & 0xFFFF).to_bytes(2, "little") + base.to_bytes(4, "little")
    emulator.memory.write(guest.paging, emulator.address(instruction), data, user=guest.cpl == 3)
    return f"stored where the guest's {'GDT' if global_ else 'IDT'} is, {table.base:#010x}"


def _store_selector(emulator: Emulator, instruction: Instruction) -> str:
    guest = emulator.guest
    seg = Seg.LDTR if instruction.mnemonic == Mnemonic.SLDT else Seg.TR
    selector = guest.segment(seg).selector & 0xFFFF
    _store(emulator, instruction, selector)
    return f"stored the guest's {seg.name}, {selector:#06x}"


def _set_register(emulator: Emulator, instruction: Instruction, value: int) -> None:
    register = instruction.op0_register
    full = RegisterExt.number(RegisterExt.full_register32(register))
    if RegisterExt.size(register) == 2:
        value = emulator.guest.reg(full) & ~0xFFFF | value & 0xFFFF
    emulator.guest.set_reg(full, value)


def _set_zero(emulator: Emulator, zero: bool) -> None:
    guest = emulator.guest
    guest.eflags = guest.eflags & ~flags.ZF | (flags.ZF if zero else 0)


def _visible(emulator: Emulator, selector: int, system: frozenset[int]) -> descriptors.Descriptor | None:
    """The descriptor, if the guest's ring and the selector's may look at it."""
    if not selector & 0xFFFC:
        return None
    found = descriptors.fetch(emulator.guest, emulator.memory, selector)
    if found is None or (not found.is_segment and found.system_type not in system):
        return None
    if found.is_conforming:
        return found
    return found if found.dpl >= max(emulator.guest.cpl, selector & 3) else None


def _inspect(emulator: Emulator, instruction: Instruction) -> str:
    selector = emulator.source(instruction, 1, 2)
    rights = instruction.mnemonic == Mnemonic.LAR
    found = _visible(emulator, selector, LAR_SYSTEM if rights else LSL_SYSTEM)
    if found is not None:
        _set_register(emulator, instruction, found.high & LAR_MASK if rights else found.limit)
    _set_zero(emulator, found is not None)
    what = "access rights" if rights else "limit"
    return f"{'gave' if found is not None else 'refused'} the {what} of {selector:#06x} from the guest's own table"


def _verify(emulator: Emulator, instruction: Instruction) -> str:
    selector = emulator.source(instruction, 0, 2)
    found = _visible(emulator, selector, frozenset())
    reading = instruction.mnemonic == Mnemonic.VERR
    good = found is not None and (found.is_readable if reading else found.is_writable_data)
    _set_zero(emulator, good)
    return f"found {selector:#06x} {'fit' if good else 'unfit'} for {'reading' if reading else 'writing'}"


def _store_machine_status(emulator: Emulator, instruction: Instruction) -> str:
    guest = emulator.guest
    _store(emulator, instruction, guest.cr(0))
    return f"stored the guest's CR0, {guest.cr(0):#x}"


def _store(emulator: Emulator, instruction: Instruction, value: int) -> None:
    """To a register, or 16 bits to memory."""
    if instruction.op0_kind == OpKind.MEMORY:
        data = (value & 0xFFFF).to_bytes(2, "little")
        user = emulator.guest.cpl == 3
        emulator.memory.write(emulator.guest.paging, emulator.address(instruction), data, user=user)
    else:
        _set_register(emulator, instruction, value)


def _read_segment(emulator: Emulator, instruction: Instruction) -> str | None:
    register = instruction.op_register(instruction.op_count - 1)
    if not RegisterExt.is_segment_register(register) or RegisterExt.is_segment_register(instruction.op0_register) != (
        instruction.op_count == 1
    ):
        return None
    seg = Seg(RegisterExt.number(register))
    selector = emulator.guest.segment(seg).selector & 0xFFFF
    if instruction.mnemonic == Mnemonic.PUSH:
        emulator.push((selector,), 2 if instruction.code in _NARROW_PUSHES else 4)
    else:
        _store(emulator, instruction, selector)
    return f"read the guest's {seg.name}, {selector:#06x}"


_NARROW_PUSHES = (Code.PUSHW_CS, Code.PUSHW_SS, Code.PUSHW_DS, Code.PUSHW_ES, Code.PUSHW_FS, Code.PUSHW_GS)
_ACTIONS: dict[int, Callable[[Emulator, Instruction], str | None]] = {
    Mnemonic.PUSHF: _pushf,
    Mnemonic.PUSHFD: _pushf,
    Mnemonic.POPF: _popf,
    Mnemonic.POPFD: _popf,
    Mnemonic.SGDT: _store_table,
    Mnemonic.SIDT: _store_table,
    Mnemonic.SLDT: _store_selector,
    Mnemonic.STR: _store_selector,
    Mnemonic.SMSW: _store_machine_status,
    Mnemonic.MOV: _read_segment,
    Mnemonic.PUSH: _read_segment,
    Mnemonic.LAR: _inspect,
    Mnemonic.LSL: _inspect,
    Mnemonic.VERR: _verify,
    Mnemonic.VERW: _verify,
}
