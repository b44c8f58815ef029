"""The image contract: what a guest finds when it is entered.

A guest is entered at its entry point in 32-bit protected mode with paging off, interrupts off, flat segments from a GDT
that stands in low memory, and a valid stack. One with a multiboot header (Multiboot Specification 0.6.96 §3.2, 3.3)
finds EAX = 0x2BADB002 and EBX pointing to the information structure.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from core.addresses import GuestPhysical
from core.errors import ImageError
from core.guests.image import Program
from core.layout import (
    BOOT_CODE_SELECTOR,
    BOOT_DATA_SELECTOR,
    BOOT_GDT,
    BOOT_STACK_TOP,
    MULTIBOOT_BOOTLOADER_MAGIC,
    MULTIBOOT_INFO,
)

FLAT_CODE, FLAT_DATA = 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF
GDT = struct.pack("<QQQ", 0, FLAT_CODE, FLAT_DATA)
LOW_MEMORY_END, HIGH_MEMORY = 0x9_FC00, 0x10_0000  # as every PC reports them
INFO_MEMORY, INFO_COMMAND_LINE, INFO_MEMORY_MAP, INFO_LOADER_NAME = 1 << 0, 1 << 2, 1 << 6, 1 << 9
INFO_BYTES = 120
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


def boot_memory(program: Program, memory: int, command_line: str = "") -> list[tuple[GuestPhysical, bytes]]:
    """What is in the VM's `memory` bytes at power-on: (address, bytes), the rest is zero."""
    contents = [(BOOT_GDT, GDT)]
    contents += [(segment.address, segment.data) for segment in program.segments]
    if program.multiboot:
        contents.append((MULTIBOOT_INFO, _multiboot_info(program.name, memory, command_line)))
    return contents


def check_command_line(program: Program, command_line: str) -> None:
    """Refuse a command line that the guest cannot be given."""
    if command_line and not program.multiboot:
        raise ImageError(
            f"{program.name} has no multiboot header, so it cannot be given a command line.",
            "Leave it out.",
            program.path,
        )
    size = len(command_line.encode()) + len(program.name) + 2
    if size > LONGEST_COMMAND_LINE:
        raise ImageError(
            f"The command line has {size} bytes; there is room for {LONGEST_COMMAND_LINE}.",
            "Make it shorter.",
            program.path,
        )


def _multiboot_info(name: str, memory: int, command_line: str) -> bytes:
    regions = ((0, LOW_MEMORY_END), (HIGH_MEMORY, memory - HIGH_MEMORY))
    map_ = b"".join(struct.pack("<IQQI", 20, base, length, RAM_AVAILABLE) for base, length in regions)
    map_at = MULTIBOOT_INFO + INFO_BYTES
    command_at = map_at + len(map_)
    text = f"{name} {command_line}".strip().encode() + b"\0"
    loader_at = command_at + len(text)
    info = bytearray(INFO_BYTES)
    flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MEMORY_MAP | INFO_LOADER_NAME
    struct.pack_into("<III", info, 0, flags, LOW_MEMORY_END >> 10, (memory - HIGH_MEMORY) >> 10)
    struct.pack_into("<I", info, 16, command_at)
    struct.pack_into("<II", info, 44, len(map_), map_at)
    struct.pack_into("<I", info, 64, loader_at)
    return bytes(info) + map_ + text + b"Ringside\0"
