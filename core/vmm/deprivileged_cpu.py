"""The CPU as a deprivileged guest believes it to be: ring 0 is really ring 1; IF, CR0, GDTR … are kept here.

What the guest must believe and the CPU cannot hold at the same time stands in fields of this class; everything else is
the CPU's own. Where the guest can read the CPU without trapping, it sees the truth: those are the holes of x86 (Robin &
Irvine, USENIX Security 2000), and they are left open, because they are real.
"""

from __future__ import annotations

from collections.abc import Callable

from core.cpu import flags
from core.cpu.context import CS, LDTR, SS, TR
from core.cpu.guest_cpu import ATTRIBUTES, BASE, DESC_DPL_SHIFT, LIMIT, SEGMENT_WORDS, GuestCpu, Segment, Table
from core.cpu.modes import require_carried
from core.cpu.unicorn_cpu import Cpu
from core.events import made_quickly
from core.memory.walk import Paging
from core.vmm.shadow_descriptors import KERNEL_RING

CODE_AND_STACK = frozenset({CS, SS})
DPL, KERNEL_DPL = 3 << DESC_DPL_SHIFT, KERNEL_RING << DESC_DPL_SHIFT
# CR0 bits that the CPU must really hold for the guest's own sake: the FPU's
CR0_SHARED = flags.CR0_MP | flags.CR0_EM | flags.CR0_NE
CR0_MONITOR = flags.CR0_PE | flags.CR0_PG | flags.CR0_WP | flags.CR0_ET
CR4_SHARED = flags.CR4_TSD | flags.CR4_DE | flags.CR4_PCE | flags.CR4_OSFXSR | flags.CR4_OSXMMEXCPT


class DeprivilegedCpu(GuestCpu):
    """`tables_changed()` is called when the guest loads GDTR, `paging_changed(before)` when it loads CR3 or changes
    what rules its page walks; so the shadows follow."""

    # What the guest believes and the CPU does not hold is kept, not computed: plain attributes in place of properties.
    cpl = 0  # the ring the guest believes it is in
    interrupts_enabled = False  # the virtual IF
    iopl = 0
    idtr = Table(0, 0)  # the CPU never uses one
    paging = Paging(0, 0, 0)

    def __init__(self, cpu: Cpu, tables_changed: Callable[[], None], paging_changed: Callable[[Paging], None]) -> None:
        super().__init__(cpu)
        self._tables_changed = tables_changed
        self._paging_changed = paging_changed
        self._code_rpl = 0  # of CS: may be less than CPL in conforming code
        self._shadow_at = -1
        self.has_fpu = False  # the monitor keeps the FPU (real CR0.TS set) until the guest first uses it
        self._cr = {0: flags.CR0_PE | flags.CR0_ET, 2: 0, 3: 0, 4: 0}
        self.paging = Paging(self._cr[0], 0, 0)
        self._gdtr = Table(0, 0)
        self._system: dict[int, Segment] = {LDTR: Segment(0, 0, 0, 0), TR: Segment(0, 0, 0, 0)}

    # -- privilege and flags

    def set_cpl(self, cpl: int) -> None:
        """Ring compression: 0 and 1 both become the real ring 1."""
        self.cpl = cpl
        super().set_cpl(max(cpl, KERNEL_RING))

    @property
    def eflags(self) -> int:
        """The CPU's, with IF and IOPL as the guest set them."""
        real = self.cpu.eflags & ~(flags.IF | flags.IOPL)
        return real | self.interrupts_enabled * flags.IF | self.iopl << flags.IOPL_SHIFT

    @eflags.setter
    def eflags(self, value: int) -> None:
        self.interrupts_enabled = bool(value & flags.IF)
        self.iopl = value >> flags.IOPL_SHIFT & 3
        self.cpu.eflags = value & ~flags.IOPL | flags.IF

    @property
    def interrupt_shadow(self) -> bool:
        """After an emulated STI or MOV SS, or one that ran directly."""
        return self._shadow_at == self.cpu.executed or super().interrupt_shadow

    def forget_past_shadow(self) -> None:
        """A shadow that is over; only a stop within it makes a translated STI's known here."""
        if self._shadow_at < self.cpu.executed - 1:
            self._shadow_at = -1

    def begin_interrupt_shadow(self) -> None:
        """The instruction just emulated protects the next one; one that is itself protected does not."""
        if not (self._shadow_at == self.cpu.executed - 1 or super().interrupt_shadow):
            self._shadow_at = self.cpu.executed

    def begin_shadow_anew(self) -> None:
        """See `GuestCpu`."""
        self._shadow_at = self.cpu.executed

    def shadow_began_before(self) -> None:
        """The instruction before the present one was an STI that ran without a trap: it began a shadow, if it could."""
        if self._shadow_at != self.cpu.executed - 2:
            self._shadow_at = self.cpu.executed - 1

    # -- segments

    def segment(self, seg: int) -> Segment:
        """As the guest loaded it: RPL and DPL 1 of the compressed kernel read as 0."""
        kept = self._system.get(seg)
        if kept is not None:
            return kept
        words, at = self._segments, seg * SEGMENT_WORDS
        selector, attributes = words[at], words[at + ATTRIBUTES]
        if seg == CS and self.cpl:
            selector = selector & ~3 | self._code_rpl  # outside ring 0 only the monitor loads CS
        elif seg in CODE_AND_STACK and not self.cpl and selector & 3 == KERNEL_RING:
            selector &= ~3
        if attributes & DPL == KERNEL_DPL:
            attributes &= ~DPL
        return made_quickly(Segment, (selector, words[at + BASE], words[at + LIMIT], attributes))

    def set_segment(self, seg: int, value: Segment) -> None:
        """Load it really at DPL 1 where the guest means 0; CS and SS carry the real ring as RPL."""
        if seg in self._system:
            self._system[seg] = value
            if seg == LDTR:
                self._tables_changed()
            return
        selector, base, limit, attributes = value
        if attributes and not attributes & DPL:
            attributes |= KERNEL_DPL
        if seg == CS:
            self._code_rpl = selector & 3
        if seg in CODE_AND_STACK and selector & 3 == 0:
            selector |= KERNEL_RING
        self._load_real(seg, made_quickly(Segment, (selector, base, limit, attributes)))

    # -- system registers

    @property
    def gdtr(self) -> Table:
        """The guest's own table."""
        return self._gdtr

    @gdtr.setter
    def gdtr(self, value: Table) -> None:
        self._gdtr = value
        self._tables_changed()

    def cr(self, number: int) -> int:
        """As the guest set it."""
        return self._cr[number]

    def set_cr(self, number: int, value: int) -> None:
        """Keep the guest's value; the CPU gets what the monitor needs and the guest's FPU and time-stamp bits."""
        before = self.paging
        if number == 0:
            value |= flags.CR0_ET
            task_switched = value & flags.CR0_TS or not self.has_fpu
            self.cpu.write_cr(0, CR0_MONITOR | value & CR0_SHARED | (flags.CR0_TS if task_switched else 0))
        elif number == 4:
            value &= ~flags.CR4_PKE  # the CPU has none and keeps it clear
            self.cpu.write_cr(4, value & CR4_SHARED)
        self._cr[number] = value & 0xFFFF_FFFF
        self.paging = Paging(self._cr[0], self._cr[3], self._cr[4])
        if self.paging != before:
            require_carried(self._cr[0], self._cr[4])
        if number == 3 or self.paging != before:
            self._paging_changed(before)
