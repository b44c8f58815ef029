"""ELF32 executables for i386: segments, symbols and line numbers, read with pyelftools.

Loaded is what the program headers say, at physical addresses, as a boot loader does (System V ABI, ch. 5). Anything
odd is refused with one sentence; whatever pyelftools stumbles over counts as a damaged file. A kernel may carry its
programs as whole ELF files in its own data, at symbols `program_NAME`: they are read with it.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.structs import DWARFStructs
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from elftools.elf.segments import NoteSegment

from core.addresses import GuestPhysical
from core.errors import ImageError
from core.guests.image import ImageSegment, Interface, Program, SourceFile, check_fit
from core.guests.multiboot import is_multiboot

MAGIC = b"\x7fELF"
LARGEST = 256 << 20  # bytes in all segments
MOST_PROGRAMS = 64
EMBEDDED = "program_"  # a symbol so begun marks a program inside the image
NOTE_OWNER, NOTE_PARAVIRT = "Ringside", 0x100  # the ELF note of a paravirtual kernel; its descriptor is a version
MACHINES = {"EM_386": "i386", "EM_X86_64": "x86-64", "EM_ARM": "ARM", "EM_AARCH64": "AArch64", "EM_RISCV": "RISC-V"}


@contextmanager
def _damaged(place: str) -> Iterator[None]:
    """Whatever a parser raises on a damaged file becomes one sentence."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - pyelftools raises nearly anything on damaged input
        raise ImageError(
            f"The ELF file is damaged or cut short ({type(error).__name__}).", "Build or copy it again.", place
        ) from None


def load_elf(
    image: bytes, name: str, path: str, sources: tuple[SourceFile, ...] = (), *, embedded: bool = False
) -> Program:
    """The program in `image`; `path` is named in errors. `embedded`: it was found inside another."""
    with _damaged(path):
        elf = ELFFile(io.BytesIO(image))
        _check_header(elf, path)
        segments = _segments(elf, image, path)
        if not embedded:  # a program's own addresses are linear ones, and no place in RAM
            check_fit(segments, path)
        entry = elf["e_entry"]
        if not any(segment.address <= entry < segment.address + segment.size for segment in segments):
            raise ImageError(
                f"The entry point {entry:#x} lies in no segment of the image.", "Check the linker script's ENTRY.", path
            )
        symbols = _symbols(elf)
        return Program(
            name=name,
            title=name,
            summary="",
            path=path,
            entry=entry,
            segments=segments,
            symbols=symbols,
            lines=_lines(elf),
            sources=sources,
            multiboot=not embedded and is_multiboot(image, path),
            interface=_interface(elf),
            programs={} if embedded else _programs(segments, symbols, path),
            image=b"" if embedded else image,
        )


def _programs(segments: tuple[ImageSegment, ...], symbols: dict[str, int], path: str) -> dict[str, Program]:
    """The ELF executables that stand at symbols `program_NAME` of the image, by name; unreadable ones are left out."""
    found: dict[str, Program] = {}
    marked = [symbol for symbol in symbols if symbol.startswith(EMBEDDED)][:MOST_PROGRAMS]
    for symbol in marked:
        name, address = symbol.removeprefix(EMBEDDED), symbols[symbol]
        for segment in segments:
            start = address - segment.address
            if start >= 0 and segment.data[start : start + len(MAGIC)] == MAGIC:
                with suppress(ImageError):
                    found[name] = load_elf(segment.data[start:], name, f"{path}:{symbol}", embedded=True)
    return found


def _check_header(elf: ELFFile, path: str) -> None:
    if elf.elfclass != 32:
        raise ImageError(
            "This is a 64-bit ELF file; the lab's machine is 32-bit.", "Build it for i386 (-m32, elf_i386).", path
        )
    if elf["e_machine"] != "EM_386" or not elf.little_endian:
        machine = MACHINES.get(elf["e_machine"], str(elf["e_machine"]))
        raise ImageError(f"This ELF file is for {machine}, not for i386.", "Build it for i386.", path)
    if elf["e_type"] != "ET_EXEC":
        raise ImageError(
            "This ELF file is not an executable with fixed addresses.", "Link it statically (-static, no -pie).", path
        )


def _segments(elf: ELFFile, image: bytes, path: str) -> tuple[ImageSegment, ...]:
    found: list[ImageSegment] = []
    whole = 0
    for segment in elf.iter_segments():
        if segment["p_type"] != "PT_LOAD" or not segment["p_memsz"]:
            continue
        start, size = segment["p_offset"], segment["p_filesz"]
        if start + size > len(image) or size > segment["p_memsz"]:
            raise ImageError(
                "The ELF file is damaged or cut short (a segment ends beyond the file).",
                "Build or copy it again.",
                path,
            )
        found.append(ImageSegment(GuestPhysical(segment["p_paddr"]), image[start : start + size], segment["p_memsz"]))
        whole += size
        if whole > LARGEST:
            raise ImageError(
                "The segments of the ELF file hold more than any guest's memory.", "Build or copy it again.", path
            )
    if not found:
        raise ImageError("The ELF file has nothing to load.", "Does it contain code?", path)
    return tuple(found)


def _interface(elf: ELFFile) -> Interface:
    """What the image was written for: a note of ours names the paravirtual interface."""
    for segment in elf.iter_segments():
        if isinstance(segment, NoteSegment):
            for note in segment.iter_notes():
                kind: object = note["n_type"]  # a number, or a name where pyelftools knows one
                if note["n_name"] == NOTE_OWNER and kind == NOTE_PARAVIRT:
                    return Interface.PARAVIRT
    return Interface.PC


def _symbols(elf: ELFFile) -> dict[str, int]:
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        return {}
    return {
        symbol.name: symbol["st_value"]
        for symbol in table.iter_symbols()
        if symbol.name and symbol["st_info"]["type"] in ("STT_NOTYPE", "STT_FUNC", "STT_OBJECT")
        and isinstance(symbol["st_shndx"], int)
    }  # fmt: skip


def source_names(header: Mapping[str, Any]) -> list[str]:
    """The source files that the header of a line table names, as they are called in `Program.lines`."""
    old = header["version"] < 5
    folders = [b"", *header["include_directory"]] if old else list(header["include_directory"])
    return [
        posixpath.normpath(posixpath.join(folders[entry.dir_index], entry.name).decode(errors="replace"))
        for entry in header["file_entry"]
    ]


def _lines(elf: ELFFile) -> dict[int, tuple[str, int]]:
    """The line table, read from .debug_line alone: an assembler need not describe compilation units."""
    section = elf.get_section_by_name(".debug_line")
    if section is None:
        return {}
    try:
        dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
        structs = DWARFStructs(little_endian=True, dwarf_format=32, address_size=4)
        lines: dict[int, tuple[str, int]] = {}
        offset = 0
        while offset < section["sh_size"]:
            program = dwarf._parse_line_program_at_offset(offset, structs)
            first = 0 if program["version"] >= 5 else 1
            files = source_names(program.header)
            for entry in program.get_entries():
                state = entry.state
                if state is None or state.end_sequence or not state.is_stmt or not state.line:
                    continue
                if 0 <= state.file - first < len(files):
                    lines[state.address] = (files[state.file - first], state.line)  # of several the last is in force
            offset += program["unit_length"] + 4
        return lines
    except (DWARFError, ELFError, KeyError, ValueError, IndexError, AttributeError, EOFError):
        return {}  # a program without line numbers is still a program
