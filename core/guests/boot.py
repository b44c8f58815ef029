"""The image contract: what a guest finds when it is entered.

A guest is entered at its entry point in 32-bit protected mode with paging off, interrupts off, flat segments from a GDT
that stands in low memory, and a valid stack. One with a multiboot header (Multiboot Specification 0.6.96 §3.2, 3.3)
finds EAX = 0x2BADB002 and EBX pointing to the information structure: memory map, command line, and the modules, which
lie on pages of their own behind the image.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from core.addresses import PAGE_SIZE, GuestPhysical
from core.errors import ImageError
from core.guests.image import Program
from core.guests.modules import Module
from core.layout import (
    BOOT_CODE_SELECTOR,
    BOOT_DATA_SELECTOR,
    BOOT_GDT,
    BOOT_STACK_TOP,
    MULTIBOOT_BOOTLOADER_MAGIC,
    MULTIBOOT_INFO,
    MULTIBOOT_INFO_END,
)

FLAT_CODE, FLAT_DATA = 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF
GDT = struct.pack("<QQQ", 0, FLAT_CODE, FLAT_DATA)
LOW_MEMORY_END, HIGH_MEMORY = 0x9_FC00, 0x10_0000  # as every PC reports them
INFO_MEMORY, INFO_COMMAND_LINE, INFO_MODULES, INFO_MEMORY_MAP, INFO_LOADER_NAME = 1, 1 << 2, 1 << 3, 1 << 6, 1 << 9
INFO_BYTES, MODULE_BYTES = 120, 16
RAM_AVAILABLE = 1
LONGEST_COMMAND_LINE = 4096


@dataclass(frozen=True, slots=True)
class BootState:
    """The registers that a guest is entered with."""

    eip: int
    eax: int
    ebx: int
    esp: int
    gdt_base: int
    gdt_limit: int
    code_selector: int
    data_selector: int


def boot_state(program: Program) -> BootState:
    """The registers for `program`."""
    return BootState(
        eip=program.entry,
        eax=MULTIBOOT_BOOTLOADER_MAGIC if program.multiboot else 0,
        ebx=MULTIBOOT_INFO if program.multiboot else 0,
        esp=BOOT_STACK_TOP,
        gdt_base=BOOT_GDT,
        gdt_limit=len(GDT) - 1,
        code_selector=BOOT_CODE_SELECTOR,
        data_selector=BOOT_DATA_SELECTOR,
    )


def boot_memory(
    program: Program, memory: int, command_line: str = "", modules: Sequence[Module] = ()
) -> list[tuple[GuestPhysical, bytes]]:
    """What is in the VM's `memory` bytes at power-on: (address, bytes), the rest is zero."""
    contents = [(BOOT_GDT, GDT)]
    contents += [(segment.address, segment.data) for segment in program.segments]
    if program.multiboot:
        places = _places(program, modules)
        contents.append((MULTIBOOT_INFO, _multiboot_info(program.name, memory, command_line, modules, places)))
        contents += [(at, module.data) for at, module in zip(places, modules, strict=True)]
    return contents


def check_start(program: Program, memory: int, command_line: str, modules: Sequence[Module]) -> None:
    """Refuse a command line or modules that the guest cannot be given."""
    for given, what in ((command_line, "a command line"), (modules, "modules")):
        if given and not program.multiboot:
            raise ImageError(
                f"{program.name} has no multiboot header, so it cannot be given {what}.", "Leave it out.", program.path
            )
    if "\0" in command_line:
        raise ImageError("A command line ends at a zero byte, and this one has one inside.", "Leave it out.")
    size = len(f"{program.name}{command_line}".encode(errors="replace")) + 2
    if size > LONGEST_COMMAND_LINE:
        raise ImageError(
            f"The command line has {size} bytes; there is room for {LONGEST_COMMAND_LINE}.",
            "Make it shorter.",
            program.path,
        )
    places = _places(program, modules)
    for at, module in zip(places, modules, strict=True):
        if at + len(module.data) > memory:
            raise ImageError(
                f"The module has {len(module.data):,} bytes, and of the machine's {memory >> 20} MiB "
                f"{max(memory - at, 0):,} are left for it.",
                "Use a smaller one, or leave another out.",
                module.path,
            )
    if MULTIBOOT_INFO + len(_multiboot_info(program.name, memory, command_line, modules, places)) > MULTIBOOT_INFO_END:
        raise ImageError("There are too many modules, or their strings are too long.", "Leave some out.", program.path)


def _places(program: Program, modules: Sequence[Module]) -> list[GuestPhysical]:
    """Where the modules go: on pages of their own, behind the image and above the first MiB."""
    end = max((segment.address + segment.size for segment in program.segments), default=0)
    at, places = max(end, HIGH_MEMORY), []
    for module in modules:
        at = -(-at // PAGE_SIZE) * PAGE_SIZE
        places.append(GuestPhysical(at))
        at += len(module.data)
    return places


def _multiboot_info(
    name: str, memory: int, command_line: str, modules: Sequence[Module], places: Sequence[int]
) -> bytes:
    regions = ((0, LOW_MEMORY_END), (HIGH_MEMORY, memory - HIGH_MEMORY))
    map_ = b"".join(struct.pack("<IQQI", 20, base, length, RAM_AVAILABLE) for base, length in regions)
    map_at = MULTIBOOT_INFO + INFO_BYTES
    list_at = map_at + len(map_)
    command_at = list_at + MODULE_BYTES * len(modules)
    text = f"{name} {command_line}".strip().encode(errors="replace") + b"\0"
    loader_at = command_at + len(text)
    strings = b"Ringside\0"
    list_ = b""
    for at, module in zip(places, modules, strict=True):
        list_ += struct.pack("<IIII", at, at + len(module.data), loader_at + len(strings), 0)
        strings += module.string.encode() + b"\0"
    info = bytearray(INFO_BYTES)
    flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME
    struct.pack_into("<III", info, 0, flags, LOW_MEMORY_END >> 10, (memory - HIGH_MEMORY) >> 10)
    struct.pack_into("<III", info, 16, command_at, len(modules), list_at)
    struct.pack_into("<II", info, 44, len(map_), map_at)
    struct.pack_into("<I", info, 64, loader_at)
    return bytes(info) + map_ + list_ + text + strings
