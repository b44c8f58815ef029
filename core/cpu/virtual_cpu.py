"""The processor as its guest believes it to be, as plain values: registers, hidden parts of segments, modes, FPU.

It is read from one `GuestCpu` and put into another, perhaps under another kind of VMM: what a monitor hides from its
guest (real rings, real tables, shadows) is not in it, and whoever goes on with it makes that anew, as after a flush of
the TLB. (Intel SDM vol. 3 ch. 2 and 3; what is moved is what AMD APM vol. 2 §15.5 lets VMRUN, VMLOAD and FXRSTOR move.)
"""

from __future__ import annotations

from dataclasses import dataclass

from core.cpu.context import MSR_AT, Gpr, Seg
from core.cpu.flags import VM
from core.cpu.fpu import Fpu
from core.cpu.guest_cpu import DESC_TYPE_SHIFT, GuestCpu, Segment, Table
from core.cpu.modes import not_carried
from core.cpu.unsaved_msrs import POWERED_ON

SEGMENTS = (Seg.ES, Seg.CS, Seg.SS, Seg.DS, Seg.FS, Seg.GS, Seg.LDTR, Seg.TR)
CONTROL = (0, 2, 3, 4)
MSRS = (*MSR_AT, *POWERED_ON)
EFER, EFER_KNOWN = 0xC000_0080, 0x1801  # system calls, no-execute, AMD-V; not long mode
CR4_KNOWN = 0x007F_EFFF
ATTRIBUTES = 0x00F0_FF00  # of a descriptor's second word; the rest of it is base and limit


@dataclass(frozen=True, slots=True)
class VirtualCpu:
    """registers  by `Gpr`; `segments` by `SEGMENTS`; `control` are CR0, CR2, CR3, CR4; `debug` DR0 to DR7
    shadow     is the next instruction protected from interrupts?
    msrs       model-specific registers, by number
    last_pc    linear address of the newest instruction
    """

    registers: tuple[int, ...]
    eip: int
    eflags: int
    cpl: int
    segments: tuple[Segment, ...]
    gdtr: Table
    idtr: Table
    control: tuple[int, ...]
    debug: tuple[int, ...]
    shadow: bool
    fpu: Fpu
    msrs: tuple[tuple[int, int], ...]
    last_pc: int

    @property
    def pc(self) -> int:
        """Linear address of the next instruction."""
        return (self.segments[SEGMENTS.index(Seg.CS)].base + self.eip) & 0xFFFF_FFFF

    def is_sound(self) -> bool:
        """Can a processor of the lab be in this state? Asked of what comes from a file: the emulated CPU would not
        refuse another, but abort."""
        words = (*self.registers, self.eip, self.eflags, *self.control, *self.debug, self.last_pc)
        words += tuple(each for table in (self.gdtr, self.idtr) for each in table)
        words += tuple(each for segment in self.segments for each in segment)
        counts = (len(self.registers), len(self.segments), len(self.control), len(self.debug), len(self.msrs))
        cr0, task = self.control[0], self.segments[-1]
        return (
            counts == (len(Gpr), len(SEGMENTS), len(CONTROL), 8, len(MSRS))
            and all(0 <= each < 1 << 32 for each in words)
            and 0 <= self.cpl <= 3
            and not self.eflags & VM
            and not self.control[3] & ~CR4_KNOWN
            and not not_carried(cr0, self.control[3])
            and all(not segment.flags & ~ATTRIBUTES and segment.selector < 1 << 16 for segment in self.segments)
            and (not task.flags or task.flags >> DESC_TYPE_SHIFT & 7 in (1, 3))
            and {number for number, _ in self.msrs} == set(MSRS)
            and all(0 <= value < 1 << 64 for _, value in self.msrs)
            and not dict(self.msrs)[EFER] & ~EFER_KNOWN
            and self.fpu.is_sound()
        )


def read_cpu(guest: GuestCpu, msrs: tuple[tuple[int, int], ...]) -> VirtualCpu:
    """What `guest` is now; its CPU stands still. `msrs` are kept by its monitor's kind."""
    cpu = guest.cpu
    return VirtualCpu(
        registers=tuple(guest.reg(each) for each in Gpr),
        eip=guest.eip,
        eflags=guest.eflags,
        cpl=guest.cpl,
        segments=tuple(_attributes_alone(guest.segment(each)) for each in SEGMENTS),
        gdtr=guest.gdtr,
        idtr=guest.idtr,
        control=tuple(guest.cr(number) for number in CONTROL),
        debug=tuple(int(value) & 0xFFFF_FFFF for value in cpu.state.dr),
        shadow=guest.interrupt_shadow,
        fpu=cpu.fpu(),
        msrs=msrs,
        last_pc=cpu.last_pc,
    )


def _attributes_alone(segment: Segment) -> Segment:
    return segment._replace(flags=segment.flags & ATTRIBUTES)


def put_cpu(guest: GuestCpu, held: VirtualCpu) -> None:
    """Make `guest` what was read; the memory that its tables stand in is there. Not its breakpoints, nor its MSRs."""
    cpu = guest.cpu
    values = dict(zip(CONTROL, held.control, strict=True))
    for number in (2, 3, 4, 0):  # paging last, when its tables are known
        guest.set_cr(number, values[number])
    guest.set_cpl(held.cpl)
    guest.gdtr, guest.idtr = held.gdtr, held.idtr
    for seg in (Seg.LDTR, Seg.TR, Seg.CS, Seg.ES, Seg.SS, Seg.DS, Seg.FS, Seg.GS):
        guest.set_segment(seg, held.segments[SEGMENTS.index(seg)])
    for reg, value in zip(Gpr, held.registers, strict=True):
        guest.set_reg(reg, value)
    guest.eflags = held.eflags
    guest.eip = held.eip
    cpu.state.dr[:] = list(held.debug)
    cpu.load_fpu(held.fpu)
    if held.shadow:
        guest.begin_shadow_anew()
