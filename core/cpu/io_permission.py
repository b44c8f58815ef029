"""May this code touch this port? IOPL first, then the I/O permission bitmap of the TSS.

The CPU raises #GP when CPL exceeds IOPL and any bit of the ports touched is set in the bitmap (Intel SDM vol. 1 §19.5;
AMD APM vol. 2 §12.2.4). The emulated CPU leaves this check out, so the interposer makes it.
"""

from __future__ import annotations

from core.cpu.context import Seg
from core.cpu.descriptors import TSS_AVAILABLE, TSS_BUSY
from core.cpu.guest_cpu import GuestCpu
from core.memory.walk import LinearMemory

BITMAP_BASE_OFFSET = 0x66


def io_permitted(guest: GuestCpu, memory: LinearMemory, port: int, size: int) -> bool:
    """True if `size` ports from `port` on may be touched; may raise the page fault of reading the TSS."""
    if guest.cpl <= guest.iopl:
        return True
    tss = guest.segment(Seg.TR)
    if tss.flags >> 8 & 0xF not in (TSS_AVAILABLE, TSS_BUSY) or tss.limit < BITMAP_BASE_OFFSET + 1:
        return False
    bitmap = int.from_bytes(memory.read(guest.paging, tss.base + BITMAP_BASE_OFFSET, 2), "little")
    first = bitmap + (port >> 3)
    # the CPU always reads two bytes, so the byte after the last one must lie inside as well
    if first + 1 > tss.limit:
        return False
    bits = int.from_bytes(memory.read(guest.paging, tss.base + first, 2), "little")
    return not bits >> (port & 7) & (1 << size) - 1
