"""Classic trap-and-emulate by ring deprivileging: the guest's kernel runs in ring 1, and what it may not do traps.

The oldest kind (Popek & Goldberg 1974; Goldberg 1973). Most instructions run directly; a privileged one raises #GP, the
monitor does to the guest's virtual CPU what it would have done to the real one, and the guest goes on. Here for guests
that leave paging off. The CPU itself runs with paging on, under tables of the monitor's, so that the VM has frames of
its own choosing, the monitor's region is guarded, and a write to the guest's GDT is noticed (a trace).
"""

from __future__ import annotations

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.cpu import flags
from core.cpu.context import Seg
from core.cpu.decode import decode, mnemonic
from core.cpu.delivery import Event, Origin
from core.cpu.faults import GuestFault, Vector
from core.cpu.guest_cpu import GuestCpu, Segment, Table
from core.cpu.unicorn_cpu import MAPPED_TO
from core.errors import UnknownDeparture
from core.events import Cause, Ring
from core.interposer import Outcome
from core.layout import MONITOR_BASE, SHADOW_GDT, SHADOW_LDT, SHADOW_TSS
from core.memory.shadow import ShadowTables
from core.memory.walk import WRITABLE
from core.vmm.deprivileged_cpu import CR0_MONITOR, DeprivilegedCpu
from core.vmm.emulate import Emulator
from core.vmm.shadow_descriptors import TABLE_BYTES, write_shadow
from core.vmm.vmm import BUSY_TSS, SYSENTER_CS, SYSENTER_EIP, SYSENTER_ESP, Vmm

# Exceptions by which the CPU refuses what a deprivileged kernel was entitled to do.
REFUSALS = frozenset({Vector.GP, Vector.NP, Vector.SS, Vector.TS})
PF_PRESENT, PF_WRITE = 1, 2
# Machine addresses beyond RAM under which a touched device page is mapped for one instruction.
DEVICE_WINDOW = MAPPED_TO - (16 << 20)
TSC_MSR = 0x10


