"""Finds the translation of the guest's code where it goes on, and has it made where there is none.

On demand, as VMware's translator: one unit at a time, when the guest reaches it (Adams & Agesen, ASPLOS 2006, §3.1). Or
ahead of time: all that direct control flow reaches from given addresses. A unit depends on the pages that its code lies
on, whose fetching is the guest's to see, fault included.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical
from core.cpu.faults import GuestFault, Vector
from core.cpu.guest_cpu import GuestCpu
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.shadow import ShadowPager
from core.memory.walk import LONGEST_INSTRUCTION
from core.translations import Reason, UnitCause, UnitWork
from core.translator.blocks import LONGEST_UNIT, Mode, Unit, find_unit
from core.translator.cache import Block, CodeCache
from core.vmm.adaptation import Adaptation
from core.vmm.code_pages import CodePages

LONGEST_READ = 15 * LONGEST_UNIT


class BlockFinder:
    """For one VM. Where no code could be fetched, `sought` is the linear address and `fault` what fetching it gives;
    `newest` reports the last translation."""

    def __init__(self, cache: CodeCache, guest: GuestCpu, pager: ShadowPager, physical: GuestPhysicalMemory) -> None:
        self._cache = cache
        self._guest = guest
        self._pager = pager
        self._physical = physical
        self._pages = CodePages(pager, physical, cache.part)
        self.adaptation = Adaptation(cache)
        self.sought = 0
        self.fault = GuestFault(Vector.UD)
        self.newest: UnitWork | None = None
        self._breakpoints: frozenset[int] = frozenset()

    def break_at(self, addresses: frozenset[int]) -> None:
        """From now on the guest's own breakpoints are at these linear addresses: there the monitor is to be called."""
        for address in self._breakpoints ^ addresses:
            self._cache.drop_at(address)
        self._breakpoints = addresses

    def look(self) -> None:
        """The CPU is about to go on: which pages of code are no longer where they were?"""
        self._pages.look(self._guest.paging)

    def is_good(self, block: Block, mode: Mode) -> bool:
        """May `block`, met earlier, still be run?"""
        return self._cache.is_alive(block) and block.mode == mode and self._pages.reach(block)

    def block_for(self, pc: int, mode: Mode, cause: UnitCause = UnitCause.ENTRY) -> Block | None:
        """The block for linear `pc`, translated now if need be. None: there is no code (`fault` says why)."""
        page = self._code_page(pc, pc)
        if page is None:
            return None
        block = self._cache.find(pc, page, mode)
        if block is not None:
            if len(block.pages) == 1:
                return block
            beyond = self._code_page((pc & ~PAGE_MASK) + PAGE_SIZE & 0xFFFF_FFFF, pc)
            if beyond is None:
                return None
            if beyond == block.pages[1]:
                return block
        return self._translate(pc, page, mode, cause)

    def translate_ahead(self, entries: Iterable[int], mode: Mode) -> int:
        """Before the guest runs: translate and chain all that direct control flow reaches from the linear addresses
        `entries`; what only runs will show is translated on demand as ever. Gives the number of units."""
        before = self._cache.counters.units
        ahead, seen = list(entries), set[int]()
        while ahead:
            pc = ahead.pop()
            if pc in seen or self._cache.is_nearly_full:
                continue
            seen.add(pc)
            if not self._is_written(pc):
                continue
            block = self.block_for(pc, mode, UnitCause.AHEAD)
            if block is not None:
                ahead += [each.target for each in block.exits]
                if block.steps and block.steps[-1].reason is Reason.CALL:  # most calls come back
                    ahead.append(block.pc + block.length & 0xFFFF_FFFF)
        for block in self._cache.blocks:
            for each in block.exits:
                if self._cache.target(each) is None and self._is_written(each.target):
                    page = self._code_page(each.target, each.target)
                    found = None if page is None else self._cache.find(each.target, page, mode)
                    if found is not None:
                        self._cache.chain(each, found)
        return self._cache.counters.units - before

    def _translate(self, pc: int, page: GuestPhysical, mode: Mode, cause: UnitCause) -> Block | None:
        inside = pc & PAGE_MASK
        code = self._physical.read(GuestPhysical(page | inside), min(PAGE_SIZE - inside, LONGEST_READ))
        pages: tuple[GuestPhysical, ...] = (page,)
        unit = find_unit(code, pc, mode, self._breakpoints)
        if unit is None:
            beyond = self._code_page((pc & ~PAGE_MASK) + PAGE_SIZE & 0xFFFF_FFFF, pc)
            if beyond is None:
                return None
            code += self._physical.read(beyond, 16)
            pages = (page, beyond)
            unit = find_unit(code, pc, mode, self._breakpoints)
            assert unit is not None, "two pages hold every instruction"
        block = self._cache.add(unit, code, pages, self._guilty(unit, pages) if self.adaptation.guilty else frozenset())
        self.newest = UnitWork(block.ordinal, cause, pc, page | inside, len(code), unit.why_it_ends)
        for each in pages:
            self._pager.trace_code(each)
        return block

    def _is_written(self, pc: int) -> bool:
        """Does something other than empty memory stand at linear `pc`, and is looking there no fetch that the guest
        could see by an accessed bit?"""
        inside = pc & PAGE_MASK
        last = pc + LONGEST_INSTRUCTION & 0xFFFF_FFFF
        if self._guest.paging.enabled and not (self._pages.is_live(pc) and self._pages.is_live(last)):
            return False
        page = self._code_page(pc, pc)
        if page is None:
            return False
        return any(self._physical.read(GuestPhysical(page | inside), min(PAGE_SIZE - inside, LONGEST_INSTRUCTION)))

    def _guilty(self, unit: Unit, pages: tuple[GuestPhysical, ...]) -> frozenset[int]:
        """The instructions of `unit` that have been found guilty."""
        found = set()
        for pc in (int(each.ip32) for each in unit.instructions):  # all begin on the first page
            if GuestPhysical(pages[0] | pc & PAGE_MASK) in self.adaptation.guilty:
                found.add(pc)
        return frozenset(found)

    def _code_page(self, linear: int, pc: int) -> GuestPhysical | None:
        """The page to fetch from at `linear`, for code at `pc`; None with the fault noted if there is none."""
        found = self._pages.fetch(self._guest.paging, linear)
        if isinstance(found, GuestFault):
            self.sought, self.fault = pc, found
            return None
        return found
