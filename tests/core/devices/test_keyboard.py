"""The keyboard, its controller, the clock and the screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.devices.cmos import Cmos
from core.devices.keyboard import Keyboard, scan_codes
from core.devices.vga import COLUMNS, TEXT_BYTES, Vga, text_screen
from core.layout import INSTRUCTIONS_PER_SECOND, PORT_CMOS, PORT_KEYBOARD

STATUS = PORT_KEYBOARD + 4


class Desk:
    """A keyboard, its request line, and how often it reset the CPU."""

    def __init__(self) -> None:
        self.line = False
        self.resets = 0
        self.keyboard = Keyboard(self._set, self._reset)

    def _set(self, level: bool) -> None:
        self.line = level

    def _reset(self) -> None:
        self.resets += 1

    def read_all(self) -> bytes:
        out = bytearray()
        while self.keyboard.read_port(STATUS, 1) & 1:
            out.append(self.keyboard.read_port(PORT_KEYBOARD, 1))
        return bytes(out)


@given(st.binary(max_size=60))
def test_no_key_is_lost(codes: bytes) -> None:
    desk = Desk()
    desk.keyboard.press(codes)
    assert desk.line is bool(codes)
    assert desk.read_all() == codes
    assert not desk.line


def test_text_becomes_make_and_break_codes_with_shift_where_needed() -> None:
    assert scan_codes("aB") == bytes([0x1E, 0x9E, 0x2A, 0x30, 0xB0, 0xAA])


def test_the_controller_passes_its_tests() -> None:
    desk = Desk()
    desk.keyboard.write_port(STATUS, 1, 0xAA)
    assert desk.read_all() == b"\x55"
    desk.keyboard.write_port(STATUS, 1, 0xAB)
    assert desk.read_all() == b"\x00"


def test_the_command_byte_can_be_read_and_written() -> None:
    desk = Desk()
    desk.keyboard.write_port(STATUS, 1, 0x60)
    desk.keyboard.write_port(PORT_KEYBOARD, 1, 0x00)
    desk.keyboard.press(b"\x1e")
    assert not desk.line
    assert desk.read_all() == b"\x1e"
    desk.keyboard.write_port(STATUS, 1, 0x20)
    assert desk.read_all() == b"\x00"


def test_the_keyboard_acknowledges_and_identifies_itself() -> None:
    desk = Desk()
    desk.keyboard.write_port(PORT_KEYBOARD, 1, 0xF2)
    assert desk.read_all() == b"\xfa\xab\x83"
    desk.keyboard.write_port(PORT_KEYBOARD, 1, 0xED)
    desk.keyboard.write_port(PORT_KEYBOARD, 1, 0x07)
    assert desk.read_all() == b"\xfa\xfa"


def test_pulsing_the_reset_line_resets() -> None:
    desk = Desk()
    desk.keyboard.write_port(STATUS, 1, 0xFE)
    assert desk.resets == 1


def clock_at(seconds: int, mode: int | None = None) -> list[int]:
    """Year, month, day, hour, minute, second as the registers give them."""
    cmos = Cmos(lambda: seconds * INSTRUCTIONS_PER_SECOND, 16 << 20)
    if mode is not None:
        cmos.write_port(PORT_CMOS, 1, 11)
        cmos.write_port(PORT_CMOS + 1, 1, mode)
    out = []
    for register in (9, 8, 7, 4, 2, 0):
        cmos.write_port(PORT_CMOS, 1, register)
        out.append(cmos.read_port(PORT_CMOS + 1, 1))
    return out


def test_the_clock_starts_at_its_epoch_and_goes_on_with_virtual_time() -> None:
    assert clock_at(0) == [0x06, 0x07, 0x01, 0x12, 0x00, 0x00]
    assert clock_at(86400 * 31 + 3661) == [0x06, 0x08, 0x01, 0x13, 0x01, 0x01]


def test_the_clock_speaks_binary_and_twelve_hours_if_asked() -> None:
    assert clock_at(3 * 3600, mode=0x04)[3] == 0x83  # 3 pm
    assert clock_at(45, mode=0x06)[5] == 45


def test_the_memory_size_stands_where_a_bios_leaves_it() -> None:
    cmos = Cmos(lambda: 0, 16 << 20)
    found = []
    for register in (0x17, 0x18):
        cmos.write_port(PORT_CMOS, 1, register)
        found.append(cmos.read_port(PORT_CMOS + 1, 1))
    assert found[0] | found[1] << 8 == 15 * 1024


def test_the_screen_shows_characters_and_the_cursor() -> None:
    vga = Vga(lambda: 0)
    for index, value in ((14, 0), (15, COLUMNS + 3)):
        vga.write_port(0x3D4, 1, index)
        vga.write_port(0x3D5, 1, value)
    memory = bytearray(b" \x07" * (TEXT_BYTES // 2))
    memory[0:2] = b"\xdb\x1e"
    screen = text_screen(bytes(memory), vga.cursor)
    assert screen.rows[0][0].character == "█"
    assert screen.rows[0][0].attribute == 0x1E
    assert screen.cursor == (1, 3)


def test_a_hidden_cursor_is_nowhere() -> None:
    vga = Vga(lambda: 0)
    vga.write_port(0x3D4, 1, 10)
    vga.write_port(0x3D5, 1, 0x20)
    assert text_screen(bytes(TEXT_BYTES), vga.cursor).cursor is None
