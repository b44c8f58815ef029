"""A CPU on a small board, with tables of descriptors that a test can shape: what delivery and loads are tried on."""

from __future__ import annotations

import numpy as np

from core.addresses import PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.context import Gpr, Seg
from core.cpu.guest_cpu import GuestCpu, Segment, Table
from core.cpu.probes import ProbeBuffers
from core.cpu.unicorn_cpu import Cpu
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.ram import Ram
from core.memory.walk import LinearMemory

MEMORY = 1 << 20
GDT, IDT, TSS, STACK_0, STACK_3, CODE = 0x2000, 0x3000, 0x4000, 0x9000, 0xA000, 0x10000
CODE_0, DATA_0, CODE_3, DATA_3, TSS_SEL = 0x08, 0x10, 0x1B, 0x23, 0x28
CODE_CONFORMING, CODE_1, DATA_1, NOT_PRESENT_CODE, NOT_PRESENT_DATA, READ_ONLY, LDT_SEL = (
    0x30, 0x39, 0x41, 0x48, 0x50, 0x58, 0x60,
)  # fmt: skip
GDT_LIMIT = 0x67


class OpenBus:
    """Nothing answers."""

    def read_memory(self, address: int, size: int) -> int:
        """All ones."""
        return (1 << 8 * size) - 1

    def write_memory(self, address: int, size: int, value: int) -> None:
        """Swallowed."""


def flat(kind: int, dpl: int, *, present: bool = True) -> int:
    """A flat 4 GiB descriptor with type `kind` (accessed or not as given)."""
    return 0x00CF_0000_0000_FFFF | (present << 7 | dpl << 5 | 0x10 | kind) << 40


def system(kind: int, base: int, limit: int, dpl: int = 0, *, present: bool = True) -> int:
    """A system descriptor."""
    low = limit & 0xFFFF | (base & 0xFFFFFF) << 16
    return low | (present << 7 | dpl << 5 | kind) << 40 | (limit >> 16 & 0xF) << 48 | (base >> 24) << 56


def gate(kind: int, selector: int, offset: int, dpl: int = 0, *, present: bool = True) -> int:
    """An IDT gate."""
    return offset & 0xFFFF | selector << 16 | (present << 7 | dpl << 5 | kind) << 40 | (offset >> 16) << 48


class Rig:
    """`guest` runs in ring 0 at CODE unless moved; vector v has an interrupt gate to CODE + 0x100 + 16 v."""

    def __init__(self) -> None:
        buffers = ProbeBuffers.private(MEMORY)
        self.ram = Ram(np.zeros(MEMORY, np.uint8), buffers.dirty)
        self.cpu = Cpu(self.ram, buffers)
        frames = [HostPhysical(page) for page in range(0, MEMORY, PAGE_SIZE)]
        self.memory = LinearMemory(GuestPhysicalMemory(self.ram, frames, OpenBus()))
        self.guest = GuestCpu(self.cpu)
        self._tables()
        self.enter(0)

    def _tables(self) -> None:
        entries = (
            0, flat(0xA, 0), flat(0x2, 0), flat(0xA, 3), flat(0x2, 3), system(0xB, TSS, 0x67),
            flat(0xE, 0), flat(0xA, 1), flat(0x2, 1), flat(0xA, 0, present=False), flat(0x2, 0, present=False),
            flat(0x0, 0), system(0x2, 0x5000, 0xFF),
        )  # fmt: skip
        for index, entry in enumerate(entries):
            self.write(GDT + 8 * index, entry, 8)
        for vector in range(48):
            self.set_gate(vector, gate(0xE, CODE_0, handler(vector)))
        self.write(TSS + 4, STACK_0, 4)
        self.write(TSS + 8, DATA_0, 4)
        self.write(TSS + 12, STACK_0 - 0x800, 4)
        self.write(TSS + 16, DATA_1, 4)
        self.guest.gdtr, self.guest.idtr = Table(GDT, GDT_LIMIT), Table(IDT, 48 * 8 - 1)
        self.guest.set_segment(Seg.TR, Segment(TSS_SEL, TSS, 0x67, 0x8B00))

    def enter(self, ring: int) -> None:
        """Run in `ring` from now on, with its flat segments and stack."""
        code, data = {0: (CODE_0, DATA_0), 1: (CODE_1, DATA_1), 3: (CODE_3, DATA_3)}[ring]
        self.guest.set_cpl(ring)
        self.guest.set_segment(Seg.CS, Segment(code, 0, 0xFFFF_FFFF, 0xCF9B00 | ring << 13))
        for seg in (Seg.SS, Seg.DS, Seg.ES):
            self.guest.set_segment(seg, Segment(data, 0, 0xFFFF_FFFF, 0xCF9300 | ring << 13))
        self.guest.set_reg(Gpr.ESP, STACK_3 if ring else STACK_0)
        self.guest.eip = CODE
        self.guest.eflags = 0x202

    def set_gate(self, vector: int, entry: int) -> None:
        """Replace a gate."""
        self.write(IDT + 8 * vector, entry, 8)

    def write(self, address: int, value: int, size: int) -> None:
        """Store a little-endian number."""
        self.memory.physical.write(GuestPhysical(address), value.to_bytes(size, "little"))

    def read(self, address: int, size: int = 4) -> int:
        """Read a little-endian number."""
        return int.from_bytes(self.memory.physical.read(GuestPhysical(address), size), "little")

    def stack(self, count: int) -> list[int]:
        """The newest `count` double words of the stack, top first."""
        return [self.read(self.guest.reg(Gpr.ESP) + 4 * n) for n in range(count)]


def handler(vector: int) -> int:
    """Where the handler of `vector` stands."""
    return CODE + 0x100 + 16 * vector
