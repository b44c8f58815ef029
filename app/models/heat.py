"""Where memory is used now: the probes' counters, looked at twice, as a glow that fades.

The counters only grow, so the difference between two looks is what happened in between. One access already shows; a
thousand glow about twice as bright, since the scale is logarithmic.
"""

from __future__ import annotations

from enum import Enum
from math import exp
from typing import Protocol

import numpy as np
import numpy.typing as npt

FADE = 0.45  # seconds in which a glow falls to a third
BRIGHTEST = 16  # accesses as a power of two, between two looks, that glow fully
DARK = 0.02  # below which a glow is none

Glow = npt.NDArray[np.float32]


class Access(Enum):
    """What is counted; `value` is what people call it."""

    READS = "reads"
    WRITES = "writes"
    FETCHES = "execution"


class Counters(Protocol):
    """The probes' counters by frame, u32, live; asked for anew at each look."""

    @property
    def reads(self) -> npt.NDArray[np.uint32]: ...
    @property
    def writes(self) -> npt.NDArray[np.uint32]: ...
    @property
    def fetches(self) -> npt.NDArray[np.uint32]: ...


def counts_of(counters: Counters, access: Access) -> npt.NDArray[np.uint32]:
    """One of the three counters."""
    return {Access.READS: counters.reads, Access.WRITES: counters.writes, Access.FETCHES: counters.fetches}[access]


class Heat:
    """The glow of every frame, for each kind of access. `steady`: it does not fade but shows what was last seen."""

    def __init__(self) -> None:
        self.steady = False
        self.forget()

    def forget(self) -> None:
        """A fresh machine: its counters begin at nothing."""
        self._last: dict[Access, npt.NDArray[np.uint32]] = {}
        self._glow: dict[Access, Glow] = {}
        self._seen_at = 0.0

    def look(self, counters: Counters, now: float) -> None:
        """Take in what the counters say at `now`, in seconds."""
        keep = self._fade(now)
        for access in Access:
            counts = counts_of(counters, access).copy()
            last = self._last.get(access)
            self._last[access] = counts
            if last is None or len(last) != len(counts):
                self._glow[access] = np.zeros(len(counts), np.float32)
                continue
            happened = np.maximum((counts - last).view(np.int32), 0).astype(np.float32)  # below 0: time went back
            fresh = np.minimum(np.log2(happened + 1) / BRIGHTEST * 0.7 + 0.3 * (happened > 0), 1)
            self._glow[access] = np.maximum(self._glow[access] * keep, fresh).astype(np.float32)

    def fade(self, now: float) -> bool:
        """Only time has passed; says whether anything still glows."""
        keep = self._fade(now)
        for access, glow in self._glow.items():
            self._glow[access] = glow * np.float32(keep)
        return any(bool(glow.size) and float(glow.max()) > DARK for glow in self._glow.values())

    def glow(self, of: frozenset[Access], frames: npt.NDArray[np.uint32]) -> Glow:
        """How bright each of `frames` is, in their order, from 0 to 1, for these kinds of access."""
        wanted = [glow for access, glow in self._glow.items() if access in of]
        if not wanted:
            return np.zeros(0, np.float32)
        brightest = np.maximum.reduce(wanted)
        inside = frames < len(brightest)  # the others are absent: taken back from the VM
        return np.where(inside, brightest[np.where(inside, frames, 0)], np.float32(0)) if len(brightest) else brightest

    def _fade(self, now: float) -> float:
        passed, self._seen_at = max(0.0, now - self._seen_at), now
        return (1.0 if passed == 0 else 0.0) if self.steady else exp(-passed / FADE)
