"""What every kind of VMM shares: one VM, its memory and devices, and the way back into the guest.

A VMM monitors one VM (Popek & Goldberg 1974). The interposer brings it every departure; it answers with an `Outcome`.
A kind is only what differs, so that two kinds can be read side by side: where the guest's kernel runs, what its
exceptions mean, what it believes of the CPU. It is one file, since it is all that may be asked of any kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Protocol

from core.addresses import GuestPhysical, GuestVirtual, HostPhysical
from core.costs import Work
from core.cpu.context import MSR_AT, Gpr, Seg
from core.cpu.cpuid import sober_cpuid
from core.cpu.delivery import EXCEPTION, SOFTWARE, Delivered, Event, Origin, deliver
from core.cpu.edits import edit
from core.cpu.faults import WITH_ERROR_CODE, GuestFault, Vector, general_protection
from core.cpu.flags import CR0_ET, CR0_PE, DR7_ENABLES, IF, VM
from core.cpu.guest_cpu import GuestCpu, Segment, Table
from core.cpu.modes import not_carried
from core.cpu.unsaved_msrs import UnsavedMsrs
from core.cpu.virtual_cpu import MSRS, VirtualCpu, put_cpu, read_cpu
from core.devices.pc import Pc
from core.errors import RequestError, UnknownDeparture
from core.events import RINGS, Cause, Ring, Trap, made_quickly, vector_name
from core.guests.boot import BootState
from core.guests.image import Interface
from core.interposer import Interposer, Outcome
from core.layout import HOST_RESERVED, MACHINE_MEMORY
from core.looks import Reference, SeenVmcb, TableWalk
from core.machine import Machine
from core.memory.frames import FrameAllocator
from core.memory.guest_physical import GuestPhysicalMemory, MemoryBus
from core.memory.ram import Ram
from core.memory.reclaim import Mappings
from core.memory.walk import LinearMemory
from core.stage import Stage, Who
from core.translations import SeenBlock, SeenCache, Switch
from core.vmm.holes import BY_MEMORY
from core.vmm.own_state import OwnState

FLAT_CODE, FLAT_DATA, BUSY_TSS = 0x00CF_9B00, 0x00CF_9300, 0x0000_8B00
DR6_BS = 1 << 14  # the single step
SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP = 0x174, 0x175, 0x176
BREAKS, PF = frozenset({Vector.BP, Vector.OF}), Vector.PF
FAULT, IO, PAGE_FAULT_TRUE, SYSTEM_CALL = Cause.FAULT, Cause.IO, Cause.PAGE_FAULT_TRUE, Cause.SYSTEM_CALL
NameOf = Callable[[int], str]


class VmHost(Protocol):
    """What a VMM stands on: given by the hypervisor. The machine is shared, the interposer is the VM's own."""

    @property
    def machine(self) -> Machine: ...
    @property
    def interposer(self) -> Interposer: ...


