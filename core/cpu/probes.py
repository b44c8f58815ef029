"""Native probes: count, budget, breakpoints, PC ring and page heat at a hundred million instructions a second.

The probes themselves are `probes.ll`, in LLVM's own language, compiled in a few milliseconds by llvmlite; this module
gives them their memory. That memory can be shared with another process, which then watches without asking. LLVM
assembly instead of numba's `cfunc`: a tenth faster (no wrapper around each call) and no second of import at start.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import lru_cache
from importlib import resources

import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SHIFT

PC_RING = 1 << 16
BREAK_MAP_BYTES = (1 << 16) // 8


class Word(IntEnum):
    """Words of the control block (see the head of probes.ll)."""

    EXECUTED = 0
    END = 1
    STOP = 2
    WATCH = 3
    SKIP_AT = 4
    REASON = 5
    LAST_PC = 6
    FETCH_PAGE = 8
    FETCH_FRAME = 9
    RING_BUFFER = 10
    READS = 11
    WRITES = 12
    FETCHES = 13
    DIRTY = 14
    FRAMES = 15
    BREAK_MAP = 16
    SCRATCH = 17
    RING_0 = 18
    CODE_BASE = 22
    CODE_SIZE = 23
    CODE_MAP = 24
    CODE_HEAT = 25
    VIRTUAL_IF = 26
    LAST_SIZE = 27
    RAM = 28
    AGAIN_AT = 29
    REAL_PC = 30
    VARIABLES = 31
    GUARDED_AT = 32
    GUARDED_IF = 33
    CONTEXT = 34
    HANDLER = 35
    PORT_READER = 36
    PORT_WRITER = 37
    RING_LEFT = 38
    STRADDLED = 39


CONTROL_WORDS = 40
WATCH_BREAKPOINTS = 1
WATCH_INTERRUPT = 2
WATCH_RING = 4


class Halted(IntEnum):
    """Why the CPU came to rest: what a probe wrote (word REASON), NONE after HLT, NOWHERE when there is no code, STRAY
    where no rewritten code stands, GUARDED at a store that a monitor's page must be kept from, OTHER_RING before an
    instruction in another ring than the one to be left, AGAIN where it only must be started anew."""

    NONE = 0
    BUDGET = 1
    REQUESTED = 2
    INTERRUPTIBLE = 3
    BREAKPOINT = 4
    NOWHERE = 5
    STRAY = 6
    GUARDED = 7
    OTHER_RING = 8
    AGAIN = 9


@dataclass(frozen=True, slots=True)
class ProbeBuffers:
    """The probes' memory, each a C-contiguous array; shared or private, the probes cannot tell.

    control u64[CONTROL_WORDS], ring u64[PC_RING], reads/writes/fetches u32[frames], dirty u8[frames].
    """

    control: npt.NDArray[np.uint64]
    ring: npt.NDArray[np.uint64]
    reads: npt.NDArray[np.uint32]
    writes: npt.NDArray[np.uint32]
    fetches: npt.NDArray[np.uint32]
    dirty: npt.NDArray[np.uint8]

    @staticmethod
    def layout(memory: int) -> dict[str, tuple[type[np.generic], int]]:
        """Name, element type and length of each buffer for `memory` bytes of RAM: what a sharer must allocate."""
        frames = memory >> PAGE_SHIFT
        return {
            "control": (np.uint64, CONTROL_WORDS),
            "ring": (np.uint64, PC_RING),
            "reads": (np.uint32, frames),
            "writes": (np.uint32, frames),
            "fetches": (np.uint32, frames),
            "dirty": (np.uint8, frames),
        }

    @classmethod
    def private(cls, memory: int) -> ProbeBuffers:
        """Fresh buffers that nobody shares."""
        return cls(**{name: np.zeros(length, dtype) for name, (dtype, length) in cls.layout(memory).items()})


@dataclass(frozen=True, slots=True)
class NativeProbes:
    """Host addresses of the compiled probes."""

    count: int
    record: int
    memory: int
    guard: int
    departed: int
    port_read: int
    port_write: int
    stored: int


@lru_cache(maxsize=1)
def _engine(
    functions: tuple[tuple[str, int], ...], numbers: tuple[tuple[str, int], ...]
) -> tuple[llvm.ExecutionEngine, NativeProbes]:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    source = resources.files("core.cpu").joinpath("probes.ll").read_text(encoding="utf-8")
    for name, number in numbers:
        source = source.replace(name, str(number))
    module = llvm.parse_assembly(source)
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=3)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, machine)
    for name, address in functions:
        engine.add_global_mapping(module.get_function(name), address)
    engine.finalize_object()
    return engine, NativeProbes(*(engine.get_function_address(field.name) for field in fields(NativeProbes)))


def compile_probes(functions: Mapping[str, ctypes.c_void_p], numbers: Mapping[str, int]) -> NativeProbes:
    """The probes as native code, calling the emulator's `functions`; `numbers` of the emulator's stand for their names
    in the source. Compiled once a process."""
    known = tuple((name, pointer.value or 0) for name, pointer in sorted(functions.items()))
    return _engine(known, tuple(sorted(numbers.items())))[1]


def attach(buffers: ProbeBuffers, break_map: npt.NDArray[np.uint8]) -> None:
    """Write the buffers' addresses into the control block, where the probes look for them."""
    control = buffers.control
    for word, array in (
        (Word.RING_BUFFER, buffers.ring),
        (Word.READS, buffers.reads),
        (Word.WRITES, buffers.writes),
        (Word.FETCHES, buffers.fetches),
        (Word.DIRTY, buffers.dirty),
        (Word.BREAK_MAP, break_map),
    ):
        control[word] = array.ctypes.data
    control[Word.FRAMES] = len(buffers.dirty)
