"""AMD-V without nested paging: the guest leaves guest mode for every change of its page tables, which are shadowed.

The first processors with hardware assistance had nothing for memory, so their hypervisors kept shadow page tables as
before: page faults, INVLPG and every access to CR0, CR3 and CR4 exit (AMD APM vol. 2 §15.24.1; Adams & Agesen, ASPLOS
2006, §7). All else is as in `hardware`, so that the two can be compared. Simplified: the top 4 MiB of the linear space
are reached page by page, since the shadow pager keeps them for monitors that need a region there; and events are
delivered by the guest's own tables, so what only the shadow lacks is no exit in the middle of it. A task switch by
hardware loads CR3 as well, and the emulated CPU lacks its intercept; so the CPU's TR shows it a TSS that is not there
(the *fence*), for which it must reach before it changes anything. That page fault exits, and the lab switches the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from iced_x86 import Mnemonic

from core.addresses import PAGE_MASK, GuestPhysical, GuestVirtual, HostPhysical
from core.costs import Work
from core.cpu import flags
from core.cpu.context import Seg
from core.cpu.faults import GuestFault, Vector
from core.cpu.guest_cpu import GuestCpu, Segment
from core.cpu.modes import require_carried
from core.cpu.unicorn_cpu import Cpu
from core.errors import UnknownDeparture
from core.events import Cause
from core.interposer import Outcome
from core.layout import SHADOW_TSS
from core.looks import Reference, TableWalk
from core.memory.shadow import Denied, ShadowPager
from core.memory.shadow_walk import shadow_walk
from core.memory.walk import LinearMemory, Paging
from core.vmm.deprivileged_cpu import CR0_MONITOR, CR4_SHARED
from core.vmm.emulate import Emulator
from core.vmm.hardware import INTERCEPTED, Hardware
from core.vmm.intercepts import Exit
from core.vmm.shadow_faults import ShadowFaults
from core.vmm.vmm import Vmm

PAGE_FAULT = Exit.EXCEPTION_0 + Vector.PF
PF_WRITE = 1 << 1
SHADOWED = (0, 3, 4)  # the control registers that the guest must not see
FENCE = SHADOW_TSS  # where the CPU's TR points: a page of the monitor's region in which nothing is
FENCE_LIMIT, FENCE_TSS = 0xFFFF, 0x0000_8900  # no other TSS may the emulated CPU meet at a gate
REACHES_TSS = frozenset({Mnemonic.CALL, Mnemonic.JMP, Mnemonic.IRET, Mnemonic.IRETD})


class ShadowedCpu(GuestCpu):
    """All is the CPU's own but CR0, CR3, CR4 and TR, kept here; `paging_changed(before)` when the first
    three rule walks anew."""

    paging = Paging(0, 0, 0)  # kept, not computed

    def __init__(self, cpu: Cpu, paging_changed: Callable[[Paging], None]) -> None:
        super().__init__(cpu)
        self._paging_changed = paging_changed
        self._cr = {0: flags.CR0_PE | flags.CR0_ET, 3: 0, 4: 0}
        self.paging = Paging(self._cr[0], 0, 0)
        self._task = Segment(0, 0, 0, 0)

    def segment(self, seg: int) -> Segment:
        """TR as the guest loaded it; where LTR is not intercepted the CPU holds that itself."""
        held = super().segment(seg)
        return self._task if seg == Seg.TR and held.base == FENCE else held

    def set_segment(self, seg: int, value: Segment) -> None:
        """Keep TR; the CPU's own points at the fence."""
        if seg == Seg.TR:
            self._task = value
            value = Segment(value.selector, FENCE, FENCE_LIMIT, FENCE_TSS)
        super().set_segment(seg, value)

    def cr(self, number: int) -> int:
        """As the guest set it."""
        return super().cr(number) if number == 2 else self._cr[number]

    def set_cr(self, number: int, value: int) -> None:
        """Keep the guest's value; the CPU holds what shadow paging needs beside it."""
        if number == 2:
            super().set_cr(number, value)
            return
        before = self.paging
        value &= 0xFFFF_FFFF
        if number == 0:
            value |= flags.CR0_ET
            self.cpu.write_cr(0, value | CR0_MONITOR)
        elif number == 4:
            value &= ~flags.CR4_PKE  # the CPU has none and keeps it clear
            self.cpu.write_cr(4, value & CR4_SHARED)
        self._cr[number] = value
        self.paging = Paging(self._cr[0], self._cr[3], self._cr[4])
        if self.paging != before:
            require_carried(self._cr[0], self._cr[4])
        if number == 3 or self.paging != before:
            self._paging_changed(before)


