"""The clock and its memory."""

from __future__ import annotations

import pytest

from core.devices.cmos import Cmos
from core.layout import INSTRUCTIONS_PER_SECOND, PORT_CMOS


def chip(seconds: int, memory: int = 16 << 20) -> Cmos:
    """The chip, `seconds` after power-on."""
    return Cmos(lambda: seconds * INSTRUCTIONS_PER_SECOND, memory)


def read(cmos: Cmos, register: int) -> int:
    cmos.write_port(PORT_CMOS, 1, register)
    return cmos.read_port(PORT_CMOS + 1, 1)


def write(cmos: Cmos, register: int, value: int) -> None:
    cmos.write_port(PORT_CMOS, 1, register)
    cmos.write_port(PORT_CMOS + 1, 1, value)


def clock_at(seconds: int, mode: int | None = None) -> list[int]:
    """Year, month, day, hour, minute, second as the registers give them."""
    cmos = chip(seconds)
    if mode is not None:
        write(cmos, 11, mode)
    return [read(cmos, register) for register in (9, 8, 7, 4, 2, 0)]


def test_the_clock_starts_at_its_epoch_and_goes_on_with_virtual_time() -> None:
    assert clock_at(0) == [0x06, 0x07, 0x01, 0x12, 0x00, 0x00]
    assert clock_at(86400 * 31 + 3661) == [0x06, 0x08, 0x01, 0x13, 0x01, 0x01]


@pytest.mark.parametrize(
    ("hours", "mode", "register"),
    [
        (0, 0x00, 0x92),
        (0, 0x04, 0x8C),
        (3, 0x04, 0x83),
        (11, 0x00, 0x91),
        (12, 0x00, 0x12),
        (13, 0x00, 0x01),
        (11, 0x06, 23),
    ],
)
def test_hours_are_of_twelve_or_twentyfour_decimal_or_binary_as_asked(hours: int, mode: int, register: int) -> None:
    assert clock_at(hours * 3600, mode)[3] == register


def test_a_binary_clock_counts_past_nine_without_a_gap() -> None:
    assert clock_at(45, mode=0x06)[5] == 45


def test_the_epoch_was_a_saturday_and_sunday_is_day_one() -> None:
    assert [read(chip(seconds * 86400), 6) for seconds in (0, 1, 2)] == [7, 1, 2]


def test_the_century_goes_with_the_year() -> None:
    assert read(chip(0), 0x32) == 0x20


@pytest.mark.parametrize("low", [0x17, 0x30])
@pytest.mark.parametrize(("memory", "kib"), [(16 << 20, 15 * 1024), (1 << 19, 0), (1 << 30, 0xFFFF)])
def test_the_memory_size_stands_where_a_bios_leaves_it(low: int, memory: int, kib: int) -> None:
    cmos = chip(0, memory)
    assert read(cmos, low) | read(cmos, low + 1) << 8 == kib
    assert read(cmos, 0x15) | read(cmos, 0x16) << 8 == 640


def test_memory_bytes_are_kept_and_the_index_has_seven_bits() -> None:
    cmos = chip(0)
    write(cmos, 0x40, 0x5A)
    assert read(cmos, 0x80 | 0x40) == 0x5A
    assert cmos.read_port(PORT_CMOS, 1) == 0x40
    assert cmos.describe(PORT_CMOS + 1) == "register 0x40"


@pytest.mark.parametrize(("register", "value"), [(0, 0x00), (9, 0x06), (0x0C, 0x00), (0x0D, 0x80)])
def test_neither_the_time_nor_the_status_of_the_battery_can_be_written(register: int, value: int) -> None:
    cmos = chip(0)
    write(cmos, register, 0x33)
    assert read(cmos, register) == value
