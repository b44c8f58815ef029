"""The disk: transfers, errors, and that the image is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
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
    assert words[57] | words[58] << 16 == words[1] * words[3] * words[6] == SECTORS // 1008 * 1008
    assert b"".join(word.to_bytes(2, "big") for word in words[27:47]).decode().strip() == "Ringside disk"
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


def test_zero_sectors_are_256() -> None:
    cable = blank()
    cable.write(0, bytes(range(256)) * 2 * 256)
    cable.command(0x20, 0, 0)
    for _ in range(256):
        assert cable.status & 0x08
        assert [cable.disk.read_port(DATA, 2) for _ in range(256)] == words_of(bytes(range(256)) * 2)
    assert not cable.status & 0x08


def words_of(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


@settings(max_examples=15)
@given(st.lists(st.sampled_from([2, 4]), min_size=300, max_size=300))
def test_words_and_double_words_may_be_mixed_across_sectors(sizes: list[int]) -> None:
    cable = blank()
    data = bytes(at * 7 + at // 256 & 0xFF for at in range(3 * SECTOR))
    cable.command(0x30, 5, 3)
    at = 0
    for size in sizes:
        cable.disk.write_port(DATA, size, int.from_bytes(data[at : at + size], "little"))
        at += size
    for rest in range(at, len(data), 2):
        cable.disk.write_port(DATA, 2, int.from_bytes(data[rest : rest + 2], "little"))
    assert cable.disk.contents()[5 * SECTOR : 8 * SECTOR] == data
    cable.command(0x20, 5, 3)
    out = b"".join(cable.disk.read_port(DATA, size).to_bytes(size, "little") for size in sizes)
    assert out == data[: len(out)]


def test_reading_one_byte_of_data_takes_the_whole_word() -> None:
    cable = Cable(DiskImage(bytes(range(256)) * 2))
    cable.command(0x20)
    assert [cable.disk.read_port(DATA, 1) for _ in range(3)] == [0, 2, 4]


def test_data_that_nobody_asked_for_or_wants_go_nowhere() -> None:
    cable = blank()
    assert cable.disk.read_port(DATA, 2) == 0xFFFF
    cable.disk.write_port(DATA, 2, 0x1234)
    cable.command(0x20)
    cable.disk.write_port(DATA, 2, 0x1234)
    assert cable.disk.read_port(DATA, 2) == 0
    cable.command(0x30)
    assert cable.disk.read_port(DATA, 4) == 0xFFFF_FFFF
    assert not cable.disk.state.overlay


def test_each_sector_written_interrupts_but_the_first_is_not_waited_for() -> None:
    cable = blank()
    cable.command(0x30, 0, 2)
    assert not cable.line
    for _ in range(2):
        for _ in range(SECTOR // 2):
            assert not cable.line
            cable.disk.write_port(DATA, 2, 0)
        assert cable.line
        cable.disk.read_port(COMMAND, 1)
    assert cable.status == 0x50


def test_a_wide_access_to_other_registers_reaches_each() -> None:
    cable = blank()
    cable.disk.write_port(COUNT, 4, 0x44332211)
    assert [cable.disk.read_port(port, 1) for port in (COUNT, LOW, MIDDLE, HIGH)] == [0x11, 0x22, 0x33, 0x44]
    assert cable.disk.read_port(LOW, 2) == 0x3322


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


def test_an_interrupt_held_back_comes_when_interrupts_are_allowed_again_unless_it_was_acknowledged() -> None:
    for acknowledged in (False, True):
        cable = blank()
        cable.disk.write_port(PORT_DISK_CONTROL, 1, 2)
        cable.command(0x20)
        assert cable.status & 0x08  # the alternate status acknowledges nothing
        if acknowledged:
            cable.disk.read_port(COMMAND, 1)
        cable.disk.write_port(PORT_DISK_CONTROL, 1, 0)
        assert cable.line is not acknowledged


@pytest.mark.parametrize(("sector", "count"), [(SECTORS, 1), (SECTORS - 1, 2), (1 << 27, 1)])
def test_a_sector_beyond_the_end_is_not_found(sector: int, count: int) -> None:
    cable = blank()
    cable.command(0x20, sector, count)
    assert cable.status & 0x01
    assert cable.disk.read_port(ERROR, 1) == 0x10


def test_a_whole_track_and_the_last_sector_are_found_by_chs_but_no_sector_that_a_track_does_not_have() -> None:
    cable = blank()
    for low, middle, error in ((1, 0, 0), (63, 0, 0), (0, 0, 0x10), (64, 0, 0x10), (0, 1, 0x10)):
        for port, value in ((DRIVE, 0xA0), (COUNT, 1), (LOW, low), (MIDDLE, middle), (HIGH, 0), (COMMAND, 0x20)):
            cable.disk.write_port(port, 1, value)
        assert cable.disk.read_port(ERROR, 1) == error


@pytest.mark.parametrize("code", [0xE7, 0xEF, 0x10])
def test_a_command_without_data_is_done_at_once_and_interrupts(code: int) -> None:
    cable = blank()
    cable.command(code)
    assert cable.line
    assert cable.status == 0x50


def test_diagnosis_is_of_both_drives_whichever_is_chosen_and_leaves_the_first_one_chosen() -> None:
    cable = blank()
    cable.disk.write_port(DRIVE, 1, 0xF0)
    cable.disk.write_port(COMMAND, 1, 0x90)
    assert cable.line
    assert [cable.disk.read_port(port, 1) for port in range(ERROR, COMMAND + 1)] == [1, 1, 1, 0, 0, 0xA0, 0x50]


@pytest.mark.parametrize(("heads", "sectors", "error"), [(16, 63, 0), (8, 63, 4), (16, 32, 4)])
def test_the_drive_takes_no_geometry_but_its_own(heads: int, sectors: int, error: int) -> None:
    cable = blank()
    cable.disk.write_port(DRIVE, 1, 0xA0 | heads - 1)
    cable.disk.write_port(COUNT, 1, sectors)
    cable.disk.write_port(COMMAND, 1, 0x91)
    assert cable.disk.read_port(ERROR, 1) == error
    assert cable.line


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


def test_the_first_drive_answers_for_the_absent_second_one() -> None:
    cable = blank()
    cable.disk.write_port(COUNT, 1, 7)
    cable.disk.write_port(DRIVE, 1, 0xF0)
    cable.disk.write_port(COMMAND, 1, 0x77)
    assert (cable.disk.read_port(COMMAND, 1), cable.status) == (0, 0)
    assert (cable.disk.read_port(COUNT, 1), cable.disk.read_port(DRIVE, 1)) == (7, 0xF0)
    assert not cable.line
    cable.disk.write_port(DRIVE, 1, 0xE0)
    assert cable.status == 0x50


def test_a_soft_reset_keeps_what_is_on_the_disk_and_nothing_else() -> None:
    cable = blank()
    cable.write(3, b"xy" * 256)
    cable.command(0x20, 3)
    assert cable.line
    cable.disk.write_port(PORT_DISK_CONTROL, 1, 4)
    assert not cable.line
    cable.disk.write_port(PORT_DISK_CONTROL, 1, 0)
    assert not cable.line
    assert [cable.disk.read_port(port, 1) for port in range(ERROR, COMMAND + 1)] == [1, 1, 1, 0, 0, 0xA0, 0x50]
    assert cable.read(3) == b"xy" * 256


def test_registers_are_named_by_what_a_read_or_a_write_meets() -> None:
    disk = blank().disk
    assert [disk.describe(COMMAND, write) for write in (False, True)] == ["status", "command"]
    assert [disk.describe(ERROR, write) for write in (False, True)] == ["error", "features"]
    assert disk.describe(LOW, write=True) == disk.describe(LOW) == "LBA low"
    assert disk.describe(PORT_DISK_CONTROL) == "alternate status"


@pytest.mark.parametrize(("data", "word"), [(b"x" * 511, "511 bytes"), (b"", "is empty")])
def test_an_image_that_is_no_disk_is_refused(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=word):
        load_disk_image(path)


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        load_disk_image(tmp_path / "none.img")
