"""Reads a translation cache for onlookers: the map of its blocks, and one block beside what it became.

Nothing is remembered for it: ages, chains and counts are the translator's own, the bytes are those that the CPU runs,
and what a translated byte belongs to is read from the same map that the native probes count by (Adams & Agesen, ASPLOS
2006, §3). `core.translations` has the facts that come out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from core.addresses import GuestPhysical
from core.cpu.decode import decode, spell
from core.cpu.relocation import ADDRESS
from core.translations import (
    BlockExit,
    CacheBlock,
    CacheCounters,
    Chain,
    Fate,
    GuestInstruction,
    Part,
    Reason,
    SeenBlock,
    SeenCache,
    Switch,
    TranslatedInstruction,
)
from core.translator.cache import Block, CodeCache

ReadGuest = Callable[[GuestPhysical, int], bytes]


def see_cache(cache: CodeCache, switches: frozenset[Switch]) -> SeenCache:
    """The whole of it, and what is switched on."""
    blocks = cache.laid
    chains = (
        Chain(owner.ordinal, exit_.site, block.ordinal) for block in blocks for owner, exit_ in cache.incoming(block)
    )
    return SeenCache(
        cache.region.base,
        cache.region.size,
        cache.used,
        tuple(_facts(cache, block) for block in blocks),
        tuple(chains),
        tuple(cache.routines),
        counters(cache),
        switches=switches,
    )


def counters(cache: CodeCache) -> CacheCounters:
    """What the translator has done since power-on."""
    return CacheCounters(hits=cache.hits, **asdict(cache.counters))


def see_block(cache: CodeCache, block: Block, read: ReadGuest) -> SeenBlock:
    """One block; `read` gives the guest's memory. It must be alive: else its original may have been written since."""
    return SeenBlock(
        _facts(cache, block),
        tuple(_original(block, number, read) for number in range(len(block.steps))),
        tuple(_translated(cache, block)),
        tuple(BlockExit(each.site, each.target, _ordinal(cache.target(each))) for each in block.exits),
        tuple(sorted(owner.ordinal for owner, _ in cache.incoming(block))),
    )


def _ordinal(block: Block | None) -> int | None:
    return None if block is None else block.ordinal


def _facts(cache: CodeCache, block: Block) -> CacheBlock:
    return CacheBlock(
        block.ordinal,
        block.start,
        block.size,
        block.entry,
        block.pc,
        block.length,
        block.page,
        len(block.steps),
        sum(step.fate is not Fate.COPIED for step in block.steps),
        cache.entered(block),
        cache.is_alive(block),
    )


def _original(block: Block, number: int, read: ReadGuest) -> GuestInstruction:
    step = block.steps[number]
    code = b"".join(read(block.place_of(step.pc + ahead), 1) for ahead in range(step.length))
    text = spell(code, step.pc, block.mode.bits)
    return GuestInstruction(step.pc, code, text, step.fate, step.reason, block.start + step.offset, step.size)


def _translated(cache: CodeCache, block: Block) -> Iterator[TranslatedInstruction]:
    code, bits = cache.region.read(block.start, block.size), block.mode.bits
    body = block.steps[-1].offset + block.steps[-1].size
    stubs = min((each.stub for each in block.exits), default=block.start + block.size)
    at = 0
    while at < len(code):
        linear, step = block.start + at, block.step_at(at)
        opaque = step.reason is Reason.UNKNOWN and step.offset <= at < step.offset + step.size
        length = step.size if opaque else _length(code[at:], linear, bits)
        part, guest = Part.BODY, block.steps.index(step)
        if at < block.begins:
            part = Part.DOOR
        elif at < block.steps[0].offset:
            part = Part.BREAK
        elif at >= body:
            part = Part.STUB if linear >= stubs else Part.SLOW
            if any(linear <= each.site < linear + length for each in block.exits):
                part = Part.GO_ON
        site, here = cache.site_at(linear), code[at : at + length]
        calls = "" if site is None else site.kind.value
        belongs = guest if part is Part.BODY else _belongs(block, cache.entry(linear)) if part is Part.SLOW else None
        yield TranslatedInstruction(linear, here, spell(here, linear, bits), part, belongs, calls)
        at += length


def _length(code: bytes, linear: int, bits: int) -> int:
    return decode(code, linear, bits).len or 1


def _belongs(block: Block, entry: int) -> int | None:
    pc = entry & ADDRESS
    return next((number for number, step in enumerate(block.steps) if step.pc == pc), None)
