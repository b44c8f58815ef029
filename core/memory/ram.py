"""The machine's RAM: bytes addressed by host-physical address, in a buffer that other processes may share.

Real RAM answers within its size and nothing else; so does this. Whoever writes here behind the CPU's back must tell
the CPU when code may have changed (`Cpu.forget_code`), and the dirty-page record learns of it here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SHIFT, HostPhysical

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")


class Ram:
    """RAM over `array` (writable, C-contiguous); `dirty` has a byte for each page of it, set by every write."""

    def __init__(self, array: npt.NDArray[np.uint8], dirty: npt.NDArray[np.uint8]) -> None:
        self.size = array.nbytes
        self.array = array
        self.bytes = memoryview(array.data)
        self.words = self.bytes.cast("I")
        self.on_write: Callable[[int, int], None] | None = None  # told the address and size of every `write`
        self.dirty = memoryview(dirty.data)  # who writes through `bytes` marks the page himself

    @property
    def pointer(self) -> int:
        """Host address of the first byte, for the CPU to map."""
        return int(self.array.ctypes.data)

    def read(self, address: HostPhysical, size: int) -> bytes:
        """`size` bytes at `address`; both must lie inside."""
        return bytes(self.bytes[address : address + size])

    def write(self, address: HostPhysical, data: bytes) -> None:
        """Store `data` at `address`, marking its pages dirty."""
        end = address + len(data)
        if end > self.size:
            raise IndexError(f"write of {len(data)} bytes at {address:#x} in {self.size:#x} bytes of RAM")
        self.bytes[address:end] = data
        page, last = address >> PAGE_SHIFT, end - 1 >> PAGE_SHIFT
        while page <= last:
            self.dirty[page] = 1
            page += 1
        if self.on_write is not None:
            self.on_write(address, len(data))

    def read_u32(self, address: HostPhysical) -> int:
        """The little-endian 32-bit word at `address`."""
        if not address & 3:
            return self.words[address >> 2]
        word: int = _U32.unpack_from(self.bytes, address)[0]
        return word

    def write_u32(self, address: HostPhysical, value: int) -> None:
        """Store the 32-bit word `value` at `address`."""
        if address & 3 or self.on_write is not None:
            self.write(address, _U32.pack(value & 0xFFFF_FFFF))
            return
        self.words[address >> 2] = value & 0xFFFF_FFFF  # `write`, for the entries of page tables
        self.dirty[address >> PAGE_SHIFT] = 1

    @property
    def released(self) -> bool:
        """Has it let go of the buffer?"""
        return not self.array.nbytes

    def read_u64(self, address: HostPhysical) -> int:
        """The little-endian 64-bit word at `address`."""
        word: int = _U64.unpack_from(self.bytes, address)[0]
        return word

    def write_u64(self, address: HostPhysical, value: int) -> None:
        """Store the 64-bit word `value` at `address`."""
        self.write(address, _U64.pack(value))

    def release(self) -> None:
        """Let go of the buffer, so that its owner can close it."""
        self.array = np.zeros(0, dtype=np.uint8)
        self.words.release()
        self.bytes.release()
        self.dirty.release()