class Vmm(ABC):
    """One monitor for one VM. Subclasses set `kind`, `title`, `summary`, `order`, and `work`: what a departure of each
    cause is made of, for the cost model; `work_by_reason` where its reason tells more."""

    kind: ClassVar[str] = ""
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    order: ClassVar[int] = 0
    work: ClassVar[Mapping[Cause, tuple[Work, ...]]] = {}
    work_by_reason: ClassVar[Mapping[Cause, tuple[Work, ...]]] = {}
    leaves_holes: ClassVar[bool] = False
    """Does the guest's kernel run directly in an outer ring, so that the holes of x86 are open (`core.vmm.holes`)?"""
    translates: ClassVar[bool] = False  # does the guest's kernel run as translated code?
    walks_guest_tables: ClassVar[bool] = True  # does the CPU walk the guest's own page tables?
    interface: ClassVar[Interface] = Interface.PC  # what guests of this kind are written for
    hosted: ClassVar[bool] = True  # does a monitor stand beneath, so that other VMs can be beside?
    io_ring: Ring | None = Ring.KERNEL

    def __init__(self, host: VmHost, letter: str, physical: GuestPhysicalMemory, pc: Pc, name_of: NameOf) -> None:
        self.machine = host.machine
        self.interposer = host.interposer
        self.cpu = host.machine.cpu
        self.letter = letter
        self.physical = physical
        self.linear = LinearMemory(physical)
        self.pc = pc
        self.name_of = name_of
        self.mappings: Mappings | None = None  # through what the CPU sees the VM's memory, if pages of it can be taken
        self.unsaved_msrs = UnsavedMsrs()
        self.guest = self.make_guest()

    # -- what the machine must be like

    @classmethod
    def machine_memory(cls, vm_memory: int) -> int:
        """Bytes of RAM of a machine that hosts one VM of `vm_memory` bytes under this kind."""
        return max(MACHINE_MEMORY, vm_memory + MACHINE_MEMORY // 2)

    @classmethod
    def vm_frames(cls, allocator: FrameAllocator, vm_memory: int, owner: str) -> Sequence[HostPhysical]:
        """The frames that become the VM's memory, in guest-physical order."""
        if not allocator.owner(HostPhysical(0)):
            allocator.claim(HostPhysical(0), HOST_RESERVED, "host")
        return allocator.allocate(vm_memory, owner)

    @classmethod
    def frames_for(
        cls, allocator: FrameAllocator, vm_memory: int, owner: str, own: OwnState | None
    ) -> Sequence[HostPhysical]:
        """As `vm_frames`, for a VM that goes on with `own`; a RequestError if it needs frames that are not free."""
        return cls.vm_frames(allocator, vm_memory, owner)

    @classmethod
    def memory(cls, ram: Ram, frames: Sequence[HostPhysical], bus: MemoryBus, owner: str) -> GuestPhysicalMemory:
        """The VM's memory over these frames."""
        return GuestPhysicalMemory(ram, frames, bus, owner)

    # -- what differs

    @abstractmethod
    def stage(self) -> Stage:
        """Who runs in which ring, as it is now."""

    def make_guest(self) -> GuestCpu:
        """The CPU as this kind's guest believes it to be."""
        return GuestCpu(self.cpu)

    @abstractmethod
    def prepare(self) -> None:
        """Set the monitor itself up, before the guest's registers are."""

    @property
    def switches(self) -> frozenset[Switch]:
        """What of its translator is switched on, where it has one."""
        return frozenset()

    def inherit(self, before: Vmm) -> None:  # noqa: B027
        """The VM was powered on anew: take over what a person has switched in its monitor of `before`."""

    @abstractmethod
    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """The CPU raised `vector` while the guest ran."""

    def guarded_write(self) -> Outcome:
        """A store of the guest's that a page of the monitor's must be kept from."""
        raise UnknownDeparture("A store was stopped that nobody guards against.")

    @abstractmethod
    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """Make the CPU stop where the guest begins to accept interrupts, if only the CPU can know."""

    def before_run(self) -> None:  # noqa: B027
        """The CPU is about to run the guest from `cpu.state`: go into guest mode, where there is one."""

    def exited(self, code: int, info: int) -> Outcome:
        """#VMEXIT: only guests in guest mode leave it."""
        raise UnknownDeparture(f"The CPU reports #VMEXIT {code:#x}, and this monitor never entered guest mode.")

    def device_address(self, address: int) -> int:
        """The guest-physical address for which the machine's address `address`, beyond RAM, stands."""
        return address

    def real_walks(self, linear: GuestVirtual, guest: TableWalk) -> tuple[TableWalk, ...]:
        """The walks that the CPU makes for `linear` through tables that are not the guest's, in place of its walk
        through those or after it; `guest` is the walk through the guest's own."""
        return ()

    def references(self, guest: TableWalk, real: tuple[TableWalk, ...]) -> tuple[Reference, ...]:
        """The entries that the CPU reads to translate the address of these walks, in order."""
        walked = real[0] if real else guest
        return tuple(Reference(len(real[:1]), entry) for entry in walked.entries)

    def seen_vmcb(self) -> SeenVmcb | None:
        """The VM's control block, where there is one."""
        return None

    def seen_cache(self) -> SeenCache | None:
        """The translation cache, where there is one."""
        return None

    def seen_block(self, ordinal: int | None) -> SeenBlock | None:
        """The block of that number in the translation cache, or (None) the one in which the guest stands; None where
        there is no such live block."""
        return None

    def frame_purposes(self) -> Iterator[tuple[HostPhysical, str]]:
        """What the frames that the monitor keeps for itself are for."""
        return iter(())

    def trapped(self, trap: Trap) -> bool:
        """Did its instruction bring the monitor in? Not where only the monitor's page tables stopped it, nor where the
        CPU went to the guest's own handler."""
        return trap.ring_to in self.monitor_rings() and trap.cause not in BY_MEMORY

    def monitor_rings(self) -> frozenset[Ring]:
        """The real rings in which the monitor handles departures; none on bare hardware."""
        return frozenset(ring.ring for ring in self.stage().rings if ring.who is Who.MONITOR)

    def unseen_work(self) -> Mapping[Work, int]:
        """Work of the monitor's that no departure stands for, since power-on."""
        return {}

    # -- what is shared

    @classmethod
    def work_of(cls, cause: Cause, reason: Cause | None) -> tuple[Work, ...]:
        """What a departure of that cause, for that reason, is made of."""
        if reason is not None and reason in cls.work_by_reason:
            return cls.work_by_reason[reason]
        return cls.work.get(cause, ())

    def power_on(self, boot: BootState) -> None:
        """Give the guest's CPU the state of the image contract (`core.guests.boot`)."""
        guest = self.guest
        self.prepare()
        guest.set_cr(0, CR0_PE | CR0_ET)
        guest.set_cr(3, 0)
        guest.set_cr(4, 0)
        guest.gdtr, guest.idtr = Table(boot.gdt_base, boot.gdt_limit), Table(0, 0)
        guest.set_segment(Seg.LDTR, Segment(0, 0, 0, 0))
        guest.set_segment(Seg.TR, Segment(0, 0, 0xFFFF, BUSY_TSS))
        guest.set_segment(Seg.CS, Segment(boot.code_selector, 0, 0xFFFF_FFFF, FLAT_CODE))
        for seg in (Seg.ES, Seg.SS, Seg.DS, Seg.FS, Seg.GS):
            guest.set_segment(seg, Segment(boot.data_selector, 0, 0xFFFF_FFFF, FLAT_DATA))
        for reg in Gpr:
            guest.set_reg(reg, 0)
        guest.set_reg(Gpr.EAX, boot.eax)
        guest.set_reg(Gpr.EBX, boot.ebx)
        guest.set_reg(Gpr.ESP, boot.esp)
        guest.eflags = 2
        guest.eip = boot.eip

    # -- the VM at an instant (`core.vm_snapshots`)

    @classmethod
    def check_carries(cls, cpu: VirtualCpu, own: OwnState | None, ram: Mapping[int, bytes], pages: int) -> None:
        """A RequestError if a VM in that state cannot go on under this kind; it has so many `pages`, and those that are
        not all zero are `ram`."""
        found = not_carried(cpu.control[0], cpu.control[3])
        if found:
            raise RequestError(f"The VM's guest {found}, which is not carried out here.", "Use an earlier snapshot.")
        if own is not None:
            raise RequestError(f"{cls.title} has no {own.what}, which the VM's guest uses.", f"Choose {own.where}.")

    @classmethod  # noqa: B027
    def check_machine(cls, own: OwnState | None, memory: int) -> None:
        """A RequestError if a VM with `own` has no place in any machine with `memory` bytes."""

    def check_goes_back(self, own: OwnState | None) -> None:  # noqa: B027
        """A RequestError if this VM, in its frames, cannot be put back to an instant with `own`."""

    def own_state(self) -> OwnState | None:
        """What the guest has told its monitor; a RequestError where a person has left the VM half-way."""
        return None

    def take_up_own(self, own: OwnState) -> None:  # noqa: B027
        """Have been told that; it was checked."""

    def before_checkpoint(self) -> None:  # noqa: B027
        """Look at what the CPU holds for the VM beside its state."""

    def kept_msr(self, number: int) -> int:
        """One of `MSRS` as the guest wrote it."""
        if number in self.unsaved_msrs:
            return self.unsaved_msrs.read(number)
        return int.from_bytes(self._msr_bytes(number), "little")

    def keep_msr(self, number: int, value: int) -> None:
        """Set it."""
        if number in self.unsaved_msrs:
            self.unsaved_msrs.write(number, value)
            return
        self._msr_bytes(number)[:] = value.to_bytes(len(self._msr_bytes(number)), "little")

    def _msr_bytes(self, number: int) -> memoryview:
        at, size = MSR_AT[number], 4 if number == SYSENTER_CS else 8
        return memoryview(self.cpu.state).cast("B")[at : at + size]

    def freeze_cpu(self) -> VirtualCpu:
        """The guest's CPU now."""
        return read_cpu(self.guest, tuple((number, self.kept_msr(number)) for number in MSRS))

    def go_on_from(self, held: VirtualCpu, own: OwnState | None) -> None:
        """In place of `power_on`: the VM's memory and devices are those of then; so is its CPU now."""
        self.prepare()
        for number, value in held.msrs:
            self.keep_msr(number, value)
        put_cpu(self.guest, held)
        if own is not None:
            self.take_up_own(own)
        if held.debug[7] & DR7_ENABLES:
            self.arm(7, held.debug[7])

    def interrupt(self, vector: int) -> Outcome:
        """Deliver an external interrupt to the guest."""
        return self.reflect(Event(vector, Origin.EXTERNAL), Cause.INTERRUPT)

    def sysenter(self) -> Outcome:
        """To the kernel's entry without IDT or TSS: flat segments and addresses from three MSRs (SDM vol. 2)."""
        guest = self.guest
        selector = self.read_msr(SYSENTER_CS) & 0xFFFC
        if not selector:
            return self.fault(general_protection())
        before = guest.cpl
        guest.eflags &= ~(IF | VM)
        guest.set_cpl(0)
        guest.set_segment(Seg.CS, Segment(selector, 0, 0xFFFF_FFFF, FLAT_CODE))
        guest.set_segment(Seg.SS, Segment(selector + 8, 0, 0xFFFF_FFFF, FLAT_DATA))
        guest.set_reg(Gpr.ESP, self.read_msr(SYSENTER_ESP))
        guest.eip = self.read_msr(SYSENTER_EIP)
        text = f"entered the guest's kernel by SYSENTER, from ring {before} to ring 0"
        return Outcome(Cause.SYSTEM_CALL, self.guest_handler(guest.pc), text, self.system_call_ring())

    def system_call_ring(self) -> Ring:
        """The real ring in which SYSENTER is first handled."""
        return RINGS[self.cpu.cpl]

    def edit_register(self, name: str, value: int) -> None:
        """Someone outside sets a register, in the guest's own terms."""
        edit(self.guest, name, value)

    def edit_memory(self, address: GuestPhysical, data: bytes) -> None:
        """Someone outside writes `data`, which lies in one page of the VM's RAM; what was made from it follows."""
        self.check_edit(address)
        self.store_edit(address, data)
        frame = self.physical.lies_at(address)
        if frame is not None:
            self.interposer.frame_changed(frame)
        self.cpu.flush_tlb()

    def check_edit(self, address: GuestPhysical) -> None:
        """A RequestError if what stands there is not to be changed from outside."""
        if address >= self.physical.size:
            raise RequestError(f"There is no memory at guest-physical {address:#010x}.", "Choose an address in RAM.")

    def store_edit(self, address: GuestPhysical, data: bytes) -> None:
        """Store it."""
        self.physical.write(address, data)

    def read_msr(self, number: int) -> int:
        """A model-specific register of the guest's CPU."""
        return self.cpu.msr(number)

    def load_debug_register(self, number: int, value: int) -> None:
        """A debug register of the guest's CPU. The CPU makes breakpoints itself, and must stand still for it."""
        if number == 6 or not (self.cpu.state.dr[7] | (value if number == 7 else 0)) & DR7_ENABLES:
            self.cpu.set_debug_register(number, value)
        else:
            self.interposer.before_the_next(lambda: self.arm(number, value))

    def arm(self, number: int, value: int) -> None:
        """The same where it makes or takes away breakpoints: the CPU stands still."""
        self.cpu.load_debug_register(number, value)

    def fault(self, fault: GuestFault) -> Outcome:
        """Deliver a fault to the guest."""
        cause = Cause.PAGE_FAULT_TRUE if fault.vector == Vector.PF else Cause.FAULT
        return self.reflect(Event(fault.vector, Origin.EXCEPTION, fault.error_code, fault.address), cause)

    def guest_event(self, vector: int, error_code: int, software: bool) -> Outcome:
        """Deliver to the guest what the CPU raised, as it stands."""
        if software:
            cause = FAULT if vector in BREAKS else SYSTEM_CALL
            return self.reflect(made_quickly(Event, (vector, SOFTWARE, None, None)), cause)
        cause, address = (PAGE_FAULT_TRUE, self.faulting_address()) if vector == PF else (FAULT, None)
        pushed = error_code if vector in WITH_ERROR_CODE else None
        return self.reflect(made_quickly(Event, (vector, EXCEPTION, pushed, address)), cause)

    def faulting_address(self) -> int:
        """CR2 as the CPU set it."""
        return int(self.cpu.state.cr[2]) & 0xFFFF_FFFF

    def reflect(self, event: Event, cause: Cause) -> Outcome:
        """Deliver `event` through the guest's IDT; the outcome says where the guest goes on."""
        try:
            done = self._deliver(event)
        finally:
            self.guest.end_interrupt_shadow()
        handler, text = self.guest_handler(self.guest.pc), self._delivered(event, done)
        return made_quickly(Outcome, (cause, handler, text, self.handling_ring(done), False, None))

    def take_step(self) -> None:
        """The #DB behind an instruction that was carried out for the guest."""
        self.cpu.state.dr[6] |= DR6_BS
        self.reflect(Event(Vector.DB, Origin.EXCEPTION), Cause.FAULT)

    def handling_ring(self, done: Delivered) -> Ring:
        """The real ring in which a delivered event is first handled."""
        return RINGS[self.cpu.cpl]

    def guest_handler(self, address: int) -> str:
        """The guest's handler at `address`, by its symbol where it has one."""
        name = self.name_of(address)
        return f"guest handler {name}" if name else f"guest handler at {address:#010x}"

    def io(self, port: int, size: int, text: str, *, reading: bool) -> Outcome:
        """The guest read or wrote `size` bytes at `port`, as `text` tells; the device has been served."""
        ring = RINGS[self.cpu.cpl] if self.io_ring is None else self.io_ring
        return made_quickly(Outcome, (IO, self.device_name(port), text, ring, False, None))

    def timestamp(self) -> int:
        """The guest's time-stamp counter: virtual time, so that every run is repeatable."""
        return self.interposer.time

    def shut_down(self, tried: str) -> Outcome:
        """Delivery ended in a triple fault."""
        return Outcome(Cause.FAULT, "nobody", f"triple fault ({tried}): the CPU shut down", Ring.KERNEL)

    def device_name(self, port: int) -> str:
        """Who answers at `port`."""
        device = self.pc.bus.device_at(port)
        return device.name if device is not None else "nobody (an open bus)"

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """The lab's CPU says of itself only what the CPU and the lab keep."""
        return sober_cpuid(leaf, subleaf)

    def _deliver(self, event: Event) -> Delivered:
        return deliver(self.guest, self.linear, event, self._fault_eip(event))

    def _fault_eip(self, event: Event) -> int | None:
        """An accepted INT n saves the next EIP, a refused one faults at the instruction itself."""
        return self._instruction_eip() if event.origin is SOFTWARE else None

    def _instruction_eip(self) -> int:
        return (self.cpu.last_pc - self.guest.code_base) & 0xFFFF_FFFF

    def _delivered(self, event: Event, done: Delivered) -> str:
        what = vector_name(event.vector)
        if done.vector != event.vector:
            first = " and ".join(vector_name(tried) for tried in done.passed)
            return f"delivering {first} failed, so {vector_name(done.vector)} went through the guest's {done.gate}"
        moved = f", from ring {done.ring_from} to ring {done.ring_to}" if done.ring_from != done.ring_to else ""
        return f"delivered {what} through the guest's {done.gate}{moved}"
