"""The translation cache: where translated code lives, which of the guest's it is of, and how its blocks are joined.

Blocks are laid down one behind the other; a full cache is emptied at once. A direct branch calls the monitor the first
time and is then *chained*: patched to jump straight to its target's block. A block dies when the guest's code that it
was made from is written; then every chain into it is patched back (Adams & Agesen, ASPLOS 2006, §3.1; Bugnion et al.,
TOCS 2012, §6.2). What stands at which byte, the probes read from the code map. It is one file,
since where a block lies, who jumps to it and how often it ran end together when it dies.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, fields

import numpy as np

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical
from core.translations import Fate
from core.translator.blocks import Mode, Unit
from core.translator.look_up import LookupTable
from core.translator.region import Region
from core.translator.rewrite import (
    CALL_OUT,
    INDIRECT,
    Exit,
    Site,
    SiteKind,
    Step,
    Surroundings,
    leave_door,
    translate,
)

ASKING_ROOM = 16  # bytes kept for what asks the monitor when a lookup fails
UNIT_ROOM = 2048  # no unit grows longer
ALIGNMENT = 16


@dataclass(slots=True)
class Counters:
    """Since power-on."""

    units: int = 0
    copied: int = 0
    branches: int = 0
    in_line: int = 0
    callout_sites: int = 0
    chained: int = 0
    misses: int = 0
    callouts: int = 0
    invalidated: int = 0
    adapted: int = 0
    reverted: int = 0
    flushes: int = 0

    @property
    def instructions(self) -> int:
        """Translated so far, each as often as it was."""
        return self.copied + self.branches + self.in_line + self.callout_sites


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A translation, which never changes: checkpoints share it. `page` is the guest-physical page of its first byte,
    `pages` are all it came from, `linear_pages` where these were mapped; `start` and `size` say where it is in the
    cache: its door first, up to the instruction at offset `found`, and then, from `begins` on, what its steps became.
    `entries` are its bytes' in the code map, as u64 pairs of offset and entry; `borrowed`: offset, and number of the
    register that is to be given back if the instruction there faults."""

    pc: int
    length: int
    mode: Mode
    page: GuestPhysical
    pages: tuple[GuestPhysical, ...]
    start: int
    size: int
    steps: tuple[Step, ...]
    exits: tuple[Exit, ...]
    sites: tuple[Site, ...]
    entries: bytes
    borrowed: tuple[tuple[int, int], ...]
    ordinal: int
    linear_pages: tuple[int, ...]
    found: int
    begins: int

    @property
    def entry(self) -> int:
        """Linear address of the translation behind the door, for those who know that they are right here."""
        return self.start + self.begins

    @property
    def first(self) -> int:
        """Linear address of what its first step became: behind the breakpoint that the guest may have there."""
        return self.start + self.steps[0].offset

    def place_of(self, pc: int) -> GuestPhysical:
        """Guest-physical address of its instruction at linear `pc`."""
        inside = (self.pc & PAGE_MASK) + (pc - self.pc & 0xFFFF_FFFF)
        return GuestPhysical(self.pages[inside // PAGE_SIZE] | inside & PAGE_MASK)

    def step_at(self, offset: int) -> Step:
        """The step whose translation the byte at `offset` belongs to."""
        starts = [step.offset for step in self.steps]
        return self.steps[max(bisect_right(starts, offset) - 1, 0)]

    def steps_left(self, offset: int, *, begun: bool) -> list[Step]:
        """The steps that have not run where the CPU, which had begun at the first, stands before the step at `offset`,
        or in it. Nothing is left where the run of the block has not begun."""
        if offset <= self.steps[0].offset and not begun:
            return []
        return [each for each in self.steps if each.offset > offset or (each.offset == offset and not begun)]


@dataclass(frozen=True, slots=True)
class Laid:
    """Blocks in the order of translation, as one value: checkpoints only refer to it."""

    blocks: tuple[Block, ...]


class CodeCache:
    """The cache in `code`, beside `variables` and `table`. `patched(linear, size)` is told when code that may have run
    was changed, `forgotten()` when all of it was."""

    # the code map follows from the rest, of which it holds these; and the callouts that were asked for
    NOT_STATE = ("entries", "_mapped", "_mapped_asking", "_sites")

    def __init__(
        self,
        code: Region,
        variables: Region,
        table: Region,
        patched: Callable[[int, int], None],
        forgotten: Callable[[], None],
    ) -> None:
        self.region = code
        self._variables = variables.base
        self.table = LookupTable(table)
        self._table_base = table.base
        self._table_mode: Mode | None = None
        self._patched = patched
        self._forgotten = forgotten
        self.entries = np.zeros(code.size, np.uint64)
        self.heat = np.zeros(code.size, np.uint32)
        self.counters = Counters()
        self.hits_before = 0  # before the last flush
        self.released: Callable[[GuestPhysical], None] = lambda _page: None
        self._ordinal = 0
        self._ran = dict.fromkeys(Fate, 0)  # by blocks that are gone, less what living ones were left before
        self._empty()

    def _empty(self) -> None:
        self._first = self._ordinal  # of those that are laid
        self._laid = Laid(())
        self._mapped: tuple[Block, ...] = ()
        self._mapped_asking: tuple[tuple[int, int], ...] = ()
        self._starts: list[int] = []
        # the living, by their ordinals
        self._alive: set[int] = set()
        self._blocks: dict[tuple[int, GuestPhysical, Mode], int] = {}
        self._by_page: dict[GuestPhysical, set[int]] = {}
        self._by_linear_page: dict[int, set[int]] = {}
        self._incoming: dict[int, set[int]] = {}  # sites of the exits that are chained to a block
        self._asking: dict[tuple[int, int], tuple[int, int]] = {}
        self._sites: dict[int, Site | None] = {}
        self.entries[:] = 0
        self.heat[:] = 0
        self.no_code = self.region.base
        self._next = self.region.base + ALIGNMENT
        self.region.write(self.no_code, CALL_OUT)

    # -- looking

    @property
    def used(self) -> int:
        """Bytes in use."""
        return self._next - self.region.base

    @property
    def is_nearly_full(self) -> bool:
        """Would one more unit perhaps empty it?"""
        return self._next + UNIT_ROOM + ASKING_ROOM > self.region.base + self.region.size

    @property
    def hits(self) -> int:
        """How often a lookup found what it looked for."""
        doors = [block.start + block.found - self.region.base for block in self._laid.blocks]
        return self.hits_before + int(self.heat[doors].sum())

    @property
    def ran(self) -> dict[Fate, int]:
        """How many of the guest's instructions ran translated, by what they became."""
        ran = dict(self._ran)
        for block in self.blocks:
            self._add_runs(block, ran)
        return ran

    def _add_runs(self, block: Block, ran: dict[Fate, int]) -> None:
        times = self.entered(block)
        if times:
            for step in block.steps:
                ran[step.fate] += times

    def left(self, block: Block, offset: int, *, begun: bool) -> None:
        """`block` was left at the step that `offset` belongs to, which had `begun` or not, and is not gone on with."""
        for step in block.steps_left(offset, begun=begun):
            self._ran[step.fate] -= 1

    def begins_again(self, block: Block) -> None:
        """The first instruction of `block` will be tried again, which is no second run; the block may be gone."""
        if self.is_alive(block):
            self.heat[block.first - self.region.base] -= np.uint32(1)
        else:
            for step in block.steps:
                self._ran[step.fate] -= 1

    @property
    def laid(self) -> tuple[Block, ...]:
        """Every block since it was last emptied, the dead ones too, in the order of translation."""
        return self._laid.blocks

    @property
    def routines(self) -> list[tuple[int, int]]:
        """What asks the monitor when a lookup fails, one for each code segment: linear address and size."""
        return list(self._asking.values())

    @property
    def blocks(self) -> list[Block]:
        """Every live block, in the order of translation."""
        return [block for block in self._laid.blocks if block.ordinal in self._alive]

    def is_alive(self, block: Block) -> bool:
        """May it be run?"""
        return block.ordinal in self._alive

    def find(self, pc: int, page: GuestPhysical, mode: Mode) -> Block | None:
        """The block that starts at linear `pc` of guest-physical `page`."""
        ordinal = self._blocks.get((pc, page, mode))
        return None if ordinal is None else self._laid.blocks[ordinal - self._first]

    def starting_at(self, pc: int, mode: Mode) -> Block | None:
        """A block made from linear `pc`, wherever that was mapped."""
        for block in self._these(self._by_linear_page.get(pc & ~PAGE_MASK, ())):
            if block.pc == pc and block.mode == mode:
                return block
        return None

    def numbered(self, ordinal: int) -> Block | None:
        """The block of that number, dead or alive."""
        number = ordinal - self._first
        return self._laid.blocks[number] if 0 <= number < len(self._laid.blocks) else None

    def _these(self, ordinals: Iterable[int]) -> list[Block]:
        return [self._laid.blocks[each - self._first] for each in sorted(ordinals)]

    def block_at(self, address: int) -> Block | None:
        """The block in which the linear `address` of the cache lies."""
        number = bisect_right(self._starts, address) - 1
        if number < 0:
            return None
        block = self._laid.blocks[number]
        return block if address < block.start + block.size else None

    def holds_code_of(self, page: GuestPhysical) -> bool:
        """Was anything that lives translated from `page`?"""
        return bool(self._by_page.get(page))

    def entry(self, address: int) -> int:
        """The code map's entry for the linear `address` of the cache."""
        return int(self.entries[address - self.region.base])

    def entered(self, block: Block) -> int:
        """How often `block` was run from its start."""
        return int(self.heat[block.first - self.region.base])

    def target(self, exit_: Exit) -> Block | None:
        """The block that `exit_` jumps to; None while it is not chained."""
        distance = int.from_bytes(self.region.read(exit_.site, 4), "little")
        reached = exit_.site + 4 + distance & 0xFFFF_FFFF
        return None if reached == exit_.stub else self.block_at(reached)

    def incoming(self, block: Block) -> list[tuple[Block, Exit]]:
        """The jumps that are chained to `block`, and the blocks that they leave."""
        found = []
        for site in sorted(self._incoming.get(block.ordinal, ())):
            owner = self.block_at(site)
            assert owner is not None, "a chain is taken back when its block dies"
            found.append((owner, next(each for each in owner.exits if each.site == site)))
        return found

    def site_at(self, address: int) -> Site | None:
        """The callout whose INT stands at linear `address` of the cache, where some INT stands."""
        if address not in self._sites:
            self._sites[address] = self._find_site(address)
        return self._sites[address]

    def _find_site(self, address: int) -> Site | None:
        if address == self.no_code:
            return Site(SiteKind.NO_CODE, address)
        block = self.block_at(address)
        if block is not None:
            return next((site for site in block.sites if site.address == address), None)
        if any(address == at + size - len(CALL_OUT) for at, size in self._asking.values()):
            return Site(SiteKind.MISS, address)
        return None

    # -- translating

    def add(self, unit: Unit, code: bytes, pages: tuple[GuestPhysical, ...], guilty: Set[int] = frozenset()) -> Block:
        """Translate `unit`, whose bytes `code` begins with, from the guest-physical `pages`; the instructions at the
        linear addresses `guilty` call the monitor."""
        if self.is_nearly_full:
            self.flush()
        around = Surroundings(self._variables, self._table_base, self._asks(unit.mode))
        made = translate(unit, code, self._next, around, guilty)
        entries = np.array(made.entries, np.uint64)
        block = Block(
            unit.pc,
            unit.end - unit.pc & 0xFFFF_FFFF,
            unit.mode,
            pages[0],
            pages,
            made.at,
            len(made.code),
            tuple(made.steps),
            tuple(made.exits),
            tuple(made.sites),
            entries.tobytes(),
            tuple(made.borrowed.items()),
            self._ordinal,
            tuple((unit.pc & ~PAGE_MASK) + number * PAGE_SIZE & 0xFFFF_FFFF for number in range(len(pages))),
            made.found,
            made.begins,
        )
        self._ordinal += 1
        self.region.write(made.at, made.code)
        self._map(block)
        self._register(block)
        return block

    def _register(self, block: Block) -> None:
        ordinal = block.ordinal
        self._alive.add(ordinal)
        self._blocks[block.pc, block.page, block.mode] = ordinal
        for page in block.pages:
            self._by_page.setdefault(page, set()).add(ordinal)
        for linear in block.linear_pages:
            self._by_linear_page.setdefault(linear, set()).add(ordinal)
        self._starts.append(block.start)
        self._mapped = (*self._laid.blocks, block)
        self._laid = Laid(self._mapped)
        self._next = (block.start + block.size + ALIGNMENT - 1) & -ALIGNMENT
        counters = self.counters
        counters.units += 1
        for step in block.steps:
            fate = step.fate
            if fate is Fate.COPIED:
                counters.copied += 1
            elif fate is Fate.BRANCH:
                counters.branches += 1
            elif fate is Fate.IN_LINE:
                counters.in_line += 1
            else:
                counters.callout_sites += 1

    def _map(self, block: Block) -> None:
        pairs = np.frombuffer(block.entries, np.uint64)
        self.entries[(block.start - self.region.base) + pairs[::2].astype(np.intp)] = pairs[1::2]

    def restored(self) -> None:
        """All but the code map is what it was at a checkpoint: it holds other blocks from the first that differs on."""
        self._sites = {}
        before, now = self._mapped, self._laid.blocks
        same = next(
            (number for number, (one, other) in enumerate(zip(before, now, strict=False)) if one is not other),
            min(len(before), len(now)),
        )
        for at, size in self._mapped_asking:
            self._map_asking(at, size, 0)
        starts = [blocks[same].start for blocks in (before, now) if same < len(blocks)]
        if starts:
            self.entries[min(starts) - self.region.base :] = 0
        for block in now[same:]:
            self._map(block)
        for at, size in self._asking.values():
            self._map_asking(at, size, INDIRECT)
        self._mapped, self._mapped_asking = now, tuple(self._asking.values())

    def _map_asking(self, at: int, size: int, entry: int) -> None:
        for place in (at, at + size - len(CALL_OUT)):
            self.entries[place - self.region.base] = entry

    def _asks(self, mode: Mode) -> int:
        """Where code of `mode` asks the monitor about the EIP in TARGET; the guest's ECX is in SAVED_TOO."""
        known = self._asking.get((mode.base, mode.bits))
        if known is None:
            at = self._next
            back = leave_door(mode, self._variables)
            self.region.write(at, back + CALL_OUT)
            self._asking[mode.base, mode.bits] = known = at, len(back) + len(CALL_OUT)
            self._map_asking(*known, INDIRECT)
            self._mapped_asking = tuple(self._asking.values())
            self._next += ASKING_ROOM
        return known[0]

    # -- joining

    def chain(self, exit_: Exit, block: Block) -> None:
        """From now on `exit_` jumps straight to `block`."""
        owner = self.block_at(exit_.site)
        if owner is not None and exit_ in owner.exits and self.is_alive(owner) and self.is_alive(block):
            self._patch(exit_, block.entry)
            self._incoming.setdefault(block.ordinal, set()).add(exit_.site)
            self.counters.chained += 1

    def _unchain(self, exit_: Exit) -> None:
        self._patch(exit_, exit_.stub)

    def _patch(self, exit_: Exit, target: int) -> None:
        self.region.write(exit_.site, (target - (exit_.site + 4) & 0xFFFF_FFFF).to_bytes(4, "little"))
        self._patched(exit_.site, 4)

    def enter_in_table(self, block: Block) -> None:
        """From now on the lookup finds `block`."""
        self.use_mode(block.mode)
        if self.is_alive(block):  # that may have made room
            self.table.enter(block.pc - block.mode.base & 0xFFFF_FFFF, block.start - block.mode.base)

    def use_mode(self, mode: Mode) -> None:
        """Code runs in `mode` now; the table must know of no other."""
        if self._table_mode != mode:
            if self.is_nearly_full:
                self.flush()
            self._table_mode = mode
            self.table.clear(self._asks(mode) - mode.base)

    # -- parting

    def part(self, linear_page: int) -> None:
        """The mapping of `linear_page` is no longer certain: let nothing jump there without asking."""
        for block in self._these(self._by_linear_page.get(linear_page, ())):
            self._forget_lookup(block)
            for owner, exit_ in self.incoming(block):
                if owner.linear_pages != block.linear_pages or len(block.pages) > 1:
                    self._unchain(exit_)
                    self._incoming[block.ordinal].discard(exit_.site)

    def _forget_lookup(self, block: Block) -> None:
        self.table.remove(block.pc - block.mode.base & 0xFFFF_FFFF, block.start - block.mode.base)

    def invalidate(self, page: GuestPhysical, first: int, last: int) -> int:
        """Bytes `first` to `last` of `page` were written: the blocks made from them die; how many."""
        dying = self.drop(page, first, last)
        self.counters.invalidated += dying
        return dying

    def drop_at(self, linear: int) -> None:
        """The blocks made from what stands at `linear`, wherever that was mapped, shall be made anew."""
        for block in self._these(self._by_linear_page.get(linear & ~PAGE_MASK, ())):
            if (linear - block.pc & 0xFFFF_FFFF) < block.length:
                self._kill(block)

    def drop(self, page: GuestPhysical, first: int, last: int) -> int:
        """The blocks made from bytes `first` to `last` of `page` shall be made anew when they are reached; how many."""
        near = self._these(self._by_page.get(page, ()))
        dying = [block for block in near if _touches(block, page, first, last)]
        for block in dying:
            self._kill(block)
        return len(dying)

    def _kill(self, block: Block) -> None:
        self._add_runs(block, self._ran)
        ordinal = block.ordinal
        self._forget_lookup(block)
        for _, exit_ in self.incoming(block):
            self._unchain(exit_)
        self._incoming.pop(ordinal, None)
        self._alive.discard(ordinal)
        for exit_ in block.exits:
            reached = self.target(exit_)
            if reached is not None and reached.ordinal in self._incoming:
                self._incoming[reached.ordinal].discard(exit_.site)
        if self._blocks.get((block.pc, block.page, block.mode)) == ordinal:
            del self._blocks[block.pc, block.page, block.mode]
        for linear in block.linear_pages:
            self._by_linear_page[linear].discard(ordinal)
        for page in block.pages:
            self._by_page[page].discard(ordinal)
            if not self._by_page[page]:
                self.released(page)

    def flush(self) -> None:
        """Empty it."""
        self.hits_before = self.hits
        pages = [page for page, blocks in self._by_page.items() if blocks]
        self._ran = self.ran
        self.counters.flushes += 1
        mode, self._table_mode = self._table_mode, None
        self._empty()
        if mode is not None:
            self.use_mode(mode)
        self._forgotten()
        for page in pages:
            self.released(page)


def _touches(block: Block, page: GuestPhysical, first: int, last: int) -> bool:
    start = block.pc & PAGE_MASK
    if page != block.page:  # the page after its first
        return first < start + block.length - (PAGE_MASK + 1)
    return first < start + block.length and last >= start


COUNTER_NAMES = tuple(each.name for each in fields(Counters))
