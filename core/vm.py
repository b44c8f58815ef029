"""A VM as the hypervisor keeps it: what it was made of, and what is its own.

Everything of one VM that can change is reached from here: its monitor with memory and devices, its loop with its end,
its CPU while another VM has the real one. Not modelled: several virtual CPUs. The figures that a VM may have are
checked here, with words for the person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SIZE
from core.breakpoints import Breakpoints
from core.devices.disk_image import DiskImage
from core.errors import RequestError
from core.guests.image import Program
from core.guests.modules import Module
from core.interposer import Interposer
from core.layout import MIB, MONITOR_MEMORY
from core.memory.reclaim import LEAST_RESIDENT, Reclaimer
from core.scheduler import HEAVIEST
from core.vmm.vmm import Vmm

LEAST_MEMORY = 2 * MIB


@dataclass(frozen=True, slots=True)
class VmSpec:
    """What a VM is made of: letter, kind, program with command line and modules, bytes of memory, perhaps a disk."""

    letter: str
    kind: type[Vmm]
    program: Program
    memory: int
    command_line: str = ""
    disk: DiskImage | None = None
    modules: tuple[Module, ...] = ()

    @property
    def owner(self) -> str:
        """Whose its memory's frames are."""
        return f"VM {self.letter}"

    @property
    def monitor_owner(self) -> str:
        """Whose its monitor's frames are."""
        return f"monitor of {self.letter}"


@dataclass(slots=True, eq=False)
class Vm:
    """One VM: its monitor with memory and devices, what drives it, and what belongs to it beside.

    interposer   its loop; while another VM is on the CPU, the CPU's state for this one is `interposer.away`
    ring         its newest program counters, u64[PC_RING]
    console      all that it has written to its serial port
    breakpoints  where in it the machine stops
    in_sight     the program in it that the person saw last
    put_back     how often it was put back to a former instant, its console with it
    """

    NOT_STATE: ClassVar = ("ring", "console", "breakpoints", "in_sight")

    spec: VmSpec
    interposer: Interposer
    ring: npt.NDArray[np.uint64]
    vmm: Vmm
    console: bytearray = field(default_factory=bytearray)
    reclaimer: Reclaimer | None = None  # once some of its memory was taken back
    breakpoints: Breakpoints = field(default_factory=Breakpoints)
    in_sight: str = ""
    put_back: int = 0

    def write_console_anew(self, text: bytes) -> None:
        """It was put back to an instant at which it had written just this."""
        self.console[:] = text
        self.put_back += 1


def check_memory(program: Program, memory: int) -> None:
    """A RequestError if a VM cannot have `memory` bytes, or `program` does not fit into them."""
    if memory < LEAST_MEMORY or memory % PAGE_SIZE:
        raise RequestError(
            f"A VM cannot have {memory:,} bytes of memory.",
            f"Choose {LEAST_MEMORY / MIB:.0f} MiB or more, in whole pages.",
        )
    needed = max((segment.address + segment.size for segment in program.segments), default=0)
    if needed > memory:
        raise RequestError(
            f"{program.name} reaches up to {needed / MIB:.1f} MiB, but {memory / MIB:.1f} MiB of memory end before it.",
            "Give the VM more memory.",
        )


def check_weight(weight: int) -> None:
    """A RequestError if that is no weight."""
    if not 1 <= weight <= HEAVIEST:
        raise RequestError(f"A weight of {weight} is none.", f"Choose a whole number from 1 to {HEAVIEST}.")


def check_cap(cap: int | None) -> None:
    """A RequestError if that is no cap."""
    if cap is not None and not 1 <= cap <= 100:
        raise RequestError(f"A cap of {cap} % is none.", "Choose 1 to 100 percent, or no cap.")


def check_room(memory: int, room: int, machine: int, *, hosted: bool = True) -> None:
    """A RequestError, with the figures, if a VM of `memory` bytes has no place where `room` of `machine` bytes are;
    `hosted`: beneath a monitor, which needs some more."""
    if memory > room:
        monitor = f" (its monitor needs {MONITOR_MEMORY // MIB} more)" if hosted else ""
        raise RequestError(
            f"A VM of {memory / MIB:.1f} MiB has no place: of the machine's {machine / MIB:.0f} MiB only "
            f"{max(room, 0) / MIB:.1f} are free for it{monitor}.",
            "Give it less memory, take some back from another VM, or remove one.",
        )


def check_taken(spec: VmSpec, taken: int, held: int, free: int) -> None:
    """A RequestError if `taken` bytes cannot be taken back from a VM of which `held` bytes are already: it needs some,
    or of what it would have back, not enough is `free`."""
    most = spec.memory - LEAST_RESIDENT * PAGE_SIZE
    if not 0 <= taken < most + PAGE_SIZE:
        raise RequestError(
            f"{taken / MIB:.1f} MiB cannot be taken from VM {spec.letter}.",
            f"Choose 0 to {most / MIB:.0f} MiB: it needs some.",
        )
    back = held - taken // PAGE_SIZE * PAGE_SIZE
    if back > free:
        raise RequestError(
            f"VM {spec.letter} cannot have {back / MIB:.1f} MiB back: only {max(free, 0) / MIB:.1f} MiB are free.",
            "Take them from another VM, or remove one.",
        )
