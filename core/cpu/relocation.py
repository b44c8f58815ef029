"""Code that runs elsewhere than its guest believes: the border between the CPU's EIP and the guest's.

A monitor that rewrites its guest's code runs it from a cache (`core.vmm.translation`). All that handles a departure
sees the guest's own EIP, since the CPU calls here before and after it; and the native probes count by the map that is
kept here. Adams & Agesen, ASPLOS 2006, §3.1: precise exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

# bits of a code map's entries, above the guest's address (see @place in probes.ll; a monitor may use the others)
ADDRESS = 0xFFFF_FFFF
COUNTS = 1 << 32
VISITS = 1 << 33
STRAYED = 1 << 34
OWN_STORE = 1 << 35


@dataclass(frozen=True, slots=True)
class CodeMap:
    """Rewritten code of a monitor: `entries` u64 and `heat` u32, one of each for every byte from linear `base` on, and
    the host address of the 32-bit word that is not 0 while the guest accepts interrupts. That word lies in the page
    `variables` (host-physical), which only the entries' OWN_STOREs may write."""

    base: int
    entries: npt.NDArray[np.uint64]
    heat: npt.NDArray[np.uint32]
    virtual_if: int
    variables: int


class Relocation(Protocol):
    """A monitor that runs its guest's code elsewhere than the guest believes. Handlers see the state in guest terms."""

    @property
    def code_map(self) -> CodeMap:
        """What stands where."""

    def to_guest(self, vector: int | None, software: bool) -> tuple[int | None, bool] | None:
        """The CPU stands still, at exception `vector` or (None) otherwise: make `state.eip` the guest's. Gives the
        exception as the guest would have it, or None if it concerns nobody and the CPU must simply go on."""

    def to_real(self) -> None:
        """The CPU will go on: make `state.eip` where the code for the guest's EIP is."""
