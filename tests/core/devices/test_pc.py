"""The devices together: what reaches the CPU, and saving and loading all of them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.devices.device import Device
from core.devices.disk_image import DiskImage
from core.devices.pc import Pc
from core.devices.pit import time_of
from core.layout import PORT_EXIT, PORT_SERIAL

Action = tuple[str, int, int]


class Board:
    """A PC whose clock is moved by hand."""

    def __init__(self) -> None:
        self.time = 0
        self.sent = bytearray()
        self.statuses: list[int] = []
        self.intr = False
        self.pc = Pc(
            clock=lambda: self.time,
            console=self.sent.append,
            on_exit=self.statuses.append,
            on_interrupt=self._set_intr,
            disk=DiskImage(bytes(range(256)) * 16),
        )

    def _set_intr(self, level: bool) -> None:
        self.intr = level

    def do(self, action: Action) -> object:
        """One action of a guest, a person or time; what it shows."""
        kind, a, b = action
        bus, pic = self.pc.bus, self.pc.pic
        seen: object = None
        match kind:
            case "out":
                bus.write_port(a, 1, b)
            case "in":
                seen = bus.read_port(a, 1)
            case "type":
                self.pc.serial.receive(bytes([b]))
            case "press":
                self.pc.keyboard.press(bytes([b]))
            case "acknowledge" if self.intr:
                seen = pic.acknowledge()
            case "wait":
                self.time += a * 17
                bus.advance(self.time)
        assert self.intr is pic.interrupt_pending
        return seen, bus.next_event(), self.intr


def ports_of(device: Device) -> list[int]:
    return [port for region in device.ports for port in range(region.first, region.first + region.count)]


DEVICES = [device.name for device in Board().pc.bus.devices]


def actions_for(ports: list[int]) -> st.SearchStrategy[list[Action]]:
    kind = st.sampled_from(["out", "out", "out", "in", "in", "type", "press", "acknowledge", "wait"])
    return st.lists(st.tuples(kind, st.sampled_from(ports), st.integers(0, 255)), max_size=40)


ALL_PORTS = [port for device in Board().pc.bus.devices for port in ports_of(device)]
ALL = actions_for(ALL_PORTS)
START: list[Action] = [
    *[("out", port, word) for port, word in ((0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0))],
    *[("out", port, word) for port, word in ((0x43, 0x34), (0x40, 50), (0x40, 0), (0x3FC, 8), (0x3F9, 1))],
]


# -- saving and loading


@pytest.mark.parametrize("name", DEVICES)
@settings(max_examples=30)
@given(st.data())
def test_after_save_disturb_load_each_device_goes_on_as_if_undisturbed(name: str, data: st.DataObject) -> None:
    undisturbed, board = Board(), Board()
    device = next(device for device in board.pc.bus.devices if device.name == name)
    mine = actions_for(ports_of(device))
    for action in (*START, *data.draw(mine)):
        assert board.do(action) == undisturbed.do(action)
    saved, time = board.pc.save(), board.time
    for action in data.draw(mine):
        board.do(action)
    board.pc.load(saved)
    board.time = time
    for action in (*data.draw(mine), *[("in", port, 0) for port in ports_of(device)], ("wait", 100_000, 0)):
        assert board.do(action) == undisturbed.do(action)
    assert board.pc.save() == undisturbed.pc.save()


@given(ALL, ALL, ALL)
def test_a_saved_pc_goes_on_in_another_one_and_the_saved_state_stays_as_it_was(
    before: list[Action], disturbance: list[Action], after: list[Action]
) -> None:
    first, second = Board(), Board()
    for action in (*START, *before):
        first.do(action)
    for action in disturbance:
        second.do(action)
    saved = first.pc.save()
    second.pc.load(saved)
    second.time = first.time
    assert second.intr is first.intr
    for action in after:
        assert second.do(action) == first.do(action)
    third = Board()
    third.pc.load(saved)
    third.time = second.time = first.time
    second.pc.load(saved)
    assert third.pc.save() == second.pc.save() == saved


def test_the_state_of_another_set_of_devices_is_refused_and_nothing_changes() -> None:
    board = Board()
    before = board.pc.save()
    saved = board.pc.save()
    saved["abacus"] = saved.pop("timer")
    board.pc.serial.receive(b"x")
    disturbed = board.pc.save()
    with pytest.raises(ValueError, match="abacus"):
        board.pc.load(saved)
    assert board.pc.save() == disturbed != before


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_keeps_all_that_changes_in_one_slotted_dataclass_of_plain_values(name: str) -> None:
    board = Board()
    device = next(device for device in board.pc.bus.devices if device.name == name)
    fixed = {key: (id(value), repr(value)) for key, value in vars(device).items() if key != "state"}
    for port in ports_of(device):
        for value in (0x11, 0x34, 0xFF, 0x00):
            board.do(("out", port, value))
            board.do(("in", port, 0))
    assert {key: (id(value), repr(value)) for key, value in vars(device).items() if key != "state"} == fixed
    assert not hasattr(device.state, "__dict__")
    assert_plain(device.state)


def assert_plain(value: object) -> None:
    if is_dataclass(value):
        for each in fields(value):
            assert_plain(getattr(value, each.name))
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            assert_plain(part)
    elif isinstance(value, list | tuple):
        for part in value:
            assert_plain(part)
    else:
        assert value is None or type(value) in (bool, int, str, bytes, bytearray)


# -- together


def test_every_register_has_a_name_for_people() -> None:
    bus = Board().pc.bus
    for device in bus.devices:
        for port in ports_of(device):
            for write in (False, True):
                whose, _, what = bus.describe(port, write).partition(": ")
                assert whose == device.name
                assert what


def test_the_console_is_described_as_the_guest_meets_it() -> None:
    assert Board().pc.bus.describe(PORT_SERIAL, write=True) == "serial port A: transmit holding register"


@pytest.mark.parametrize(("size", "status"), [(1, 7), (2, 0x107), (4, 0x1000_0007)])
def test_the_exit_port_tells_the_status(size: int, status: int) -> None:
    board = Board()
    board.pc.bus.write_port(PORT_EXIT, size, status)
    assert board.statuses == [status]
    assert board.pc.bus.read_port(PORT_EXIT, size) == (1 << 8 * size) - 1


def test_only_the_first_port_of_the_exit_status_ends_the_run() -> None:
    board = Board()
    board.pc.bus.write_port(PORT_EXIT + 1, 1, 7)
    assert board.statuses == []


def test_the_timer_reaches_the_cpu_through_the_controller() -> None:
    board = Board()
    for action in START:
        board.do(action)
    assert board.pc.bus.next_event() == time_of(51)
    board.time = time_of(51) - 1
    board.pc.bus.advance(board.time)
    assert not board.intr
    board.time = time_of(51)
    board.pc.bus.advance(board.time)
    assert board.intr
    assert board.pc.pic.acknowledge() == 0x20


def test_ticks_missed_while_one_waits_are_one_interrupt() -> None:
    board = Board()
    for action in START:
        board.do(action)
    board.time = time_of(51 + 3 * 50)
    board.pc.bus.advance(board.time)
    assert board.pc.pic.acknowledge() == 0x20
    board.pc.bus.write_port(0x20, 1, 0x20)
    assert not board.intr


def test_what_is_typed_reaches_the_cpu_through_the_controller_byte_by_byte() -> None:
    board = Board()
    for action in START:
        board.do(action)
    board.pc.serial.receive(b"abc")
    got = bytearray()
    while board.intr:
        assert board.pc.pic.acknowledge() == 0x24
        got.append(board.pc.bus.read_port(PORT_SERIAL, 1))
        board.pc.bus.write_port(0x20, 1, 0x20)
    assert got == b"abc"
