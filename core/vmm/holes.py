"""The sensitive instructions of x86 that do not trap outside ring 0: why it "could not be virtualized".

Robin & Irvine (USENIX Security 2000) list them: they read or change what a monitor must keep for itself, and say
nothing to it. Under ring deprivileging a guest that uses one sees the machine's truth in place of its own, or is
ignored. What each does is measured in `core.hole_table`, and a test holds this list to what was measured.
"""

from __future__ import annotations

from iced_x86 import Instruction, Mnemonic, OpKind, RegisterExt

from core.events import Cause

SILENT = frozenset({
    Mnemonic.SGDT, Mnemonic.SIDT, Mnemonic.SLDT, Mnemonic.STR, Mnemonic.SMSW, Mnemonic.PUSHF, Mnemonic.PUSHFD,
    Mnemonic.POPF, Mnemonic.POPFD, Mnemonic.LAR, Mnemonic.LSL, Mnemonic.VERR, Mnemonic.VERW, Mnemonic.RETF,
})  # fmt: skip
MOVES_A_SELECTOR = frozenset({Mnemonic.MOV, Mnemonic.PUSH, Mnemonic.POP})

BY_MEMORY = frozenset({Cause.PAGE_FAULT_HIDDEN, Cause.TRACE})
"""Departures that the monitor's page tables cause, whatever the instruction: they do not show it to the monitor."""


def is_hole(instruction: Instruction) -> bool:
    """Is it one of those? MOV, PUSH and POP only of segment registers, CALL and JMP only where they are far."""
    far = instruction.is_call_far or instruction.is_jmp_far
    if instruction.mnemonic in SILENT or far or instruction.is_call_far_indirect or instruction.is_jmp_far_indirect:
        return True
    if instruction.mnemonic not in MOVES_A_SELECTOR:
        return False
    operands = range(instruction.op_count)
    registers = [instruction.op_register(n) for n in operands if instruction.op_kind(n) == OpKind.REGISTER]
    return any(RegisterExt.is_segment_register(register) for register in registers)
