"""The devices together: the bus, and saving and loading all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.bus import Bus
from core.devices.exit_port import ExitPort
from core.devices.pc import Pc
from core.devices.pit import time_of
from core.layout import PORT_EXIT, PORT_SERIAL


class Board:
    """A PC whose clock is moved by hand."""

    def __init__(self) -> None:
        self.time = 0
        self.sent = bytearray()
        self.statuses: list[int] = []
        self.intr: list[bool] = []
        self.pc = Pc(
            clock=lambda: self.time,
            console=self.sent.append,
            on_exit=self.statuses.append,
            on_interrupt=self.intr.append,
        )

    def do(self, action: tuple[str, int, int]) -> object:
        """One action of a guest or of time; what it shows."""
        kind, a, b = action
        bus = self.pc.bus
        if kind == "out":
            bus.write_port(a, 1, b)
        elif kind == "in":
            return bus.read_port(a, 1)
        elif kind == "type":
            self.pc.serial.receive(bytes([b]))
        elif kind == "acknowledge" and self.pc.pic.interrupt_pending:
            return self.pc.pic.acknowledge()
        elif kind == "wait":
            self.time += a * 17
            bus.advance(self.time)
        return bus.next_event(), self.pc.pic.interrupt_pending


_PORTS = st.sampled_from([0x20, 0x21, 0xA0, 0xA1, 0x40, 0x41, 0x42, 0x43, 0x61, *range(0x3F8, 0x400)])
_actions = st.lists(
    st.tuples(st.sampled_from(["out", "out", "in", "type", "acknowledge", "wait"]), _PORTS, st.integers(0, 255)),
    max_size=60,
)
_START = [("out", 0x20, 0x11), ("out", 0x21, 0x20), ("out", 0x21, 4), ("out", 0x21, 1), ("out", 0x21, 0)]
_START += [("out", 0x43, 0x34), ("out", 0x40, 50), ("out", 0x40, 0), ("out", 0x3FC, 8), ("out", 0x3F9, 1)]


@given(_actions, _actions, _actions)
def test_after_save_disturb_load_everything_goes_on_as_if_undisturbed(
    before: list[tuple[str, int, int]], disturbance: list[tuple[str, int, int]], after: list[tuple[str, int, int]]
) -> None:
    undisturbed, board = Board(), Board()
    for action in (*_START, *before):
        assert board.do(action) == undisturbed.do(action)
    saved, time = board.pc.save(), board.time
    for action in disturbance:
        board.do(action)
    board.pc.load(saved)
    board.time = time
    for action in after:
        assert board.do(action) == undisturbed.do(action)


def test_a_port_where_nobody_is_reads_as_all_ones_and_swallows_writes() -> None:
    bus = Board().pc.bus
    bus.write_port(0x1234, 4, 5)
    assert bus.read_port(0x1234, 1) == 0xFF
    assert bus.read_port(0x1234, 4) == 0xFFFF_FFFF


def test_a_wide_write_reaches_neighbouring_registers_low_byte_first() -> None:
    board = Board()
    board.pc.bus.write_port(PORT_SERIAL + 7, 2, 0x1234)
    assert board.pc.bus.read_port(PORT_SERIAL + 7, 2) == 0xFF34


def test_overlapping_devices_are_refused_by_name() -> None:
    bus = Bus()
    bus.attach(ExitPort(lambda status: None))
    with pytest.raises(ValueError, match="exit port"):
        bus.attach(ExitPort(lambda status: None))


def test_the_exit_port_tells_the_status() -> None:
    board = Board()
    board.pc.bus.write_port(PORT_EXIT, 1, 7)
    assert board.statuses == [7]


def test_the_timer_reaches_the_cpu_through_the_controller() -> None:
    board = Board()
    for action in _START:
        board.do(action)
    assert board.pc.bus.next_event() == time_of(51)
    board.time = time_of(51)
    board.pc.bus.advance(board.time)
    assert board.intr[-1]
    assert board.pc.pic.acknowledge() == 0x20


def test_every_register_has_a_name_for_people() -> None:
    bus = Board().pc.bus
    for device in bus.devices:
        for region in device.ports:
            for port in range(region.first, region.first + region.count):
                assert bus.describe(port).startswith(f"{device.name}: ")
