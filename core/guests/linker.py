"""A linker for one object file: sections get addresses, relocations are applied, an ELF32 executable comes out.

The lab assembles one source at a time, so nothing more is needed. Layout: .text at 0x100000, then the other sections in
the order of the object, each on a boundary of 16 bytes at least. Format: System V ABI, i386 supplement; the relocations
that LLVM emits for flat 32-bit code.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from core.errors import AssemblyError

BASE = 0x10_0000
R_386_32, R_386_PC32, R_386_16, R_386_PC16, R_386_8, R_386_PC8, R_386_PLT32 = 1, 2, 20, 21, 22, 23, 4
_WIDTH = {R_386_32: 4, R_386_PC32: 4, R_386_PLT32: 4, R_386_16: 2, R_386_PC16: 2, R_386_8: 1, R_386_PC8: 1}
_RELATIVE = {R_386_PC32, R_386_PLT32, R_386_PC16, R_386_PC8}
ET_EXEC, EM_386, PT_LOAD, SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 2, 3, 1, 1, 2, 3, 8
PT_NOTE, SHT_NOTE = 4, 7  # what an image says of itself: for which interface it was written
EHDR, PHDR, SHDR, SYM = 52, 32, 40, 16
DEBUG_KEPT = (".debug_line", ".debug_line_str")


class UndefinedSymbol(Exception):
    """A symbol that is used but never defined; `name` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class DoesNotFit(Exception):
    """The address of symbol `name` in a field of `width` bytes."""

    def __init__(self, name: str, width: int) -> None:
        super().__init__(name, width)
        self.name, self.width = name, width


@dataclass
class _Section:
    name: str
    data: bytearray
    size: int
    align: int
    address: int = 0
    loaded: bool = True
    zero: bool = False
    note: bool = False
    index: int = 0  # in the executable


@dataclass
class _Symbol:
    name: str
    value: int
    section: int  # of the executable


@dataclass
class _Object:
    sections: dict[int, _Section] = field(default_factory=dict)  # by index in the object
    symbols: list[_Symbol] = field(default_factory=list)


def link(object_file: bytes) -> bytes:
    """The executable made of one ELF32 object; raises UndefinedSymbol or DoesNotFit."""
    elf = ELFFile(io.BytesIO(object_file))
    parts = _sections(elf)
    table = elf.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    values = _symbol_values(table, parts)
    for section in elf.iter_sections():
        if isinstance(section, RelocationSection) and section["sh_info"] in parts.sections:
            _relocate(parts.sections[section["sh_info"]], section, table, values)
    entry = next((s.value for wanted in ("_start", "start") for s in parts.symbols if s.name == wanted), None)
    if entry is None:
        entry = next(s.address for s in parts.sections.values() if s.name == ".text")
    return _write(parts, entry)


def _sections(elf: ELFFile) -> _Object:
    parts = _Object()
    order = sorted(enumerate(elf.iter_sections()), key=lambda pair: (pair[1]["sh_type"] == "SHT_NOBITS", pair[0]))
    address, number = BASE, 0
    for index, section in order:
        loaded = bool(section["sh_flags"] & SH_FLAGS.SHF_ALLOC)
        if not ((loaded and section["sh_size"]) or section.name in (*DEBUG_KEPT, ".text")):
            continue
        number += 1
        zero = section["sh_type"] == "SHT_NOBITS"
        found = _Section(section.name, bytearray() if zero else bytearray(section.data()), section["sh_size"], 1)
        found.note = section["sh_type"] == "SHT_NOTE"
        found.align, found.loaded, found.zero, found.index = max(section["sh_addralign"], 16), loaded, zero, number
        if loaded:
            found.address = (address + found.align - 1) // found.align * found.align
            address = found.address + found.size
        parts.sections[index] = found
    return parts


