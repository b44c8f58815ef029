"""The bus: who answers at which port, and at which address beyond RAM.

Devices register regions; nobody compares addresses. What no device claims reads as all ones and swallows writes, as on
an ISA bus with its lines pulled up (IBM PC AT Technical Reference, 1984). A wide access that its device does not take
whole, or that reaches beyond it, is split into bytes, low byte first; how many bus cycles that takes is not modelled.
"""

from __future__ import annotations

from typing import NamedTuple

from core.addresses import ADDRESS_MASK, PAGE_SHIFT
from core.devices.device import Device

PORT_MASK = 0xFFFF


class _Claim(NamedTuple):
    """Addresses `first` to `end - 1`, and who answers there."""

    first: int
    end: int
    device: Device


class Bus:
    """Ports and memory-mapped registers of one VM. Finding a device takes one look into a dictionary: by port, or by
    page of memory (in which few devices share a page)."""

    def __init__(self) -> None:
        self._ports: dict[int, Device] = {}
        self._pages: dict[int, tuple[_Claim, ...]] = {}
        self._devices: list[Device] = []
        self._timed: list[Device] = []  # those that ever do something by themselves

    # -- who is there

    def attach(self, device: Device) -> None:
        """Register a device's regions.

        A ValueError, and nothing registered, where a region overlaps another's (it names both devices), lies outside
        the address space, or where the name is taken.
        """
        if any(other.name == device.name for other in self._devices):
            raise ValueError(f"two devices are called {device.name}: each name may be on the bus once")
        ports = self._claimed_ports(device)
        claims = self._claimed_memory(device)
        self._ports.update(dict.fromkeys(ports, device))
        for claim in claims:
            for page in range(claim.first >> PAGE_SHIFT, (claim.end - 1 >> PAGE_SHIFT) + 1):
                self._pages[page] = (*self._pages.get(page, ()), claim)
        self._devices.append(device)
        if type(device).next_event is not Device.next_event:
            self._timed.append(device)

    def _claimed_ports(self, device: Device) -> set[int]:
        ports: set[int] = set()
        for region in device.ports:
            wanted = range(region.first, region.first + region.count)
            if not wanted or wanted[0] < 0 or wanted[-1] > PORT_MASK:
                raise ValueError(f"{device.name} claims ports {region.first:#x} + {region.count}, which do not exist")
            for port in wanted:
                holder = device if port in ports else self._ports.get(port)
                if holder is not None:
                    raise ValueError(f"{device.name} and {holder.name} both claim port {port:#x}")
                ports.add(port)
        return ports

    def _claimed_memory(self, device: Device) -> list[_Claim]:
        claims: list[_Claim] = []
        for region in device.memory:
            claim = _Claim(region.first, region.first + region.size, device)
            if region.size <= 0 or region.first < 0 or claim.end > ADDRESS_MASK + 1:
                raise ValueError(f"{device.name} claims {region.size} bytes at {region.first:#x}, which do not exist")
            others = {held for page in self._pages.values() for held in page}
            for other in (*claims, *others):
                if claim.first < other.end and other.first < claim.end:
                    address = max(claim.first, other.first)
                    raise ValueError(f"{device.name} and {other.device.name} both claim address {address:#010x}")
            claims.append(claim)
        return claims

    @property
    def devices(self) -> tuple[Device, ...]:
        """All devices, in the order in which they were attached."""
        return tuple(self._devices)

    def device_at(self, port: int) -> Device | None:
        """Who answers at `port`."""
        return self._ports.get(port)

    def describe(self, port: int, write: bool = False) -> str:
        """The register that a read or write at `port` would meet now ("serial port A: transmit holding register")."""
        device = self._ports.get(port)
        if device is None:
            return f"port {port:#x}, where nobody is"
        return f"{device.name}: {device.describe(port, write)}"

    # -- ports

    def read_port(self, port: int, size: int) -> int:
        """A read of `size` (1, 2 or 4) bytes."""
        device = self._ports.get(port)
        if size == 1:
            return device.read_port(port, 1) & 0xFF if device is not None else 0xFF
        if device is not None and self._takes_whole(device, port, size):
            return device.read_port(port, size)
        return sum(self.read_port(port + n & PORT_MASK, 1) << 8 * n for n in range(size))

    def write_port(self, port: int, size: int, value: int) -> None:
        """A write of `size` (1, 2 or 4) bytes; what is beyond them in `value` is dropped."""
        device = self._ports.get(port)
        if size == 1:
            if device is not None:
                device.write_port(port, 1, value & 0xFF)
        elif device is not None and self._takes_whole(device, port, size):
            device.write_port(port, size, value & (1 << 8 * size) - 1)
        else:
            for n in range(size):
                self.write_port(port + n & PORT_MASK, 1, value >> 8 * n)

    def _takes_whole(self, device: Device, port: int, size: int) -> bool:
        """Does `device`, which answers at `port`, take all bytes of the access? One of them may be another's."""
        return device.wide and all(self._ports.get(port + n) is device for n in range(1, size))

    # -- memory beyond RAM

    def read_memory(self, address: int, size: int) -> int:
        """A read of `size` (1, 2 or 4) bytes at a guest-physical address that is not RAM."""
        for first, end, device in self._pages.get(address >> PAGE_SHIFT, ()):
            if first <= address and address + size <= end:
                return device.read_memory(address, size)
        if size == 1:
            return 0xFF
        return sum(self.read_memory(address + n & ADDRESS_MASK, 1) << 8 * n for n in range(size))

    def write_memory(self, address: int, size: int, value: int) -> None:
        """A write of `size` (1, 2 or 4) bytes; what is beyond them in `value` is dropped."""
        for first, end, device in self._pages.get(address >> PAGE_SHIFT, ()):
            if first <= address and address + size <= end:
                device.write_memory(address, size, value & (1 << 8 * size) - 1)
                return
        if size > 1:
            for n in range(size):
                self.write_memory(address + n & ADDRESS_MASK, 1, value >> 8 * n)

    # -- time

    def moves_events(self, port: int, size: int) -> bool:
        """Could an access of `size` bytes at `port` change when the next event is due?"""
        return size != 1 or self._ports.get(port) in self._timed

    def next_event(self) -> int | None:
        """The virtual time at which some device will next do something by itself, or None."""
        soonest: int | None = None
        for device in self._timed:
            due = device.next_event()
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def advance(self, now: int) -> None:
        """Let every device do what was due up to and including `now`."""
        for device in self._timed:
            device.advance(now)
