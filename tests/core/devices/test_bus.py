"""The bus: who answers where, and what happens where nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import GuestPhysical
from core.devices.bus import Bus
from core.devices.device import Device, MemoryRegion, PortRegion


@dataclass(slots=True)
class BoxState:
    bytes_at: dict[int, int] = field(default_factory=dict)


class Box(Device):
    """Keeps bytes at its ports and addresses, and notes how it was accessed: (address, size)."""

    name = "box"

    def __init__(
        self,
        ports: Sequence[tuple[int, int]] = (),
        memory: Sequence[tuple[int, int]] = (),
        *,
        name: str = "box",
        wide: bool = False,
    ) -> None:
        self.name, self.wide = name, wide  # type: ignore[misc]
        self._ports = [PortRegion(first, count) for first, count in ports]
        self._memory = [MemoryRegion(GuestPhysical(first), size) for first, size in memory]
        self.accesses: list[tuple[int, int]] = []
        self.state = BoxState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        return self._ports

    @property
    def memory(self) -> Sequence[MemoryRegion]:
        return self._memory

    def read_port(self, port: int, size: int) -> int:
        self.accesses.append((port, size))
        return sum(self.state.bytes_at.get(port + n, 0) << 8 * n for n in range(size))

    def write_port(self, port: int, size: int, value: int) -> None:
        self.accesses.append((port, size))
        for n, byte in enumerate(value.to_bytes(size, "little")):
            self.state.bytes_at[port + n] = byte

    read_memory, write_memory = read_port, write_port

    def describe(self, port: int, write: bool = False) -> str:
        return f"{'written' if write else 'read'} byte {port:#x}"


class Alarm(Box):
    """Does something by itself at `due`."""

    def __init__(self, name: str, due: int | None) -> None:
        super().__init__(name=name)
        self.due = due
        self.advanced: list[int] = []

    def next_event(self) -> int | None:
        return self.due

    def advance(self, now: int) -> None:
        self.advanced.append(now)


def bus_with(*devices: Device) -> Bus:
    bus = Bus()
    for device in devices:
        bus.attach(device)
    return bus


# -- who is there


def test_a_device_is_found_and_described_by_its_port() -> None:
    box = Box([(0x100, 4)])
    bus = bus_with(box)
    assert bus.device_at(0x103) is box
    assert bus.device_at(0x104) is None
    assert bus.describe(0x102) == "box: read byte 0x102"
    assert bus.describe(0x102, write=True) == "box: written byte 0x102"
    assert bus.describe(0x104) == "port 0x104, where nobody is"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Box([(0x103, 2)], name="lid"), "lid and box both claim port 0x103"),
        (Box([(0x200, 4), (0x202, 1)], name="lid"), "lid and lid both claim port 0x202"),
        (Box([(0x200, 1)], [(0xA0FFF, 2)], name="lid"), "lid and box both claim address 0x000a1000"),
        (Box(memory=[(0x90000, 0x40000)], name="lid"), "lid and box both claim address 0x000a1000"),
        (Box(memory=[(0x1000, 4), (0x1002, 4)], name="lid"), "lid and lid both claim address 0x00001002"),
        (Box([(0xFFFF, 2)], name="lid"), "lid claims ports 0xffff"),
        (Box([(0x200, 0)], name="lid"), "lid claims ports 0x200"),
        (Box(memory=[(0xFFFF_FFFF, 2)], name="lid"), "lid claims 2 bytes at 0xffffffff"),
        (Box([(0x300, 1)]), "two devices are called box"),
    ],
)
def test_a_device_that_does_not_fit_is_refused_and_nothing_of_it_stays(second: Box, message: str) -> None:
    first = Box([(0x100, 4)], [(0xA1000, 0x1000)])
    bus = bus_with(first)
    with pytest.raises(ValueError, match=message):
        bus.attach(second)
    assert bus.devices == (first,)
    assert all(bus.device_at(port) in (first, None) for port in range(0x10000))
    bus.read_memory(0xA0FFF, 1)
    assert not second.accesses


# -- ports


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_port_where_nobody_is_reads_as_all_ones_and_swallows_writes(size: int) -> None:
    bus = Bus()
    bus.write_port(0x1234, size, 5)
    assert bus.read_port(0x1234, size) == (1 << 8 * size) - 1


def test_a_wide_access_reaches_a_byte_device_low_byte_first() -> None:
    box = Box([(0x100, 4)])
    bus = bus_with(box)
    bus.write_port(0x100, 4, 0x11223344)
    assert bus.read_port(0x100, 4) == 0x11223344
    assert box.accesses == [(0x100 + n, 1) for n in range(4)] * 2
    assert box.state.bytes_at[0x100] == 0x44


def test_a_wide_device_takes_an_access_whole_if_it_lies_within_it() -> None:
    box = Box([(0x100, 4)], wide=True)
    bus = bus_with(box)
    bus.write_port(0x100, 4, 0x11223344)
    assert bus.read_port(0x102, 2) == 0x1122
    assert box.accesses == [(0x100, 4), (0x102, 2)]


def test_an_access_across_two_devices_and_a_hole_is_split() -> None:
    low, high = Box([(0x100, 1)], name="low", wide=True), Box([(0x102, 2)], name="high", wide=True)
    bus = bus_with(low, high)
    bus.write_port(0x100, 4, 0x44332211)
    assert bus.read_port(0x100, 4) == 0x4433FF11
    assert (low.accesses[0], high.accesses[0]) == ((0x100, 1), (0x102, 1))


def test_a_port_between_those_of_a_wide_device_is_still_its_own_devices() -> None:
    outer, inner = Box([(0x100, 1), (0x103, 1)], name="outer", wide=True), Box([(0x101, 1)], name="inner", wide=True)
    bus = bus_with(outer, inner)
    bus.write_port(0x100, 4, 0x44332211)
    assert bus.read_port(0x100, 4) == 0x44FF2211
    assert outer.state.bytes_at == {0x100: 0x11, 0x103: 0x44}
    assert inner.state.bytes_at == {0x101: 0x22}


def test_the_ports_end_where_they_begin() -> None:
    bus = bus_with(Box([(0, 1)]))
    bus.write_port(0xFFFF, 2, 0x1234)
    assert bus.read_port(0, 1) == 0x12


def test_what_is_beyond_the_size_of_a_write_is_dropped() -> None:
    box = Box([(0x100, 4)], [(0x1000, 4)], wide=True)
    bus = bus_with(box)
    bus.write_port(0x100, 1, 0x1FF)
    bus.write_port(0x102, 2, 0x1FFFF)
    bus.write_memory(0x1000, 2, 0x1FFFF)
    assert box.state.bytes_at == {0x100: 0xFF, 0x102: 0xFF, 0x103: 0xFF, 0x1000: 0xFF, 0x1001: 0xFF}


# -- memory


def test_a_memory_region_takes_accesses_whole() -> None:
    box = Box(memory=[(0xFEE0_0000, 0x1000)])
    bus = bus_with(box)
    bus.write_memory(0xFEE0_00B0, 4, 0x11223344)
    assert bus.read_memory(0xFEE0_00B2, 2) == 0x1122
    assert box.accesses == [(0xFEE0_00B0, 4), (0xFEE0_00B2, 2)]


def test_memory_where_nobody_is_reads_as_all_ones_and_swallows_writes() -> None:
    bus = bus_with(Box(memory=[(0x2000, 4)]))
    bus.write_memory(0x2FFC, 4, 1)
    assert [bus.read_memory(0x2FFC, size) for size in (1, 2, 4)] == [0xFF, 0xFFFF, 0xFFFF_FFFF]


def test_an_access_across_the_end_of_a_region_is_split() -> None:
    low, high = Box(memory=[(0x1FFE, 2)], name="low"), Box(memory=[(0x2000, 1), (0x2002, 8)], name="high")
    bus = bus_with(low, high)
    bus.write_memory(0x1FFF, 4, 0x44332211)
    assert bus.read_memory(0x1FFF, 4) == 0x44FF2211
    assert (low.accesses[0], high.accesses[0]) == ((0x1FFF, 1), (0x2000, 1))


_regions = st.lists(st.tuples(st.integers(0, 0x5000), st.integers(1, 0x1800)), max_size=6)


@given(_regions, st.lists(st.tuples(st.integers(0, 0x7000), st.sampled_from([1, 2, 4])), max_size=20))
def test_each_byte_of_memory_is_its_devices(regions: list[tuple[int, int]], reads: list[tuple[int, int]]) -> None:
    bus, held = Bus(), set[int]()
    for number, (first, size) in enumerate(regions):
        wanted = set(range(first, first + size))
        box = Box(memory=[(first, size)], name=f"box {number}")
        if held & wanted:
            with pytest.raises(ValueError, match="both claim address"):
                bus.attach(box)
        else:
            bus.attach(box)
            held |= wanted
    for address, size in reads:
        expected = bytes(0 if address + n in held else 0xFF for n in range(size))
        assert bus.read_memory(address, size) == int.from_bytes(expected, "little")


# -- time


def test_the_next_event_is_the_earliest_of_all_devices() -> None:
    assert bus_with(Box()).next_event() is None
    assert bus_with(Box(), Alarm("a", None)).next_event() is None
    assert bus_with(Alarm("a", 70), Box(), Alarm("b", None), Alarm("c", 0), Alarm("d", 40)).next_event() == 0


def test_time_reaches_every_device_that_waits_for_it() -> None:
    early, late = Alarm("early", 3), Alarm("late", 9)
    bus = bus_with(early, Box(), late)
    bus.advance(5)
    assert early.advanced == late.advanced == [5]
