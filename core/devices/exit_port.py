"""The exit port: a guest that writes v to port 0xF4 ends its run with status v.

No PC has it; QEMU's `isa-debug-exit` is its model. It gives guests a way to say that they are done, and how it went.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.devices.device import Device, PortRegion
from core.layout import PORT_EXIT


@dataclass(slots=True)
class ExitPortState:
    """Nothing is kept."""


class ExitPort(Device):
    """Calls `on_exit(value)` at each write of a byte."""

    name = "exit port"
    wide = True

    def __init__(self, on_exit: Callable[[int], None]) -> None:
        self._on_exit = on_exit
        self.state: ExitPortState = ExitPortState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """One port."""
        return (PortRegion(PORT_EXIT, 1),)

    def read_port(self, port: int, size: int) -> int:
        """Reads as an empty bus."""
        return (1 << 8 * size) - 1

    def write_port(self, port: int, size: int, value: int) -> None:
        """End the run."""
        self._on_exit(value)

    def describe(self, port: int) -> str:
        """One register."""
        return "status"
