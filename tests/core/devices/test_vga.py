"""The screen."""

from __future__ import annotations

from core.devices.vga import COLUMNS, TEXT_BYTES, Vga, text_screen


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
