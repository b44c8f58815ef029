"""Translation units: at most twelve of the guest's instructions, ended early by control flow and by the page's end.

VMware's translator took as much at a time (Adams & Agesen, ASPLOS 2006, §3.1): enough to work on, little enough to
translate only what runs. A unit stays within its page, but for a first instruction that straddles two, so that it
depends on no other page's mapping. Decoded without validity checks: what the CPU thinks of a LOCK is the CPU's affair.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from iced_x86 import Code, DecoderError, FlowControl, Instruction

from core.addresses import PAGE_MASK, PAGE_SIZE
from core.cpu.decode import CodeReader
from core.memory.walk import LONGEST_INSTRUCTION
from core.translations import UnitEnd

LONGEST_UNIT = 12  # instructions
LEANING = frozenset({Code.STI, Code.POPFD})  # what stands in line only where another of the unit follows
GOES_ON = frozenset({FlowControl.NEXT, FlowControl.XBEGIN_XABORT_XEND})


class Mode(NamedTuple):
    """What a translation takes for granted: the code segment's base and width, whether the stack's is 32 bits, and
    whether the guest's IOPL is above 0."""

    base: int
    bits: int
    wide_stack: bool
    io_privileged: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """Instructions at linear `pc`. `undecodable` bytes end it, if it met what the decoder does not know. `at_length`:
    it ends because it would get too long. `before_break`: because the guest has a breakpoint behind it. `breaks`: the
    guest has one at its beginning."""

    pc: int
    mode: Mode
    instructions: tuple[Instruction, ...]
    undecodable: bytes = b""
    at_length: bool = False
    before_break: bool = False
    breaks: bool = False

    @property
    def end(self) -> int:
        """Linear address after it."""
        last = self.instructions[-1].next_ip if self.instructions else self.pc
        return (int(last) + len(self.undecodable)) & 0xFFFF_FFFF

    @property
    def why_it_ends(self) -> UnitEnd:
        """What ended it."""
        if self.instructions and self.instructions[-1].flow_control not in GOES_ON:
            return UnitEnd.FLOW
        if self.before_break:
            return UnitEnd.BREAKPOINT
        return UnitEnd.LENGTH if self.at_length else UnitEnd.PAGE


def find_unit(code: bytes, pc: int, mode: Mode, breakpoints: Set[int] = frozenset()) -> Unit | None:
    """The unit at linear `pc`, where `code` stands, up to the page's end or further, or to the first of the guest's
    `breakpoints`. None: the first instruction straddles two pages, and the code of the second is needed too."""
    found = _find_unit(code, pc, mode, breakpoints)
    return replace(found, breaks=True) if found is not None and pc in breakpoints else found


def _find_unit(code: bytes, pc: int, mode: Mode, breakpoints: Set[int]) -> Unit | None:
    here = code[: PAGE_SIZE - (pc & PAGE_MASK)]
    found: list[Instruction] = []
    reader = CodeReader(mode.bits, here, pc)
    while len(found) < LONGEST_UNIT:
        if found and int(found[-1].next_ip32) in breakpoints:
            return Unit(pc, mode, tuple(found), before_break=True)
        instruction = reader.next()
        if reader.error != DecoderError.NONE:
            break
        found.append(instruction)
        if instruction.flow_control not in GOES_ON:
            return Unit(pc, mode, tuple(found))
    if len(found) == LONGEST_UNIT:
        if found[-1].code in LEANING:
            found.pop()
        return Unit(pc, mode, tuple(found), at_length=True)
    if found:
        return Unit(pc, mode, tuple(found))
    if reader.error == DecoderError.INVALID_INSTRUCTION:
        return Unit(pc, mode, (), code[:LONGEST_INSTRUCTION])
    if len(code) == len(here):
        return None
    reader = CodeReader(mode.bits, code, pc)
    instruction = reader.next()
    if reader.error != DecoderError.NONE:
        return Unit(pc, mode, (), code[:LONGEST_INSTRUCTION])
    return Unit(pc, mode, (instruction,))
