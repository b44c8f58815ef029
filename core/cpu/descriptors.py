"""Segment descriptors: what GDT and LDT hold, and the checks of every segment load.

A descriptor is eight bytes: base, limit, type, privilege (Intel SDM vol. 3 §3.4.5; AMD APM vol. 2 §4.7). The checks
here follow the pseudocode of MOV, POP, LDS and of the far transfers (SDM vol. 2), for those loads that the lab carries
out itself; loads that run directly are checked by the CPU. Far transfers leave the accessed bits alone, as the emulated
CPU's do.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from core.cpu.context import DS, ES, FS, GS, LDTR, SS
from core.cpu.faults import GuestFault, Vector, general_protection
from core.cpu.guest_cpu import DESC_DPL_SHIFT, DESC_G, DESC_P, DESC_S, GuestCpu, Segment
from core.events import made_quickly
from core.memory.walk import LinearMemory

FLAGS_MASK = 0x00F0_FF00  # what the hidden cache keeps of the second word
TYPE_ACCESSED = 1 << 8
TYPE_WRITABLE = 1 << 9  # data: writable; code: readable
TYPE_CONFORMING = 1 << 10  # code: conforming; data: expand down
TYPE_CODE = 1 << 11
CONFORMING_CODE = DESC_S | TYPE_CODE | TYPE_CONFORMING
TSS_AVAILABLE, TSS_BUSY, LDT = 0x9, 0xB, 0x2
TSS_AVAILABLE_16, TSS_BUSY_16 = 0x1, 0x3
TSS_BUSY_BIT = 1 << 9
TWO_WORDS = Struct("<2I")


class Descriptor(NamedTuple):
    """A descriptor as it stands in memory: its two words and its linear address."""

    low: int
    high: int
    address: int

    @property
    def base(self) -> int:
        """Linear base address."""
        return self.low >> 16 | (self.high & 0xFF) << 16 | self.high & 0xFF00_0000

    @property
    def limit(self) -> int:
        """Limit in bytes, granularity applied."""
        raw = self.low & 0xFFFF | self.high & 0xF_0000
        return raw << 12 | 0xFFF if self.high & DESC_G else raw

    @property
    def dpl(self) -> int:
        """Privilege level."""
        return self.high >> DESC_DPL_SHIFT & 3

    @property
    def present(self) -> bool:
        """P bit."""
        return bool(self.high & DESC_P)

    @property
    def is_segment(self) -> bool:
        """Code or data, as opposed to a system descriptor."""
        return bool(self.high & DESC_S)

    @property
    def is_code(self) -> bool:
        """A code segment?"""
        return self.high & (DESC_S | TYPE_CODE) == DESC_S | TYPE_CODE

    @property
    def is_conforming(self) -> bool:
        """A conforming code segment?"""
        return self.high & CONFORMING_CODE == CONFORMING_CODE

    @property
    def is_writable_data(self) -> bool:
        """A data segment that may be written?"""
        return self.is_segment and not self.high & TYPE_CODE and bool(self.high & TYPE_WRITABLE)

    @property
    def is_readable(self) -> bool:
        """Data, or code that may be read?"""
        return self.is_segment and (not self.high & TYPE_CODE or bool(self.high & TYPE_WRITABLE))

    @property
    def system_type(self) -> int:
        """Type of a system descriptor."""
        return self.high >> 8 & 0xF

    def cache(self, selector: int) -> Segment:
        """What a segment register holds after loading it by `selector`."""
        return made_quickly(Segment, (selector, self.base, self.limit, self.high & FLAGS_MASK))


def selector_error(selector: int, external: int = 0) -> int:
    """The error code that names `selector`; `external` is the EXT bit."""
    return selector & 0xFFFC | external


def fetch(guest: GuestCpu, memory: LinearMemory, selector: int) -> Descriptor | None:
    """The descriptor that `selector` names, or None if it lies beyond its table."""
    if selector & 4:
        ldt = guest.segment(LDTR)
        base, limit = ldt.base, ldt.limit if ldt.selector & 0xFFFC else -1
    else:
        base, limit = guest.gdtr
    offset = selector & 0xFFF8
    if offset + 7 > limit:
        return None
    low, high = TWO_WORDS.unpack(memory.read(guest.paging, base + offset, 8))
    return made_quickly(Descriptor, (low, high, base + offset))


def mark(guest: GuestCpu, memory: LinearMemory, descriptor: Descriptor, bit: int) -> Descriptor:
    """Set `bit` of the descriptor's second word in memory, as the CPU does (accessed, busy); gives the new one."""
    if descriptor.high & bit:
        return descriptor
    high = descriptor.high | bit
    memory.write(guest.paging, descriptor.address + 4, high.to_bytes(4, "little"))
    return Descriptor(descriptor.low, high, descriptor.address)


