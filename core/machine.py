"""The one physical computer: a CPU, RAM, and the record of who owns which frame of it.

What a computer's makers put on a board, and nothing of virtualization. Buffers may be shared with another process,
which then looks at RAM, heat and program counters without asking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.cpu.probes import ProbeBuffers
from core.cpu.unicorn_cpu import Cpu
from core.memory.frames import FrameAllocator
from core.memory.ram import Ram


@dataclass(frozen=True, slots=True)
class Backing:
    """The memory a machine is built on: RAM u8[memory] and the probes' buffers for as much memory."""

    ram: npt.NDArray[np.uint8]
    probes: ProbeBuffers

    @classmethod
    def private(cls, memory: int) -> Backing:
        """Fresh memory that nobody shares."""
        return cls(np.zeros(memory, np.uint8), ProbeBuffers.private(memory))


class Machine:
    """`memory` bytes of RAM (at most what `backing` holds), a CPU, a frame allocator. Power-on clears RAM."""

    def __init__(self, memory: int, backing: Backing, *, recording: bool) -> None:
        self.backing = backing
        for buffer in (backing.probes.ring, backing.probes.reads, backing.probes.writes, backing.probes.fetches):
            buffer[:] = 0
        self.ram = Ram(backing.ram[:memory], backing.probes.dirty)
        self.ram.clear()
        backing.probes.dirty[:] = 0
        self.frames = FrameAllocator(memory)
        self.cpu = Cpu(self.ram, backing.probes, recording=recording)

    def close(self) -> None:
        """Power off: the emulator lets go of the RAM."""
        self.cpu.close()
        self.ram.release()
