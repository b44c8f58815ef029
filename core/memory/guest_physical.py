"""A VM's guest-physical memory: RAM it was given, frame by frame, and devices everywhere else.

On bare hardware guest-physical is host-physical, one to one. Under a monitor each guest-physical page lies in whatever
frame the allocator gave. Addresses beyond the VM's RAM go to its bus, where what nobody claims reads as all ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.memory.ram import Ram


class MemoryBus(Protocol):
    """What answers beyond RAM."""

    def read_memory(self, address: int, size: int) -> int:
        """The value of a read of `size` (1, 2 or 4) bytes."""

    def write_memory(self, address: int, size: int, value: int) -> None:
        """A write of `size` bytes."""


class GuestPhysicalMemory:
    """`frames[n]` is the host-physical address of guest-physical page n."""

    def __init__(self, ram: Ram, frames: Sequence[HostPhysical], bus: MemoryBus) -> None:
        self.ram = ram
        self.frames = frames
        self.bus = bus
        self.size = len(frames) * PAGE_SIZE
        self.on_write: Callable[[GuestPhysical, int], None] | None = None  # told of every write to RAM by a monitor

    def host(self, address: GuestPhysical) -> HostPhysical:
        """Where guest-physical `address` (inside RAM) lies in the machine."""
        return HostPhysical(self.frames[address >> PAGE_SHIFT] | address & PAGE_MASK)

    def read(self, address: GuestPhysical, size: int) -> bytes:
        """`size` bytes, across pages and devices alike."""
        out = bytearray()
        while size > 0:
            part = min(size, PAGE_SIZE - (address & PAGE_MASK))
            if address < self.size:
                out += self.ram.read(self.host(address), part)
            else:
                out += bytes(self.bus.read_memory(address + i, 1) & 0xFF for i in range(part))
            address = GuestPhysical(address + part & 0xFFFF_FFFF)
            size -= part
        return bytes(out)

    def write(self, address: GuestPhysical, data: bytes) -> None:
        """Store `data`, across pages and devices alike."""
        while data:
            part = min(len(data), PAGE_SIZE - (address & PAGE_MASK))
            if address < self.size:
                self.ram.write(self.host(address), data[:part])
                if self.on_write is not None:
                    self.on_write(address, part)
            else:
                for i, byte in enumerate(data[:part]):
                    self.bus.write_memory(address + i, 1, byte)
            address = GuestPhysical(address + part & 0xFFFF_FFFF)
            data = data[part:]

    def read_u32(self, address: GuestPhysical) -> int:
        """The little-endian 32-bit word at `address`."""
        if address & PAGE_MASK <= PAGE_SIZE - 4 and address < self.size:
            return self.ram.read_u32(self.host(address))
        return int.from_bytes(self.read(address, 4), "little")

    def write_u32(self, address: GuestPhysical, value: int) -> None:
        """Store a 32-bit word."""
        self.write(address, (value & 0xFFFF_FFFF).to_bytes(4, "little"))
