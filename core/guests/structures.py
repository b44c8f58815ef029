"""The layout of a compiled guest's C structures, read from its debug information (DWARF 4, with pyelftools).

So that the lab can read a guest's own records out of its memory without asking the guest, and without a table of
offsets that would have to be kept true by hand.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure's size in bytes and where each member begins."""

    size: int
    offsets: dict[str, int]


@dataclass(frozen=True, slots=True)
class Types:
    """Structures and enumerations of one source file, by name; enumerators in the order of their values."""

    structures: dict[str, Structure]
    enumerations: dict[str, tuple[str, ...]]


@lru_cache(maxsize=8)
def types_of(image: bytes, source: str) -> Types | None:
    """The types that `source` (the end of its name) uses in the ELF file `image`; None if none can be read."""
    try:
        elf = ELFFile(io.BytesIO(image))
        if not elf.has_dwarf_info():
            return None
        for unit in elf.get_dwarf_info().iter_CUs():
            top = unit.get_top_DIE()
            if _name(top).endswith(source):
                return Types(dict(_structures(top)), dict(_enumerations(top)))
    except (ELFError, DWARFError, KeyError, ValueError):
        return None  # a guest without readable debug information is still a guest
    return None


def _name(die: DIE) -> str:
    found = die.attributes.get("DW_AT_name")
    return found.value.decode(errors="replace") if found is not None else ""


def _structures(top: DIE) -> Iterator[tuple[str, Structure]]:
    for die in top.iter_children():
        if die.tag == "DW_TAG_structure_type" and _name(die) and "DW_AT_byte_size" in die.attributes:
            members = {
                _name(member): member.attributes["DW_AT_data_member_location"].value
                for member in die.iter_children()
                if member.tag == "DW_TAG_member"
            }
            yield _name(die), Structure(die.attributes["DW_AT_byte_size"].value, members)


def _enumerations(top: DIE) -> Iterator[tuple[str, tuple[str, ...]]]:
    for die in top.iter_children():
        if die.tag == "DW_TAG_enumeration_type" and _name(die):
            values = {each.attributes["DW_AT_const_value"].value: _name(each) for each in die.iter_children()}
            yield _name(die), tuple(values[value] for value in sorted(values))
