"""What a translation cache holds, as facts for onlookers: its map, one block beside what it became, its counters.

Adams & Agesen (ASPLOS 2006, §3) name what becomes of a guest's instruction; the same terms are used here by the
translator and by those who look at its work. Everything is read from the live cache at one instant
(`core.translator.picture`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What became of an instruction. `phrase` is for people."""

    COPIED = ("copied", "runs as it is")
    BRANCH = ("branch", "goes on in the cache")
    IN_LINE = ("in-line", "replaced in line")
    CALLOUT = ("callout", "calls the monitor")

    phrase: str
    __hash__ = object.__hash__  # counts are kept by fate, and an enumeration's own hash takes five times as long

    def __new__(cls, value: str, phrase: str) -> Fate:
        member = object.__new__(cls)
        member._value_ = value
        member.phrase = phrase
        return member


KINDS = {Fate.COPIED: "identical", Fate.BRANCH: "rewritten", Fate.IN_LINE: "replaced", Fate.CALLOUT: "callout"}
"""Each fate in the word that the window and the lessons have for it."""


class Reason(Enum):
    """Why an instruction was copied, or why it could not be. `phrase` is for people."""

    HARMLESS = ("harmless", "does in ring 1 what it does in ring 0")
    UNKNOWN = ("unknown", "is no instruction that the translator knows: the CPU itself shall say what it is")
    VIRTUAL_IF = ("virtual IF", "the interrupt flag that the guest believes in is a variable of the monitor's")
    FLAGS = ("flags", "PUSHF and POPF do not trap in ring 1: they would show and keep the real flags")
    SELECTOR = ("selector", "it would show ring 1 in the selector")
    RPL = ("RPL", "ring 1 would let a selector with RPL 1 pass, which ring 0 refuses")
    TABLE = ("descriptor table", "it would show the monitor's own table")
    CONTROL = ("control register", "the guest's control registers are variables of the monitor's")
    RETURN = ("return", "return addresses are the guest's own; the translation of one is looked up")
    CALL = ("call", "pushes the guest's return address, and goes on with the translation of what is called")
    JUMP = ("jump", "the target's translation lies elsewhere")
    TRANSFER = ("far transfer", "goes where only the monitor can say")
    SHADOW = ("interrupt shadow", "interrupts stay closed for one more instruction, and the monitor keeps that")
    STACK = ("stack segment", "ring 1 may not load the stack segment of ring 0")
    PRIVILEGED = ("privileged", "ring 1 may not do it: it would trap, and calling the monitor costs less")
    TRAPS = ("traps often", "as it was it trapped again and again: calling the monitor costs less")
    DESCRIPTOR = ("descriptor", "it does not trap in ring 1, and would tell of the monitor's descriptors")

    phrase: str

    def __new__(cls, value: str, phrase: str) -> Reason:
        member = object.__new__(cls)
        member._value_ = value
        member.phrase = phrase
        return member


class UnitEnd(Enum):
    """Why a unit ends where it does; `value` says it in words."""

    FLOW = "the last of them may go elsewhere"
    LENGTH = "no unit has more than twelve"
    PAGE = "the next would lie on another page, or is no instruction"
    BREAKPOINT = "the guest has armed a hardware breakpoint on the next"


class UnitCause(Enum):
    """Why the translator was called; `value` says it in words."""

    ENTRY = "the kernel was entered here, or goes on here after the monitor has acted"
    JUMP = "a block leads here for the first time"
    LOOKUP = "an indirect jump leads here, and the lookup does not know the place"
    AHEAD = "it was found ahead of time, from code that leads here"


@dataclass(frozen=True, slots=True)
class UnitWork:
    """The translator's report of its work on a unit, which became block `ordinal`: why it was called; how many bytes it
    read, from linear `pc`, which is guest-physical `physical`; and why the unit ends."""

    ordinal: int
    cause: UnitCause
    pc: int
    physical: int
    read: int
    end: UnitEnd


class Switch(Enum):
    """What of the translator can be switched. `phrase` names it for people, `meaning` explains it."""

    ADAPTIVE = ("adaptive", "Adaptive", "What traps often is translated again, into a call of the monitor.")
    AHEAD = ("ahead", "Ahead of time", "All that can be found is translated before it runs; the rest as it is reached.")

    phrase: str
    meaning: str

    def __new__(cls, value: str, phrase: str, meaning: str) -> Switch:
        member = object.__new__(cls)
        member._value_ = value
        member.phrase = phrase
        member.meaning = meaning
        return member


