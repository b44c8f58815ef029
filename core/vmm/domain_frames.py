"""Whether a paravirtual VM can go on where it is to: in the machine frames that its guest knows, with such a CPU.

Xen asks such a guest to take part when it is saved and restored, and gives it other frames; a guest of the lab does not
know how, so it goes on in the very frames that it had, or not at all. What is judged here comes from a snapshot, which
may come from a file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE, HostPhysical
from core.cpu.context import Seg
from core.cpu.flags import CR0_TS, DR7_ENABLES
from core.cpu.guest_cpu import Table
from core.cpu.virtual_cpu import SEGMENTS, VirtualCpu
from core.errors import RequestError
from core.layout import HOST_RESERVED, SHADOW_GDT
from core.memory.frames import FREE, FrameAllocator
from core.memory.pseudo_physical import PseudoPhysicalMemory
from core.memory.ram import Ram
from core.vmm.domain_builder import Layout, frame_of
from core.vmm.frame_types import TABLES, FrameType, FrameTypes
from core.vmm.hypercall_abi import CHANNELS
from core.vmm.own_state import Domain
from core.vmm.paravirt_cpu import CR0_PARAVIRT

DRIVERS = 2  # channels, the first ones
MONITOR_FRAMES = 4  # tables and the shared page, the last of them; then the machine-to-physical table
MOST_FRAMES = 1 << 18


def claim_frames(allocator: FrameAllocator, own: Domain, owner: str) -> list[HostPhysical]:
    """The VM's frames, now `owner`'s; a RequestError, and nothing changed, if one of them or of its monitor's is
    another's."""
    for frame in (*own.frames, *own.monitor_frames):
        there = 0 <= frame << PAGE_SHIFT < allocator.size
        whose = allocator.owner(HostPhysical(frame << PAGE_SHIFT)) if there else "not in this machine"
        if whose != FREE:
            what = f"belongs to {whose}" if there else f"is {whose}"
            raise RequestError(
                f"A paravirtual guest knows the machine's frames, and frame {frame:#x} {what}.",
                "Revert the VM itself, or power on from the snapshot on a machine of its own.",
            )
    frames = [HostPhysical(frame << PAGE_SHIFT) for frame in own.frames]
    for frame in frames:
        allocator.claim(frame, PAGE_SIZE, owner)
    return frames


def check_machine(own: Domain, memory: int) -> None:
    """A RequestError if the VM's frames are not those of a machine with `memory` bytes."""
    count = MONITOR_FRAMES + -(-4 * (memory >> PAGE_SHIFT) // PAGE_SIZE)
    frames = (*own.frames, *own.monitor_frames)
    if (
        len(own.monitor_frames) != count
        or not HOST_RESERVED <= min(frames) << PAGE_SHIFT <= max(frames) << PAGE_SHIFT < memory
    ):
        raise RequestError(
            f"A paravirtual guest knows the machine's frames, and this one knows those of another machine than one of "
            f"{memory >> 20} MiB.",
            "Go on from it on the machine that it was taken on.",
        )


def judge_tables(own: Domain, contents: Mapping[int, bytes]) -> None:
    """A Refused if the VM's page tables and descriptors, in these pages, are not such as its monitor allows."""
    frames = [HostPhysical(frame << PAGE_SHIFT) for frame in own.frames]
    top = max((*own.frames, *own.monitor_frames)) + 1
    ram = Ram(np.zeros(top * PAGE_SIZE, np.uint8), np.zeros(top, np.uint8))
    physical = PseudoPhysicalMemory(ram, frames, EmptyBus())
    for page, data in contents.items():
        ram.write(frames[page], data)
    shared = own.monitor_frames[MONITOR_FRAMES - 1]
    types = FrameTypes(physical, HostPhysical(shared << PAGE_SHIFT), lambda: None)
    use_rings(types, physical, Layout.of(physical))
    use_tables(types, physical, own)


class EmptyBus:
    """Nothing is beyond memory that is only looked at."""

    def read_memory(self, address: int, size: int) -> int:
        """See `MemoryBus`."""
        return (1 << 8 * size) - 1

    def write_memory(self, address: int, size: int, value: int) -> None:
        """See `MemoryBus`."""


def use_rings(types: FrameTypes, physical: PseudoPhysicalMemory, layout: Layout) -> None:
    """The rings' pages stay writable ones for good: the monitor writes there, too, so none may become a table."""
    for page in (layout.console_ring, layout.disk_ring):
        types.use(frame_of(physical, page), FrameType.WRITABLE)


def use_tables(types: FrameTypes, physical: PseudoPhysicalMemory, own: Domain) -> None:
    """Count every use of a frame that the guest has asked for."""
    for page, kind in own.pinned:
        types.pin(frame_of(physical, page), FrameType(kind))
    types.use(own.root, FrameType.TABLE_2)
    for frame in own.gdt:
        types.use(frame, FrameType.DESCRIPTORS)


def in_order(cpu: VirtualCpu, own: Domain) -> bool:
    """Could a paravirtual VM be so? What its tables say is judged when they are taken up."""
    cr0, _, cr3, cr4 = cpu.control
    segments = dict(zip(SEGMENTS, cpu.segments, strict=True))
    handlers = [handler for handler in (own.upcall, own.failsafe, *dict(own.traps).values()) if handler is not None]
    frames = (*own.frames, *own.monitor_frames)
    numbers = (own.deadline or 0, *own.kernel_stack, *(value for handler in handlers for value in handler))
    return (
        cpu.cpl in (1, 3)
        and segments[Seg.CS].selector & 3 == cpu.cpl
        and all(each.dpl or not each.selector & 0xFFFC for seg, each in segments.items() if seg != Seg.TR)
        and cr0 & ~CR0_TS == CR0_PARAVIRT
        and (cr3, cr4) == (own.root << PAGE_SHIFT, 0)
        and (cpu.gdtr, cpu.idtr) == (Table(SHADOW_GDT, 0xFFFF), Table(0, 0))
        and not segments[Seg.LDTR].selector
        and not cpu.debug[7] & DR7_ENABLES
        and len(own.shared) == PAGE_SIZE
        and len(set(frames)) == len(frames)
        and min(len(own.frames) << PAGE_SHIFT, len(own.monitor_frames)) > MONITOR_FRAMES
        and all(0 <= frame < MOST_FRAMES for frame in frames)
        and all(0 <= page < len(own.frames) and kind in TABLES for page, kind in own.pinned)
        and all(each & 3 == 1 for each in (*(handler.selector for handler in handlers),))
        and own.kernel_stack[0] & 3 in (0, 1)
        and all(DRIVERS < number < CHANNELS for number in own.channels)
        and own.timer in (0, *own.channels)
        and all(0 <= number < 1 << 62 for number in numbers)
    )
