"""Memory that window and engine both see: RAM, heat counters, the ring of program counters, and the stop words.

One segment, each buffer on a page of its own, RAM first (the emulated CPU maps it, so it must begin on a page). The
window makes the segment and outlives every engine; an engine attaches to it, and after a death the next one attaches to
the same, so whoever holds an array keeps seeing the machine.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from dataclasses import dataclass
from enum import IntEnum
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_MASK
from core.cpu.probes import ProbeBuffers, Word
from core.errors import LabFault
from core.layout import MACHINE_MEMORY, MIB


class StopWord(IntEnum):
    """Words by which the window stops the engine without waiting for it to read the pipe."""

    ASKED = 0  # how often the window has asked; only the window writes it
    SERVED = 1  # up to which request the engine has stopped; only the engine writes it


@dataclass(frozen=True, slots=True)
class Place:
    """One buffer of the segment: element type, number of elements, offset in bytes."""

    dtype: type[np.generic]
    length: int
    offset: int


def lay_out(memory: int) -> tuple[dict[str, Place], int]:
    """Where each buffer stands for `memory` bytes of RAM, and the bytes of all."""
    wanted: dict[str, tuple[type[np.generic], int]] = {
        "ram": (np.uint8, memory),
        **ProbeBuffers.layout(memory),
        "stop": (np.uint64, len(StopWord)),
    }
    places, offset = {}, 0
    for name, (dtype, length) in wanted.items():
        places[name] = Place(dtype, length, offset)
        offset += (length * np.dtype(dtype).itemsize + PAGE_MASK) & ~PAGE_MASK
    return places, offset


class _Segment(SharedMemory):
    """A segment that goes quietly, although a view may still hold an array when the interpreter ends."""

    def __del__(self) -> None:
        with contextlib.suppress(BufferError):
            super().__del__()


class SharedViews:
    """The shared memory as numpy arrays, little-endian and live; ask for them anew rather than keep them.

    ram u8[memory]; probes: the buffers of `core.cpu.probes.ProbeBuffers`, counters by 4 KiB frame.
    """

    def __init__(self, segment: SharedMemory, memory: int, *, owner: bool) -> None:
        self._segment = segment
        self._owner = owner
        places, _ = lay_out(memory)
        buffer = segment.buf
        assert buffer is not None, "an open segment has a buffer"
        # frombuffer and not ndarray(buffer=…), which would not keep the memory mapped
        arrays: dict[str, Any] = {
            name: np.frombuffer(buffer, place.dtype, place.length, place.offset) for name, place in places.items()
        }
        self.ram: npt.NDArray[np.uint8] = arrays.pop("ram")
        self._stop: npt.NDArray[np.uint64] = arrays.pop("stop")
        self.probes = ProbeBuffers(**arrays)

    @classmethod
    def create(cls, memory: int = MACHINE_MEMORY) -> SharedViews:
        """A new segment, all zero. `close` removes it."""
        _, size = lay_out(memory)
        if sys.platform == "linux" and (free := shutil.disk_usage("/dev/shm").free) < size:
            raise LabFault(
                f"Ringside needs {size / MIB:.0f} MiB of shared memory and /dev/shm has {free / MIB:.0f} MiB free; "
                "make it larger (a container has an option like --shm-size for it)."
            )
        return cls(_Segment(create=True, size=size), memory, owner=True)

    @classmethod
    def attach(cls, name: str, memory: int = MACHINE_MEMORY) -> SharedViews:
        """The segment that another process made."""
        return cls(_Segment(name=name), memory, owner=False)

    @property
    def name(self) -> str:
        """The segment's name, for `attach`."""
        return self._segment.name

    @property
    def reads(self) -> npt.NDArray[np.uint32]:
        """How often each frame was read since power-on."""
        return self.probes.reads

    @property
    def writes(self) -> npt.NDArray[np.uint32]:
        """How often each frame was written since power-on."""
        return self.probes.writes

    @property
    def fetches(self) -> npt.NDArray[np.uint32]:
        """How many instructions began in each frame since power-on."""
        return self.probes.fetches

    @property
    def pc_ring(self) -> npt.NDArray[np.uint64]:
        """Linear addresses of the newest instructions; number n since power-on stands at n modulo its length."""
        return self.probes.ring

    # -- stopping

    def ask_stop(self) -> int:
        """Window: stop the engine within an instruction. Returns the request's number."""
        self._stop[StopWord.ASKED] += np.uint64(1)
        self.nudge()
        return int(self._stop[StopWord.ASKED])

    def nudge(self) -> None:
        """Window: set the CPU's stop flag again; it was lost if the engine was just about to start running."""
        self.probes.control[Word.STOP] = 1

    @property
    def stop_wanted(self) -> bool:
        """Has the window asked for a stop that the engine has not yet obeyed?"""
        return bool(self._stop[StopWord.ASKED] > self._stop[StopWord.SERVED])

    def serve_stops(self) -> None:
        """Engine: every request so far is obeyed."""
        self.probes.control[Word.STOP] = 0
        self._stop[StopWord.SERVED] = self._stop[StopWord.ASKED]

    # -- end

    def close(self) -> None:
        """Let go of the memory; the owner also removes it. The arrays of this object are empty from then on."""
        self.ram = np.zeros(0, np.uint8)
        self._stop = np.zeros(len(StopWord), np.uint64)
        self.probes = ProbeBuffers.private(0)
        with contextlib.suppress(BufferError):  # a view keeps an array: the memory then goes when the array does
            self._segment.close()
        if self._owner:
            self._owner = False
            with contextlib.suppress(FileNotFoundError):
                self._segment.unlink()
