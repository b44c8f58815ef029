"""What translated code has of the monitor's region: a page of variables, the lookup table, and the code itself.

Translated code reaches all of it by absolute addresses through its own code segment, whose base it knows. (VMware kept
a segment register for this and rewrote the guest's uses of it; the emulated CPU lets a code segment be written, which a
real one does not.) The variables hold what the guest believes of its CPU, so that short replacements need no monitor:
Adams & Agesen, ASPLOS 2006, §3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from core.addresses import PAGE_MASK, PAGE_SHIFT, HostPhysical
from core.cpu import flags
from core.memory.ram import Ram


class Slot(IntEnum):
    """The variables, each 32 bits, by their offset in the page. Bases and limits are those that the guest loaded."""

    VIRTUAL_IF = 0x00  # 0 or half the bit IF: SETcc can write it
    CR0 = 0x0C
    CR2 = 0x10
    CR3 = 0x14
    CR4 = 0x18
    CS = 0x1C
    SS = 0x20
    GDT_LIMIT = 0x24
    GDT_BASE = 0x28
    IDT_LIMIT = 0x2C
    IDT_BASE = 0x30
    SAVED = 0x40  # a register while it is borrowed
    SAVED_TOO = 0x44
    TARGET = 0x48  # guest EIP of an indirect jump
    DESTINATION = 0x4C  # and EIP of its translation
    ASKS_FOR_RING_1 = 0x100  # 256 bytes: is this, of a selector's low byte, one with RPL 1?


VIRTUAL_IF_SET = flags.IF >> 1
BELIEFS = tuple(Slot)[1:11]
"""The variables that only the monitor writes, in the order in which they stand."""


class Region:
    """Pages at linear `base`, in `frames` of the machine's RAM."""

    def __init__(self, ram: Ram, base: int, frames: Sequence[HostPhysical]) -> None:
        self.ram = ram
        self.base = base
        self.frames = tuple(frames)
        self.size = len(self.frames) << PAGE_SHIFT

    def prepare_variables(self) -> None:
        """Fill in what never changes."""
        self.write(self.base + Slot.ASKS_FOR_RING_1, bytes(low & 3 == 1 for low in range(256)))

    def host(self, linear: int) -> HostPhysical:
        """Where the byte at `linear` lies."""
        offset = linear - self.base
        return HostPhysical(self.frames[offset >> PAGE_SHIFT] | offset & PAGE_MASK)

    def write(self, linear: int, data: bytes) -> None:
        """Store `data`, which may cross pages."""
        while data:
            part = min(len(data), PAGE_MASK + 1 - (linear & PAGE_MASK))
            self.ram.write(self.host(linear), data[:part])
            linear += part
            data = data[part:]

    def read(self, linear: int, size: int) -> bytes:
        """`size` bytes, which may cross pages."""
        out = b""
        while size > 0:
            part = min(size, PAGE_MASK + 1 - (linear & PAGE_MASK))
            out += self.ram.read(self.host(linear), part)
            linear += part
            size -= part
        return out

    def load(self, slot: Slot) -> int:
        """A variable."""
        return self.ram.read_u32(HostPhysical(self.frames[0] + slot))

    def store(self, slot: Slot, value: int) -> None:
        """Set a variable."""
        self.ram.write_u32(HostPhysical(self.frames[0] + slot), value)
