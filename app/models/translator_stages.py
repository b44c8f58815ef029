"""The translator's work on one unit as stages, each told from what it reported of that work.

Fetch, decode, decide, emit, run: a unit goes through them once, and slow motion shows one at a time.
"""

from __future__ import annotations

from enum import IntEnum

from app.models.block_model import Reveal
from app.models.block_rows import NameOf
from app.models.fates import FATES
from core.translations import Fate, SeenBlock, UnitWork


class Stage(IntEnum):
    """The stages, in order; `title` is the word on its button, `tip` what happens in it."""

    FETCH = (0, "Fetch", "The guest's code is read where its own page tables say it lies.")
    DECODE = (1, "Decode", "Bytes become instructions, up to twelve, or to the first that may go elsewhere.")
    DECIDE = (2, "Decide", "For each instruction: may it stay as it is, and if not, why?")
    EMIT = (3, "Emit", "The translation is written into the cache.")
    RUN = (4, "Run", "The CPU goes on in the cache, and jumps that led here lead there from now on.")

    title: str
    tip: str

    def __new__(cls, value: int, title: str, tip: str) -> Stage:
        member = int.__new__(cls, value)
        member._value_ = value
        member.title, member.tip = title, tip
        return member


REVEALS = {
    Stage.FETCH: Reveal.BYTES,
    Stage.DECODE: Reveal.INSTRUCTIONS,
    Stage.DECIDE: Reveal.FATES,
    Stage.EMIT: Reveal.ALL,
    Stage.RUN: Reveal.ALL,
}


def told(stage: Stage, work: UnitWork, seen: SeenBlock, name_of: NameOf) -> str:
    """What happened in that stage, in a sentence or two."""
    match stage:
        case Stage.FETCH:
            place = f"{work.pc:#010x}" + (f" ({name_of(work.pc)})" if name_of(work.pc) else "")
            return (
                f"The guest goes on at {place}, and there is no translation of that: {work.cause.value}. "
                f"{work.read} bytes are read at guest-physical {work.physical:#010x}."
            )
        case Stage.DECODE:
            these = f"The first {_many(seen.block.length, 'byte')} are {_many(len(seen.guest), 'instruction')}."
            return f"{these} There the unit ends: {work.end.value}."
        case Stage.DECIDE:
            return _decided(seen)
        case Stage.EMIT:
            return (
                f"{_many(seen.block.length, 'byte')} of the guest's became {seen.block.size}, "
                f"at {seen.block.start:#010x} in the cache: block {seen.block.ordinal}."
            )
        case Stage.RUN:
            return f"The CPU goes on at {seen.block.entry:#010x}, in ring 1. {_joined(seen)}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _decided(seen: SeenBlock) -> str:
    counts = {fate: sum(each.fate is fate for each in seen.guest) for fate in Fate}
    words = ", ".join(f"{count} {FATES[fate].name}" for fate, count in counts.items() if count)
    changed = next((each for each in seen.guest if FATES[each.fate].ring is not None), None)
    if changed is None:
        changed = next((each for each in seen.guest if each.fate is not Fate.COPIED), None)
    if changed is None:
        return f"{words}. Nothing here is sensitive."
    return f"{words}. {changed.text}: {changed.reason.phrase}."


def _joined(seen: SeenBlock) -> str:
    sources = [str(each) for each in seen.chained_from]
    if len(sources) == 1:
        return f"Block {sources[0]} is chained to it: from now on it jumps straight here."
    if sources:
        return f"Blocks {', '.join(sources)} are chained to it: from now on they jump straight here."
    return "No jump is chained to it: it was reached by an entry of the kernel, or by the lookup of an indirect jump."