class HardwareShadow(Hardware):
    """As `Hardware`, but the CPU walks shadow tables."""

    kind = "hardware_shadow"
    title = "AMD-V with shadow paging"
    summary = "As hardware-assisted, before nested paging: page faults and CR3 exit, and the tables are shadowed."
    order = 21
    walks_guest_tables = False
    work_by_reason = MappingProxyType(
        {
            **Hardware.work_by_reason,
            Cause.PAGE_FAULT_HIDDEN: (Work.EXIT, Work.SHADOW_FILL),
            Cause.TRACE: (Work.EXIT, Work.TRACE),
        }
    )

    def make_guest(self) -> GuestCpu:
        """The guest believes in its own CR0, CR3 and CR4."""
        guest = ShadowedCpu(self.cpu, self._paging_changed)
        self.linear = LinearMemory(self.physical, lambda address, data: self._faults.store(address, data))
        self._emulator = Emulator(guest, self.linear, self)
        self._handlers = self._make_handlers()
        return guest

    def intercepted(self) -> tuple[int, ...]:
        """Everything by which the guest rules its page walks, and page faults; LTR, for the fence."""
        registers = [first + number for first in (Exit.READ_CR0, Exit.WRITE_CR0) for number in SHADOWED]
        return (*INTERCEPTED, *registers, Exit.TR_WRITE, Exit.INVLPG, PAGE_FAULT)

    def set_up_translation(self) -> None:
        """Shadow tables, still empty but for the flat one of a guest without paging."""
        owner = f"monitor of {self.letter}"
        self.mappings = self.pager = ShadowPager(self.physical, self.machine.frames, owner, self.cpu.flush_tlb)
        self._faults = ShadowFaults(self.pager, self.physical, self.interposer, self._followed)
        self._delivery_memory = self.linear
        self.cpu.write_cr(3, self.pager.root)

    def _followed(self, page: GuestPhysical, before: bytes, after: bytes) -> None:
        self.pager.written(page, before, after)

    def _paging_changed(self, before: Paging) -> None:
        paging = self.guest.paging
        if (paging.cr0 ^ before.cr0) & flags.CR0_WP or (paging.cr4 ^ before.cr4) & flags.CR4_PSE:
            self.pager.forget_all()
        self.cpu.write_cr(3, self.pager.enter(paging))

    def exited(self, code: int, info: int) -> Outcome:
        """As `Hardware`, unless the guest has put the shadow aside, as it can where CR3 or LTR does not exit."""
        if self.cpu.state.cr[3] != self.pager.root:
            raise UnknownDeparture(
                "The guest loaded its own CR3 into the CPU, where the shadow's must be: without the intercepts of CR3 "
                "and TR writes shadow paging cannot hold it."
            )
        return super().exited(code, info)

    def exception_exit(self, code: int) -> Outcome:
        """A page fault may be the shadow's alone."""
        if code != PAGE_FAULT:
            return super().exception_exit(code)
        address = GuestVirtual(self.vmcb.get("EXITINFO2") & 0xFFFF_FFFF)
        write = bool(self.vmcb.get("EXITINFO1") & PF_WRITE)
        guest = self.guest
        if address & ~PAGE_MASK == FENCE:
            done = self._at_the_fence(code)
            if done is not None:
                return done
        found = self._faults.resolve(guest.paging, address, write=write, user=guest.cpl == 3)
        if isinstance(found, Denied):
            fault = GuestFault(Vector.PF, found.error_code, address)
            return self.inject(fault, "found that the guest's own tables deny it")
        return self.done(code, f"({found.by}) {found.text}", found.cause, hidden=True)

    def _at_the_fence(self, code: int) -> Outcome | None:
        """The CPU reached for its TSS, to switch tasks or, at a call gate, stacks: done here in its place. None: no
        instruction that does."""
        instruction = self.interposer.here.instruction
        return self.carry_out(code, instruction) if instruction.mnemonic in REACHES_TSS else None

    def device_address(self, address: int) -> int:
        """The page that the window stands for."""
        return self._faults.windows.page_address(address)

    def real_walks(self, linear: GuestVirtual, guest: TableWalk) -> tuple[TableWalk, ...]:
        """The CPU walks the shadow."""
        return (shadow_walk(self.pager, self.physical, linear, guest),)

    def references(self, guest: TableWalk, real: tuple[TableWalk, ...]) -> tuple[Reference, ...]:
        """As with any tables that are walked alone."""
        return Vmm.references(self, guest, real)

    def translation_frames(self) -> Iterator[tuple[HostPhysical, str]]:
        """Shadow page tables."""
        yield from ((frame, "shadow page tables") for frame in self.pager.table_frames())

    def store_edit(self, address: GuestPhysical, data: bytes) -> None:
        """The page may be one that is shadowed."""
        self._faults.store(address, data)