def _symbol_values(table: SymbolTableSection, parts: _Object) -> list[int | None]:
    values: list[int | None] = []
    for symbol in table.iter_symbols():
        where = symbol["st_shndx"]
        if where == "SHN_ABS":
            values.append(symbol["st_value"])
            continue
        section = parts.sections.get(where) if isinstance(where, int) else None
        if section is None:
            values.append(None)
            continue
        values.append(section.address + symbol["st_value"])
        if symbol.name and symbol["st_info"]["type"] not in ("STT_SECTION", "STT_FILE") and section.loaded:
            parts.symbols.append(_Symbol(symbol.name, section.address + symbol["st_value"], section.index))
    return values


def _relocate(
    section: _Section, relocations: RelocationSection, table: SymbolTableSection, values: list[int | None]
) -> None:
    for relocation in relocations.iter_relocations():
        kind, number, offset = relocation["r_info_type"], relocation["r_info_sym"], relocation["r_offset"]
        value = values[number]
        if value is None:
            name = table.get_symbol(number).name
            raise UndefinedSymbol(name)
        width = _WIDTH.get(kind)
        if width is None:
            raise AssemblyError(f"The source needs relocation type {kind}.", "Use plain 32-bit addresses.")
        addend = int.from_bytes(section.data[offset : offset + width], "little", signed=kind in _RELATIVE)
        result = value + addend - (section.address + offset if kind in _RELATIVE else 0)
        if not -(1 << 8 * width - 1) <= result < 1 << 8 * width and width < 4:
            raise DoesNotFit(table.get_symbol(number).name, width)
        section.data[offset : offset + width] = (result & (1 << 8 * width) - 1).to_bytes(width, "little")


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(b"\0")

    def add(self, text: str) -> int:
        at = len(self.data)
        self.data += text.encode() + b"\0"
        return at


def _write(parts: _Object, entry: int) -> bytes:
    sections = list(parts.sections.values())
    loaded = [section for section in sections if section.loaded and section.size]
    names, strings = _Strings(), _Strings()
    body = bytearray(EHDR + PHDR * (len(loaded) + sum(section.note for section in loaded)))
    headers = [bytes(SHDR)]
    programs: list[bytes] = []
    for section in sections:
        body += bytes(-len(body) % 16)
        at = len(body)
        if not section.zero:
            body += section.data
        kind = SHT_NOBITS if section.zero else SHT_NOTE if section.note else SHT_PROGBITS
        flags = 7 if section.loaded else 0
        headers.append(_header(names.add(section.name), kind, flags, section.address, at, section.size))
        if section in loaded:
            size = 0 if section.zero else section.size
            programs.append(
                struct.pack("<8I", PT_LOAD, at, section.address, section.address, size, section.size, 7, 16)
            )
            if section.note:
                programs.append(struct.pack("<8I", PT_NOTE, at, section.address, section.address, size, size, 4, 4))
    table = bytearray(SYM)
    for symbol in parts.symbols:
        table += struct.pack("<IIIBBH", strings.add(symbol.name), symbol.value, 0, 0x10, 0, symbol.section)
    for name, kind, data in ((".symtab", SHT_SYMTAB, table), (".strtab", SHT_STRTAB, strings.data)):
        link_ = len(headers) + 1 if kind == SHT_SYMTAB else 0
        headers.append(_header(names.add(name), kind, 0, 0, len(body), len(data), link_, SYM if link_ else 0))
        body += data
    name_at = names.add(".shstrtab")
    headers.append(_header(name_at, SHT_STRTAB, 0, 0, len(body), len(names.data)))
    body += names.data
    body += bytes(-len(body) % 4)
    identity = b"\x7fELF\x01\x01\x01" + bytes(9)
    body[:EHDR] = identity + struct.pack(
        "<HHIIIIIHHHHHH", ET_EXEC, EM_386, 1, entry, EHDR, len(body), 0, EHDR, PHDR, len(programs), SHDR, len(headers),
        len(headers) - 1,
    )  # fmt: skip
    body[EHDR : EHDR + PHDR * len(programs)] = b"".join(programs)
    return bytes(body) + b"".join(headers)


def _header(
    name: int, kind: int, flags: int, address: int, at: int, size: int, link_: int = 0, entry: int = 0
) -> bytes:
    return struct.pack(
        "<10I", name, kind, flags, address, at, size, link_, 1 if link_ else 0, 16 if flags else 1, entry
    )
