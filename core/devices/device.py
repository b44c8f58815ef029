"""What a device is: registered regions, virtual time, interrupt lines, and one dataclass of state.

A device never knows which VMM kind is above it, nor what wall-clock time it is. Time is virtual (`core.layout`): the
machine asks `next_event` when the device will next do something by itself, runs exactly up to there, and calls
`advance`. Interrupt requests go out on an `IrqLine`, which the interrupt controller provides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.addresses import GuestPhysical

IrqLine = Callable[[bool], None]
"""Set the level of one interrupt request line: True asserts it, False releases it."""

Clock = Callable[[], int]
"""The virtual time now, exact even in the middle of a run (instructions executed plus idle time skipped)."""


def is_bytes(values: Iterable[int]) -> bool:
    """Does each of them fit into a byte?"""
    return all(0 <= each <= 0xFF for each in values)


@dataclass(frozen=True, slots=True)
class PortRegion:
    """A run of I/O ports, `first` to `first + count - 1`."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """A run of guest-physical addresses, `first` to `first + size - 1` (bytes)."""

    first: GuestPhysical
    size: int


class Device:
    """One device on the bus. All its mutable state is the dataclass `state` (plain values only), so that saving it
    cannot forget a field. `name` is unique on a bus. `wide`: takes port accesses of 2 and 4 bytes whole; otherwise the
    bus splits them. Accesses to memory regions always come whole, 1, 2 or 4 bytes, inside one region."""

    name: ClassVar[str]
    wide: ClassVar[bool] = False
    state: Any

    @property
    def ports(self) -> Sequence[PortRegion]:
        """The port regions that this device answers."""
        return ()

    @property
    def memory(self) -> Sequence[MemoryRegion]:
        """The memory-mapped regions that this device answers."""
        return ()

    def is_sound(self, state: Any) -> bool:
        """Can the device be in that state, whose fields have the right types? Asked of what comes from a file."""
        return True

    def read_port(self, port: int, size: int) -> int:
        """The value of a read of `size` bytes at `port`; may change the device."""
        raise NotImplementedError

    def write_port(self, port: int, size: int, value: int) -> None:
        """A write of `size` bytes at `port`."""
        raise NotImplementedError

    def read_memory(self, address: int, size: int) -> int:
        """The value of a read of `size` bytes at guest-physical `address`; may change the device."""
        raise NotImplementedError

    def write_memory(self, address: int, size: int, value: int) -> None:
        """A write of `size` bytes at guest-physical `address`."""
        raise NotImplementedError

    def describe(self, port: int, write: bool = False) -> str:
        """The register that a read or a write at `port` would meet now, in words ("line status register").

        Ask before the access: an access may change which register is next (a latch, a flip-flop).
        """
        raise NotImplementedError

    def next_event(self) -> int | None:
        """The virtual time at which the device will next do something by itself, or None."""
        return None

    def advance(self, now: int) -> None:
        """Do everything that was due up to and including virtual time `now`."""
