"""The lookup of indirect jumps: a table in memory, and the routine in the cache that reads it.

Where a RET or an indirect JMP leads is known only as it runs. The routine finds the translation of TARGET in a table of
8192 places, by the low bits of the address; what is not there it asks the monitor for (Adams & Agesen, ASPLOS 2006,
§3.1). It must keep every flag, so it computes with LEA, MOVZX and JECXZ alone, and borrows EAX and ECX.
"""

from __future__ import annotations

from typing import NamedTuple

from iced_x86 import Code, Encoder, Instruction, MemoryOperand, Register, Register_

from core.cpu.relocation import OWN_STORE, VISITS
from core.translator.region import Region, Slot
from core.translator.rewrite import CALL_OUT, INDIRECT

PLACES = 1 << 13
PLACE_BYTES = 8
NOBODY = b"\0\0\0\0"


class Routine(NamedTuple):
    """The routine for one code segment: its bytes, its code-map entries by offset, the offsets of its callout and of
    the instruction that a hit comes to."""

    code: bytes
    entries: list[tuple[int, int]]
    miss: int
    hit: int


class LookupTable:
    """Each place holds −EIP of the guest and EIP of the translation. Kept for one code segment at a time."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self.clear()

    def clear(self) -> None:
        """Know nothing. (A place of zeros is nobody's: only EIP 0 would match it, and its place holds −1.)"""
        self._region.write(self._region.base, bytes(self._region.size))
        self._forget(0)

    def _place(self, eip: int) -> int:
        return self._region.base + (eip & PLACES - 1) * PLACE_BYTES

    def enter(self, eip: int, translation: int) -> None:
        """The translation of `eip` starts at EIP `translation`."""
        words = (-eip & 0xFFFF_FFFF).to_bytes(4, "little") + (translation & 0xFFFF_FFFF).to_bytes(4, "little")
        self._region.write(self._place(eip), words)

    def remove(self, eip: int) -> None:
        """Forget `eip`, if it is known."""
        at = self._place(eip)
        if self._region.read(at, 4) == (-eip & 0xFFFF_FFFF).to_bytes(4, "little"):
            self._forget(eip)

    def _forget(self, eip: int) -> None:
        self._region.write(self._place(eip), (0 if eip & PLACES - 1 else 1).to_bytes(4, "little") + NOBODY)


def routine(bits: int, at: int, variables: int, table: int) -> Routine:
    """The routine at `at`, all three addresses as offsets in the code segment, which is `bits` wide."""
    encoder = Encoder(bits)
    code = bytearray()
    entries: list[tuple[int, int]] = []

    def put(instruction: Instruction, flags: int = 0) -> None:
        entries.append((len(code), INDIRECT | flags))
        encoder.encode(instruction, at + len(code))
        code.extend(encoder.take_buffer())

    def variable(slot: int) -> MemoryOperand:
        return MemoryOperand(displ=_signed(variables + slot), displ_size=4, seg=Register.CS)

    def load(register: Register_, slot: int) -> Instruction:
        return Instruction.create_reg_mem(Code.MOV_R32_RM32, register, variable(slot))

    def store(slot: int, register: Register_) -> Instruction:
        return Instruction.create_mem_reg(Code.MOV_RM32_R32, variable(slot), register)

    def place(word: int) -> MemoryOperand:
        return MemoryOperand(Register.EAX, displ=_signed(table + word), displ_size=4, seg=Register.CS)

    eax, ecx = Register.EAX, Register.ECX
    put(store(Slot.SAVED, eax), OWN_STORE)
    put(store(Slot.SAVED_TOO, ecx), OWN_STORE)
    put(load(eax, Slot.TARGET))
    scaled = MemoryOperand(index=eax, scale=PLACE_BYTES, displ_size=4)
    put(Instruction.create_reg_mem(Code.LEA_R32_M, eax, scaled))
    put(Instruction.create_reg_reg(Code.MOVZX_R32_RM16, eax, Register.AX))
    put(Instruction.create_reg_mem(Code.MOV_R32_RM32, ecx, place(4)))
    put(store(Slot.DESTINATION, ecx), OWN_STORE)
    put(Instruction.create_reg_mem(Code.MOV_R32_RM32, ecx, place(0)))
    put(load(eax, Slot.TARGET))
    put(Instruction.create_reg_mem(Code.LEA_R32_M, ecx, MemoryOperand(ecx, eax, 1)))
    put(load(eax, Slot.SAVED))
    put(Instruction.create_branch(Code.JECXZ_REL8_32, at + len(code) + 8))
    branch = len(code)
    put(load(ecx, Slot.SAVED_TOO))
    miss = len(code)
    entries.append((miss, INDIRECT))
    code.extend(CALL_OUT)
    code[branch - 1] = len(code) - branch
    hit = len(code)
    put(load(ecx, Slot.SAVED_TOO), VISITS)
    put(Instruction.create_mem(Code.JMP_RM32, variable(Slot.DESTINATION)))
    return Routine(bytes(code), entries, miss, hit)


def _signed(value: int) -> int:
    value &= 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value
