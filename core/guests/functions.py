"""Functions, the calls that the compiler put in line, and their parameters: DWARF's description of an image.

Read with pyelftools from an ELF file's debug information (DWARF 4 §3.3); an image without any, or with some that cannot
be read, simply knows no function.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.dwarfinfo import DWARFInfo
from elftools.dwarf.locationlists import LocationEntry, LocationExpr, LocationParser
from elftools.dwarf.ranges import BaseAddressEntry
from elftools.elf.elffile import ELFFile

from core.guests.dwarf_place import Operation
from core.guests.elf import source_names
from core.guests.unwind import UnwindTable

Expression = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a value means: its bytes, whether it is signed, points somewhere, to text, or is one of `names`."""

    size: int = 4
    signed: bool = False
    pointer: bool = False
    text: bool = False
    boolean: bool = False
    names: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A formal parameter: where it is in which range of addresses (start, stop), or the constant that it always is."""

    name: str
    type: ValueType
    places: tuple[tuple[int, int, Expression], ...] = ()
    constant: int | None = None

    def place_at(self, address: int) -> Expression | None:
        """The expression that holds at `address`, if any does."""
        return next((place for start, stop, place in self.places if start <= address < stop), None)


@dataclass(frozen=True, slots=True)
class Scope:
    """A function, or a call of one that was put in line.

    ranges     of addresses (start, stop)
    depth      how many functions it is in line in; 0 for a function itself
    call       file and line of the call, for one in line
    frame_base what its locations count from
    """

    name: str
    ranges: tuple[tuple[int, int], ...]
    depth: int
    parameters: tuple[Parameter, ...]
    call: tuple[str, int] | None
    frame_base: Expression

    def covers(self, address: int) -> bool:
        """Does the instruction at `address` belong to it?"""
        return any(start <= address < stop for start, stop in self.ranges)


class DebugInfo:
    """What an ELF image says of its functions and frames; empty if it says nothing that can be read."""

    def __init__(self, image: bytes) -> None:
        self._functions: list[list[Scope]] = []  # each with what is in line in it, by address
        self._starts: list[int] = []
        self.unwind: UnwindTable | None = None
        try:
            elf = ELFFile(io.BytesIO(image))
            if not elf.has_dwarf_info():
                return
            dwarf = elf.get_dwarf_info()
            self.unwind = UnwindTable(dwarf)
            self._functions = sorted(_functions(dwarf), key=lambda scopes: scopes[0].ranges)
            self._starts = [scopes[0].ranges[0][0] for scopes in self._functions]
        except (ELFError, DWARFError, KeyError, ValueError, IndexError, AttributeError, EOFError, TypeError):
            return  # a guest without readable debug information is still a guest

    def scopes_at(self, address: int) -> list[Scope]:
        """The function at `address` and what is in line there, innermost first."""
        place = bisect_right(self._starts, address) - 1
        if place < 0:
            return []
        found = [scope for scope in self._functions[place] if scope.covers(address)]
        return sorted(found, key=lambda scope: -scope.depth)


MOST = 1 << 32


class _Unit:
    """One compilation unit, with what reading it takes."""

    def __init__(self, dwarf: DWARFInfo, unit: CompileUnit) -> None:
        self.dwarf = dwarf
        self._unit = unit
        self.top = unit.get_top_DIE()
        self._expressions = DWARFExprParser(unit.structs)
        self._locations = LocationParser(dwarf.location_lists())
        self._version = unit["version"]
        low = self.top.attributes.get("DW_AT_low_pc")
        self.base = low.value if low is not None else 0
        program = dwarf.line_program_for_CU(unit)
        self.files = source_names(program.header) if program is not None else []
        self.first_file = 0 if program is not None and program.header["version"] >= 5 else 1

    def expression(self, data: Sequence[int]) -> Expression:
        return tuple(Operation(each.op_name, tuple(each.args)) for each in self._expressions.parse_expr(list(data)))

    def places(self, die: DIE) -> Iterator[tuple[int, int, Expression]]:
        attribute = die.attributes.get("DW_AT_location")
        if attribute is None or not self._locations.attribute_has_location(attribute, self._version):
            return
        found = self._locations.parse_from_attribute(attribute, self._version, die)
        if isinstance(found, LocationExpr):
            yield 0, MOST, self.expression(found.loc_expr)
            return
        for entry in found:
            if isinstance(entry, LocationEntry):
                base = 0 if entry.is_absolute else self.base
                yield base + entry.begin_offset, base + entry.end_offset, self.expression(entry.loc_expr)

    def ranges(self, die: DIE) -> tuple[tuple[int, int], ...]:
        low, high, several = (die.attributes.get(f"DW_AT_{name}") for name in ("low_pc", "high_pc", "ranges"))
        if low is not None and high is not None:
            stop = high.value if high.form == "DW_FORM_addr" else low.value + high.value
            return ((low.value, stop),)
        lists = self.dwarf.range_lists()
        if several is None or lists is None:
            return ()
        found: list[tuple[int, int]] = []
        base = self.base
        for entry in lists.get_range_list_at_offset(several.value, self._unit):
            if isinstance(entry, BaseAddressEntry):
                base = entry.base_address
            else:
                start = 0 if entry.is_absolute else base
                found.append((start + entry.begin_offset, start + entry.end_offset))
        return tuple(found)

    def scope(self, die: DIE, depth: int) -> Scope:
        call = None
        if depth and "DW_AT_call_line" in die.attributes:
            file = die.attributes["DW_AT_call_file"].value - self.first_file
            name = self.files[file] if 0 <= file < len(self.files) else ""
            call = name, die.attributes["DW_AT_call_line"].value
        base = die.attributes.get("DW_AT_frame_base")
        parameters = (self.parameter(each) for each in die.iter_children() if each.tag == "DW_TAG_formal_parameter")
        return Scope(
            name=_name(die),
            ranges=self.ranges(die),
            depth=depth,
            parameters=tuple(parameters),
            call=call,
            frame_base=self.expression(base.value) if base is not None and isinstance(base.value, list) else (),
        )

    def parameter(self, die: DIE) -> Parameter:
        constant = die.attributes.get("DW_AT_const_value")
        value = constant.value if constant is not None and isinstance(constant.value, int) else None
        return Parameter(_name(die), _type(die), tuple(self.places(die)), value)


def _functions(dwarf: DWARFInfo) -> Iterator[list[Scope]]:
    for each in dwarf.iter_CUs():
        unit = _Unit(dwarf, each)
        for die in unit.top.iter_children():
            if die.tag == "DW_TAG_subprogram":
                found = unit.scope(die, 0)
                if found.ranges:
                    yield [found, *_inlined(unit, die, 1, found.frame_base)]


def _inlined(unit: _Unit, parent: DIE, depth: int, frame_base: Expression) -> Iterator[Scope]:
    for die in parent.iter_children():
        if die.tag == "DW_TAG_inlined_subroutine":
            found = unit.scope(die, depth)
            yield Scope(found.name, found.ranges, depth, found.parameters, found.call, frame_base)
            yield from _inlined(unit, die, depth + 1, frame_base)
        elif die.tag == "DW_TAG_lexical_block":
            yield from _inlined(unit, die, depth, frame_base)


def _origin(die: DIE) -> DIE:
    """Where its name and type stand: a copy of a function refers to the function."""
    while "DW_AT_abstract_origin" in die.attributes or "DW_AT_specification" in die.attributes:
        which = "abstract_origin" if "DW_AT_abstract_origin" in die.attributes else "specification"
        die = die.get_DIE_from_attribute(f"DW_AT_{which}")
    return die


def _name(die: DIE) -> str:
    found = _origin(die).attributes.get("DW_AT_name")
    return found.value.decode(errors="replace") if found is not None else ""


_TRANSPARENT = ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type")


def _aim(die: DIE) -> DIE | None:
    """The type that a declaration or a derived type refers to, without names and qualifiers; None for void."""
    found: DIE | None = _origin(die)
    while found is not None:
        found = found.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in found.attributes else None
        if found is None or found.tag not in _TRANSPARENT:
            return found
    return None


def _type(die: DIE) -> ValueType:
    found = _aim(die)
    if found is None:
        return ValueType()
    size = found.attributes["DW_AT_byte_size"].value if "DW_AT_byte_size" in found.attributes else 4
    if found.tag == "DW_TAG_pointer_type":
        aim = _aim(found)
        text = aim is not None and _name(aim) == "char"
        return ValueType(4, pointer=True, text=text)
    if found.tag == "DW_TAG_enumeration_type":
        names = ((each.attributes["DW_AT_const_value"].value, _name(each)) for each in found.iter_children())
        return ValueType(size, names=tuple(names))
    encoding = found.attributes["DW_AT_encoding"].value if "DW_AT_encoding" in found.attributes else 7
    return ValueType(size, signed=encoding in (5, 6), boolean=encoding == 2)  # DW_ATE_signed, _signed_char, _boolean
