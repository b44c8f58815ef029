"""Pebble's file system, damaged in any way: it says so or lives with it, and neither hangs nor panics."""

from __future__ import annotations

import struct
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from core.devices.disk_image import SECTOR, DiskImage
from core.events import EndHow
from core.guests.catalog import load_program
from core.session import Session

SECTORS = 1024
SESSION = Session(recording=False)
DAMAGED = b"its directory is damaged or not ours; not used, and not touched"
TYPED = b"ls\ncat letters\ncat note\nwrite note words\nls\nexit 9\n"
LIMIT = 30_000_000


@cache
def good_disk() -> bytes:
    SESSION.load(load_program("pebble"), "bare", disk=DiskImage(bytes(SECTORS * SECTOR)))
    SESSION.inputs.send(b"run writer\nwrite note some words\nexit\n")
    SESSION.run(LIMIT)
    return SESSION.vmm.pc.disk.contents()


def sum_over(directory: bytes) -> int:
    """The sum that Pebble keeps of its directory."""
    total = 1
    for byte in directory[8:]:
        total = (total * 31 + byte) & 0xFFFF_FFFF
    return total


def use(disk: bytes) -> bytes:
    """Boot with that disk and work with its files; the disk afterwards. It must come to its proper end."""
    SESSION.load(load_program("pebble"), "bare", disk=DiskImage(disk))
    SESSION.inputs.send(TYPED)
    SESSION.run(LIMIT)
    assert SESSION.end is not None, SESSION.console
    assert (SESSION.end.how, SESSION.end.status) == (EndHow.EXIT, 9), SESSION.console
    assert b"panic" not in SESSION.console
    return SESSION.vmm.pc.disk.contents()


changes = st.lists(st.tuples(st.integers(0, SECTOR - 1), st.integers(1, 255)), min_size=1, max_size=8)


def changed(disk: bytes, at_and_by: list[tuple[int, int]]) -> bytearray:
    made = bytearray(disk)
    for at, by in at_and_by:
        made[at] ^= by
    return made


@settings(max_examples=8)
@given(changes)
def test_a_damaged_directory_is_told_and_left_alone(at_and_by: list[tuple[int, int]]) -> None:
    disk = bytes(changed(good_disk(), at_and_by))
    after = use(disk)
    if disk != good_disk():
        assert DAMAGED in SESSION.console
        assert after == disk


@settings(max_examples=12)
@given(changes)
def test_a_directory_whose_sum_is_right_but_its_entries_are_not(at_and_by: list[tuple[int, int]]) -> None:
    disk = changed(good_disk(), [(at, by) for at, by in at_and_by if at >= 8])
    struct.pack_into("<I", disk, 4, sum_over(bytes(disk[:SECTOR])))
    use(bytes(disk))


@settings(max_examples=6)
@given(st.binary(min_size=SECTOR, max_size=SECTOR))
def test_any_first_sector(sector: bytes) -> None:
    use(sector + bytes((SECTORS - 1) * SECTOR))


@settings(max_examples=6)
@given(st.integers(1, 600))
def test_a_disk_of_any_size(sectors: int) -> None:
    use(bytes(sectors * SECTOR))
    assert (b"too small" in SESSION.console) == (sectors < 513)
