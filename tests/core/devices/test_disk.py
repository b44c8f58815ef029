"""The disk: transfers, errors, and that the image is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.disk import Disk
from core.devices.disk_image import SECTOR, DiskImage, load_disk_image
from core.errors import ImageError
from core.layout import PORT_DISK, PORT_DISK_CONTROL

SECTORS = 2048
DATA, ERROR, COUNT, LOW, MIDDLE, HIGH, DRIVE, COMMAND = range(PORT_DISK, PORT_DISK + 8)


class Cable:
    """A drive and its request line."""

    def __init__(self, image: DiskImage | None = None) -> None:
        self.image = image
        self.line = False
        self.disk = Disk(image, self._set)

    def _set(self, level: bool) -> None:
        self.line = level

    def command(self, code: int, sector: int = 0, count: int = 1) -> None:
        for port, value in (
            (DRIVE, 0xE0 | sector >> 24), (COUNT, count & 0xFF), (LOW, sector & 0xFF), (MIDDLE, sector >> 8 & 0xFF),
            (HIGH, sector >> 16 & 0xFF), (COMMAND, code),
        ):  # fmt: skip
            self.disk.write_port(port, 1, value)

    @property
    def status(self) -> int:
        return self.disk.read_port(PORT_DISK_CONTROL, 1)

    def read(self, sector: int, count: int = 1) -> bytes:
        self.command(0x20, sector, count)
        words = [self.disk.read_port(DATA, 2) for _ in range(count * SECTOR // 2)]
        return b"".join(word.to_bytes(2, "little") for word in words)

    def write(self, sector: int, data: bytes) -> None:
        self.command(0x30, sector, len(data) // SECTOR)
        for at in range(0, len(data), 2):
            self.disk.write_port(DATA, 2, int.from_bytes(data[at : at + 2], "little"))


def blank() -> Cable:
    return Cable(DiskImage(bytes(SECTORS * SECTOR)))


def test_identify_tells_the_size() -> None:
    cable = blank()
    cable.command(0xEC)
    words = [cable.disk.read_port(DATA, 2) for _ in range(256)]
    assert words[60] | words[61] << 16 == SECTORS
    assert words[49] & 0x0200
    assert not cable.status & 0x08


@given(st.lists(st.tuples(st.integers(0, SECTORS - 3), st.integers(1, 3), st.integers(0, 255)), max_size=8))
def test_what_is_written_is_read_again_and_the_image_stays(writes: list[tuple[int, int, int]]) -> None:
    image = DiskImage(bytes(SECTORS * SECTOR))
    cable, expected = Cable(image), bytearray(image.data)
    for sector, count, byte in writes:
        data = bytes([byte, sector & 0xFF]) * (count * SECTOR // 2)
        cable.write(sector, data)
        expected[sector * SECTOR : sector * SECTOR + len(data)] = data
    for sector, count, _ in writes:
        assert cable.read(sector, count) == expected[sector * SECTOR : (sector + count) * SECTOR]
    assert cable.disk.contents() == bytes(expected)
    assert image.data == bytes(SECTORS * SECTOR)


def test_each_sector_read_interrupts_and_reading_the_status_acknowledges() -> None:
    cable = blank()
    cable.command(0x20, 0, 2)
    assert cable.line
    cable.disk.read_port(COMMAND, 1)
    assert not cable.line
    for _ in range(SECTOR // 2):
        cable.disk.read_port(DATA, 2)
    assert cable.line


def test_with_interrupts_off_none_comes() -> None:
    cable = blank()
    cable.disk.write_port(PORT_DISK_CONTROL, 1, 2)
    cable.command(0x20)
    assert not cable.line


@pytest.mark.parametrize(("sector", "count"), [(SECTORS, 1), (SECTORS - 1, 2), (1 << 27, 1)])
def test_a_sector_beyond_the_end_is_not_found(sector: int, count: int) -> None:
    cable = blank()
    cable.command(0x20, sector, count)
    assert cable.status & 0x01
    assert cable.disk.read_port(ERROR, 1) == 0x10


def test_an_unknown_command_is_aborted() -> None:
    cable = blank()
    cable.command(0x77)
    assert cable.status & 0x01
    assert cable.disk.read_port(ERROR, 1) == 0x04


def test_chs_and_lba_name_the_same_sectors() -> None:
    cable = blank()
    cable.write(63 * 16 + 5, b"ab" * 256)
    for port, value in ((DRIVE, 0xA0), (COUNT, 1), (LOW, 6), (MIDDLE, 1), (HIGH, 0), (COMMAND, 0x20)):
        cable.disk.write_port(port, 1, value)
    assert cable.disk.read_port(DATA, 2) == int.from_bytes(b"ab", "little")


def test_a_channel_without_a_drive_floats() -> None:
    cable = Cable(None)
    cable.command(0xEC)
    assert cable.disk.read_port(COMMAND, 1) == 0x7F
    assert cable.disk.read_port(DATA, 2) == 0xFFFF


def test_the_second_drive_is_absent() -> None:
    cable = blank()
    cable.disk.write_port(DRIVE, 1, 0xF0)
    assert cable.disk.read_port(COMMAND, 1) == 0x7F


def test_a_soft_reset_keeps_what_is_on_the_disk() -> None:
    cable = blank()
    cable.write(3, b"xy" * 256)
    cable.disk.write_port(PORT_DISK_CONTROL, 1, 4)
    cable.disk.write_port(PORT_DISK_CONTROL, 1, 0)
    assert cable.read(3) == b"xy" * 256


@pytest.mark.parametrize(("data", "word"), [(b"x" * 511, "511 bytes"), (b"", "0 bytes")])
def test_an_image_that_is_no_disk_is_refused(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=word):
        load_disk_image(path)


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        load_disk_image(tmp_path / "none.img")
