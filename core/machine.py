"""The one physical computer: a CPU, RAM, and the record of who owns which frame of it.

What a computer's makers put on a board, and nothing of virtualization. Buffers may be shared with another process,
which then looks at RAM, heat and program counters without asking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SIZE
from core.cpu.probes import ProbeBuffers
from core.cpu.unicorn_cpu import Cpu
from core.memory.frames import FrameAllocator
from core.memory.ram import Ram


@dataclass(slots=True)
class Backing:
    """The memory a machine is built on: RAM u8[memory] and the probes' buffers for as much memory. From `clean_from` on
    (bytes) nobody ever wrote to it, so that power-on need not clear it; None if that is not known."""

    ram: npt.NDArray[np.uint8]
    probes: ProbeBuffers
    clean_from: int | None = None

    @classmethod
    def private(cls, memory: int) -> Backing:
        """Fresh memory that nobody shares."""
        return cls(np.zeros(memory, np.uint8), ProbeBuffers.private(memory), clean_from=0)


class Machine:
    """`memory` bytes of RAM (at most what `backing` holds), a CPU, a frame allocator. Power-on clears RAM."""

    def __init__(self, memory: int, backing: Backing, *, recording: bool) -> None:
        self.backing = backing
        for buffer in (backing.probes.ring, backing.probes.reads, backing.probes.writes, backing.probes.fetches):
            buffer[:] = 0
        self.ram = Ram(backing.ram[:memory], backing.probes.dirty)
        backing.ram[: backing.clean_from] = 0  # all of it: the last machine may have been larger than this one
        backing.clean_from = None
        backing.probes.dirty[:] = 0
        self.frames = FrameAllocator(memory)
        self.cpu = Cpu(self.ram, backing.probes, recording=recording)
        self.power_on_world = self.cpu.save_world()

    def scrub(self, owner: str) -> None:
        """Give all frames of `owner` back; the next owner finds nothing in them."""
        for frame in self.frames.owned(owner):
            self.ram.write(frame, bytes(PAGE_SIZE))
        self.frames.release(owner)

    def close(self) -> None:
        """Power off: the emulator lets go of the RAM."""
        if not self.ram.released:
            self.backing.clean_from = self.frames.used_to
        self.cpu.close()
        self.ram.release()
