"""Binary translation: the guest's kernel runs as rewritten code, its programs run as they are.

What trap-and-emulate cannot do for x86, since some sensitive instructions do not trap, is done before they run: the
kernel's code is translated unit by unit, as it is reached, into a cache in the monitor's region, and only from there it
runs, in ring 1 (Adams & Agesen, ASPLOS 2006, §3; Bugnion et al., TOCS 2012). Everything else is shared with
trap-and-emulate, of which this kind is the extension. Modelled: VMware also translates programs where IF or IOPL say
so; here rings 1 to 3 of the guest always run directly. It is one file, since every departure and every way back
cross the same border between the cache's EIP and the guest's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from iced_x86 import FlowControl, Instruction

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.costs import Work
from core.cpu import flags
from core.cpu.breakpoint_registers import on_execution, status_at
from core.cpu.context import HF_CS32, HF_SS32, Seg
from core.cpu.decode import decode, mnemonic
from core.cpu.delivery import Event, Origin
from core.cpu.faults import GuestFault, Vector
from core.cpu.probes import Word
from core.cpu.relocation import ADDRESS, COUNTS, STRAYED, CodeMap
from core.errors import UnknownDeparture
from core.events import Cause, Ring
from core.interposer import Outcome
from core.layout import (
    MONITOR_BASE,
    TRANSLATION_CACHE,
    TRANSLATION_CACHE_BYTES,
    TRANSLATION_TABLE,
    TRANSLATION_TABLE_BYTES,
    TRANSLATION_VARIABLES,
)
from core.stage import Belt, Stage
from core.translations import Fate, Ran, SeenBlock, SeenCache, Switch, UnitCause
from core.translator.blocks import Mode
from core.translator.cache import Block, CodeCache
from core.translator.picture import see_block, see_cache
from core.translator.region import BELIEFS, VIRTUAL_IF_SET, Region, Slot
from core.translator.rewrite import AFTER_STI, BOUNDARY, CALLOUT_VECTOR, INDIRECT, RULES, Site, SiteKind
from core.vmm.block_finder import BlockFinder
from core.vmm.emulate_store import can_store, emulate_store
from core.vmm.silent import emulate_silent
from core.vmm.trap_emulate import PF_WRITE, TrapEmulate
from core.vmm.vmm import Vmm


class Translation(TrapEmulate):
    """The monitor in ring 0, the translation of the guest's kernel in ring 1, its programs in ring 3."""

    kind = "translation"
    title = "Binary translation"
    summary = "The guest's kernel runs in ring 1 as rewritten code; only what must change is rewritten."
    order = 15
    work = MappingProxyType({**TrapEmulate.work, Cause.CALLOUT: (Work.CALLOUT,), Cause.HALT: (Work.CALLOUT,)})
    work_by_reason = MappingProxyType({Cause.TRACE: (Work.ADAPTED_STORE,)})
    leaves_holes = False
    translates = True

    # -- setting up

    def guest_place(self, eip: int) -> int:
        """See `TrapEmulate`: in the cache, what it was made from, if that is still there."""
        offset = eip - TRANSLATION_CACHE
        if not 0 <= offset < TRANSLATION_CACHE_BYTES:
            return eip
        return int(self.cache.entries[offset]) & ADDRESS

    def prepare(self) -> None:
        """As trap-and-emulate; then the cache, and the CPU told of it."""
        super().prepare()
        owner = f"monitor of {self.letter}"
        self._variables = self._code_region(TRANSLATION_VARIABLES, PAGE_SIZE, owner, writable=True)
        self._variables.prepare_variables()
        table = self._code_region(TRANSLATION_TABLE, TRANSLATION_TABLE_BYTES, owner)
        code = self._code_region(TRANSLATION_CACHE, TRANSLATION_CACHE_BYTES, owner)
        self.cache = CodeCache(code, self._variables, table, self.cpu.forget_code, self.cpu.forget_all_code)
        self.cache.released = self.pager.release_code
        self._site: Site | None = None
        self._at: tuple[int, int, Block | None] | None = None
        self._begun = False  # has the instruction there been counted already?
        self._ahead = False
        self._in_place = False  # the next instruction runs where it stands, since the cache itself is out of the way
        self._finder = BlockFinder(self.cache, self._guest, self.pager, self.physical)
        self._beliefs: tuple[int, ...] = ()
        self._segments = self.cpu.state.segs
        self.physical.on_write = self._monitor_wrote
        virtual_if = self.machine.ram.pointer + self._variables.host(TRANSLATION_VARIABLES + Slot.VIRTUAL_IF)
        variables = self._variables.frames[0]
        self._words = self.machine.ram.words
        self._virtual_if = self._variables.host(TRANSLATION_VARIABLES + Slot.VIRTUAL_IF) >> 2  # which of them
        self.code_map = CodeMap(code.base, self.cache.entries, self.cache.heat, virtual_if, variables)
        self.cpu.guard(variables)
        self.cpu.relocate(self)

    def _code_region(self, linear: GuestVirtual, size: int, owner: str, *, writable: bool = False) -> Region:
        frames = self._region(linear, size, owner)
        if writable:
            for index, frame in enumerate(frames):
                self.pager.map_monitor_page(GuestVirtual(linear + index * PAGE_SIZE), frame, writable=True)
        return Region(self.machine.ram, linear, frames)

    def frame_purposes(self) -> Iterator[tuple[HostPhysical, str]]:
        """Beside the shadows: the cache and what belongs to it."""
        yield from super().frame_purposes()
        yield from ((frame, "translation cache") for frame in self.cache.region.frames)
        yield from ((frame, "translated code's variables") for frame in self._variables.frames)

    def seen_cache(self) -> SeenCache:
        """The cache as it is now."""
        return replace(see_cache(self.cache, self.switches), newest=self._finder.newest, ran=self.ran)

    def seen_block(self, ordinal: int | None) -> SeenBlock | None:
        """See `Vmm`."""
        block = self._block_here() if ordinal is None else self.cache.numbered(ordinal)
        return (
            None
            if block is None or not self.cache.is_alive(block)
            else see_block(self.cache, block, self.physical.read)
        )

    def _block_here(self) -> Block | None:
        pc, at = self._guest.pc, self._at
        if self._guest.cpl != 0:
            return None
        if at is not None and at[0] == pc and at[2] is not None and self.cache.is_alive(at[2]):
            return at[2]
        return self.cache.starting_at(pc, self._mode())

    def unseen_work(self) -> Mapping[Work, int]:
        """Instructions are translated on the way to whatever comes next."""
        return {Work.TRANSLATION: self.cache.counters.instructions}

    def stage(self) -> Stage:
        """As trap-and-emulate's, with the cache as a belt on ring 1: all of the kernel passes through it."""
        belt = Belt(Ring.ONE, "translation cache", self.cache.used / self.cache.region.size)
        return replace(super().stage(), belts=(belt,))

    def arm(self, number: int, value: int) -> None:
        """What runs as it stands meets the CPU's own breakpoints, translated code calls the monitor where the guest has
        one; none must be met where the guest believes that its own code is, but the cache stands."""
        self.cpu.load_debug_register(number, value, below=MONITOR_BASE)
        self._finder.break_at(on_execution(list(self.cpu.state.dr)))

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """Translated code changes the virtual IF without a trap: the probe looks at it."""
        self.cpu.await_interrupts_open(wanted)

    # -- Relocation: between the guest's EIP and the cache's

    def to_guest(self, vector: int | None, software: bool) -> tuple[int | None, bool] | None:
        """See `Relocation`."""
        self._site, self._at, self._begun = None, None, False
        guest, state, cache = self._guest, self.cpu.state, self.cache
        base = state.segs[Seg.CS].base
        offset = (base + state.eip - TRANSLATION_CACHE) & 0xFFFF_FFFF
        if guest.cpl != 0 or offset >= TRANSLATION_CACHE_BYTES or self._in_place:
            return vector, software
        if vector is not None and software:
            site = cache.site_at(TRANSLATION_CACHE + offset - 2)
            if site is not None:
                if site.kind is SiteKind.BREAK and guest.eflags & flags.RF:
                    return None  # it goes on behind the breakpoint
                guest.interrupts_enabled = self._words[self._virtual_if] != 0
                return self._called_out(site, base)
        entry = int(cache.entries[offset])
        if vector == Vector.DB and not software and not entry & (COUNTS | BOUNDARY):
            return None  # a step within what one instruction has become
        guest.interrupts_enabled = self._words[self._virtual_if] != 0
        if TRANSLATION_CACHE + offset == cache.no_code:
            state.eip = (self._finder.sought - base) & 0xFFFF_FFFF
            return vector, software
        if entry & INDIRECT:
            state.eip = self._variables.load(Slot.TARGET)
            return vector, software
        pc = entry & ADDRESS
        state.eip = (pc - base) & 0xFFFF_FFFF
        if entry & (BOUNDARY | STRAYED):
            return vector, software
        self._stand_in_block(TRANSLATION_CACHE + offset, pc, entry, vector)
        return vector, software

    def _stand_in_block(self, address: int, pc: int, entry: int, vector: int | None) -> None:
        block = self.cache.block_at(address)
        if block is None:
            return
        offset = address - block.start
        register = dict(block.borrowed).get(offset)
        if register is not None:
            self._give_back(register)
        self._at = pc, block.start + block.step_at(offset).offset, block
        self._begun = vector is not None and vector != Vector.DB
        if entry & AFTER_STI and self.cpu.last_pc != pc:
            self._guest.begin_interrupt_shadow()

    def _give_back(self, register: int) -> None:
        """A replacement faulted that had borrowed `register`."""
        self._guest.set_reg(register, self._variables.load(Slot.SAVED))

    def _called_out(self, site: Site, base: int) -> tuple[int, bool]:
        state = self.cpu.state
        if site.kind is SiteKind.NO_CODE:
            fault = self._finder.fault
            state.eip = (self._finder.sought - base) & 0xFFFF_FFFF
            if fault.address is not None:
                state.cr[2] = fault.address
            state.error_code = fault.error_code or 0
            return fault.vector, False
        if site.kind is SiteKind.BREAK:
            state.eip = (site.pc - base) & 0xFFFF_FFFF
            state.dr[6] = status_at(list(state.dr), site.pc)
            return Vector.DB, False
        self._site = site
        if site.kind is SiteKind.MISS:
            state.eip = self._variables.load(Slot.TARGET)
        else:
            state.eip = (site.pc - base) & 0xFFFF_FFFF
        if site.kind is SiteKind.EMULATE:
            if site.resume:
                self._at = site.next_pc, site.resume, self.cache.block_at(site.address)
            if site.after_sti:
                self._guest.shadow_began_before()
        return CALLOUT_VECTOR, True

    def to_real(self) -> None:
        """See `Relocation`."""
        guest, state, cache = self._guest, self.cpu.state, self.cache
        wanted = guest.interrupts_enabled * VIRTUAL_IF_SET
        if self._words[self._virtual_if] != wanted:
            self._variables.store(Slot.VIRTUAL_IF, wanted)
        if guest.cpl != 0 or self._in_place:
            self._note_leaving()
            return
        self._tell_beliefs()
        self._finder.look()
        pc, at = guest.pc, self._at
        mode = self._mode()
        cache.use_mode(mode)
        address = cache.no_code
        if at is not None and at[0] == pc and at[2] is not None and self._finder.is_good(at[2], mode):
            address = at[1]
        else:
            self._note_leaving()
            block = self._block_for(pc, mode, UnitCause.ENTRY)
            if block is not None:
                address = block.entry
        state.eip = (address - state.segs[Seg.CS].base) & 0xFFFF_FFFF

    def _note_leaving(self) -> None:
        """The block that the CPU stood in is not gone on with: what is left of it has not run."""
        at = self._at
        if at is not None and at[2] is not None:
            self.cache.left(at[2], at[1] - at[2].start, begun=self._begun)
            self._at = None

    def _try_again(self) -> None:
        """What has begun is uncounted, and will begin once more."""
        at = self._at
        if self._begun and at is not None and at[2] is not None and at[1] == at[2].first:
            self.cache.begins_again(at[2])
        self._begun = False

    @property
    def ran_translated(self) -> dict[Fate, int]:
        """How often the guest's instructions ran translated, by what they became. Exact: probes count the runs of each
        block, and what was left of one that was left on the way is taken off."""
        at, ran = self._at, self.cache.ran
        if at is not None and at[2] is not None:
            for step in at[2].steps_left(at[1] - at[2].start, begun=self._begun):
                ran[step.fate] -= 1
        return ran

    @property
    def ran(self) -> Ran | None:
        """What ran how; what ran in ring 1 beyond the runs of blocks are the rounds of repeated instructions."""
        rings, ran = self.cpu.executed_by_ring, self.ran_translated
        if rings is None:
            return None
        changed = ran[Fate.BRANCH], ran[Fate.IN_LINE], ran[Fate.CALLOUT]
        return Ran(rings[Ring.TWO] + rings[Ring.USER], rings[Ring.KERNEL] + rings[Ring.ONE] - sum(changed), *changed)

    def _block_for(self, pc: int, mode: Mode, cause: UnitCause) -> Block | None:
        before = self.cache.counters.units
        block = self._finder.block_for(pc, mode, cause)
        if self.cache.counters.units > before:
            self.interposer.code_was_made()
        return block

    def _tell_beliefs(self) -> None:
        """What translated code, which runs in the guest's ring 0, reads of the guest's CPU."""
        guest, held = self._guest, self._segments
        gdtr, idtr = guest.gdtr, guest.idtr
        now = (
            guest.cr(0), guest.cr(2), guest.cr(3), guest.cr(4),
            held[Seg.CS].selector & ~3, held[Seg.SS].selector & ~3, gdtr.limit, gdtr.base, idtr.limit, idtr.base,
        )  # fmt: skip
        if now != self._beliefs:
            self._beliefs = now
            for slot, value in zip(BELIEFS, now, strict=True):
                self._variables.store(slot, value)

    def _mode(self) -> Mode:
        state = self.cpu.state
        bits = 32 if state.hflags & HF_CS32 else 16
        return Mode(state.segs[Seg.CS].base, bits, bool(state.hflags & HF_SS32), self._guest.iopl > 0)

    def translate_ahead(self, entries: Iterable[int]) -> int:
        """Before the guest runs: translate what can be found from the linear addresses `entries`; how many units."""
        return self._finder.translate_ahead(entries, self._mode())

    # -- the guest's code is written

    def traced_page_written(self, page: GuestPhysical, before: bytes, after: bytes) -> None:
        """Blocks made from what has changed die."""
        super().traced_page_written(page, before, after)
        if self.cache.holds_code_of(page) and before != after:
            changed = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8))
            self._code_written(page, int(changed[0]), int(changed[-1]))

    def _monitor_wrote(self, address: GuestPhysical, size: int) -> None:
        page = GuestPhysical(address & ~PAGE_MASK)
        if self.cache.holds_code_of(page):
            first = address & PAGE_MASK
            self._code_written(page, first, first + size - 1)

    def _code_written(self, page: GuestPhysical, first: int, last: int) -> None:
        self.cache.invalidate(page, first, last)
        self._finder.adaptation.written(page, first, last)

    # -- the monitor's own pages

    def guarded_write(self) -> Outcome:
        """The guest stored into the page of variables: put it back, and go by the guest's own page tables."""
        ctl = self.cpu.ctl
        self._guest.interrupts_enabled = bool(ctl[Word.GUARDED_IF])
        self._beliefs = ()
        self._variables.prepare_variables()
        self.cpu.state.cr[2] = TRANSLATION_VARIABLES + (ctl[Word.GUARDED_AT] & PAGE_MASK)
        return super().exception(Vector.PF, PF_WRITE, False)

    def _page_fault(self, error_code: int) -> Outcome:
        """A page of the monitor's region must get out of the way, and nothing can run from there meanwhile: what was
        rewritten is emulated, all else runs where it stands."""
        if self.faulting_address() < MONITOR_BASE or self._guest.cpl != 0:
            outcome = super()._page_fault(error_code)
            if outcome.cause is Cause.TRACE:
                self._suspect()
            return outcome
        instruction = self._instruction()
        if instruction.code in RULES and instruction.flow_control == FlowControl.NEXT:
            return self._callout()
        outcome = super()._page_fault(error_code)
        if outcome.hidden:
            self._in_place = True
            self.interposer.after_one_step(self._leave_place)
        return outcome

    # -- adapting

    def _suspect(self) -> None:
        """The guest's present instruction trapped in translated code; if it does so often, it shall do so no more."""
        pc, at = self._guest.pc, self._at
        if at is None or at[2] is None or not self.cache.is_alive(at[2]) or not can_store(self._instruction()):
            return
        self._finder.adaptation.trapped(at[2].place_of(pc))

    def _store(self, instruction: Instruction) -> str:
        """The callout of an instruction that trapped often."""
        block = None if self._at is None else self._at[2]
        assert block is not None, "such a callout stands in a block"
        place, before = block.place_of(self._guest.pc), self.faults.stores_followed
        text = emulate_store(self._emulator, instruction)
        self._finder.adaptation.called(place, needed=self.faults.stores_followed > before)
        return text

    def set_switch(self, switch: Switch, *, on: bool) -> None:
        """Change how the translator works from now on; what was translated stays good."""
        if switch is Switch.ADAPTIVE:
            self._finder.adaptation.switch(on)
        else:
            self._ahead = on
            if on and self._guest.cpl == 0:
                self.translate_ahead([self._guest.pc])

    @property
    def switches(self) -> frozenset[Switch]:
        """What is switched on."""
        on = {Switch.ADAPTIVE: self._finder.adaptation.on, Switch.AHEAD: self._ahead}
        return frozenset(switch for switch, state in on.items() if state)

    def inherit(self, before: Vmm) -> None:
        """See `Vmm`."""
        for switch in Switch:
            self.set_switch(switch, on=switch in before.switches)

    def _leave_place(self) -> None:
        self._in_place = False

    # -- departures

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """A callout of translated code, or what trap-and-emulate knows."""
        site = self._site
        if site is None:
            outcome = super().exception(vector, error_code, software)
            if outcome.hidden:
                self._try_again()
            return outcome
        if site.kind is SiteKind.EMULATE:
            return self._callout()
        return self._go_on(site)

    def _callout(self) -> Outcome:
        """Carry out the instruction that was replaced."""
        guest = self._guest
        instruction = self._instruction()
        stepping = guest.single_stepping
        self.cache.counters.callouts += 1
        reason = Cause.PRIVILEGED
        try:
            text = emulate_silent(self._emulator, instruction)
            if text is None:
                text = self._emulator.emulate(instruction)
            if text is None and can_store(instruction):
                text, reason = self._store(instruction), Cause.TRACE
        except GuestFault as fault:
            return self.fault(fault)
        if text is None:
            raise UnknownDeparture(f"No callout is known for {mnemonic(instruction)}.")
        if stepping:
            self._step_done()
        cause = Cause.HALT if self.interposer.halted else Cause.CALLOUT
        return Outcome(cause, f"monitor: {mnemonic(instruction)}", text, Ring.KERNEL, reason=reason)

    def _instruction(self) -> Instruction:
        """The guest's present one."""
        return decode(self.interposer.code, self._guest.pc, self._mode().bits)

    def _step_done(self) -> None:
        cpu = self.cpu
        cpu.set_debug_register(6, cpu.debug_register(6) | 1 << 14)
        self.reflect(Event(Vector.DB, Origin.EXCEPTION), Cause.FAULT)

    def _go_on(self, site: Site) -> Outcome:
        """A jump whose target is not joined to it yet."""
        guest, cache = self._guest, self.cache
        pc, mode = guest.pc, self._mode()
        self._finder.look()
        before = cache.counters.units
        block = self._block_for(pc, mode, UnitCause.LOOKUP if site.kind is SiteKind.MISS else UnitCause.JUMP)
        if site.kind is SiteKind.MISS:
            cache.counters.misses += 1
        if block is None:
            text = f"found no code at {pc:#010x} to go on with"
        else:
            made = f"translated {len(block.steps)} instructions" if cache.counters.units > before else "found"
            if site.exit is not None:
                cache.chain(site.exit, block)
                text = f"{made} at {pc:#010x}, and chained the jump to it"
            else:
                cache.enter_in_table(block)
                text = f"{made} at {pc:#010x}, and entered it in the lookup table"
        if guest.single_stepping and site.kind is SiteKind.MISS:
            self._step_done()
        return Outcome(Cause.CALLOUT, "monitor: translator", text, Ring.KERNEL)
