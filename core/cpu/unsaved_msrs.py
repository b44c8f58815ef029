"""Model-specific registers that the emulated CPU has and does not put away with its state.

The memory-type range registers and the machine-check banks (AMD APM vol. 2 §7.7, §9.3) have no effect here, since
nothing is cached and nothing fails, and CPUID promises none; but a guest can write them and read them again, so each VM
has its own. Simplified: ten banks, as the CPU has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.cpu.unicorn_cpu import Cpu

MEMORY_TYPES = (*range(0x200, 0x210), 0x250, 0x258, 0x259, *range(0x268, 0x270), 0x2FF)
BANKS = range(0x400, 0x428)
ALL_ONES = (1 << 64) - 1
POWERED_ON: Mapping[int, int] = MappingProxyType(
    dict.fromkeys((*MEMORY_TYPES, *BANKS), 0) | dict.fromkeys(BANKS[::4], ALL_ONES)
)


class UnsavedMsrs:
    """What one VM has in them."""

    def __init__(self) -> None:
        self._values = dict(POWERED_ON)

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def read(self, number: int) -> int:
        """As RDMSR."""
        return self._values[number]

    def write(self, number: int, value: int) -> None:
        """As WRMSR; a bank's control register takes all zeroes and all ones only."""
        if number not in BANKS[::4] or value in (0, ALL_ONES):
            self._values[number] = value

    def take_from(self, cpu: Cpu) -> None:
        """A guest without a monitor has written them in the CPU itself."""
        self._values.update(zip(self._values, cpu.msrs(tuple(self._values)), strict=True))

    def put_into(self, cpu: Cpu) -> None:
        """The other way; only what differs, since a write is dear."""
        for (number, value), held in zip(self._values.items(), cpu.msrs(tuple(self._values)), strict=True):
            if held != value:
                cpu.set_msr(number, value)