def load_data(guest: GuestCpu, memory: LinearMemory, seg: int, selector: int) -> None:
    """MOV, POP or LxS to DS, ES, FS, GS or SS, with every check of the manual."""
    if seg == SS:
        stack = stack_segment(guest, memory, selector, guest.cpl, Vector.GP)
        guest.set_segment(seg, mark(guest, memory, stack, TYPE_ACCESSED).cache(selector))
        return
    if not selector & 0xFFFC:
        guest.set_segment(seg, Segment(selector, 0, 0, 0))
        return
    descriptor = fetch(guest, memory, selector)
    error = selector_error(selector)
    if descriptor is None or not descriptor.is_readable:
        raise general_protection(error)
    if not descriptor.is_conforming and descriptor.dpl < max(selector & 3, guest.cpl):
        raise general_protection(error)
    if not descriptor.present:
        raise GuestFault(Vector.NP, error)
    guest.set_segment(seg, mark(guest, memory, descriptor, TYPE_ACCESSED).cache(selector))


def stack_segment(
    guest: GuestCpu, memory: LinearMemory, selector: int, cpl: int, refusal: int, external: int = 0
) -> Descriptor:
    """The stack that `selector` names at `cpl`; else `refusal` (#GP for loads and returns, #TS for delivery)."""
    if not selector & 0xFFFC:
        raise GuestFault(refusal, external)
    error = selector_error(selector, external)
    descriptor = fetch(guest, memory, selector)
    if descriptor is None or selector & 3 != cpl or descriptor.dpl != cpl or not descriptor.is_writable_data:
        raise GuestFault(refusal, error)
    if not descriptor.present:
        raise GuestFault(Vector.SS, error)
    return descriptor


def code_for_jump(guest: GuestCpu, memory: LinearMemory, selector: int) -> Segment:
    """The CS of a far JMP or CALL straight to a code segment; CPL stays (SDM vol. 2, JMP)."""
    if not selector & 0xFFFC:
        raise general_protection()
    descriptor = fetch(guest, memory, selector)
    error = selector_error(selector)
    if descriptor is None or not descriptor.is_code:
        raise general_protection(error)
    if descriptor.is_conforming:
        allowed = descriptor.dpl <= guest.cpl
    else:
        allowed = selector & 3 <= guest.cpl and descriptor.dpl == guest.cpl
    if not allowed:
        raise general_protection(error)
    if not descriptor.present:
        raise GuestFault(Vector.NP, error)
    return descriptor.cache(selector & ~3 | guest.cpl)


def code_for_return(guest: GuestCpu, memory: LinearMemory, selector: int) -> Segment:
    """The CS of a far RET or IRET; its RPL becomes the CPL (SDM vol. 2, RET and IRET)."""
    if not selector & 0xFFFC:
        raise general_protection()
    descriptor = fetch(guest, memory, selector)
    error = selector_error(selector)
    rpl = selector & 3
    if descriptor is None or not descriptor.is_code or rpl < guest.cpl:
        raise general_protection(error)
    if descriptor.dpl > rpl if descriptor.is_conforming else descriptor.dpl != rpl:
        raise general_protection(error)
    if not descriptor.present:
        raise GuestFault(Vector.NP, error)
    return descriptor.cache(selector)


def drop_inner_segments(guest: GuestCpu) -> None:
    """After a return outward: data segments that the outer ring may not use become null (SDM vol. 2, RET). The emulated
    CPU counts null ones in ES and DS among them, whatever their RPL."""
    for seg in (ES, DS, FS, GS):
        held = guest.segment(seg)
        code_conforming = held.flags & TYPE_CODE and held.flags & TYPE_CONFORMING
        spared = seg in (FS, GS) and not held.selector & 0xFFFC
        if not spared and held.dpl < guest.cpl and not code_conforming:
            guest.set_segment(seg, Segment(0, 0, 0, 0))
