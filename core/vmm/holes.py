"""The sensitive instructions of x86 that do not trap outside ring 0: why it "could not be virtualized".

Robin & Irvine (USENIX Security 2000) list them: they read or change what a monitor must keep for itself, and say
nothing to it. Under ring deprivileging a guest that uses one sees the machine's truth in place of its own, or is
ignored.
"""

from __future__ import annotations

from iced_x86 import Instruction, Mnemonic, OpKind, RegisterExt

SILENT = frozenset({
    Mnemonic.SGDT, Mnemonic.SIDT, Mnemonic.SLDT, Mnemonic.STR, Mnemonic.SMSW, Mnemonic.PUSHF, Mnemonic.PUSHFD,
    Mnemonic.POPF, Mnemonic.POPFD, Mnemonic.LAR, Mnemonic.LSL, Mnemonic.VERR, Mnemonic.VERW,
})  # fmt: skip
READ_A_SELECTOR = frozenset({Mnemonic.MOV, Mnemonic.PUSH})


def is_hole(instruction: Instruction) -> bool:
    """Is it one of those? MOV and PUSH only where they read a segment register, CALL only where it is far."""
    if instruction.mnemonic in SILENT or instruction.is_call_far or instruction.is_call_far_indirect:
        return True
    if instruction.mnemonic not in READ_A_SELECTOR:
        return False
    source = instruction.op_count - 1
    reads_register = instruction.op_kind(source) == OpKind.REGISTER
    return reads_register and RegisterExt.is_segment_register(instruction.op_register(source))
