"""Reading and writing files whole: what is no file, what is too much, and names as long as names may be."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cost_table import load_costs
from core.devices.disk_image import load_disk_image
from core.errors import ImageError, UserError
from core.guests.assembler import LARGEST_SOURCE
from core.guests.catalog import load_program
from core.lab.archive import is_lab, is_vm_file
from core.lab.files import open_lab
from core.lab.vm_files import open_vm
from core.whole_file import read_whole, write_whole

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
READERS: dict[str, Callable[[Path], object]] = {
    "image": lambda path: load_program(str(path)),
    "disk": load_disk_image,
    "lab": open_lab,
    "vm": open_vm,
    "costs": load_costs,
}


@needs_pipes
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_refused_and_not_waited_for(reader: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe or a device"):
        READERS[reader](tmp_path / "pipe")


@needs_pipes
def test_a_pipe_looks_like_no_file_of_ours(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_lab(tmp_path / "pipe")
    assert not is_vm_file(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="has no such device")
@pytest.mark.parametrize("reader", READERS)
def test_a_device_without_end_is_not_read(reader: str) -> None:
    with pytest.raises(UserError, match="pipe or a device"):
        READERS[reader](Path("/dev/zero"))


def test_what_is_larger_than_it_may_be_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes((2 << 20) + 1))
    with pytest.raises(OSError, match="2 MiB, and 1 are the most"):
        read_whole(tmp_path / "large", 1 << 20)
    assert len(read_whole(tmp_path / "large", 3 << 20)) == (2 << 20) + 1


def test_a_source_that_no_person_has_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.s").write_bytes(b"#" * (LARGEST_SOURCE + 1))
    with pytest.raises(UserError, match="cannot be read: it has 4 MiB"):
        load_program(str(tmp_path / "large.s"))


def test_an_included_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "guest.s").write_text('.include "data.s"\n')
    (tmp_path / "data.s").write_bytes(b"nop\n\xff")
    with pytest.raises(UserError, match="not UTF-8 text"):
        load_program(str(tmp_path / "guest.s"))


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_source_whose_name_is_no_text_is_assembled(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"guest\xff.s")
    path.write_text("hlt\n")
    assert load_program(str(path)).segments[0].data == b"\xf4"


def test_a_name_as_long_as_names_may_be_is_saved_under(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".bin")
    write_whole(path, b"here")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"here"


def test_an_elf_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    """Thousands of segments, all of the same bytes of the file."""
    size, count = 1 << 20, 2_000
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x100000, 52, 0, 0, 52, 32, count, 0, 0, 0)
    segment = struct.pack("<8I", 1, 1, 0x100000, 0x100000, size, size, 7, 4096)
    (tmp_path / "bomb.elf").write_bytes((header + segment * count).ljust(size + 1, b"\0"))
    with pytest.raises(ImageError, match="more than any guest's memory"):
        load_program(str(tmp_path / "bomb.elf"))
