"""The clock and its memory."""

from __future__ import annotations

from core.devices.cmos import Cmos
from core.layout import INSTRUCTIONS_PER_SECOND, PORT_CMOS


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
