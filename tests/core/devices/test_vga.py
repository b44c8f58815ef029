"""The screen: what is seen, and that each register keeps what is its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.vga import COLUMNS, RETRACE_PERIOD, ROWS, TEXT_BYTES, Vga, text_screen

SEQUENCER, GRAPHICS, CRT, ATTRIBUTE, STATUS = 0x3C4, 0x3CE, 0x3D4, 0x3C0, 0x3DA


def card() -> Vga:
    return Vga(lambda: 0)


def put(vga: Vga, index_port: int, register: int, value: int) -> None:
    vga.write_port(index_port, 1, register)
    vga.write_port(index_port + 1, 1, value)


def get(vga: Vga, index_port: int, register: int) -> int:
    vga.write_port(index_port, 1, register)
    return vga.read_port(index_port + 1, 1)


# -- what is seen


def test_the_screen_shows_characters_and_the_cursor() -> None:
    vga = card()
    put(vga, CRT, 14, 0)
    put(vga, CRT, 15, COLUMNS + 3)
    memory = bytearray(b" \x07" * (TEXT_BYTES // 2))
    memory[0:2] = b"\xdb\x1e"
    memory[-2:] = b"\x01\x07"
    screen = text_screen(bytes(memory), vga.cursor)
    assert screen.rows[0][0].character == "█"
    assert screen.rows[0][0].attribute == 0x1E
    assert screen.rows[ROWS - 1][COLUMNS - 1].character == "☺"
    assert screen.cursor == (1, 3)


def test_a_hidden_cursor_is_nowhere() -> None:
    vga = card()
    put(vga, CRT, 10, 0x20)
    assert text_screen(bytes(TEXT_BYTES), vga.cursor).cursor is None


@pytest.mark.parametrize(("at", "seen"), [(79, None), (80, (0, 0)), (80 + 1999, (24, 79)), (80 + 2000, None)])
def test_the_cursor_is_seen_only_inside_the_picture(at: int, seen: tuple[int, int] | None) -> None:
    vga = card()
    for register, value in ((12, 0), (13, 80), (14, at >> 8), (15, at & 0xFF)):
        put(vga, CRT, register, value)
    assert vga.start == 80
    assert text_screen(bytes(TEXT_BYTES), vga.cursor).cursor == seen


# -- registers


@given(
    st.dictionaries(
        st.one_of(
            st.tuples(st.just(SEQUENCER), st.integers(0, 7)),
            st.tuples(st.just(GRAPHICS), st.integers(0, 15)),
            st.tuples(st.just(CRT), st.integers(0, 31)),
        ),
        st.integers(0, 255),
    )
)
def test_each_register_behind_an_index_keeps_its_own_value(written: dict[tuple[int, int], int]) -> None:
    vga = card()
    for (port, register), value in written.items():
        put(vga, port, register, value)
    assert {(port, register): get(vga, port, register) for port, register in written} == written


def test_an_index_beyond_the_registers_wraps() -> None:
    vga = card()
    put(vga, SEQUENCER, 9, 0x42)
    assert get(vga, SEQUENCER, 1) == 0x42


def test_the_attribute_controller_takes_index_and_data_in_turn_until_the_status_is_read() -> None:
    vga = card()
    for byte in (0x05, 0x11, 0x06, 0x22, 0x07):  # two registers, and an index
        vga.write_port(ATTRIBUTE, 1, byte)
    vga.read_port(STATUS, 1)
    found = []
    for register in (5, 6, 7):
        vga.write_port(ATTRIBUTE, 1, register | 0x20)
        found.append(vga.read_port(ATTRIBUTE + 1, 1))
        assert vga.read_port(ATTRIBUTE, 1) == register | 0x20
        vga.read_port(STATUS, 1)
    assert found == [0x11, 0x22, 0]


def test_the_palette_is_written_and_read_colour_after_colour_six_bits_each() -> None:
    vga = card()
    vga.write_port(0x3C8, 1, 255)
    for byte in (1, 2, 3, 0xC4, 5, 6):
        vga.write_port(0x3C9, 1, byte)
    assert vga.read_port(0x3C8, 1) == 1
    assert vga.read_port(0x3C7, 1) == 0
    vga.write_port(0x3C7, 1, 255)
    assert vga.read_port(0x3C7, 1) == 3
    assert [vga.read_port(0x3C9, 1) for _ in range(6)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("write", "read"), [(0x3C2, 0x3CC), (0x3C6, 0x3C6), (STATUS, 0x3CA)])
def test_registers_with_two_ports_are_read_at_the_second(write: int, read: int) -> None:
    vga = card()
    vga.write_port(write, 1, 0xA5)
    assert vga.read_port(read, 1) == 0xA5


def test_a_port_of_the_card_without_a_register_is_empty() -> None:
    vga = card()
    vga.write_port(0x3CD, 1, 5)
    assert vga.read_port(0x3CD, 1) == 0xFF


def test_the_retrace_comes_at_the_start_of_each_picture_and_goes() -> None:
    clock = [0]
    vga = Vga(lambda: clock[0])
    seen = []
    for clock[0] in (0, RETRACE_PERIOD // 2, RETRACE_PERIOD - 1, RETRACE_PERIOD, 3 * RETRACE_PERIOD // 2):
        seen.append(vga.read_port(STATUS, 1))
    assert seen == [9, 0, 0, 9, 0]


def test_registers_are_named_by_what_a_read_or_a_write_meets() -> None:
    vga = card()
    vga.write_port(CRT, 1, 15)
    assert vga.describe(CRT) == "CRT controller index"
    assert vga.describe(CRT + 1) == "CRT controller register 15"
    assert [vga.describe(STATUS, write) for write in (False, True)] == ["input status 1", "feature control"]
    said = [vga.describe(ATTRIBUTE, write=True)]
    vga.write_port(ATTRIBUTE, 1, 0x10)
    said.append(vga.describe(ATTRIBUTE, write=True))
    assert said == ["attribute controller index", "attribute controller register 16"]
