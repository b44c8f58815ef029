"""A fault of the guest: what the CPU raises instead of completing an instruction (Intel SDM vol. 3 ch. 6).

Raised by our own emulation and delivery where the manual says the CPU would, and caught by the interposer, which
delivers it to the guest. It is never an error of the lab.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Vector(IntEnum):
    """Exception vectors by their mnemonic."""

    DE = 0
    DB = 1
    NMI = 2
    BP = 3
    OF = 4
    BR = 5
    UD = 6
    NM = 7
    DF = 8
    TS = 10
    NP = 11
    SS = 12
    GP = 13
    PF = 14
    MF = 16
    AC = 17
    MC = 18
    XM = 19


# Exceptions that push an error code (SDM vol. 3 table 6-1).
WITH_ERROR_CODE = frozenset({Vector.DF, Vector.TS, Vector.NP, Vector.SS, Vector.GP, Vector.PF, Vector.AC})
# Exceptions reported before the instruction has completed (same table, type "Fault").
FAULT_CLASS = frozenset({0, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19})
# Those that, met while another is being delivered, make a double fault (SDM vol. 3 table 6-4).
CONTRIBUTORY = frozenset({Vector.DE, Vector.TS, Vector.NP, Vector.SS, Vector.GP})


@dataclass
class GuestFault(Exception):
    """Exception `vector` with `error_code` (None where the vector has none); `address` is CR2 of a page fault."""

    vector: int
    error_code: int | None = None
    address: int | None = None


class Shutdown(Exception):
    """Triple fault: a fault met while delivering a double fault. The CPU gives up (SDM vol. 3 §6.15, #DF)."""

    def __init__(self, vectors: tuple[int, ...]) -> None:
        super().__init__(vectors)
        self.vectors = vectors


def general_protection(error_code: int = 0) -> GuestFault:
    """#GP, the CPU's usual refusal."""
    return GuestFault(Vector.GP, error_code)