@dataclass(frozen=True, slots=True)
class CacheCounters:
    """What the translator has done since power-on.

    units          blocks made, and with them `copied`, `branches`, `in_line` and `callout_sites` of the guest's
                   instructions, each by its `Fate`
    chained        jumps that were joined to their target's block
    hits, misses   lookups of indirect jumps that found their translation, and that had to ask the monitor
    callouts       instructions that the monitor carried out for translated code
    invalidated    blocks that died because the guest's code they were made from was written
    adapted        instructions that trapped so often that they became callouts
    reverted       those of them that became copies again, since nothing trapped there any more
    flushes        how often the full cache was emptied
    """

    units: int
    copied: int
    branches: int
    in_line: int
    callout_sites: int
    chained: int
    hits: int
    misses: int
    callouts: int
    invalidated: int
    adapted: int
    reverted: int
    flushes: int


def percent(share: float) -> str:
    """A share in words: ``12%``, ``0.4%``, ``<0.1%``."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{100 * share:.1f}%" if 0 < share < 0.0995 or 0.9905 < share < 1 else f"{100 * share:.0f}%"


@dataclass(frozen=True, slots=True)
class Ran:
    """How many of the guest's instructions ran in which way since power-on, measured, not modelled: `direct` ones where
    they stand, in programs; the kernel's translated, each by what it had become. They sum up to all that were executed;
    the rounds of a repeated instruction count singly, as they do in virtual time."""

    direct: int
    identical: int
    rewritten: int
    replaced: int
    callouts: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.direct + self.identical + self.rewritten + self.replaced + self.callouts

    def share(self, way: str) -> float:
        """How much of the whole ran in that way, by the name of a field: percent."""
        count: int = getattr(self, way)
        return 100 * count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class CacheBlock:
    """One block in the cache's map.

    ordinal        its age: blocks are numbered in the order of translation since power-on
    start, size    linear address of its translation, and bytes
    entry          where those enter who know that they are right, behind its door for lookups
    pc, length     linear address of the guest's instructions it was made from, and their bytes
    page           guest-physical page of the first of them
    instructions   how many they are; `changed` of them are not copied
    entered        how often it was run from its start, exactly (the native probes count it)
    alive          False: the guest's code was written, its room is lost until the cache is emptied
    """

    ordinal: int
    start: int
    size: int
    entry: int
    pc: int
    length: int
    page: int
    instructions: int
    changed: int
    entered: int
    alive: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A jump at linear `site` of block `source` that goes straight to block `target`; both are ordinals."""

    source: int
    site: int
    target: int


@dataclass(frozen=True, slots=True)
class SeenCache:
    """The whole cache: `size` bytes from linear `base`, the first `used` of them in use; blocks in the order of their
    addresses, which is that of their birth; what asks the monitor when a lookup fails, as (address, bytes); what was
    translated last; what is switched on."""

    base: int
    size: int
    used: int
    blocks: tuple[CacheBlock, ...]
    chains: tuple[Chain, ...]
    routines: tuple[tuple[int, int], ...]
    counters: CacheCounters
    newest: UnitWork | None = None
    ran: Ran | None = None
    switches: frozenset[Switch] = frozenset()

    @property
    def living(self) -> tuple[CacheBlock, ...]:
        """The blocks that can be run."""
        return tuple(each for each in self.blocks if each.alive)

    def holding(self, address: int) -> tuple[CacheBlock, ...]:
        """Those of them that were made from the guest's code at linear `address`."""
        return tuple(each for each in self.living if address - each.pc & 0xFFFF_FFFF < each.length)


@dataclass(frozen=True, slots=True)
class GuestInstruction:
    """One of the guest's instructions, and the `size` bytes at linear `at` in the cache that it became."""

    pc: int
    code: bytes
    text: str
    fate: Fate
    reason: Reason
    at: int
    size: int


class Part(Enum):
    """What a translated instruction is part of; `value` says it in words."""

    BODY = "what one of the guest's instructions became"
    DOOR = "makes sure that a lookup led to the right block, and asks the monitor if not"
    BREAK = "where the guest has armed a hardware breakpoint: calls the monitor, which raises #DB unless RF is set"
    GO_ON = "the way on to the instruction after the block"
    STUB = "calls the monitor where a jump is not chained yet"
    SLOW = "calls the monitor for what is too much in line"


@dataclass(frozen=True, slots=True)
class TranslatedInstruction:
    """One instruction in the cache at linear `at`. `guest`: the index of the guest's instruction it belongs to, None
    where it belongs to none; `calls` says what the monitor is called for, "" where it is not."""

    at: int
    code: bytes
    text: str
    part: Part
    guest: int | None
    calls: str = ""


@dataclass(frozen=True, slots=True)
class BlockExit:
    """A direct way out: the jump at linear `site` to the guest's `target`, and the block that it is chained to."""

    site: int
    target: int
    chained_to: int | None


@dataclass(frozen=True, slots=True)
class SeenBlock:
    """A block with its original and its translation side by side."""

    block: CacheBlock
    guest: tuple[GuestInstruction, ...]
    translated: tuple[TranslatedInstruction, ...]
    exits: tuple[BlockExit, ...]
    chained_from: tuple[int, ...]
