"""The keyboard and its controller: answers, requests, and that no key is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.keyboard import Keyboard, scan_codes
from core.layout import PORT_KEYBOARD

STATUS = PORT_KEYBOARD + 4
FULL = 0x01


class Desk:
    """A keyboard, its request line with its rising edges, and how often it reset the CPU."""

    def __init__(self) -> None:
        self.line = False
        self.rises = 0
        self.resets = 0
        self.keyboard = Keyboard(self._set, self._reset)

    def _set(self, level: bool) -> None:
        self.rises += level and not self.line
        self.line = level

    def _reset(self) -> None:
        self.resets += 1

    def command(self, code: int, *data: int) -> None:
        self.keyboard.write_port(STATUS, 1, code)
        self.send(*data)

    def send(self, *data: int) -> None:
        for byte in data:
            self.keyboard.write_port(PORT_KEYBOARD, 1, byte)

    @property
    def status(self) -> int:
        return self.keyboard.read_port(STATUS, 1)

    def read(self) -> int:
        return self.keyboard.read_port(PORT_KEYBOARD, 1)

    def read_all(self) -> bytes:
        out = bytearray()
        while self.status & FULL:
            out.append(self.read())
        return bytes(out)


# -- keys


def test_text_becomes_make_and_break_codes_with_shift_where_needed() -> None:
    assert scan_codes("aB") == bytes([0x1E, 0x9E, 0x2A, 0x30, 0xB0, 0xAA])


def test_each_key_is_an_edge_of_the_request_line() -> None:
    desk = Desk()
    desk.keyboard.press(b"\x1e\x9e\x30")
    assert desk.read_all() == b"\x1e\x9e\x30"
    assert desk.rises == 3
    assert not desk.line


def test_an_empty_buffer_reads_as_zero_and_asks_for_nothing() -> None:
    desk = Desk()
    assert desk.read() == 0
    assert desk.rises == 0


def test_keys_wait_while_the_keyboard_is_disabled_or_told_not_to_scan() -> None:
    for off, on in (((0xAD,), (0xAE,)), ((0x60, 0x51), (0x60, 0x41))):
        desk = Desk()
        desk.command(*off)
        desk.keyboard.press(b"\x1e")
        assert not desk.status & FULL
        desk.command(*on)
        assert desk.read_all() == b"\x1e"
    desk = Desk()
    desk.send(0xF5)
    assert desk.read_all() == b"\xfa"
    desk.keyboard.press(b"\x1e")
    assert not desk.status & FULL
    desk.send(0xF4)
    assert desk.read_all() == b"\xfa\x1e"


def test_an_answer_of_the_controller_goes_before_the_key_that_waited_to_be_read() -> None:
    desk = Desk()
    desk.keyboard.press(b"\x1e\x9e")
    desk.command(0x20)
    assert desk.read_all() == b"\x41\x1e\x9e"


def test_of_two_answers_of_the_controller_the_second_overwrites_the_first() -> None:
    desk = Desk()
    desk.command(0xAA)
    desk.command(0xAB)
    assert desk.read_all() == b"\x00"


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.binary(max_size=6).map(lambda data: bytes(0x10 | byte & 0x0F for byte in data))),
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("command"), st.sampled_from([0x20, 0xA7, 0xA9, 0xAA, 0xAB, 0xAD, 0xAE, 0xD0])),
        st.tuples(st.just("command byte"), st.sampled_from([0x00, 0x40, 0x41, 0x50, 0x51])),
        st.tuples(st.just("put"), st.sampled_from([0x77, 0x88])),
        st.tuples(st.just("keyboard"), st.sampled_from([0x05, 0xED, 0xEE, 0xF0, 0xF2, 0xF3, 0xF4, 0xF5, 0xFF])),
    ),
    max_size=30,
)


@given(_steps)
def test_no_key_is_lost_changed_or_reordered_whatever_the_guest_commands(steps: list[tuple[str, object]]) -> None:
    """The codes typed are 0x10 to 0x1F; nothing answers so."""
    desk, typed, read = Desk(), bytearray(), bytearray()
    for step in steps:
        match step:
            case "press", bytes(codes):
                desk.keyboard.press(codes)
                typed += codes
            case "read", int(count):
                read += bytes(desk.read() for _ in range(count) if desk.status & FULL)
            case "command", int(code):
                desk.command(code)
            case "command byte", int(value):
                desk.command(0x60, value)
            case "put", int(value):
                desk.command(0xD2, value)
            case "keyboard", int(value):
                desk.send(value)
        interrupting = bool(desk.keyboard.state.command_byte & 1)
        assert desk.line is (bool(desk.status & FULL) and interrupting)
    desk.command(0x60, 0x41)
    desk.send(0xFF)
    read += desk.read_all()
    assert bytes(byte for byte in read if byte & 0xF0 == 0x10) == bytes(typed)


# -- the controller


def test_the_controller_passes_its_tests() -> None:
    desk = Desk()
    desk.command(0xAA)
    assert desk.read_all() == b"\x55"
    desk.command(0xAB)
    assert desk.read_all() == b"\x00"


def test_the_command_byte_can_be_read_and_written() -> None:
    desk = Desk()
    desk.command(0x60, 0x00)
    desk.keyboard.press(b"\x1e")
    assert not desk.line
    assert desk.read_all() == b"\x1e"
    desk.command(0x20)
    assert desk.read_all() == b"\x00"


def test_allowing_interrupts_tells_of_a_key_that_is_there_already_and_forbidding_them_withdraws_it() -> None:
    desk = Desk()
    desk.command(0x60, 0x00)
    desk.keyboard.press(b"\x1e")
    desk.command(0x60, 0x01)
    assert desk.line
    desk.command(0x60, 0x00)
    assert not desk.line


def test_the_status_tells_whether_the_last_byte_written_was_a_command() -> None:
    desk = Desk()
    desk.command(0x60)
    assert desk.status == 0x1C
    desk.send(0x41)
    assert desk.status == 0x14


def test_the_output_port_is_kept_and_can_be_read() -> None:
    desk = Desk()
    desk.command(0xD1, 0xDF)
    desk.command(0xD0)
    assert desk.read_all() == b"\xdf"
    assert desk.resets == 0


def test_the_controller_can_be_made_to_say_anything() -> None:
    desk = Desk()
    desk.command(0xD2, 0x5A)
    assert desk.line
    assert desk.read_all() == b"\x5a"


@pytest.mark.parametrize("code", [0xFE, 0xF0, 0xFC])
def test_pulsing_the_reset_line_resets(code: int) -> None:
    desk = Desk()
    desk.command(code)
    assert desk.resets == 1


@pytest.mark.parametrize("code", [0xFF, 0xF1, 0xFD, 0xEE, 0x00])
def test_pulsing_other_lines_or_none_does_not(code: int) -> None:
    desk = Desk()
    desk.command(code)
    assert desk.resets == 0


def test_pulling_the_reset_line_by_the_output_port_resets() -> None:
    desk = Desk()
    desk.command(0xD1, 0x02)
    assert desk.resets == 1


@pytest.mark.parametrize("command", [0xD3, 0xD4])
def test_what_is_meant_for_a_mouse_does_not_reach_the_keyboard(command: int) -> None:
    desk = Desk()
    desk.command(command, 0xF2)
    assert not desk.status & FULL


def test_a_command_in_place_of_the_data_of_another_is_a_command() -> None:
    desk = Desk()
    desk.command(0xD1)
    desk.command(0xAA)
    desk.send(0x00)
    assert desk.resets == 0


# -- the keyboard


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ((0xF2,), b"\xfa\xab\x41"),
        ((0xED, 0x07), b"\xfa\xfa"),
        ((0xF3, 0x20), b"\xfa\xfa"),
        ((0xF0, 0x02), b"\xfa\xfa"),
        ((0xF0, 0x00), b"\xfa\xfa\x41"),
        ((0xED, 0xEE), b"\xfa\xee"),  # a command in place of the option
        ((0xED, 0xEE, 0x07), b"\xfa\xee\xfe"),
        ((0xFF,), b"\xfa\xaa"),
        ((0xEE,), b"\xee"),
        ((0xEE, 0xFE), b"\xee\xee"),
        ((0x12,), b"\xfe"),
        ((0xEF,), b"\xfe"),
        ((0xF6,), b"\xfa"),
    ],
)
def test_the_keyboard_answers_each_command(sent: tuple[int, ...], answer: bytes) -> None:
    desk, got = Desk(), bytearray()
    for byte in sent:
        desk.send(byte)
        got += desk.read_all()
    assert bytes(got) == answer


def test_without_translation_the_identity_is_the_keyboards_own() -> None:
    desk = Desk()
    desk.command(0x60, 0x01)
    desk.send(0xF2)
    assert desk.read_all() == b"\xfa\xab\x83"


def test_a_new_command_ends_the_answer_to_the_last() -> None:
    desk = Desk()
    desk.send(0xF2)
    assert desk.read() == 0xFA
    assert desk.read() == 0xAB
    desk.send(0xEE)
    assert desk.read_all() == b"\x41\xee"  # one byte was on its way already


def test_talking_to_a_disabled_keyboard_switches_it_on() -> None:
    desk = Desk()
    desk.command(0xAD)
    desk.send(0xFF)
    assert desk.read_all() == b"\xfa\xaa"


def test_a_byte_written_is_described_by_whom_it_is_meant_for() -> None:
    desk = Desk()
    said = [desk.keyboard.describe(PORT_KEYBOARD, write=True)]
    desk.command(0x60)
    said.append(desk.keyboard.describe(PORT_KEYBOARD, write=True))
    desk.send(0x41, 0xED)
    said.append(desk.keyboard.describe(PORT_KEYBOARD, write=True))
    assert said == ["command to the keyboard", "data for controller command 0x60", "option of keyboard command 0xed"]
    assert desk.keyboard.describe(PORT_KEYBOARD) == "output buffer"
    assert [desk.keyboard.describe(STATUS, write) for write in (False, True)] == ["status", "controller command"]
