"""The CPU as its guest believes it to be.

Delivery and emulation are written against this, so that they serve every kind of VMM. Here the belief is the truth: on
bare hardware what the guest reads is what the CPU holds. A kind that runs its guest less privileged overrides what the
guest must not see (`core.vmm.trap_emulate.DeprivilegedCpu`). Intel SDM vol. 3 ch. 2 and 3.
"""

from __future__ import annotations

from typing import NamedTuple

from core.cpu import flags
from core.cpu.context import (
    CR_AT,
    HEADER_BYTES,
    HF_ADDSEG,
    HF_CPL,
    HF_CS32,
    HF_INHIBIT_IRQ,
    HF_SS32,
    HFLAGS_AT,
    SEGMENT_BYTES,
    SEGMENTS_AT,
    Gpr,
    Seg,
)
from core.cpu.unicorn_cpu import Cpu
from core.events import made_quickly
from core.memory.walk import Paging

# bits of a descriptor's second word, in place
DESC_TYPE_SHIFT, DESC_S, DESC_DPL_SHIFT, DESC_P = 8, 1 << 12, 13, 1 << 15
DESC_DB, DESC_G = 1 << 22, 1 << 23
CR_BYTES = 5 * 8  # CR0 to CR4
EIP, EFLAGS = 16, 17  # numbers of their words, counted from EAX's
SEGMENT_WORDS, SELECTOR, BASE, BASE_HIGH, LIMIT, ATTRIBUTES = SEGMENT_BYTES // 4, 0, 2, 3, 4, 5  # of a segment register
GDTR, IDTR = Seg.GDTR * SEGMENT_WORDS, Seg.IDTR * SEGMENT_WORDS
CODE, STACK = int(Seg.CS), int(Seg.SS)
CODE_BASE = CODE * SEGMENT_WORDS + BASE


class Segment(NamedTuple):
    """A segment register: visible selector, hidden base, limit (bytes) and attributes (descriptor's second word)."""

    selector: int
    base: int
    limit: int
    flags: int

    @property
    def dpl(self) -> int:
        """Descriptor privilege level."""
        return self.flags >> DESC_DPL_SHIFT & 3


class Table(NamedTuple):
    """A descriptor-table register: linear base and limit in bytes (inclusive)."""

    base: int
    limit: int