class TrapEmulate(Vmm):
    """The monitor in ring 0, the guest's kernel in ring 1, its programs in ring 3."""

    kind = "trap_emulate"
    title = "Trap-and-emulate"
    summary = "The guest's kernel runs in ring 1; its privileged instructions trap and the monitor emulates them."
    order = 10

    _guest: DeprivilegedCpu

    # -- setting up

    def make_guest(self) -> GuestCpu:
        """The guest believes in ring 0; see `DeprivilegedCpu`."""
        self._guest = DeprivilegedCpu(self.cpu, self._sync_tables)
        self._emulator = Emulator(self._guest, self.linear, self)
        self._traced: set[GuestPhysical] = set()
        self._windows: dict[int, GuestPhysical] = {}
        self._shadowed: tuple[Table, Segment] | None = None
        self._contents = (b"", b"")
        self._msrs = dict.fromkeys((SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP), 0)
        return self._guest

    def prepare(self) -> None:
        """Build the monitor's page tables and descriptor tables, and turn the real CPU's paging on."""
        machine = self.machine
        self._tables = ShadowTables(machine.ram, machine.frames, f"monitor of {self.letter}")
        self._tables.map_all(GuestVirtual(0), self.physical.frames)
        self._gdt_frames = self._region(SHADOW_GDT, TABLE_BYTES)
        self._ldt_frames = self._region(SHADOW_LDT, TABLE_BYTES)
        self._region(SHADOW_TSS, PAGE_SIZE)
        state = self.cpu.state
        self.cpu.write_cr(3, self._tables.root)
        self.cpu.write_cr(0, CR0_MONITOR)
        task = state.segs[Seg.TR]
        task.selector, task.base, task.limit, task.flags = 0, SHADOW_TSS, 0x67, BUSY_TSS
        self._guest.set_cpl(0)

    def _region(self, linear: GuestVirtual, size: int) -> list[HostPhysical]:
        """Monitor pages at `linear`, that the guest's rings can neither write nor (from ring 3) read."""
        frames = [self._tables.new_frame() for _ in range(size // PAGE_SIZE)]
        for index, frame in enumerate(frames):
            self._tables.map(GuestVirtual(linear + index * PAGE_SIZE), frame, writable=False, user=False)
        return frames

    # -- the shadow descriptor tables

    def _sync_tables(self) -> None:
        """Make the shadows follow the guest's GDT and LDT, and trace the pages these stand in."""
        guest = self._guest
        gdtr, ldt = guest.gdtr, guest.segment(Seg.LDTR)
        has_ldt = bool(ldt.selector & 0xFFFC)
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
            held.selector, held.base = ldt.selector, SHADOW_LDT
            held.limit, held.flags = (ldt.limit & 0xFFFF, ldt.flags) if has_ldt else (0, 0)
            self._trace(((gdtr.base, gdtr.limit), (ldt.base, ldt.limit)) if has_ldt else ((gdtr.base, gdtr.limit),))
        self._shadowed, self._contents = where, contents

    def _guest_table(self, base: int, limit: int) -> bytes:
        raw = self.linear.peek(self._guest.paging, base, (limit & 0xFFFF) + 1)
        return raw if raw is not None else b""

    def _trace(self, tables: tuple[tuple[int, int], ...]) -> None:
        """Close the pages of the guest's tables (base, limit) to writing; open those of the tables before."""
        wanted: set[GuestPhysical] = set()
        for base, limit in tables:
            first, last = base & ~PAGE_MASK, base + (limit & 0xFFFF)
            wanted |= {GuestPhysical(page) for page in range(first, last + 1, PAGE_SIZE) if page < self.physical.size}
        for page in self._traced - wanted:
            self._set_writable(page, True)
        for page in wanted - self._traced:
            self._set_writable(page, False)
        self._traced = wanted
        self.cpu.flush_tlb()

    def _set_writable(self, page: GuestPhysical, writable: bool) -> None:
        linear = GuestVirtual(page)
        entry = self._tables.entry(linear)
        self._tables.set_entry(linear, entry | WRITABLE if writable else entry & ~WRITABLE)

    # -- departures

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """Emulate what the guest was entitled to; give it what is its own; mend what only the monitor's tables deny."""
        if software:
            return self.guest_event(vector, error_code, software)
        if vector == Vector.PF:
            return self._page_fault(error_code)
        if vector in REFUSALS:
            return self._refused(vector, error_code)
        if vector == Vector.NM and not self._guest.cr(0) & (flags.CR0_TS | flags.CR0_EM):
            return self._give_fpu()
        return self.guest_event(vector, error_code, software)

    def _refused(self, vector: int, error_code: int) -> Outcome:
        guest = self._guest
        pc = guest.pc
        instruction = decode(self.interposer.code, pc)
        stepping = guest.eflags & flags.TF
        try:
            text = self._emulator.emulate(instruction)
        except GuestFault as fault:
            return self.fault(fault)
        if text is None:
            return self.guest_event(vector, error_code, False)
        if not guest.began_shadow_now:
            guest.end_interrupt_shadow()
        if stepping:
            guest.cpu.set_debug_register(6, guest.cpu.debug_register(6) | 1 << 14)
            self.reflect(Event(Vector.DB, Origin.EXCEPTION), Cause.FAULT)
        cause = Cause.HALT if self.interposer.halted else Cause.PRIVILEGED
        return Outcome(cause, f"monitor: {mnemonic(instruction)}", text, Ring.KERNEL)

    def _page_fault(self, error_code: int) -> Outcome:
        """The guest has no page tables, so every page fault is hidden from it."""
        address = self.faulting_address()
        page = GuestPhysical(address & ~PAGE_MASK)
        if page in self._traced and error_code & PF_WRITE:
            self._set_writable(page, True)
            self.cpu.flush_tlb()
            self.interposer.after_one_step(lambda: self._close_traced_page(page))
            text = f"let one write to the guest's descriptor table at {address:#010x} through and renewed the shadow"
            return Outcome(Cause.TRACE, "monitor: trace", text, Ring.KERNEL, hidden=True)
        if page < self.physical.size:
            raise UnknownDeparture(f"A page fault at {address:#010x}, which the monitor's own tables allow.")
        self._open_device_page(page)
        where = "the monitor's region" if page >= MONITOR_BASE else "beyond the guest's memory"
        text = f"showed the guest the open bus at {address:#010x} ({where}) for one instruction"
        return Outcome(Cause.PAGE_FAULT_HIDDEN, "monitor: device page", text, Ring.KERNEL, hidden=True)

    def _give_fpu(self) -> Outcome:
        """The FPU is handed over at its first use, as monitors do that save its state only for VMs that use it."""
        guest = self._guest
        guest.has_fpu = True
        guest.set_cr(0, guest.cr(0))
        text = "gave the guest the FPU at its first use, and cleared the real TS"
        return Outcome(Cause.FAULT, "monitor: FPU", text, Ring.KERNEL, hidden=True)

    def _close_traced_page(self, page: GuestPhysical) -> None:
        if page in self._traced:
            self._set_writable(page, False)
            self.cpu.flush_tlb()
        self._sync_tables()

    def _open_device_page(self, page: GuestPhysical) -> None:
        """Map a page that is not RAM to the machine's bus for one instruction."""
        linear = GuestVirtual(page)
        window = DEVICE_WINDOW + len(self._windows) * PAGE_SIZE
        before = self._tables.entry(linear)
        self.interposer.after_one_step(lambda: self._close_device_page(window, linear, before))
        self._windows[window] = page
        self._tables.map(linear, window, writable=True, user=True)
        self.cpu.flush_tlb()

    def _close_device_page(self, window: int, linear: GuestVirtual, entry: int) -> None:
        del self._windows[window]
        self._tables.set_entry(linear, entry)
        self.cpu.flush_tlb()

    def device_address(self, address: int) -> int:
        """The page that the window stands for."""
        page = self._windows.get(address & ~PAGE_MASK)
        return address if page is None else page | address & PAGE_MASK

    def handling_ring(self, done: object) -> Ring:
        """The monitor sees everything first, in ring 0."""
        return Ring.KERNEL

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
        """See `Effects`: nothing is cached for a guest without paging."""

    def read_msr(self, number: int) -> int:
        """See `Effects`."""
        if number == TSC_MSR:
            return self.interposer.time
        if number not in self._msrs:
            raise UnknownDeparture(f"The guest read MSR {number:#x}, which this monitor does not keep.")
        return self._msrs[number]

    def write_msr(self, number: int, value: int) -> None:
        """See `Effects`."""
        if number not in self._msrs:
            raise UnknownDeparture(f"The guest wrote MSR {number:#x}, which this monitor does not keep.")
        self._msrs[number] = value

    def tables_written(self) -> None:
        """See `Effects`."""
        self._sync_tables()
