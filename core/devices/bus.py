"""The bus: who answers at which port, and at which address beyond RAM.

Devices register regions; nobody compares addresses. What no device claims reads as all ones and swallows writes, as on
an ISA bus with its lines pulled up. A wide access to neighbouring registers is split into bytes, low byte first.
"""

from __future__ import annotations

from core.devices.device import Device


class Bus:
    """Ports and memory-mapped registers of one VM."""

    def __init__(self) -> None:
        self._ports: dict[int, Device] = {}
        self._devices: list[Device] = []

    def attach(self, device: Device) -> None:
        """Register a device's regions; a ValueError naming both devices where they overlap another's."""
        for region in device.ports:
            for port in range(region.first, region.first + region.count):
                holder = self._ports.get(port)
                if holder is not None:
                    raise ValueError(f"{device.name} and {holder.name} both claim port {port:#x}")
                self._ports[port] = device
        self._devices.append(device)

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices, in the order in which they were attached."""
        return tuple(self._devices)

    def device_at(self, port: int) -> Device | None:
        """Who answers at `port`."""
        return self._ports.get(port)

    def describe(self, port: int) -> str:
        """The register at `port` in words."""
        device = self._ports.get(port)
        return f"{device.name}: {device.describe(port)}" if device is not None else f"port {port:#x}, where nobody is"

    # -- ports

    def read_port(self, port: int, size: int) -> int:
        """A read of `size` (1, 2 or 4) bytes."""
        device = self._ports.get(port)
        if size == 1:
            return device.read_port(port, 1) & 0xFF if device is not None else 0xFF
        if device is not None and device.wide:
            return device.read_port(port, size)
        return sum(self.read_port(port + n & 0xFFFF, 1) << 8 * n for n in range(size))

    def write_port(self, port: int, size: int, value: int) -> None:
        """A write of `size` bytes."""
        device = self._ports.get(port)
        if size == 1 or (device is not None and device.wide):
            if device is not None:
                device.write_port(port, size, value)
            return
        for n in range(size):
            self.write_port(port + n & 0xFFFF, 1, value >> 8 * n & 0xFF)

    # -- memory beyond RAM

    def read_memory(self, address: int, size: int) -> int:
        """A read of an address that is not RAM: nobody is there in this version."""
        return (1 << 8 * size) - 1

    def write_memory(self, address: int, size: int, value: int) -> None:
        """A write to an address that is not RAM."""

    # -- time

    def next_event(self) -> int | None:
        """The virtual time at which some device will next do something by itself."""
        return min((due for device in self._devices if (due := device.next_event()) is not None), default=None)

    def advance(self, now: int) -> None:
        """Let every device do what was due up to `now`."""
        for device in self._devices:
            device.advance(now)
