"""Paravirtualization: the guest's kernel was changed to run in ring 1 and to ask where it would otherwise trap.

The manner is Xen's (Barham et al., SOSP 2003): hypercalls by INT 0x82, page tables that the CPU walks and the guest may
only read, events and a mask in a shared page, split drivers over rings. What is modelled of hardware: on a real CPU INT
0x80 of a program goes through a ring-1 gate straight into the guest's kernel, and the hypervisor sees nothing of it;
the emulated CPU delivers nothing by itself, so the lab plays that gate, and records it as going to ring 1 and not to
the monitor. Simplified: one CPU, no grant tables, no LDT, no writable page tables, time only in the guest's own time
stamps. The devices of the VM are the monitor's own, behind the drivers; the guest has no port. It is one file, so that
this kind's answer to each departure can be read beside the other kinds'.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from iced_x86 import RegisterExt

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.costs import Work
from core.cpu import flags
from core.cpu.context import Gpr, Seg
from core.cpu.cpuid import SEP
from core.cpu.delivery import Event, Origin
from core.cpu.faults import WITH_ERROR_CODE, GuestFault, Vector, general_protection
from core.cpu.guest_cpu import DESC_P, DESC_S, GuestCpu, Segment
from core.cpu.virtual_cpu import VirtualCpu, put_cpu
from core.errors import RequestError, UnknownDeparture
from core.events import Cause, End, EndHow, Ring, vector_name
from core.guests.boot import BootState
from core.guests.image import Interface
from core.interposer import Outcome
from core.layout import (
    HOST_RESERVED,
    INSTRUCTIONS_PER_SECOND,
    IRQ_PIT,
    IRQ_SERIAL,
    MACHINE_TO_PHYSICAL,
    MONITOR_BASE,
    MONITOR_TSS_SELECTOR,
    PIT_HZ,
    PORT_PIC_MASTER,
    PORT_PIT,
    PORT_SERIAL,
    SHADOW_GDT,
)
from core.memory.frames import FrameAllocator
from core.memory.guest_physical import GuestPhysicalMemory, MemoryBus
from core.memory.pseudo_physical import NOT_OURS, PseudoPhysicalMemory
from core.memory.ram import Ram
from core.memory.walk import ACCESSED, PRESENT
from core.stage import PARAVIRTUALIZED, Stage
from core.vmm.domain_builder import Layout, address_of, frame_of, write_tables
from core.vmm.domain_frames import check_machine, claim_frames, in_order, judge_tables, use_rings, use_tables
from core.vmm.event_channels import EventChannels
from core.vmm.frame_types import FrameType, FrameTypes
from core.vmm.hypercall_abi import (
    EVENTS_MASK,
    HYPERCALL_VECTOR,
    KERNEL_CODE,
    KERNEL_DATA,
    RESERVED_PAGE,
    TRAP_DPL,
    TRAP_MASKS,
    TSC_MULTIPLIER,
    TSC_SHIFT,
    USER_CODE,
    USER_DATA,
    EventOp,
    Hypercall,
    Refused,
    StartPage,
)
from core.vmm.hypercalls import DomainState, Hypercalls, is_kernel_code, is_kernel_stack
from core.vmm.own_state import Domain, Handler, OwnState
from core.vmm.paravirt_cpu import CR0_PARAVIRT, ParavirtCpu
from core.vmm.split_drivers import SERIAL_LINE, ConsoleBack, DiskBack, take_interrupts
from core.vmm.vmm import BUSY_TSS, SYSENTER_CS, SYSENTER_EIP, SYSENTER_ESP, Vmm

NANOSECONDS = 1_000_000_000 // INSTRUCTIONS_PER_SECOND  # of one instruction
SYSTEM_CALL = 0x80
FIRST_IRQ_VECTOR = 32
END_OF_INTERRUPT = 0x20
ONE_SHOT = 0x30  # PIT: channel 0, both bytes, mode 0
NO_IO_MAP = 0x65  # a TSS limit that leaves none
RESERVED_DESCRIPTORS = {KERNEL_CODE: 0xBB, KERNEL_DATA: 0xB3, USER_CODE: 0xFB, USER_DATA: 0xF3}  # flat, accessed


class Paravirt(Vmm):
    """The monitor in ring 0, a kernel that knows of it in ring 1, programs in ring 3."""

    kind = "paravirt"
    title = "Paravirtualization"
    summary = "The guest's kernel was changed to run in ring 1 and to call the hypervisor for what it may not do."
    order = 30
    interface = Interface.PARAVIRT
    work = MappingProxyType(
        {
            Cause.FAULT: (Work.FAULT, Work.REFLECTION),
            Cause.PRIVILEGED: (Work.FAULT, Work.EMULATION),
            Cause.SYSTEM_CALL: (Work.SYSTEM_CALL,),
            Cause.INTERRUPT: (Work.INTERRUPT, Work.DEVICE_MODEL),
            Cause.PAGE_FAULT_TRUE: (Work.PAGE_FAULT, Work.REFLECTION),
            Cause.HYPERCALL: (Work.HYPERCALL,),
            Cause.HALT: (),
            Cause.WORLD_SWITCH: (Work.WORLD_SWITCH,),
        }
    )
    work_by_reason = MappingProxyType({Cause.IO: (Work.HYPERCALL, Work.DEVICE_MODEL)})

    physical: PseudoPhysicalMemory
    guest: ParavirtCpu
    types: FrameTypes
    events: EventChannels
    _wanted: list[HostPhysical]

    @classmethod
    def memory(cls, ram: Ram, frames: Sequence[HostPhysical], bus: MemoryBus, owner: str) -> GuestPhysicalMemory:
        """With the way back from machine frames."""
        return PseudoPhysicalMemory(ram, frames, bus, owner)

    def stage(self) -> Stage:
        """The hypervisor in ring 0, the guest's kernel in ring 1."""
        return PARAVIRTUALIZED

    def make_guest(self) -> GuestCpu:
        """See `ParavirtCpu`."""
        return ParavirtCpu(self.cpu, self.physical)

    # -- the VM at an instant

    @classmethod
    def frames_for(
        cls, allocator: FrameAllocator, vm_memory: int, owner: str, own: OwnState | None
    ) -> Sequence[HostPhysical]:
        """The very frames that the guest knows."""
        if not isinstance(own, Domain):
            return super().frames_for(allocator, vm_memory, owner, own)
        if not allocator.owner(HostPhysical(0)):
            allocator.claim(HostPhysical(0), HOST_RESERVED, "host")
        return claim_frames(allocator, own, owner)

    @classmethod
    def check_carries(cls, cpu: VirtualCpu, own: OwnState | None, ram: Mapping[int, bytes], pages: int) -> None:
        """Only what a paravirtual VM has told its monitor, and a CPU as such a guest has it."""
        wrong = RequestError("The VM is in a state that no paravirtual one can be in.", "Use another snapshot.")
        if not isinstance(own, Domain) or not in_order(cpu, own) or len(own.frames) != pages:
            raise wrong
        try:
            judge_tables(own, ram)
        except Refused:
            raise wrong from None

    @classmethod
    def check_machine(cls, own: OwnState | None, memory: int) -> None:
        """Its frames must be there."""
        if isinstance(own, Domain):
            check_machine(own, memory)

    def check_goes_back(self, own: OwnState | None) -> None:
        """Its guest knows its frames, and it may have others since it was powered on anew."""
        frames = tuple(frame >> PAGE_SHIFT for frame in self.physical.frames[:-1])
        if not isinstance(own, Domain) or (own.frames, own.monitor_frames) != (frames, self._own_frames()):
            raise RequestError(
                f"VM {self.letter} has other frames of the machine now, and its guest knew those of then.",
                "Power on from the snapshot.",
            )

    def _own_frames(self) -> tuple[int, ...]:
        own = (self._table, self._zero, self._gdt, self._shared, *self._machine_to_physical)
        return tuple(frame >> PAGE_SHIFT for frame in own)

    def own_state(self) -> OwnState | None:
        """All that hypercalls have told, and where the VM lies."""
        state, types, events = self.state, self.types, self.events
        drivers = (self._console_channel, self._disk_channel)
        return Domain(
            frames=tuple(frame >> PAGE_SHIFT for frame in self.physical.frames[:-1]),
            monitor_frames=self._own_frames(),
            shared=self.machine.ram.read(self._shared, PAGE_SIZE),
            pinned=tuple((int(page), int(types.types[page])) for page in np.flatnonzero(types.pinned)),
            root=state.root,
            gdt=tuple(state.gdt),
            traps=tuple(sorted(state.traps.items())),
            upcall=state.upcall,
            failsafe=state.failsafe,
            kernel_stack=state.kernel_stack,
            channels=tuple(sorted(number for number in events.bound if number not in drivers)),
            timer=events.timer,
            deadline=state.deadline,
            blocked=self._blocked,
        )

    def go_on_from(self, held: VirtualCpu, own: OwnState | None) -> None:
        """In the same frames; every table is judged again, as when the guest made it one."""
        assert isinstance(own, Domain), "it was checked"
        self._wanted = [HostPhysical(frame << PAGE_SHIFT) for frame in own.monitor_frames]
        self._set_up(Layout.of(self.physical))
        self.machine.ram.write(self._shared, own.shared)
        self._take_up(own)
        self.physical.show(self._shared)
        put_cpu(self.guest, held)

    def _take_up(self, own: Domain) -> None:
        state, types, events = self.state, self.types, self.events
        use_tables(types, self.physical, own)
        state.root, state.gdt, state.traps = own.root, list(own.gdt), dict(own.traps)
        state.upcall, state.failsafe, state.kernel_stack = own.upcall, own.failsafe, own.kernel_stack
        state.deadline, self._blocked = own.deadline, own.blocked
        events.bound |= dict.fromkeys(own.channels)
        events.timer = own.timer
        self.show_gdt()

    # -- setting up

    def prepare(self) -> None:
        """The monitor's own pages, which stand in every address space, and the VM's first ones."""
        physical = self.physical
        layout, pages = Layout.of(physical), physical.size >> PAGE_SHIFT
        self._wanted = []
        write_tables(physical, layout)
        self._set_up(layout)
        self._tell_guest(layout, pages)
        root = frame_of(physical, layout.directory)
        self.types.pin(root, FrameType.TABLE_2)
        self.types.use(root, FrameType.TABLE_2)
        self.state.root = root
        physical.show(self._shared)

    def _set_up(self, layout: Layout) -> None:
        """What every such VM has, whatever its guest has done so far."""
        physical = self.physical
        self._table, self._zero, self._gdt, self._shared = (self._frame() for _ in range(4))
        self._machine_to_physical = [self._frame() for _ in range(-(-4 * len(physical.page_of) // PAGE_SIZE))]
        self.state = DomainState()
        self._blocked = False
        self.types = FrameTypes(physical, self._shared, self.cpu.flush_tlb)
        self.types.monitor_entry = self._table | PRESENT | ACCESSED
        self.events = self.guest.events = EventChannels(self.machine.ram, self._shared)
        self._write_monitor_pages()
        self._fill_shared_page()
        self._start_drivers(layout)
        self._calls = Hypercalls(self, self.guest, self.linear, self.types, self.events)
        for number in (SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP):
            self.cpu.set_msr(number, 0)

    def _frame(self) -> HostPhysical:
        """The next frame for the monitor: a free one, or one that it had before."""
        frames, owner = self.machine.frames, f"monitor of {self.letter}"
        if self._wanted:
            frame = self._wanted.pop(0)
            frames.claim(frame, PAGE_SIZE, owner)
        else:
            frame = frames.allocate(PAGE_SIZE, owner)[0]
        self.machine.ram.write(frame, bytes(PAGE_SIZE))
        return frame

    def _map(self, linear: int, frame: HostPhysical) -> None:
        """Show a frame in the monitor's region: to be read by rings 0 to 2 only."""
        slot = HostPhysical(self._table + 4 * (linear >> PAGE_SHIFT & 0x3FF))
        self.machine.ram.write_u32(slot, frame | PRESENT | ACCESSED)

    def _write_monitor_pages(self) -> None:
        ram, physical = self.machine.ram, self.physical
        for selector, access in RESERVED_DESCRIPTORS.items():
            at = HostPhysical(self._gdt + (selector & PAGE_MASK & ~7))
            ram.write(at, struct.pack("<II", 0x0000_FFFF, 0x00CF_0000 | access << 8))
        self._map(SHADOW_GDT + RESERVED_PAGE * PAGE_SIZE, self._gdt)
        self._map(SHADOW_GDT + (RESERVED_PAGE + 1) * PAGE_SIZE, self._zero)
        self.show_gdt()
        numbers = physical.page_of.astype(np.uint32).tobytes()
        for index, frame in enumerate(self._machine_to_physical):
            ram.write(frame, numbers[index * PAGE_SIZE : (index + 1) * PAGE_SIZE])
            self._map(MACHINE_TO_PHYSICAL + index * PAGE_SIZE, frame)

    def _fill_shared_page(self) -> None:
        ram, shared = self.machine.ram, self._shared
        self.events.masked = True
        ram.write(HostPhysical(shared + EVENTS_MASK), b"\xff" * 128)
        # nanoseconds = (time stamp << shift) * multiplier >> 32
        ram.write_u32(HostPhysical(shared + TSC_MULTIPLIER), (NANOSECONDS << 32) // 16)
        ram.write(HostPhysical(shared + TSC_SHIFT), b"\4")

    def _start_drivers(self, layout: Layout) -> None:
        ram, physical, events = self.machine.ram, self.physical, self.events
        use_rings(self.types, physical, layout)
        self._console = ConsoleBack(ram, address_of(physical, layout.console_ring), self.pc, self._typed)
        self._disk = DiskBack(
            ram, address_of(physical, layout.disk_ring), self.pc, self._driver_frame, self._memory_written
        )
        self._console_channel = events.bind(self._console.notified)
        self._disk_channel = events.bind(self._disk.notified)
        take_interrupts(self.pc, 1 << IRQ_PIT | SERIAL_LINE)
        self._console.start()

    def _tell_guest(self, layout: Layout, pages: int) -> None:
        start = StartPage(
            pages=pages,
            shared_frame=self._shared >> PAGE_SHIFT,
            page_tables=layout.directory << PAGE_SHIFT,
            page_table_pages=1 + len(layout.tables),
            frame_list=layout.frame_list << PAGE_SHIFT,
            machine_to_physical=MACHINE_TO_PHYSICAL,
            console_ring=layout.console_ring << PAGE_SHIFT,
            console_channel=self._console_channel,
            disk_ring=layout.disk_ring << PAGE_SHIFT,
            disk_channel=self._disk_channel,
            disk_sectors=self._disk.sectors,
        )
        self._start_page = layout.start << PAGE_SHIFT
        self.physical.write(GuestPhysical(self._start_page), start.packed())

    def power_on(self, boot: BootState) -> None:
        """With paging on, in ring 1; ESI has the start page's address, the rest is as the image contract says."""
        self.prepare()
        guest, cpu = self.guest, self.cpu
        self.load_root()
        cpu.write_cr(4, 0)
        cpu.write_cr(0, CR0_PARAVIRT)
        real = cpu.state.segs
        real[Seg.GDTR].base, real[Seg.GDTR].limit = SHADOW_GDT, 0xFFFF
        real[Seg.IDTR].base, real[Seg.IDTR].limit = 0, 0
        guest.set_segment(Seg.LDTR, Segment(0, 0, 0, 0))
        guest.set_segment(Seg.TR, Segment(MONITOR_TSS_SELECTOR, 0, NO_IO_MAP, BUSY_TSS))
        code, data = self.segment(KERNEL_CODE), self.segment(KERNEL_DATA)
        assert code is not None and data is not None, "the monitor's own descriptors"  # noqa: PT018
        guest.enter(KERNEL_CODE, code, KERNEL_DATA, data)
        for seg in (Seg.ES, Seg.DS, Seg.FS, Seg.GS):
            guest.set_segment(seg, data)
        for reg in Gpr:
            guest.set_reg(reg, 0)
        guest.set_reg(Gpr.EAX, boot.eax)
        guest.set_reg(Gpr.EBX, boot.ebx)
        guest.set_reg(Gpr.ESP, boot.esp)
        guest.set_reg(Gpr.ESI, self._start_page)
        guest.load_flags(2)
        guest.eip = boot.eip

    def frame_purposes(self) -> Iterator[tuple[HostPhysical, str]]:
        """There are no shadows: the CPU walks the guest's own tables."""
        yield self._table, "page table of the monitor's region"
        yield self._gdt, "descriptors that every guest has"
        yield self._zero, "an empty page of descriptors"
        yield self._shared, "page shared with the guest: events and their mask"
        yield from ((frame, "machine-to-physical table") for frame in self._machine_to_physical)

    # -- departures

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """A hypercall, or what is the guest's own."""
        if not (software and vector == HYPERCALL_VECTOR):
            return self.guest_event(vector, error_code, software)
        if self.guest.cpl != Ring.ONE:
            return self._refuse_gate(vector)
        number, command = self.guest.reg(Gpr.EAX), self.guest.reg(Gpr.EBX)
        to_device = number == Hypercall.CONSOLE_IO or (number, command) == (Hypercall.EVENT_CHANNEL_OP, EventOp.SEND)
        name, text = self._calls.call()
        if self.interposer.end is None:
            text += self._on_the_way_back()
        reason = Cause.IO if to_device else None
        return Outcome(Cause.HYPERCALL, f"monitor: {name}", text, Ring.KERNEL, reason=reason)

    def _refuse_gate(self, vector: int) -> Outcome:
        """An INT n that may not be used from there."""
        self.guest.eip = self._instruction_eip()
        return self.fault(general_protection(vector * 8 + 2))

    def reflect(self, event: Event, cause: Cause) -> Outcome:
        """Through the guest's trap table; INT 0x80 of a program as the CPU's own gate does."""
        if self.cpu.state.eflags & flags.VM:
            raise UnknownDeparture("The guest is in virtual-8086 mode, which is not carried out here.")
        guest, vector = self.guest, event.vector
        handler = self.state.traps.get(vector)
        software, cpl = event.origin is Origin.SOFTWARE, guest.cpl
        if software and (handler is None or handler.flags & TRAP_DPL < cpl):
            return self._refuse_gate(vector)
        if handler is None:
            return self._crash(cause, f"its trap table has no handler for {vector_name(vector)}")
        straight = software and vector == SYSTEM_CALL and cpl == Ring.USER and not handler.flags & TRAP_MASKS
        if vector == Vector.PF and event.address is not None:
            self.events.tell_fault_address(event.address)
        with_code = event.origin is Origin.EXCEPTION and vector in WITH_ERROR_CODE
        if not self._enter_guest(handler, (event.error_code or 0) if with_code else None):
            return self._crash(cause, f"its kernel stack cannot take {vector_name(vector)}")
        guest.end_interrupt_shadow()
        moved = f", from ring {cpl} to ring 1" if cpl != Ring.ONE else ""
        text = f"delivered {vector_name(vector)} through the guest's trap table{moved}"
        if straight:
            return Outcome(cause, f"guest handler {self.name_of(guest.pc) or f'at {guest.pc:#010x}'}", text, Ring.ONE)
        handled_by = self.guest_handler(guest.pc)
        return Outcome(cause, handled_by, text + self._on_the_way_back(), Ring.KERNEL)

    def guest_handler(self, address: int) -> str:
        """The monitor passes it on."""
        return f"monitor, then {super().guest_handler(address)}"

    def fault(self, fault: GuestFault) -> Outcome:
        """Deliver a fault; but a kernel's IN and OUT are answered as by a bus on which nobody is."""
        guest = self.guest
        if fault.vector == Vector.GP and guest.cpl == Ring.ONE:
            instruction, name = self.interposer.here.instruction, self.interposer.here.name
            if name in ("IN", "OUT") and not instruction.is_string_instruction:
                if name == "IN":
                    ones = (1 << 8 * RegisterExt.size(instruction.op0_register)) - 1
                    guest.set_reg(Gpr.EAX, guest.reg(Gpr.EAX) | ones)
                guest.eip += instruction.len
                guest.end_interrupt_shadow()
                text = "no port belongs to this VM: " + ("read all ones" if name == "IN" else "dropped the value")
                return Outcome(Cause.PRIVILEGED, f"monitor: {name}", text, Ring.KERNEL)
        return super().fault(fault)

    def interrupt(self, vector: int) -> Outcome:
        """A device's interrupt: always the monitor's. What the guest hears of it is an event."""
        line = vector - FIRST_IRQ_VECTOR
        self.pc.bus.write_port(PORT_PIC_MASTER, 1, END_OF_INTERRUPT)
        if line == IRQ_PIT:
            who, text = "timer", self._timer_interrupt()
        elif line == IRQ_SERIAL:
            who, text = "console", f"took in {self._console.received()} bytes that were typed"
        else:
            who, text = "interrupt", f"line {line} is nobody's"
        text += self._on_the_way_back()
        if self._blocked:
            self.interposer.halt()
        return Outcome(Cause.INTERRUPT, f"monitor: {who}", text, Ring.KERNEL)

    def _timer_interrupt(self) -> str:
        deadline = self.state.deadline
        if deadline is None:
            return "nobody waits for the timer"
        if self.interposer.time < deadline:
            self._arm_timer(deadline)
            return "the guest's time has not come yet"
        self.state.deadline = None
        if not self.events.timer:
            return "the timer's event is bound to no channel"
        self.events.post(self.events.timer)
        return "posted the timer's event"

    def _on_the_way_back(self) -> str:
        """Before the guest goes on: if it wants to hear of an event, it goes on in its handler. What was done, as the
        end of a sentence."""
        events, handler = self.events, self.state.upcall
        if not events.pending:
            return ""
        if events.masked or handler is None:
            return "; an event waits, since the guest has masked them"
        self._blocked = False
        self.interposer.halted = False
        if not self._enter_guest(handler, None):
            self._crash(Cause.FAULT, "its kernel stack cannot take an event")
            return "; the guest's stack cannot take an event"
        return f"; upcall to {self.name_of(handler.address) or f'{handler.address:#010x}'}, with events masked"

    def _enter_guest(self, handler: Handler, error_code: int | None) -> bool:
        """Push a frame as a gate does, with the upcall mask in IF, and go to `handler`. False: the stack cannot be
        written."""
        guest, events = self.guest, self.events
        code = self.segment(handler.selector)
        selector, esp = guest.segment(Seg.SS).selector, guest.reg(Gpr.ESP)
        stack, values = None, []
        if guest.cpl == Ring.USER:
            values = [selector, esp]
            selector, esp = self.state.kernel_stack
            stack = self.segment(selector)
        masked, held = events.masked, guest.eflags
        values += [held, guest.segment(Seg.CS).selector | masked << 16, guest.eip]
        values += [error_code] if error_code is not None else []
        top = esp - 4 * len(values)
        # the guest may have changed these descriptors since it named them
        if not is_kernel_code(code) or (guest.cpl == Ring.USER and not is_kernel_stack(stack)):
            return False
        if top < 0 or esp > MONITOR_BASE:
            return False
        try:
            self.linear.write(guest.paging, top, struct.pack(f"<{len(values)}I", *reversed(values)))
        except GuestFault:
            return False
        if stack is not None:
            guest.enter(handler.selector, code, selector, stack)
        else:
            guest.set_segment(Seg.CS, Segment(handler.selector, code.base, code.limit, code.flags))
        guest.set_reg(Gpr.ESP, top)
        guest.eip = handler.address
        guest.load_flags(held & ~(flags.TF | flags.NT | flags.RF | flags.VM))
        upcall = handler is self.state.upcall
        if upcall or handler.flags & TRAP_MASKS:
            events.masked = True
        return True

    def _crash(self, cause: Cause, why: str) -> Outcome:
        """The guest cannot go on: Xen's `domain_crash`."""
        self.interposer.finish(End(EndHow.ERROR, None, f"The guest was stopped at {self.guest.pc:#010x}: {why}."))
        return Outcome(cause, "monitor", f"stopped the guest: {why}", Ring.KERNEL)

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """The guest looks itself, after it has cleared the mask."""

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """No SYSENTER: it would lead to ring 0."""
        eax, ebx, ecx, edx = super().cpuid(leaf, subleaf)
        return eax, ebx, ecx, edx & ~SEP if leaf == 1 else edx

    def _typed(self) -> None:
        self.events.post(self._console_channel)

    def _driver_frame(self, number: int, written: bool) -> HostPhysical | None:
        """The frame that a driver's request names, if it is the guest's, and no table when it is to be written."""
        if self.physical.page(number) == NOT_OURS:
            return None
        try:
            if written:
                self.types.use(number, FrameType.WRITABLE)
                self.types.release(number)
        except Refused:
            return None
        return HostPhysical(number << PAGE_SHIFT)

    def check_edit(self, address: GuestPhysical) -> None:
        """Only what the guest itself may write: tables are checked when they change, by hypercalls."""
        super().check_edit(address)
        frame = self.physical.lies_at(address)
        held = self.types.type_of(frame >> PAGE_SHIFT) if frame is not None else FrameType.WRITABLE
        if held not in (FrameType.WRITABLE, FrameType.NONE):
            raise RequestError(
                f"The page at guest-physical {address:#010x} is in use as {held.phrase}: only a hypercall changes it.",
                "Choose another page.",
            )

    def _memory_written(self) -> None:
        """A device wrote where code may have run."""
        self.interposer.after_one_step(self.cpu.forget_all_code)

    # -- Domain: what hypercalls ask for

    def load_root(self) -> None:
        """See `Domain`."""
        self.cpu.write_cr(3, self.state.root << PAGE_SHIFT)

    def flush_tlb(self) -> None:
        """See `Domain`."""
        self.cpu.flush_tlb()

    def show_gdt(self) -> None:
        """See `Domain`."""
        for page in range(RESERVED_PAGE):
            frame = HostPhysical(self.state.gdt[page] << PAGE_SHIFT) if page < len(self.state.gdt) else self._zero
            self._map(SHADOW_GDT + page * PAGE_SIZE, frame)
        self.cpu.flush_tlb()

    def segment(self, selector: int) -> Segment | None:
        """See `Domain`."""
        page = selector >> PAGE_SHIFT
        if selector & 4 or not selector & 0xFFFC:
            return None
        if page == RESERVED_PAGE:
            frame = self._gdt
        elif page < len(self.state.gdt):
            frame = HostPhysical(self.state.gdt[page] << PAGE_SHIFT)
        else:
            return None
        raw = self.machine.ram.read(HostPhysical(frame + (selector & PAGE_MASK & ~7)), 8)
        low, high = struct.unpack("<II", raw)
        if not high & DESC_P or not high & DESC_S:
            return None
        base = low >> 16 | (high & 0xFF) << 16 | high & 0xFF00_0000
        limit = low & 0xFFFF | high & 0xF_0000
        return Segment(selector, base, limit << 12 | 0xFFF if high & 1 << 23 else limit, high)

    def set_task_switched(self, wanted: bool) -> None:
        """See `Domain`."""
        self.cpu.write_cr(0, CR0_PARAVIRT | (flags.CR0_TS if wanted else 0))

    def set_timer(self, nanoseconds: int) -> None:
        """See `Domain`."""
        self.state.deadline = None
        if not nanoseconds:
            return
        deadline = -(-nanoseconds // NANOSECONDS)
        if deadline > self.interposer.time:
            self.state.deadline = deadline
            self._arm_timer(deadline)
        elif self.events.timer:
            self.events.post(self.events.timer)

    def _arm_timer(self, deadline: int) -> None:
        left = -(-(deadline - self.interposer.time) * PIT_HZ // INSTRUCTIONS_PER_SECOND)
        count = min(left, 0xFFFF)
        for port, value in ((PORT_PIT + 3, ONE_SHOT), (PORT_PIT, count & 0xFF), (PORT_PIT, count >> 8)):
            self.pc.bus.write_port(port, 1, value)
        self.interposer.reschedule()

    def block(self) -> None:
        """See `Domain`."""
        self.events.masked = False
        if not self.events.pending:
            self._blocked = True
            self.interposer.halt()

    def power_off(self, status: int) -> None:
        """See `Domain`."""
        self._console.notified()
        self.interposer.guest_exits(status)

    def code_overwritten(self) -> None:
        """See `Domain`."""
        self.interposer.before_the_next(self.cpu.forget_all_code)

    def console_write(self, data: bytes) -> None:
        """See `Domain`."""
        for byte in data:
            self.pc.bus.write_port(PORT_SERIAL, 1, byte)
