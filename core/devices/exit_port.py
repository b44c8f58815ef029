"""The exit port: a guest that writes v to port 0xF4 ends its run with status v.

No PC has it; its model is `isa-debug-exit` of QEMU, which also takes four ports from there, so that a status may be
wider than a byte. It gives guests a way to say that they are done, and how it went.
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
    """Calls `on_exit(value)` at each write of 1, 2 or 4 bytes to its first port; the others only complete it."""

    name = "exit port"
    wide = True

    def __init__(self, on_exit: Callable[[int], None]) -> None:
        self._on_exit = on_exit
        self.state: ExitPortState = ExitPortState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """One register of four bytes."""
        return (PortRegion(PORT_EXIT, 4),)

    def read_port(self, port: int, size: int) -> int:
        """Reads as an empty bus."""
        return (1 << 8 * size) - 1

    def write_port(self, port: int, size: int, value: int) -> None:
        """End the run."""
        if port == PORT_EXIT:
            self._on_exit(value)

    def describe(self, port: int, write: bool = False) -> str:
        """The register, or a byte of it that does nothing by itself."""
        return "exit status" if port == PORT_EXIT else f"byte {port - PORT_EXIT} of the exit status (ends nothing)"
