"""Images from files: what is loaded, and that anything odd is refused with one sentence naming place and mend."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ImageError, UnknownName, UserError
from core.guests.assembler import assemble, assemble_to_elf
from core.guests.boot import boot_memory, boot_state
from core.guests.catalog import load_program, shipped_guests
from core.guests.elf import load_elf
from core.guests.linker import BASE
from core.layout import MULTIBOOT_INFO, VM_MEMORY

SOURCE = "_start: mov eax, [x]\n hlt\n.data\nx: .long 1\n.bss\n.skip 64\n"
ELF, _ = assemble_to_elf("g.s", SOURCE)
MULTIBOOT = ".balign 4\n.long 0x1badb002, 0, -0x1badb002\n_start: hlt\n"


def patched(offset: int, data: bytes) -> bytes:
    return ELF[:offset] + data + ELF[offset + len(data) :]


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_program(str(path))
    assert "\n" not in str(caught.value)
    assert caught.value.mend
    return str(caught.value)


REFUSALS = [
    ("cut short", ELF[:200], "damaged or cut short"),
    ("cut inside the header", ELF[:20], "damaged or cut short"),
    ("64-bit", patched(4, b"\x02"), "64-bit"),
    ("for another CPU", patched(18, struct.pack("<H", 40)), "ARM"),
    ("position independent", patched(16, struct.pack("<H", 3)), "fixed addresses"),
    ("an object file", patched(16, struct.pack("<H", 1)), "fixed addresses"),
    ("with its entry nowhere", patched(24, struct.pack("<I", 0x9000)), "entry point 0x9000"),
    ("larger than the machine", patched(52 + 20, struct.pack("<I", VM_MEMORY)), f"{VM_MEMORY >> 20} MiB"),
    ("over the boot tables", patched(52 + 12, struct.pack("<I", 0x1000)), "0x1000"),
    ("not an image", b"#!/bin/sh\n", "neither"),
    ("empty", b"", "empty"),
]


@pytest.mark.parametrize(("why", "data", "word"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_an_image_is_refused_that_is(tmp_path: Path, why: str, data: bytes, word: str) -> None:
    path = tmp_path / "image.elf"
    path.write_bytes(data)
    said = refused(path)
    assert word in said
    assert str(path) in said


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.elf")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.elf").mkdir()
    assert "cannot be read" in refused(tmp_path / "folder.elf")


def test_an_unknown_name_lists_the_guests_there_are() -> None:
    with pytest.raises(UnknownName, match="hello, hole, privileged, rings"):
        load_program("helo")


@given(st.binary(min_size=1, max_size=len(ELF)), st.integers(0, len(ELF)), st.integers(0, len(ELF)))
def test_a_damaged_elf_is_refused_or_loads_as_a_program(junk: bytes, at: int, cut: int) -> None:
    image = (ELF[:at] + junk[:8] + ELF[at + len(junk[:8]) :])[: max(cut, len(ELF) - cut)]
    try:
        program = load_elf(image, "g", "g.elf")
    except ImageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right
    else:
        assert program.segments


def test_a_flat_binary_is_loaded_and_entered_at_one_mebibyte(tmp_path: Path) -> None:
    path = tmp_path / "flat.bin"
    path.write_bytes(b"\xf4")
    program = load_program(str(path))
    assert (program.entry, program.segments[0].data) == (BASE, b"\xf4")


def test_every_shipped_guest_has_title_and_summary_and_assembles() -> None:
    for info in shipped_guests().values():
        program = load_program(info.name)
        assert program.title
        assert program.summary.endswith(".")
        assert program.lines


def test_the_boot_state_follows_the_image_contract() -> None:
    program = assemble(SOURCE)
    state = boot_state(program)
    assert (state.eip, state.eax, state.code_selector, state.data_selector) == (BASE, 0, 8, 0x10)
    gdt = dict(boot_memory(program, VM_MEMORY))[state.gdt_base]
    assert len(gdt) == state.gdt_limit + 1 == 24


def test_a_multiboot_guest_gets_the_magic_and_the_information() -> None:
    program = assemble(MULTIBOOT)
    assert program.multiboot
    state = boot_state(program)
    assert (state.eax, state.ebx) == (0x2BADB002, MULTIBOOT_INFO)
    info = dict(boot_memory(program, VM_MEMORY, "run=hello"))[MULTIBOOT_INFO]
    flags, lower, upper = struct.unpack_from("<III", info)
    assert flags & 0b1000101 == 0b1000101
    assert (lower, upper) == (639, (VM_MEMORY >> 10) - 1024)
    text_at = struct.unpack_from("<I", info, 16)[0] - MULTIBOOT_INFO
    assert info[text_at:].startswith(b"guest run=hello\0")
    map_length, map_at = struct.unpack_from("<II", info, 44)
    size, base, length, kind = struct.unpack_from("<IQQI", info, map_at - MULTIBOOT_INFO + 24)
    assert (map_length, size, base, length, kind) == (48, 20, 0x100000, VM_MEMORY - 0x100000, 1)


def test_a_multiboot_header_with_a_wrong_checksum_is_none() -> None:
    assert not assemble(MULTIBOOT.replace("-0x1badb002", "-0x1badb001")).multiboot


def test_a_multiboot_header_that_demands_video_is_refused() -> None:
    with pytest.raises(UserError, match="video"):
        assemble(MULTIBOOT.replace("002, 0, -0x1badb002", "002, 4, -0x1badb006"))
