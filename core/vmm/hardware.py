"""Hardware-assisted virtualization: the guest runs in guest mode of AMD-V, and leaves it where its VMCB says so.

The guest's kernel stays in ring 0, its registers are the CPU's own, and its page tables are its own as well: the CPU
passes every guest-physical address through the nested table. What the VMCB intercepts makes the CPU leave (#VMEXIT) to
the hypervisor beneath, "ring −1", which does its part and enters again (AMD APM vol. 2 ch. 15). Entering is a real
VMRUN whenever the VMCB was changed from outside; between that, the CPU may stay in guest mode while an exit is handled,
since the emulator stops there with the guest loaded: the VMCB then holds what hardware would have stored, and what the
hypervisor changed. The CPU lacks the intercepts of I/O and interrupts; here the lab checks the bits in its place. It
delivers injected events through the guest's IDT as it does on the bare machine. It is one file, because the exits and
who handles each are one mechanism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from iced_x86 import Instruction, Mnemonic

from core.addresses import PAGE_SIZE, GuestPhysical, GuestVirtual, HostPhysical
from core.costs import Work
from core.cpu import guest_mode
from core.cpu.context import EAX, EBX, ECX, HF_INHIBIT_IRQ
from core.cpu.cpuid import HYPERVISOR_LEAF, hypervisor_cpuid, sober_cpuid
from core.cpu.delivery import Delivered, Event, Origin, deliver
from core.cpu.edits import FLAGS, POINTER
from core.cpu.faults import WITH_ERROR_CODE, GuestFault, Vector
from core.cpu.guest_cpu import GuestCpu
from core.cpu.virtual_cpu import VirtualCpu
from core.errors import RequestError
from core.events import Cause, Ring, Trap, made_quickly, vector_name
from core.interposer import Outcome
from core.layout import HOST_RESERVED
from core.looks import Reference, SeenVmcb, TableWalk
from core.memory.frames import FREE, FrameAllocator
from core.memory.nested import LARGE_BYTES, Beyond, Forbidden, Mapped, NestedPager
from core.memory.nested_reach import NestedReach
from core.memory.nested_walk import nested_walk, two_dimensional
from core.memory.reclaim import BROUGHT_BACK
from core.memory.walk import PRESENT, LinearMemory
from core.stage import HARDWARE, Stage
from core.vmm.accesses import met_as_table
from core.vmm.consistency import broken_rule
from core.vmm.control_area import MSRPM_BYTES, OPENING_MSRS, ControlArea, suspend
from core.vmm.device_windows import DeviceWindows
from core.vmm.emulate import Emulator
from core.vmm.event_field import VALID, from_field, to_field
from core.vmm.exit_words import exit_words
from core.vmm.guest_rings import CALL_NOTIFY, CALL_RING, CONSOLE, DISK, GuestRings
from core.vmm.intercepts import INTERCEPT, Exit, exit_name
from core.vmm.io_exit import IOPM_BYTES, io_information, ports_intercepted
from core.vmm.own_state import OwnState, RingPages
from core.vmm.save_area import SaveArea
from core.vmm.vmcb import FIELD, Vmcb
from core.vmm.vmm import Vmm

EXIT, HOST, NPF = Cause.EXIT, Ring.HOST, Exit.NPF  # looking a member of an enumeration up costs as much as a call
NPF_WRITE, NPF_USER = 1 << 1, 1 << 2
NPF_FINAL, NPF_TABLE = 1 << 32, 1 << 33
ALL_ONES = 0xFFFF_FFFF

# What no guest of the lab may do itself: it stands where its hypervisor should, or would stop the machine.
INTERCEPTED = (
    Exit.WRITE_CR8, Exit.INTR, Exit.VINTR, Exit.CPUID, Exit.HLT, Exit.INVLPGA, Exit.IOIO, Exit.MSR, Exit.SHUTDOWN,
    Exit.VMRUN, Exit.VMMCALL, Exit.VMLOAD, Exit.VMSAVE, Exit.STGI, Exit.CLGI, Exit.SKINIT,
)  # fmt: skip
# Instructions of AMD-V, which CPUID does not promise the guest.
NOT_PROMISED = frozenset(
    {Exit.VMRUN, Exit.VMMCALL, Exit.VMLOAD, Exit.VMSAVE, Exit.STGI, Exit.CLGI, Exit.SKINIT, Exit.INVLPGA}
)
FOR_RING_0 = frozenset(
    {Mnemonic.VMRUN, Mnemonic.VMLOAD, Mnemonic.VMSAVE, Mnemonic.STGI, Mnemonic.CLGI, Mnemonic.INVLPGA}
)
# Exits for which the hypervisor carries the instruction out itself; others it lets through, once, without intercept.
EMULATED = frozenset({*range(0x40), *range(0x6A, 0x6E), Exit.HLT, Exit.INVLPG, Exit.MSR, 0x76, 0x89})
EXCEPTION_EXITS = range(Exit.EXCEPTION_0, Exit.INTR)
WITH_ADDRESS = frozenset({Exit.NPF, Exit.EXCEPTION_0 + Vector.PF})
IN_VMCB = {"EAX": "RAX", "ESP": "RSP", POINTER: "RIP", FLAGS: "RFLAGS"}
_HANDLER = {code: f"hypervisor: {exit_name(code)}" for code in (*INTERCEPT, Exit.NPF)}
_MENDS_TABLES = frozenset(_HANDLER[code] for code in WITH_ADDRESS)  # alone; what goes on to the guest names its handler


class Hardware(Vmm):
    """The hypervisor beneath ring 0, the guest's kernel in ring 0, its programs in ring 3."""

    kind = "hardware"
    title = "Hardware-assisted (AMD-V)"
    summary = "The guest runs in guest mode, kernel in ring 0; what its VMCB intercepts exits to the hypervisor."
    order = 20
    io_ring = Ring.HOST
    work = MappingProxyType(
        {
            Cause.HYPERCALL: (Work.EXIT, Work.DEVICE_MODEL),
            Cause.EXIT: (Work.EXIT, Work.EMULATION),
            Cause.FAULT: (Work.FAULT,),
            Cause.PAGE_FAULT_TRUE: (Work.PAGE_FAULT,),
            Cause.SYSTEM_CALL: (Work.SYSTEM_CALL,),
            Cause.INTERRUPT: (Work.INTERRUPT,),
            Cause.IO: (Work.PORT,),
            Cause.HALT: (),
            Cause.WORLD_SWITCH: (Work.WORLD_SWITCH,),
        }
    )
    work_by_reason = MappingProxyType(
        {
            Cause.IO: (Work.EXIT, Work.DEVICE_MODEL),
            Cause.PRIVILEGED: (Work.EXIT, Work.EMULATION),
            Cause.PAGE_FAULT_HIDDEN: (Work.EXIT, Work.NESTED_FILL),
            Cause.FAULT: (Work.EXIT, Work.REFLECTION),
            Cause.PAGE_FAULT_TRUE: (Work.EXIT, Work.REFLECTION),
            Cause.INTERRUPT: (Work.EXIT, Work.REFLECTION),
        }
    )

    @classmethod
    def vm_frames(cls, allocator: FrameAllocator, vm_memory: int, owner: str) -> Sequence[HostPhysical]:
        """Frames in one aligned piece where there is one, so that nested pages can be large."""
        if not allocator.owner(HostPhysical(0)):
            allocator.claim(HostPhysical(0), HOST_RESERVED, "host")
        owners = allocator.owners()
        for start in range(0, len(owners) * PAGE_SIZE - vm_memory + 1, LARGE_BYTES):
            wanted = range(start, start + vm_memory, PAGE_SIZE)
            if all(owners[address // PAGE_SIZE] == FREE for address in wanted):
                allocator.claim(HostPhysical(start), vm_memory, owner)
                return [HostPhysical(address) for address in wanted]
        return allocator.allocate(vm_memory, owner)

    def stage(self) -> Stage:
        """The hypervisor beneath the guest's own four rings."""
        return HARDWARE

    def trapped(self, trap: Trap) -> bool:
        """As everywhere; here what the tables beneath forbid is an exit as well."""
        return super().trapped(trap) and trap.handler not in _MENDS_TABLES

    # -- setting up

    def make_guest(self) -> GuestCpu:
        """The guest sees the CPU itself."""
        guest = GuestCpu(self.cpu)
        self._emulator = Emulator(guest, self.linear, self)
        self._handlers = self._make_handlers()
        return guest

    def prepare(self) -> None:
        """Turn AMD-V on, and give the VM its VMCB, permission maps and nested table."""
        self._windows = DeviceWindows()
        self._rings = GuestRings(self.physical, self.pc, self._memory_written)
        self._msrs = dict.fromkeys(OPENING_MSRS, 0)
        self._waited = self._exited = self._cut_short = False
        self._must_enter = True
        self._edited = False
        guest_mode.leave_guest_mode(self.cpu)
        stub, save, vmcb = (self._monitor_frames(PAGE_SIZE) for _ in range(3))
        self._stub = stub
        self.machine.ram.write(stub, guest_mode.STUB)
        guest_mode.enable_svm(self.cpu, save)
        for number in ("SYSENTER_CS", "SYSENTER_ESP", "SYSENTER_EIP"):
            setattr(self.cpu.state, number.lower(), 0)
        self.vmcb = Vmcb(self.machine.ram, vmcb)
        self.save_area = SaveArea(self.cpu, self.vmcb)
        self.control = ControlArea(self.vmcb)
        iopm, msrpm = self._monitor_frames(IOPM_BYTES), self._monitor_frames(MSRPM_BYTES)
        self._maps = {"IOPM_BASE": iopm, "MSRPM_BASE": msrpm}
        self.control.fill(self.machine.ram, iopm, msrpm, self.intercepted())
        self.set_up_translation()
        self.before = self.vmcb.image()

    # -- the VM at an instant

    @classmethod
    def check_carries(cls, cpu: VirtualCpu, own: OwnState | None, ram: Mapping[int, bytes], pages: int) -> None:
        """With its rings."""
        if isinstance(own, RingPages):
            if not all(ring in (CONSOLE, DISK) and 0 <= page < pages for ring, page in own.pages):
                raise RequestError("The VM's guest has rings where none can be.", "Use another snapshot.")
        else:
            super().check_carries(cpu, own, ram, pages)

    def own_state(self) -> OwnState | None:
        """The pages that are rings for the guest's drivers."""
        if self._edited:
            raise RequestError("The VMCB was edited, and the guest has not entered with it yet.", "Step once first.")
        if self.vmcb.get("TSC_OFFSET"):
            raise RequestError("The guest's time-stamp counter was moved by the VMCB.", "Set TSC_OFFSET to 0 first.")
        return RingPages(self._rings.pages) if self._rings.pages else None

    def take_up_own(self, own: OwnState) -> None:
        """As the guest's calls would."""
        assert isinstance(own, RingPages), "it was checked"
        for ring, page in own.pages:
            self._rings.call(CALL_RING, ring, page)

    def kept_msr(self, number: int) -> int:
        """Those by which the guest could unseat its host are kept apart."""
        return self._msrs[number] if number in self._msrs else super().kept_msr(number)

    def keep_msr(self, number: int, value: int) -> None:
        """See `Vmm`."""
        if number in self._msrs:
            self._open(number, value)
        else:
            super().keep_msr(number, value)

    def _open(self, number: int, value: int) -> None:
        """Keep it apart. What SYSRET asks of EFER the guest has all the same: VMRUN loads it, and it counts at once."""
        if number == guest_mode.EFER_MSR:
            value &= guest_mode.EFER_WRITABLE
            in_force = guest_mode.EFER_SVME | value & guest_mode.EFER_SCE
            self.vmcb.set("EFER", in_force)
            self.cpu.state.efer = in_force
        self._msrs[number] = 0 if number == guest_mode.VM_CR_MSR else value  # as on the CPU itself

    def _monitor_frames(self, size: int) -> HostPhysical:
        """The first of enough frames, zeroed, side by side."""
        frames = self.machine.frames.allocate_side_by_side(size, f"monitor of {self.letter}")
        for frame in frames:
            self.machine.ram.write(frame, bytes(PAGE_SIZE))
        return frames[0]

    def intercepted(self) -> tuple[int, ...]:
        """Exit codes of the intercepts this kind begins with."""
        return INTERCEPTED

    def set_up_translation(self) -> None:
        """Nested paging, its table still empty."""
        self.mappings = self.nested = NestedPager(
            self.physical, self.machine.frames, f"monitor of {self.letter}", self._flush
        )
        self._reach = NestedReach(self.physical, self.nested, self._missed_in_delivery)
        self._delivery_memory = LinearMemory(self._reach)
        self.vmcb.set("NP_ENABLE", 1)
        self.vmcb.set("N_CR3", self.nested.root)

    # -- intercept bits

    def intercepts(self, code: int) -> bool:
        """Does the VMCB intercept this?"""
        return self.control.intercepts(code)

    def set_intercept(self, code: int, *, on: bool) -> None:
        """The person flips an intercept bit; it counts from the next entry, which is a real VMRUN."""
        intercept = INTERCEPT[code]
        if intercept.inert:
            raise RequestError(f"The intercept of {intercept.name} does nothing here.", intercept.inert)
        self._edit()
        self.control.set(intercept, on=on)

    def set_field(self, name: str, value: int) -> None:
        """The person edits a field; VMRUN will judge."""
        if name not in FIELD:
            raise RequestError(f"The VMCB has no field {name}.", "Choose one of those in the VMCB view.")
        self._edit()
        self.vmcb.set(name, value)
        if name == "EVENTINJ" and value & VALID:
            self.interposer.halted = False  # an event ends HLT

    def _edit(self) -> None:
        """Bring the VMCB up to date, as an exit right here would, and take it from there at the next entry."""
        if not self._must_enter:
            self.save_area.store()
            self.vmcb.set("EVENTINJ", 0)  # what stood there has been delivered
            self._must_enter = True
            self._edited = True

    def edit_register(self, name: str, value: int) -> None:
        """Where the next entry takes the registers from the VMCB, there too."""
        super().edit_register(name, value)
        if self._edited and name in IN_VMCB:
            self.vmcb.set(IN_VMCB[name], self.guest.eflags if name == FLAGS else value)

    # -- into the guest

    def before_run(self) -> None:
        """VMRUN, unless the CPU is still in guest mode and nothing but the guest's own registers has changed."""
        if self._must_enter:
            self._vmrun()

    def _vmrun(self) -> None:
        cpu, state, vmcb = self.cpu, self.cpu.state, self.vmcb
        if not self._edited:
            self.save_area.store()
        rule = broken_rule(vmcb, self.machine.ram.size)
        if rule is not None:
            self.save_area.store_exit(Exit.INVALID, 0, 0, 0, 0)
            raise RequestError(f"VMRUN refused the VMCB (VMEXIT_INVALID): {rule}", "Mend that field; the guest waits.")
        if vmcb.get("EXITCODE") == Exit.INVALID:
            vmcb.set("EXITCODE", 0)
        shadow, event = vmcb.get("INT_SHADOW") & 1, vmcb.get("EVENTINJ")
        guest_mode.leave_guest_mode(cpu)
        vmcb.set("EVENTINJ", 0)  # it is delivered here, as all events are
        entry = vmcb.get("CS.base") + vmcb.get("RIP") & ALL_ONES
        guest_mode.vmrun(cpu, self._stub, vmcb.address, entry)
        self.save_area.forget()  # what the CPU would not load of it stays there till the next exit
        vmcb.set("EVENTINJ", event)
        state.hflags = state.hflags & ~HF_INHIBIT_IRQ | (HF_INHIBIT_IRQ if shadow else 0)
        self._must_enter = self._edited = False
        if event & VALID:
            self._deliver_injected(from_field(event))

    def _deliver_injected(self, event: Event) -> None:
        """What EVENTINJ asked for at the entry; whoever injects a page fault sets CR2 too."""
        cause = Cause.INTERRUPT if event.origin is Origin.EXTERNAL else Cause.FAULT
        self.interposer.departed(event.vector, event.error_code, lambda: self.reflect(event, cause))

    # -- out of it

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """Not intercepted: it is the guest's own, and goes through its IDT without leaving guest mode."""
        if vector == Vector.GP and not software and self._has_no_such():
            vector, error_code = Vector.UD, 0
        return self.guest_event(vector, error_code, software)

    def _has_no_such(self) -> bool:
        """Is it one of AMD-V, which a program may not use? The CPU knows them in guest mode, and so looks at the ring
        before the intercept; to a guest that has not opened AMD-V they are no instructions."""
        amd_v = self.interposer.here.instruction.mnemonic in FOR_RING_0
        return amd_v and not self._msrs[guest_mode.EFER_MSR] & guest_mode.EFER_SVME

    def exited(self, code: int, info: int) -> Outcome:
        """Complete the #VMEXIT as hardware would, and handle it."""
        next_eip = self.guest.eip
        info2 = 0
        if code in WITH_ADDRESS:
            info2 = self.vmcb.get("EXITINFO2")  # the CPU has put it there
            if code == NPF:
                info |= NPF_TABLE if self._is_table(info, info2) else NPF_FINAL
        elif code not in EXCEPTION_EXITS:
            next_eip = next_eip + self.interposer.here.length & ALL_ONES
        self._complete(code, info, info2, next_eip)
        handle = self._handlers.get(code)
        return handle(code) if handle is not None else self._let_through(code)

    def _complete(self, code: int, info1: int, info2: int, next_eip: int, cut_short: int = 0) -> None:
        """What hardware stores at #VMEXIT."""
        self.before = self.save_area.image()
        self._exited, self._next_eip = True, next_eip
        self.save_area.store()
        self.save_area.store_exit(code, info1, info2, next_eip, cut_short)

    def _make_handlers(self) -> dict[int, Callable[[int], Outcome]]:
        """Who handles which exit; what is missing here is let through."""
        handlers: dict[int, Callable[[int], Outcome]] = dict.fromkeys(EMULATED, self._emulate)
        handlers |= dict.fromkeys(NOT_PROMISED, self._refuse)
        handlers |= dict.fromkeys(EXCEPTION_EXITS, self.exception_exit)
        handlers[Exit.CPUID] = self._answer_cpuid
        handlers[Exit.VMMCALL] = self._answer_call
        handlers[Exit.NPF] = self.nested_page_fault
        return handlers

    def _is_table(self, info: int, address: int) -> bool:
        """Was guest-physical `address` met in the guest's own tables? The CPU gives only the low half of EXITINFO1."""
        guest = self.guest
        instruction = self.interposer.here.instruction
        return bool(info & NPF_WRITE) and met_as_table(guest, self.physical, instruction, address)

    def done(self, code: int, text: str, reason: Cause = Cause.PRIVILEGED, *, hidden: bool = False) -> Outcome:
        """The exit `code` was handled, as `text` says; the guest goes on."""
        return made_quickly(Outcome, (EXIT, _HANDLER[code], text, HOST, hidden, reason))

    def nested_page_fault(self, code: int) -> Outcome:
        """Fill the nested table, or serve what is no RAM."""
        address, info = self.vmcb.get("EXITINFO2"), self.vmcb.get("EXITINFO1")
        match self.nested.resolve(GuestPhysical(address), write=bool(info & NPF_WRITE)):
            case Mapped(frame, size, brought_back):
                what = "2 MiB" if size == LARGE_BYTES else "4 KiB"
                text = f"entered guest-physical {address:#010x} into the nested table ({what}, frame {frame:#010x})"
                text = f"{BROUGHT_BACK} and {text}" if brought_back else text
            case Forbidden(page):
                if not self._cut_short:  # else the write is the lab's own
                    self.interposer.after_one_step(self.nested.open_once(page, self.physical.host(page)))
                text = f"let one write to guest-physical {address:#010x}, which it has closed, through"
            case Beyond(page):
                close = self._windows.open(page, lambda window: self.nested.open_once(page, window))
                self.interposer.after_one_step(close)
                text = f"showed the guest the bus at guest-physical {address:#010x} for one instruction"
        return self.done(code, text, Cause.PAGE_FAULT_HIDDEN, hidden=True)

    def exception_exit(self, code: int) -> Outcome:
        """An exception the person has asked to see: give it back to the guest."""
        vector = code - Exit.EXCEPTION_0
        address = self.vmcb.get("EXITINFO2") & ALL_ONES if vector == Vector.PF else None
        error_code = self.vmcb.get("EXITINFO1") if vector in WITH_ERROR_CODE else None
        return self.inject(GuestFault(vector, error_code, address), "looked at it")

    def _refuse(self, code: int) -> Outcome:
        return self.inject(GuestFault(Vector.UD), f"found that CPUID does not promise {exit_name(code)}")

    def inject(self, fault: GuestFault, why: str) -> Outcome:
        """Have the next entry deliver `fault`."""
        event = Event(fault.vector, Origin.EXCEPTION, fault.error_code, fault.address)
        self.vmcb.set("EVENTINJ", to_field(event))
        code = self.vmcb.get("EXITCODE")
        done = self.reflect(event, Cause.EXIT)
        return Outcome(
            Cause.EXIT,
            f"hypervisor: {exit_name(code)}, then {done.handler}",
            f"{why} and injected it: {done.text}",
            Ring.HOST,
            reason=Cause.PAGE_FAULT_TRUE if fault.vector == Vector.PF else Cause.FAULT,
        )

    def _answer_cpuid(self, code: int) -> Outcome:
        guest = self.guest
        leaf = guest.reg(EAX)
        guest.answer(*self.cpuid(leaf, guest.reg(ECX)))
        guest.go_on_at(self._next_eip)
        if guest.single_stepping:
            self.take_step()
        return self.done(code, f"answered leaf {leaf:#x} with what the lab's CPU promises")

    def _answer_call(self, code: int) -> Outcome:
        """The kernel's drivers call; who does not know how finds that there is no such instruction."""
        number, guest = self.guest.reg(EAX), self.guest
        if guest.cpl or number not in (CALL_RING, CALL_NOTIFY):
            return self._refuse(code)
        value, text = self._rings.call(number, guest.reg(EBX), guest.reg(ECX))
        guest.set_reg(EAX, value)
        guest.go_on_at(self._next_eip)
        if guest.single_stepping:
            self.take_step()
        return Outcome(Cause.HYPERCALL, _HANDLER[code], text, Ring.HOST)

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """With the lab's name for those who look for it."""
        return hypervisor_cpuid() if leaf == HYPERVISOR_LEAF else sober_cpuid(leaf, subleaf)

    def _memory_written(self) -> None:
        self.interposer.after_one_step(self.cpu.forget_all_code)

    def _emulate(self, code: int) -> Outcome:
        return self.carry_out(code, self.interposer.here.instruction) or self._let_through(code)

    def carry_out(self, code: int, instruction: Instruction) -> Outcome | None:
        """Do in the CPU's place what made the guest leave. None: it is nothing that we know to do."""
        stepping = self.guest.single_stepping
        try:
            text = self._emulator.emulate(instruction)
        except GuestFault as fault:
            return self.inject(fault, "found the fault that the CPU would have raised")
        if text is None:
            return None
        self.guest.end_interrupt_shadow()
        if stepping and not self.interposer.halted:
            self.take_step()
        return self.done(code, text)

    def take_step(self) -> None:
        """A single step is injected."""
        self.vmcb.set("EVENTINJ", to_field(Event(Vector.DB, Origin.EXCEPTION)))
        super().take_step()

    def _let_through(self, code: int) -> Outcome:
        """Take the bit from the CPU, not from the VMCB, for one instruction."""
        self.interposer.after_one_step(suspend(self.cpu.state, INTERCEPT[code]))
        text = f"saw {exit_name(code)} coming and let it run, without its intercept, once"
        return self.done(code, text, hidden=True)

    # -- events, which the lab delivers in the CPU's place; the guest may leave in the middle

    def _deliver(self, event: Event) -> Delivered:
        self._delivering, self._cut_short = event, False
        try:
            return deliver(self.guest, self._delivery_memory, event, self._fault_eip(event), self)
        finally:
            self._cut_short = False

    def met(self, event: Event, fault: GuestFault) -> None:
        """See `Witness`: an exit, if `fault` is intercepted."""
        code = Exit.EXCEPTION_0 + fault.vector
        if not self.intercepts(code):
            return
        self._complete(code, fault.error_code or 0, fault.address or 0, self.guest.eip, to_field(event))
        self._cut_short = True
        text = f"found that {vector_name(event.vector)} was being delivered, and injected what the two make"
        self.interposer.departed_within(self.done(code, text, Cause.FAULT))

    def became(self, event: Event) -> None:
        """See `Witness`: injected, if there was an exit; else the CPU's own, and a double fault may be intercepted."""
        self._delivering = event
        code = Exit.EXCEPTION_0 + event.vector
        if not self._cut_short and event.vector == Vector.DF and self.intercepts(code):
            self._complete(code, 0, 0, self.guest.eip)
            self._cut_short = True
            self.interposer.departed_within(self.done(code, "injected it", Cause.FAULT))
        if self._cut_short:
            self.vmcb.set("EVENTINJ", to_field(event))

    def _missed_in_delivery(self, address: GuestPhysical, write: bool, table: bool) -> None:
        """A nested page fault of the delivery's own accesses."""
        present = self.nested.walk(address)[-1].value & PRESENT
        info = present | write * NPF_WRITE | NPF_USER | (NPF_TABLE if table else NPF_FINAL)
        event = to_field(self._delivering)
        self._complete(Exit.NPF, info, address, self.guest.eip, event)
        self._cut_short = True
        done = self.nested_page_fault(Exit.NPF)
        self.vmcb.set("EVENTINJ", event)
        what = vector_name(self._delivering.vector)
        self.interposer.departed_within(
            done._replace(text=f"{done.text}, and injected {what}, whose delivery it cut short")
        )

    def _flush(self) -> None:
        self.cpu.flush_tlb()
        self._reach.flush()

    # -- interrupts, which the lab causes in the CPU's place

    def interrupt(self, vector: int) -> Outcome:
        """A device interrupts. If that is intercepted the guest exits and the hypervisor injects it: at once (INTR) or,
        where the guest did not accept it yet, when it does (VINTR). Else it goes straight through the guest's IDT."""
        code = Exit.VINTR if self._waited else Exit.INTR
        self._waited = False
        event = Event(vector, Origin.EXTERNAL)
        if not self.intercepts(code):
            return self.reflect(event, Cause.INTERRUPT)
        self._complete(code, 0, 0, self.guest.eip)
        self.vmcb.set("EVENTINJ", to_field(event))
        done = self.reflect(event, Cause.EXIT)
        text = f"took the interrupt from the interrupt controller and injected it: {done.text}"
        handler = f"hypervisor: {exit_name(code)}, then {done.handler}"
        return Outcome(Cause.EXIT, handler, text, Ring.HOST, reason=Cause.INTERRUPT)

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """The CPU's own interrupt window (V_IRQ) cannot be taken back once asked for, so a probe watches IF instead."""
        self._waited |= wanted
        self.cpu.await_interrupts_open(wanted)

    # -- I/O, which the lab intercepts in the CPU's place

    def io(self, port: int, size: int, text: str, *, reading: bool) -> Outcome:
        """An exit if the I/O permission map says so; otherwise the device is the guest's own."""
        if not self.intercepts(Exit.IOIO) or not ports_intercepted(self.vmcb, port, size):
            return Outcome(Cause.IO, f"{super().device_name(port)}, without an exit", text, Ring(self.cpu.cpl))
        instruction = self.interposer.here.instruction
        guest = self.guest
        next_eip = guest.eip + instruction.len & ALL_ONES
        self._complete(Exit.IOIO, io_information(instruction, port, size, reading=reading), next_eip, next_eip)
        return Outcome(Cause.EXIT, f"hypervisor: {self.device_name(port)}", text, Ring.HOST, reason=Cause.IO)

    def device_name(self, port: int) -> str:
        """The VM's devices are the hypervisor's."""
        return f"virtual {super().device_name(port)}"

    def seen_vmcb(self) -> SeenVmcb:
        """The control block as the last exit left it."""
        get = self.vmcb.get
        words = exit_words(get("EXITCODE"), get("EXITINFO1"), get("EXITINFO2"), get("EXITINTINFO"))
        return SeenVmcb(self.vmcb.address, self.vmcb.image(), self.before, words if self._exited else "")

    def frame_purposes(self) -> Iterator[tuple[HostPhysical, str]]:
        """What VMRUN needs, and the tables behind the guest's."""
        yield self._stub, "code: VMLOAD, VMRUN"
        yield HostPhysical(self.cpu.state.vm_hsave), "host state (VM_HSAVE_PA)"
        yield self.vmcb.address, "VMCB"
        for name, size in (("IOPM_BASE", IOPM_BYTES), ("MSRPM_BASE", MSRPM_BYTES)):
            first = self._maps[name]
            what = "I/O permission map" if size == IOPM_BYTES else "MSR permission map"
            yield from ((HostPhysical(first + at), what) for at in range(0, size, PAGE_SIZE))
        yield from self.translation_frames()

    def real_walks(self, linear: GuestVirtual, guest: TableWalk) -> tuple[TableWalk, ...]:
        """The CPU walks the guest's tables, and then the nested one."""
        return nested_walk(self.nested, guest)

    def references(self, guest: TableWalk, real: tuple[TableWalk, ...]) -> tuple[Reference, ...]:
        """Each guest-physical address that the walk meets is translated before it is read."""
        return two_dimensional(self.nested, guest)

    def translation_frames(self) -> Iterator[tuple[HostPhysical, str]]:
        """The nested table."""
        yield from ((frame, "nested page table") for frame in self.nested.table_frames())

    def device_address(self, address: int) -> int:
        """The page that the window stands for."""
        return self._windows.page_address(address)

    def timestamp(self) -> int:
        """Virtual time, and the VMCB's TSC_OFFSET on top."""
        return super().timestamp() + self.vmcb.get("TSC_OFFSET")

    def shut_down(self, tried: str) -> Outcome:
        """A triple fault is an exit, too."""
        if not self.intercepts(Exit.SHUTDOWN):
            return super().shut_down(tried)
        self._complete(Exit.SHUTDOWN, 0, 0, self.guest.eip)
        return self.done(Exit.SHUTDOWN, f"triple fault ({tried}): there is no guest to go back to")

    # -- Effects

    def halt(self) -> None:
        """See `Effects`."""
        self.interposer.halt()

    def shadow(self) -> None:
        """See `Effects`."""
        self.cpu.state.hflags |= HF_INHIBIT_IRQ

    def invalidate(self, linear: int) -> None:
        """See `Effects`."""
        self.cpu.flush_tlb()

    def read_msr(self, number: int) -> int:
        """See `Effects`; those that are not guarded the CPU keeps, and their values move with the VMCB."""
        own = {0x174: "sysenter_cs", 0x175: "sysenter_esp", 0x176: "sysenter_eip"}.get(number)
        if own is not None:
            return int(getattr(self.cpu.state, own))
        if number in self.unsaved_msrs:
            return self.unsaved_msrs.read(number)
        return self._msrs.get(number, 0)

    def write_msr(self, number: int, value: int) -> None:
        """See `Effects`."""
        if number in self.unsaved_msrs:
            self.unsaved_msrs.write(number, value)
        elif number in self._msrs:
            self._open(number, value)