class GuestCpu:
    """The guest's view of the CPU: every getter and setter in the guest's terms. Valid while `cpu.state` is."""

    NOT_STATE = ("_control_seen", "_walks_by")  # follow from the CPU's

    def __init__(self, cpu: Cpu) -> None:
        self.cpu = cpu
        self.state = cpu.state
        context = memoryview(cpu.state).cast("B")  # plain words are quicker to reach than fields
        self._segments = context[SEGMENTS_AT : SEGMENTS_AT + len(Seg) * SEGMENT_BYTES].cast("I")
        self._words = context[HEADER_BYTES : HEADER_BYTES + 8 * (EFLAGS + 1)].cast("Q")
        self._modes = context[HFLAGS_AT : HFLAGS_AT + 4].cast("I")
        self._control = context[CR_AT : CR_AT + CR_BYTES]
        self._control_seen, self._walks_by = b"", Paging(0, 0, 0)

    # -- general registers

    def reg(self, index: int) -> int:
        """General register `index` (`Gpr`), 32 bits."""
        return self._words[index] & 0xFFFF_FFFF

    def set_reg(self, index: int, value: int) -> None:
        """Set a general register."""
        self._words[index] = value & 0xFFFF_FFFF

    @property
    def eip(self) -> int:
        """Instruction pointer: offset in CS."""
        return self._words[EIP] & 0xFFFF_FFFF

    @eip.setter
    def eip(self, value: int) -> None:
        self._words[EIP] = value & 0xFFFF_FFFF

    def step_over(self, length: int) -> int:
        """Move EIP past an instruction of `length` bytes; gives where it was."""
        before = self._words[EIP] & 0xFFFF_FFFF
        self._words[EIP] = before + length & 0xFFFF_FFFF
        return before

    @property
    def pc(self) -> int:
        """Linear address of EIP."""
        return (self._segments[CODE_BASE] + self._words[EIP]) & 0xFFFF_FFFF

    @property
    def code_base(self) -> int:
        """Linear address of offset 0 in CS."""
        return self._segments[CODE_BASE]

    def answer(self, eax: int, ebx: int, ecx: int, edx: int) -> None:
        """What CPUID gives, each 32 bits."""
        words = self._words
        words[0], words[1], words[2], words[3] = eax, ecx, edx, ebx  # as `Gpr` numbers them

    def go_on_at(self, eip: int) -> None:
        """An instruction was carried out for the guest: EIP moves on, and the interrupt shadow it stood in is over."""
        self._words[EIP] = eip
        self._modes[0] &= ~HF_INHIBIT_IRQ

    @property
    def code_bits(self) -> int:
        """By how many bits the code at EIP is to be decoded, 16 or 32."""
        return 32 if self._modes[0] & HF_CS32 else 16

    # -- privilege and flags

    @property
    def cpl(self) -> int:
        """Current privilege level as the guest believes it."""
        return self._modes[0] & HF_CPL

    @property
    def eflags(self) -> int:
        """EFLAGS as the guest believes them."""
        return self.cpu.eflags

    @eflags.setter
    def eflags(self, value: int) -> None:
        self.cpu.eflags = value

    @property
    def iopl(self) -> int:
        """I/O privilege level."""
        return self.eflags >> flags.IOPL_SHIFT & 3

    @property
    def interrupts_enabled(self) -> bool:
        """EFLAGS.IF as the guest believes it."""
        return bool(self._words[EFLAGS] & flags.IF)

    @interrupts_enabled.setter
    def interrupts_enabled(self, value: bool) -> None:
        self.state.eflags = self.state.eflags & ~flags.IF | value * flags.IF

    @property
    def single_stepping(self) -> bool:
        """EFLAGS.TF: a #DB after every instruction."""
        return bool(self._words[EFLAGS] & flags.TF)

    @property
    def interrupt_shadow(self) -> bool:
        """Is the next instruction protected from interrupts (after STI, MOV SS, POP SS)?"""
        return bool(self._modes[0] & HF_INHIBIT_IRQ)

    def forget_past_shadow(self) -> None:
        """A run ends: nothing may be left that tells where former ones ended."""

    def begin_shadow_anew(self) -> None:
        """The next instruction is protected from interrupts: it was so when this CPU was read."""
        self._modes[0] |= HF_INHIBIT_IRQ

    def end_interrupt_shadow(self) -> None:
        """Whoever emulates an instruction, or delivers an event, ends the shadow; the CPU does not see it happen."""
        self._modes[0] &= ~HF_INHIBIT_IRQ

    # -- segments

    def segment(self, seg: int) -> Segment:
        """Segment register `seg` (`Seg`), LDTR and TR included."""
        words, at = self._segments, seg * SEGMENT_WORDS
        return made_quickly(Segment, (words[at], words[at + BASE], words[at + LIMIT], words[at + ATTRIBUTES]))

    def set_segment(self, seg: int, value: Segment) -> None:
        """Load a segment register and its hidden cache, unchecked. Loading SS or CS never changes CPL here."""
        self._load_real(seg, value)

    def set_cpl(self, cpl: int) -> None:
        """Change the privilege level (by gates and returns only)."""
        self.state.hflags = self.state.hflags & ~HF_CPL | cpl

    def _load_real(self, seg: int, value: Segment) -> None:
        words, at = self._segments, seg * SEGMENT_WORDS
        words[at], base, words[at + LIMIT], words[at + ATTRIBUTES] = value
        words[at + BASE], words[at + BASE_HIGH] = base & 0xFFFF_FFFF, base >> 32
        modes = self._modes[0] | HF_ADDSEG
        if seg == CODE:
            modes = modes | HF_CS32 if value.flags & DESC_DB else modes & ~HF_CS32
        elif seg == STACK:
            modes = modes | HF_SS32 if value.flags & DESC_DB else modes & ~HF_SS32
        self._modes[0] = modes

    # -- system registers

    @property
    def gdtr(self) -> Table:
        """Global descriptor-table register."""
        words = self._segments
        return made_quickly(Table, (words[GDTR + BASE], words[GDTR + LIMIT]))

    @gdtr.setter
    def gdtr(self, value: Table) -> None:
        held = self.state.segs[Seg.GDTR]
        held.base, held.limit = value.base, value.limit

    @property
    def idtr(self) -> Table:
        """Interrupt descriptor-table register."""
        words = self._segments
        return made_quickly(Table, (words[IDTR + BASE], words[IDTR + LIMIT]))

    @idtr.setter
    def idtr(self, value: Table) -> None:
        held = self.state.segs[Seg.IDTR]
        held.base, held.limit = value.base, value.limit

    def cr(self, number: int) -> int:
        """Control register 0, 2, 3 or 4."""
        return int(self.state.cr[number]) & 0xFFFF_FFFF

    def set_cr(self, number: int, value: int) -> None:
        """Load a control register, with all that it entails."""
        if number == 2:
            self.state.cr[2] = value & 0xFFFF_FFFF
        else:
            self.cpu.write_cr(number, value)

    @property
    def paging(self) -> Paging:
        """What rules the guest's own page walks."""
        control = self._control.tobytes()
        if control != self._control_seen:
            self._control_seen, self._walks_by = control, Paging(self.cr(0), self.cr(3), self.cr(4))
        return self._walks_by


STACK_POINTER = Gpr.ESP
