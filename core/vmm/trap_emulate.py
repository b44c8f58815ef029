"""Classic trap-and-emulate by ring deprivileging: the guest's kernel runs in ring 1, and what it may not do traps.

The oldest kind (Popek & Goldberg 1974; Goldberg 1973). Most instructions run directly; a privileged one raises #GP, the
monitor does to the guest's virtual CPU what it would have done to the real one, and the guest goes on. The CPU itself
always runs with paging on, under shadow page tables, so that the VM has frames of the allocator's choosing, the
monitor's region is guarded, and writes to the guest's page tables and GDT are noticed (traced).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from iced_x86 import Mnemonic

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.costs import Work
from core.cpu import flags
from core.cpu.context import Seg
from core.cpu.delivery import Event, Origin
from core.cpu.faults import GuestFault, Vector
from core.cpu.guest_cpu import GuestCpu, Segment, Table
from core.cpu.guest_mode import EFER_MSR, VM_CR_MSR, VM_HSAVE_PA_MSR
from core.cpu.virtual_cpu import VirtualCpu
from core.errors import RequestError, UnknownDeparture
from core.events import Cause, Ring, made_quickly
from core.interposer import Outcome
from core.layout import MONITOR_LDT_SELECTOR, MONITOR_TSS_SELECTOR, SHADOW_GDT, SHADOW_LDT, SHADOW_TSS
from core.looks import TableWalk
from core.memory.shadow import Denied, ShadowPager
from core.memory.shadow_walk import shadow_walk
from core.memory.walk import LinearMemory, Paging
from core.stage import DEPRIVILEGED, Stage
from core.vmm.deprivileged_cpu import CR0_MONITOR, DeprivilegedCpu
from core.vmm.emulate import Emulator
from core.vmm.own_state import OwnState
from core.vmm.shadow_descriptors import KERNEL_RING, TABLE_BYTES, write_shadow
from core.vmm.shadow_faults import ShadowFaults
from core.vmm.vmm import BUSY_TSS, SYSENTER_CS, SYSENTER_EIP, SYSENTER_ESP, Vmm

# Exceptions by which the CPU refuses what a deprivileged kernel was entitled to do.
REFUSALS = frozenset({Vector.GP, Vector.NP, Vector.SS, Vector.TS})
NONE_OUTSIDE_RING_0 = frozenset({Mnemonic.MONITOR, Mnemonic.MWAIT, Mnemonic.CLAC, Mnemonic.STAC})  # #UD there
PF, NM, UD = Vector.PF, Vector.NM, Vector.UD
HALT, PRIVILEGED, MONITOR = Cause.HALT, Cause.PRIVILEGED, Ring.KERNEL  # of departures made a hundred thousand a second
PF_WRITE = 2
# Which would open AMD-V to the guest; CPUID promises none of them.
UNDER_OTHERS = "Choose the bare machine, or AMD-V."
UNKEPT_MSRS = frozenset({EFER_MSR, VM_CR_MSR, VM_HSAVE_PA_MSR})


class TrapEmulate(Vmm):
    """The monitor in ring 0, the guest's kernel in ring 1, its programs in ring 3."""

    kind = "trap_emulate"
    title = "Trap-and-emulate"
    summary = "The guest's kernel runs in ring 1; its privileged instructions trap and the monitor emulates them."
    order = 10
    work = MappingProxyType(
        {
            Cause.FAULT: (Work.FAULT, Work.REFLECTION),
            Cause.PRIVILEGED: (Work.FAULT, Work.EMULATION),
            Cause.SYSTEM_CALL: (Work.SYSTEM_CALL, Work.REFLECTION),
            Cause.INTERRUPT: (Work.INTERRUPT, Work.REFLECTION),
            Cause.IO: (Work.FAULT, Work.EMULATION, Work.DEVICE_MODEL),
            Cause.PAGE_FAULT_TRUE: (Work.PAGE_FAULT, Work.REFLECTION),
            Cause.PAGE_FAULT_HIDDEN: (Work.PAGE_FAULT, Work.SHADOW_FILL),
            Cause.TRACE: (Work.PAGE_FAULT, Work.TRACE),
            Cause.HALT: (Work.FAULT, Work.EMULATION),
            Cause.WORLD_SWITCH: (Work.WORLD_SWITCH,),
        }
    )
    leaves_holes = True
    walks_guest_tables = False

    _guest: DeprivilegedCpu

    # -- setting up

    def make_guest(self) -> GuestCpu:
        """The guest believes in ring 0; see `DeprivilegedCpu`."""
        self._guest = DeprivilegedCpu(self.cpu, self._sync_tables, self._paging_changed)
        self.linear = LinearMemory(self.physical, lambda address, data: self.faults.store(address, data))
        self._emulator = Emulator(self._guest, self.linear, self)
        self._shadowed: tuple[Table, Segment] | None = None
        self._contents = (b"", b"")
        self._msrs = dict.fromkeys((SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP), 0)
        return self._guest

    def stage(self) -> Stage:
        """The monitor in ring 0, the guest's kernel in ring 1."""
        return DEPRIVILEGED

    @classmethod
    def check_carries(cls, cpu: VirtualCpu, own: OwnState | None, ram: Mapping[int, bytes], pages: int) -> None:
        """Nor what opens AMD-V or long mode, of which this monitor keeps nothing."""
        super().check_carries(cpu, own, ram, pages)
        if any(value for number, value in cpu.msrs if number in UNKEPT_MSRS):
            raise RequestError(f"{cls.title} keeps no MSR by which the VM's guest has opened AMD-V.", UNDER_OTHERS)

    def freeze_cpu(self) -> VirtualCpu:
        """With the FPU's last instruction where the guest knows it to be: the FPU itself tells the real place."""
        held = super().freeze_cpu()
        eip, selector, *operand = held.fpu.pointers
        if selector & 3 == KERNEL_RING:
            selector &= ~3
        pointers = (self.guest_place(eip), selector, *operand)
        return replace(held, fpu=replace(held.fpu, pointers=pointers))

    def guest_place(self, eip: int) -> int:
        """The guest's EIP of an instruction that really ran at `eip`."""
        return eip

    def kept_msr(self, number: int) -> int:
        """Those that this monitor has for the guest."""
        if number in self._msrs:
            return self._msrs[number]
        return 0 if number in UNKEPT_MSRS else super().kept_msr(number)

    def keep_msr(self, number: int, value: int) -> None:
        """See `Vmm`."""
        if number in self._msrs:
            self._msrs[number] = value
        elif number not in UNKEPT_MSRS:
            super().keep_msr(number, value)

    def prepare(self) -> None:
        """Build the monitor's page tables and descriptor tables, and turn the real CPU's paging on."""
        frames, owner = self.machine.frames, f"monitor of {self.letter}"
        self.mappings = self.pager = ShadowPager(self.physical, frames, owner, self.cpu.flush_tlb)
        self.faults = ShadowFaults(self.pager, self.physical, self.interposer, self.traced_page_written)
        self._gdt_frames = self._region(SHADOW_GDT, TABLE_BYTES, owner)
        self._ldt_frames = self._region(SHADOW_LDT, TABLE_BYTES, owner)
        self._tss_frames = self._region(SHADOW_TSS, PAGE_SIZE, owner)
        state = self.cpu.state
        self.cpu.write_cr(3, self.pager.root)
        self.cpu.write_cr(0, CR0_MONITOR)
        task = state.segs[Seg.TR]
        task.selector, task.base, task.limit, task.flags = MONITOR_TSS_SELECTOR, SHADOW_TSS, 0x67, BUSY_TSS
        self._guest.set_cpl(0)

    def _region(self, linear: GuestVirtual, size: int, owner: str) -> list[HostPhysical]:
        """Monitor pages at `linear`, which the guest's rings cannot write nor, from ring 3, read."""
        frames = self.machine.frames.allocate(size, owner)
        for index, frame in enumerate(frames):
            self.machine.ram.write(frame, bytes(PAGE_SIZE))
            self.pager.map_monitor_page(GuestVirtual(linear + index * PAGE_SIZE), frame)
        return frames

    # -- paging

    def _paging_changed(self, before: Paging) -> None:
        """The guest loaded CR3, or changed what its walks mean."""
        paging = self._guest.paging
        if (paging.cr0 ^ before.cr0) & flags.CR0_WP or (paging.cr4 ^ before.cr4) & flags.CR4_PSE:
            self.pager.forget_all()
        self.cpu.write_cr(3, self.pager.enter(paging))
        self._sync_tables()

    def real_walks(self, linear: GuestVirtual, guest: TableWalk) -> tuple[TableWalk, ...]:
        """The CPU walks the shadow."""
        return (shadow_walk(self.pager, self.physical, linear, guest),)

    def frame_purposes(self) -> Iterator[tuple[HostPhysical, str]]:
        """Shadow page tables, and the descriptor tables of the monitor's region."""
        yield from ((frame, "shadow page tables") for frame in self.pager.table_frames())
        own = (*self._gdt_frames, *self._ldt_frames, *self._tss_frames)
        yield from ((frame, "shadow descriptor tables, TSS") for frame in own)

    # -- the shadow descriptor tables

    def _sync_tables(self) -> None:
        """Make the shadows follow the guest's GDT and LDT, and trace the pages these stand in."""
        guest = self._guest
        gdtr, ldt = guest.gdtr, guest.segment(Seg.LDTR)
        has_ldt = bool(ldt.selector & 0xFFFC)
        pages = self._pages_of(gdtr.base, gdtr.limit)
        if has_ldt:
            pages |= self._pages_of(ldt.base, ldt.limit)
        if pages != self.pager.watched:
            self.pager.watch(pages)
        where = (gdtr, ldt)
        contents = (
            self._guest_table(gdtr.base, gdtr.limit),
            self._guest_table(ldt.base, ldt.limit) if has_ldt else b"",
        )
        if where == self._shadowed and contents == self._contents:
            return
        ram, old = self.machine.ram, self._contents
        for frames, table, before in zip((self._gdt_frames, self._ldt_frames), contents, old, strict=True):
            write_shadow(ram, frames, table, len(before))
        if where != self._shadowed:
            real = self.cpu.state.segs
            real[Seg.GDTR].base, real[Seg.GDTR].limit = SHADOW_GDT, gdtr.limit
            held = real[Seg.LDTR]
            held.selector, held.base = MONITOR_LDT_SELECTOR, SHADOW_LDT
            held.limit, held.flags = (ldt.limit & 0xFFFF, ldt.flags) if has_ldt else (0, 0)
        self._shadowed, self._contents = where, contents

    def _guest_table(self, base: int, limit: int) -> bytes:
        raw = self.linear.peek(self._guest.paging, base, (limit & 0xFFFF) + 1)
        return raw if raw is not None else b""

    def _pages_of(self, base: int, limit: int) -> set[GuestPhysical]:
        """The guest-physical pages in which a descriptor table stands."""
        pages: set[GuestPhysical] = set()
        for linear in range(base & ~PAGE_MASK, base + (limit & 0xFFFF) + 1, PAGE_SIZE):
            found = self.linear.seen_at(self._guest.paging, linear & 0xFFFF_FFFF)
            if found is not None and found < self.physical.size:
                pages.add(GuestPhysical(found & ~PAGE_MASK))
        return pages

    # -- departures

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """Emulate what the guest was entitled to; give it what is its own; mend what only the monitor's tables deny."""
        self._refuse_virtual_8086()
        if software:
            return self.guest_event(vector, error_code, software)
        if vector in REFUSALS:
            return self._refused(vector, error_code)
        if vector == PF:
            return self._page_fault(error_code)
        if vector == UD and self.interposer.here.instruction.mnemonic in NONE_OUTSIDE_RING_0:
            return self._refused(vector, error_code)
        if vector == NM and not self._guest.has_fpu and not self._guest.cr(0) & flags.CR0_TS:
            return self._give_fpu()
        return self.guest_event(vector, error_code, software)

    def io(self, port: int, size: int, text: str, *, reading: bool) -> Outcome:
        """As everywhere."""
        self._refuse_virtual_8086()
        return super().io(port, size, text, reading=reading)

    def _refuse_virtual_8086(self) -> None:
        """IRET enters it without a trap, and then it would be taken for the guest's kernel."""
        if self.cpu.state.eflags & flags.VM:
            raise UnknownDeparture("The guest is in virtual-8086 mode, which is not carried out here.")

    def _refused(self, vector: int, error_code: int) -> Outcome:
        guest = self._guest
        here = self.interposer.here
        stepping = guest.single_stepping
        try:
            text = self._emulator.emulate(here.instruction)
        except GuestFault as fault:
            return self.fault(fault)
        if text is None:
            return self.guest_event(vector, error_code, False)
        guest.end_interrupt_shadow()
        if stepping:
            guest.cpu.set_debug_register(6, guest.cpu.debug_register(6) | 1 << 14)
            self.reflect(Event(Vector.DB, Origin.EXCEPTION), Cause.FAULT)
        cause = HALT if self.interposer.halted else PRIVILEGED
        return made_quickly(Outcome, (cause, f"monitor: {here.name}", text, MONITOR, False, None))

    def _page_fault(self, error_code: int) -> Outcome:
        """True, hidden, or a trace: the guest's own tables decide."""
        address = GuestVirtual(self.faulting_address())
        guest = self._guest
        write = bool(error_code & PF_WRITE)
        found = self.faults.resolve(guest.paging, address, write=write, user=guest.cpl == 3)
        if isinstance(found, Denied):
            event = Event(Vector.PF, Origin.EXCEPTION, found.error_code, address)
            return self.reflect(event, Cause.PAGE_FAULT_TRUE)
        return made_quickly(Outcome, (found.cause, f"monitor: {found.by}", found.text, MONITOR, True, None))

    def store_edit(self, address: GuestPhysical, data: bytes) -> None:
        """The page may be one that is shadowed."""
        self.faults.store(address, data)

    def traced_page_written(self, page: GuestPhysical, before: bytes, after: bytes) -> None:
        """What the guest changed in a traced page: the shadows follow."""
        self.pager.written(page, before, after)
        self._sync_tables()

    def _give_fpu(self) -> Outcome:
        """The FPU is handed over at its first use, as monitors do that save its state only for VMs that use it."""
        guest = self._guest
        guest.has_fpu = True
        guest.set_cr(0, guest.cr(0))
        text = "gave the guest the FPU at its first use, and cleared the real TS"
        return Outcome(Cause.FAULT, "monitor: FPU", text, Ring.KERNEL, hidden=True)

    def device_address(self, address: int) -> int:
        """The page that the window stands for."""
        return self.faults.windows.page_address(address)

    def handling_ring(self, done: object) -> Ring:
        """The monitor sees everything first, in ring 0."""
        return MONITOR

    def system_call_ring(self) -> Ring:
        """As `handling_ring`."""
        return Ring.KERNEL

    def guest_handler(self, address: int) -> str:
        """The monitor passes it on."""
        return f"monitor, then {super().guest_handler(address)}"

    def device_name(self, port: int) -> str:
        """The VM's devices are the monitor's."""
        return f"monitor: virtual {super().device_name(port)}"

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """The virtual IF changes only in traps, so the CPU has nothing to watch."""

    # -- Effects

    def halt(self) -> None:
        """See `Effects`."""
        self.interposer.halt()

    def shadow(self) -> None:
        """See `Effects`."""
        self._guest.begin_interrupt_shadow()

    def invalidate(self, linear: int) -> None:
        """See `Effects`: the shadow follows the guest's tables at once, so only the TLB is left."""
        self.cpu.flush_tlb()

    def read_msr(self, number: int) -> int:
        """See `Effects`."""
        if number in UNKEPT_MSRS:
            raise UnknownDeparture(f"The guest read MSR {number:#x}, which this monitor does not keep.")
        if number in self.unsaved_msrs:
            return self.unsaved_msrs.read(number)
        return self._msrs[number] if number in self._msrs else self.cpu.msr(number)

    def write_msr(self, number: int, value: int) -> None:
        """See `Effects`."""
        if number in UNKEPT_MSRS:
            raise UnknownDeparture(f"The guest wrote MSR {number:#x}, which this monitor does not keep.")
        if number in self.unsaved_msrs:
            self.unsaved_msrs.write(number, value)
        elif number in self._msrs:
            self._msrs[number] = value & 0xFFFF if number == SYSENTER_CS else value
        else:
            self.cpu.set_msr(number, value)
