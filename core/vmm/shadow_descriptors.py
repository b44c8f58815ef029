"""The shadow GDT: the descriptors that the CPU really uses while a deprivileged guest believes in its own.

A guest kernel pushed from ring 0 to ring 1 needs its segments at DPL 1. Three more things must come to the monitor and
cannot otherwise, so their shadow descriptors are marked not present: code of rings 1–3 (else IRET to ring 3 would
change the guest's IF unseen), system descriptors (gates, TSS, LDT), and segments not yet accessed (so that the accessed
bit appears in the guest's own table, as on bare). VMware kept such a table (Bugnion et al., TOCS 2012).
"""

from __future__ import annotations

from core.addresses import PAGE_SIZE, HostPhysical
from core.cpu.descriptors import TYPE_ACCESSED, TYPE_CODE, TYPE_CONFORMING
from core.cpu.guest_cpu import DESC_DPL_SHIFT, DESC_P, DESC_S
from core.memory.ram import Ram

KERNEL_RING = 1  # where the guest's ring 0 really runs
TABLE_BYTES = 1 << 16


def shadow_of(low: int, high: int) -> tuple[int, int]:
    """The shadow of one descriptor, as its two words."""
    dpl = high >> DESC_DPL_SHIFT & 3
    hidden = not high & DESC_S or not high & TYPE_ACCESSED
    if high & TYPE_CODE and high & DESC_S and (dpl != 0 or high & TYPE_CONFORMING):
        hidden = True
    if hidden:
        high &= ~DESC_P
    if dpl == 0:
        high |= KERNEL_RING << DESC_DPL_SHIFT
    return low, high


def write_shadow(ram: Ram, frames: list[HostPhysical], table: bytes, cleared: int) -> None:
    """Fill the shadow table (pages `frames`) from the bytes of the guest's `table`; `cleared` is the length of the
    table before, what exceeds the new one becomes null."""
    out = bytearray(max(len(table), cleared))
    for at in range(8, len(table) - 7, 8):
        low, high = (int.from_bytes(table[word : word + 4], "little") for word in (at, at + 4))
        if high:
            low, high = shadow_of(low, high)
            out[at : at + 8] = low.to_bytes(4, "little") + high.to_bytes(4, "little")
    for index, start in enumerate(range(0, len(out), PAGE_SIZE)):
        ram.write(frames[index], bytes(out[start : start + PAGE_SIZE]))
