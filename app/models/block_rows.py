"""A block of the translation cache in rows: each of the guest's instructions beside all that it became.

A row holds at most one instruction of either side. What belongs to no instruction of the guest's, the ways out of the
block and its door for lookups, stands below under headings of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from core.layout import TRANSLATION_TABLE, TRANSLATION_VARIABLES
from core.translations import GuestInstruction, Part, SeenBlock, SeenCache, TranslatedInstruction
from core.translator.region import Slot

NameOf = Callable[[int], str]
OUT = "Ways out of the block"
BREAK = "Where all enter: the guest's own breakpoint"
DOOR = "Its door: a lookup leads here, by half of the address"


class Link(Enum):
    """How a row hangs on what stands left of it."""

    NONE = 0
    ONLY = 1  # one became one
    FIRST = 2  # the first of several
    MIDDLE = 3
    LAST = 4


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One row. `of` is the instruction that what stands here was made from, also where that stands further up.

    first     the guest's instruction itself, where the row is its first
    became    an instruction in the cache
    text      that, with names for the monitor's variables and for what it jumps to
    note      more about where it leads, or what it calls the monitor for
    heading   words across the row, in place of all else
    """

    of: GuestInstruction | None = None
    first: GuestInstruction | None = None
    became: TranslatedInstruction | None = None
    link: Link = Link.NONE
    text: str = ""
    note: str = ""
    heading: str = ""


def rows_of(seen: SeenBlock, cache: SeenCache | None, name_of: NameOf) -> tuple[BlockRow, ...]:
    """The rows of a block; `cache` says what its jumps lead to, `name_of` names guest addresses ("" if it cannot)."""
    notes = _Notes(seen, cache, name_of)
    rows: list[BlockRow] = []
    for number, guest in enumerate(seen.guest):
        became = [each for each in seen.translated if each.part is Part.BODY and each.guest == number]
        for place, each in enumerate(became):
            link = Link.ONLY
            if len(became) > 1:
                link = Link.FIRST if place == 0 else Link.LAST if place == len(became) - 1 else Link.MIDDLE
            rows.append(BlockRow(guest, guest if place == 0 else None, each, link, *notes.of(each)))
    out = [each for each in seen.translated if each.part not in (Part.BODY, Part.BREAK, Part.DOOR)]
    breaks = [each for each in seen.translated if each.part is Part.BREAK]
    door = [each for each in seen.translated if each.part is Part.DOOR]
    for heading, those in ((OUT, out), (BREAK, breaks), (DOOR, door)):
        if those:
            rows.append(BlockRow(heading=heading))
        rows += (BlockRow(None, None, each, Link.NONE, *notes.of(each)) for each in those)
    return tuple(rows)


class _Notes:
    """What is to be said of translated instructions."""

    def __init__(self, seen: SeenBlock, cache: SeenCache | None, name_of: NameOf) -> None:
        self._seen, self._name_of = seen, name_of
        self._pcs = {each.ordinal: each.pc for each in cache.blocks} if cache is not None else {}
        self._routines = cache.routines if cache is not None else ()

    def of(self, each: TranslatedInstruction) -> tuple[str, str]:
        """Text and note of one."""
        if each.calls:
            return each.text, f"calls the monitor {each.calls}"
        name = each.text.split(" ")[0]
        for way in self._seen.exits:
            if each.at <= way.site < each.at + len(each.code):
                if way.chained_to is None:
                    return f"{name} its stub", f"not chained yet; leads to {self._place(way.target)}"
                return f"{name} block {way.chained_to}", self._place(self._pcs.get(way.chained_to, way.target))
        jumped = _JUMP.fullmatch(each.text)
        if jumped and any(at == int(jumped[1], 16) for at, _size in self._routines):
            return f"{name} monitor", "it is another address with the same half: asks for its translation"
        if _TABLE in each.text:
            return f"{name} [lookup table]", "by the low half of the address, to the door of its block"
        return _with_names(each.text), ""

    def _place(self, pc: int) -> str:
        return self._name_of(pc) or f"{pc:#010x}"


_JUMP = re.compile(r"jmp (?:near |short )?0x([0-9a-f]+)")
_TABLE = f"{TRANSLATION_TABLE:#x}]"
_VARIABLE = re.compile(r"\[cs:0x([0-9a-f]{8})\]")
_NAMES = {
    TRANSLATION_VARIABLES + slot: f"[{slot.name.replace('_', ' ').lower().replace('virtual if', 'virtual IF')}]"
    for slot in Slot
}
_NAMES |= {
    TRANSLATION_VARIABLES + slot: f"[guest's {slot.name.replace('_', ' ')}]"
    for slot in (Slot.CR0, Slot.CR2, Slot.CR3, Slot.CR4, Slot.CS, Slot.SS)
}


def _with_names(text: str) -> str:
    """An instruction's text with the monitor's variables called by their names."""
    return _VARIABLE.sub(lambda found: _NAMES.get(int(found[1], 16), found[0]), text)
