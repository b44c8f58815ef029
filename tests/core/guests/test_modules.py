"""Boot modules: what a person may give, and where it lands."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import PAGE_SIZE
from core.errors import ImageError
from core.guests.boot import boot_memory, check_start
from core.guests.catalog import load_program
from core.guests.modules import Module, load_module
from core.layout import BOOT_STACK_TOP, MULTIBOOT_INFO, VM_MEMORY

PEBBLE = load_program("pebble")
IMAGE_END = max(segment.address + segment.size for segment in PEBBLE.segments)
HAS_MODULES = 1 << 3


def guest_memory(modules: list[Module], command_line: str = "") -> bytes:
    memory = bytearray(VM_MEMORY)
    for address, data in boot_memory(PEBBLE, VM_MEMORY, command_line, modules):
        memory[address : address + len(data)] = data
    return bytes(memory)


def text_at(memory: bytes, address: int) -> str:
    return memory[address : memory.index(b"\0", address)].decode()


@given(
    st.lists(st.tuples(st.binary(max_size=9000), st.text("abc /=.", min_size=1, max_size=40)), max_size=6),
    st.text("run= x", max_size=30),
)
def test_a_guest_finds_each_module_where_the_list_says(given: list[tuple[bytes, str]], command_line: str) -> None:
    modules = [Module(data, string) for data, string in given]
    check_start(PEBBLE, VM_MEMORY, command_line, modules)
    memory = guest_memory(modules, command_line)
    flags, count, list_at = (struct.unpack_from("<I", memory, MULTIBOOT_INFO + at)[0] for at in (0, 20, 24))
    assert flags & HAS_MODULES
    assert count == len(modules)
    end = IMAGE_END
    for index, module in enumerate(modules):
        start, stop, string, _ = struct.unpack_from("<IIII", memory, list_at + 16 * index)
        assert start % PAGE_SIZE == 0
        assert end <= start < end + PAGE_SIZE
        assert memory[start:stop] == module.data
        assert text_at(memory, string) == module.string
        assert string < BOOT_STACK_TOP
        end = stop
    assert text_at(memory, struct.unpack_from("<I", memory, MULTIBOOT_INFO + 16)[0]) == f"pebble {command_line}".strip()
    assert text_at(memory, struct.unpack_from("<I", memory, MULTIBOOT_INFO + 64)[0]) == "Ringside"


@pytest.mark.parametrize(
    ("words", "data", "string"),
    [
        ("plain.txt", b"plain", "plain.txt"),
        ("plain.txt:a string: with colons", b"plain", "a string: with colons"),
        ("with:colon", b"colon", "with:colon"),
        ("with:colon:its string", b"colon", "its string"),
        ("plain.txt:", b"plain", "plain.txt"),
    ],
)
def test_a_file_and_its_string(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, data: bytes, string: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.txt").write_bytes(b"plain")
    Path("with:colon").write_bytes(b"colon")
    module = load_module(words)
    assert (module.data, module.string) == (data, string)


@pytest.mark.parametrize(
    ("words", "said", "place"),
    [
        ("missing.bin", "is not there", "missing.bin"),
        ("missing.bin:string", "is not there", "missing.bin"),
        ("C:\\missing.bin:string", "is not there", "C:\\missing.bin"),
        ("folder", "is a folder", "folder"),
        ("plain.txt:größe", "ASCII", "plain.txt"),
    ],
)
def test_what_is_no_module_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.txt").write_bytes(b"plain")
    Path("folder").mkdir()
    with pytest.raises(ImageError, match=said) as refused:
        load_module(words)
    assert refused.value.place == place


@pytest.mark.parametrize(
    ("guest", "modules", "said"),
    [
        ("pebble", [Module(bytes(VM_MEMORY), "big", "big.img")], "of the machine's 16 MiB"),
        ("pebble", [Module(bytes(VM_MEMORY // 2), "one"), Module(bytes(VM_MEMORY // 2), "two", "two")], "16 MiB"),
        ("pebble", [Module(b"", "x" * 30_000)], "too long"),
        ("pebble", [Module(b"", "x")] * 2000, "too many modules"),
        ("hello", [Module(b"x", "x")], "no multiboot header"),
    ],
)
def test_modules_that_the_guest_cannot_be_given_are_refused(guest: str, modules: list[Module], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        check_start(load_program(guest), VM_MEMORY, "", modules)
