"""Hypercalls: what a paravirtual guest asks its hypervisor to do, one method for each (Xen 3's public interface).

Each reads its arguments from registers and from the guest's memory with the guest's own rights, trusts none of them,
and gives a result for EAX; one that is refused gives a negative number and has changed nothing but the entries before
the one at fault, whose number it tells. What goes wrong is the guest's business: nothing here can end the monitor. It
is one file, because the calls are one table, to be read beside `core.vmm.hypercall_abi`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeGuard

from core.addresses import ADDRESS_MASK, PAGE_MASK, PAGE_SHIFT, HostPhysical
from core.cpu.context import Gpr, Seg
from core.cpu.descriptors import TYPE_CODE, TYPE_WRITABLE
from core.cpu.faults import GuestFault
from core.cpu.flags import IF
from core.cpu.guest_cpu import Segment
from core.layout import MONITOR_BASE
from core.memory.ram import Ram
from core.memory.walk import PRESENT, LinearMemory
from core.vmm.event_channels import EventChannels
from core.vmm.frame_types import FrameType, FrameTypes, sound_descriptor
from core.vmm.hypercall_abi import (
    CHANNELS,
    GUEST_GDT_PAGES,
    MOST_ENTRIES,
    MOST_WORK,
    MULTICALL_ARGUMENTS,
    MULTICALL_BYTES,
    TRAP_BYTES,
    UVMF_INVLPG,
    UVMF_TLB_FLUSH,
    VERSION,
    Errno,
    EventOp,
    Hypercall,
    MmuExt,
    Refused,
    Sched,
)
from core.vmm.own_state import Handler
from core.vmm.paravirt_cpu import ParavirtCpu
from core.vmm.split_drivers import OUT_BYTES

ARGUMENTS = (Gpr.EBX, Gpr.ECX, Gpr.EDX, Gpr.ESI, Gpr.EDI, Gpr.EBP)
ENTRIES_A_PAGE = 512  # descriptors
LONGEST_WRITE = 4096  # bytes of a console_io
SUCCESS = 0


@dataclass(slots=True)
class DomainState:
    """What the guest has told its hypervisor."""

    traps: dict[int, Handler] = field(default_factory=dict)
    kernel_stack: tuple[int, int] = (0, 0)  # SS, ESP
    upcall: Handler | None = None
    failsafe: Handler | None = None
    root: int = 0  # frame of the page directory
    gdt: list[int] = field(default_factory=list)  # frames
    deadline: int | None = None  # virtual time at which the timer's event is due


class Domain(Protocol):
    """What the calls need of the monitor."""

    state: DomainState

    def load_root(self) -> None:
        """CR3 is to hold `state.root`."""

    def flush_tlb(self) -> None:
        """Forget translations."""

    def show_gdt(self) -> None:
        """The CPU is to see the guest's descriptors in `state.gdt`."""

    def segment(self, selector: int) -> Segment | None:
        """What `selector` names in the CPU's table, if it is a present code or data segment."""

    def set_task_switched(self, wanted: bool) -> None:
        """CR0.TS."""

    def set_timer(self, nanoseconds: int) -> None:
        """Post the timer's event at that system time; 0: never."""

    def block(self) -> None:
        """Let the guest sleep until an event."""

    def power_off(self, status: int) -> None:
        """The guest has ended."""

    def code_overwritten(self) -> None:
        """The CPU may have run what is not there any more."""

    def console_write(self, data: bytes) -> None:
        """Put bytes out."""


def is_kernel_code(segment: Segment | None) -> TypeGuard[Segment]:
    """Can ring 1 run in it?"""
    return segment is not None and bool(segment.flags & TYPE_CODE) and segment.dpl == 1


def is_kernel_stack(segment: Segment | None) -> TypeGuard[Segment]:
    """Can ring 1 push there?"""
    return segment is not None and segment.flags & (TYPE_CODE | TYPE_WRITABLE) == TYPE_WRITABLE and segment.dpl == 1


Result = tuple[int | None, str]  # EAX (None: registers are set already), and what was done, in words


class Hypercalls:
    """The table, for one VM."""

    def __init__(
        self, domain: Domain, guest: ParavirtCpu, linear: LinearMemory, types: FrameTypes, events: EventChannels
    ) -> None:
        self._domain = domain
        self._guest = guest
        self._linear = linear
        self._types = types
        self._events = events
        self._ram: Ram = types.ram
        self._work = 0  # what the present departure has cost, tables apart
        self._wrote = False  # into memory that may be code?
        self._table: dict[int, Callable[[Sequence[int]], Result]] = {
            Hypercall.SET_TRAP_TABLE: self._set_trap_table,
            Hypercall.MMU_UPDATE: self._mmu_update,
            Hypercall.SET_GDT: self._set_gdt,
            Hypercall.STACK_SWITCH: self._stack_switch,
            Hypercall.SET_CALLBACKS: self._set_callbacks,
            Hypercall.FPU_TASKSWITCH: self._fpu_taskswitch,
            Hypercall.UPDATE_DESCRIPTOR: self._update_descriptor,
            Hypercall.MULTICALL: self._multicall,
            Hypercall.UPDATE_VA_MAPPING: self._update_va_mapping,
            Hypercall.SET_TIMER_OP: self._set_timer_op,
            Hypercall.XEN_VERSION: self._version,
            Hypercall.CONSOLE_IO: self._console_io,
            Hypercall.IRET: self._iret,
            Hypercall.MMUEXT_OP: self._mmuext_op,
            Hypercall.SCHED_OP: self._sched_op,
            Hypercall.EVENT_CHANNEL_OP: self._event_channel_op,
        }

    def call(self) -> tuple[str, str]:
        """Do what the guest's registers ask for; the call's name, and what came of it."""
        guest = self._guest
        number = guest.reg(Gpr.EAX)
        self._work, self._wrote = -self._types.work, False
        arguments = [guest.reg(register) for register in ARGUMENTS]
        value, text = self._do(number, arguments)
        if value is not None:
            guest.set_reg(Gpr.EAX, value)
        if self._wrote:
            self._domain.code_overwritten()
        return name_of(number), text

    def _do(self, number: int, arguments: Sequence[int]) -> Result:
        act = self._table.get(number)
        if act is None:
            return -Errno.NOT_THERE, f"there is no hypercall {number:#x}"
        try:
            return act(arguments)
        except Refused as refused:
            return -refused.errno, f"refused: {refused.why}"

    # -- the guest's memory

    def _read(self, address: int, size: int) -> bytes:
        if address + size > MONITOR_BASE:
            raise Refused(Errno.FAULT)
        try:
            return self._linear.read(self._guest.paging, address, size)
        except GuestFault:
            raise Refused(Errno.FAULT, f"{address:#010x} cannot be read") from None

    def _write(self, address: int, data: bytes) -> None:
        if address + len(data) > MONITOR_BASE:
            raise Refused(Errno.FAULT)
        try:
            before = self._linear.read(self._guest.paging, address, len(data))
            self._linear.write(self._guest.paging, address, data)
            self._wrote |= data != before
        except GuestFault:
            raise Refused(Errno.FAULT, f"{address:#010x} cannot be written") from None

    def _words(self, address: int, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self._read(address, 4 * count))

    def _each(self, count: int, done_at: int, act: Callable[[int], None]) -> str:
        """Call `act` with 0, 1, … `count` − 1; how many succeeded goes to `done_at`, if that is given."""
        if count > MOST_ENTRIES:
            raise Refused(Errno.INVALID, f"{count} entries are more than {MOST_ENTRIES}")
        done = 0
        try:
            for number in range(count):
                self._spend(1)
                act(number)
                done += 1
        finally:
            if done_at:
                self._write(done_at, done.to_bytes(4, "little"))
        return f"{done} of {count}"

    def _spend(self, work: int) -> None:
        """A departure that does not end would keep the CPU from everybody."""
        self._work += work
        if self._work + self._types.work > MOST_WORK:
            raise Refused(Errno.BUSY, "the call asks for too much at once")

    # -- what happens where

    def _handler(self, selector: int, address: int, flags: int = 0) -> Handler:
        selector |= 1  # never ring 0
        segment = self._domain.segment(selector)
        if not is_kernel_code(segment) or selector & 3 != 1:
            raise Refused(Errno.INVALID, f"{selector:#x} is no code segment of ring 1")
        return Handler(selector, address, flags)

    def _set_trap_table(self, arguments: Sequence[int]) -> Result:
        at, state = arguments[0], self._domain.state
        if not at:
            state.traps.clear()
            return SUCCESS, "forgot every trap handler"
        count = 0
        for number in range(257):
            self._spend(1)
            raw = self._read(at + number * TRAP_BYTES, TRAP_BYTES)
            vector, flags, selector, address = struct.unpack("<BBHI", raw)
            if not address:
                break
            state.traps[vector] = self._handler(selector, address, flags)
            count += 1
        return SUCCESS, f"took {count} trap handlers"

    def _stack_switch(self, arguments: Sequence[int]) -> Result:
        selector, esp = arguments[0] & 0xFFFF | 1, arguments[1]
        segment = self._domain.segment(selector)
        if not is_kernel_stack(segment) or selector & 3 != 1:
            raise Refused(Errno.INVALID, f"{selector:#x} is no stack segment of ring 1")
        self._domain.state.kernel_stack = selector, esp
        return SUCCESS, f"the kernel's stack begins at {esp:#010x}"

    def _set_callbacks(self, arguments: Sequence[int]) -> Result:
        upcall = self._handler(arguments[0] & 0xFFFF, arguments[1])
        failsafe = self._handler(arguments[2] & 0xFFFF, arguments[3])
        self._domain.state.upcall, self._domain.state.failsafe = upcall, failsafe
        return SUCCESS, f"events go to {upcall.address:#010x}"

    def _iret(self, _arguments: Sequence[int]) -> Result:
        """The way back that also sets the upcall mask. On the stack: EAX, then what IRET takes."""
        guest = self._guest
        stack = guest.reg(Gpr.ESP)
        eax, eip, cs, flags = self._words(stack, 4)
        cs &= 0xFFFF
        ring = cs & 3
        code = self._domain.segment(cs)
        if ring not in (1, 3) or code is None or not code.flags & TYPE_CODE or code.dpl != ring:
            raise Refused(Errno.INVALID, f"{cs:#x} is no code segment to return to")
        if ring < guest.cpl:
            raise Refused(Errno.PERMISSION)
        if ring == 1:
            guest.set_segment(Seg.CS, Segment(cs, code.base, code.limit, code.flags))
            guest.set_reg(Gpr.ESP, stack + 16)
        else:
            esp, ss = self._words(stack + 16, 2)
            data = self._domain.segment(ss & 0xFFFF)
            if data is None or data.flags & TYPE_CODE or ss & 3 != 3 or data.dpl != 3:
                raise Refused(Errno.INVALID, f"{ss & 0xFFFF:#x} is no stack segment to return to")
            guest.enter(cs, code, ss & 0xFFFF, data)
            guest.set_reg(Gpr.ESP, esp)
            for register in (Seg.ES, Seg.DS, Seg.FS, Seg.GS):  # as IRET does
                if guest.segment(register).dpl < ring:
                    guest.set_segment(register, Segment(0, 0, 0, 0))
        guest.set_reg(Gpr.EAX, eax)
        guest.eip = eip
        guest.load_flags(flags)
        self._events.masked = not flags & IF
        opened = "events masked" if self._events.masked else "events unmasked"
        return None, f"returned to ring {ring} at {eip:#010x}, {opened}"

    # -- page tables

    def _mmu_update(self, arguments: Sequence[int]) -> Result:
        at, count, done_at = arguments[:3]

        def update(number: int) -> None:
            pointer, high, value, value_high = self._words(at + 16 * number, 4)
            if high or value_high or pointer & 3:
                raise Refused(Errno.INVALID, f"update {number} is not of a page-table entry")
            self._wrote |= not self._types.write_entry(HostPhysical(pointer), value)

        return SUCCESS, f"checked and wrote {self._each(count, done_at, update)} entries"

    def _update_va_mapping(self, arguments: Sequence[int]) -> Result:
        address, value, flags = arguments[:3]
        if address >= MONITOR_BASE:
            raise Refused(Errno.PERMISSION, "the last 4 MiB are the monitor's")
        slot = HostPhysical((self._domain.state.root << PAGE_SHIFT) + (address >> 22 << 2))
        directory = self._ram.read_u32(slot)
        if not directory & PRESENT:
            raise Refused(Errno.INVALID, f"{address:#010x} has no page table")
        entry = HostPhysical((directory & ~PAGE_MASK) + (address >> PAGE_SHIFT & 0x3FF) * 4)
        self._types.write_entry(entry, value)
        if flags & 3 in (UVMF_TLB_FLUSH, UVMF_INVLPG):
            self._domain.flush_tlb()
        return SUCCESS, f"the entry for {address:#010x} is {value:#010x} now"

    def _mmuext_op(self, arguments: Sequence[int]) -> Result:
        at, count, done_at = arguments[:3]
        last = "nothing"

        def operate(number: int) -> None:
            nonlocal last
            command, argument, _ = self._words(at + 12 * number, 3)
            last = self._extended(command, argument)

        done = self._each(count, done_at, operate)
        return SUCCESS, last if count == 1 else f"did {done} operations, the last: {last}"

    def _extended(self, command: int, argument: int) -> str:
        types, domain = self._types, self._domain
        match command:
            case MmuExt.PIN_L1_TABLE | MmuExt.PIN_L2_TABLE:
                level = FrameType.TABLE_1 if command == MmuExt.PIN_L1_TABLE else FrameType.TABLE_2
                types.pin(argument, level)
                return f"checked frame {argument:#x} and pinned it as {level.phrase}"
            case MmuExt.UNPIN_TABLE:
                types.unpin(argument)
                return f"unpinned frame {argument:#x}"
            case MmuExt.NEW_BASEPTR:
                types.use(argument, FrameType.TABLE_2)
                before, domain.state.root = domain.state.root, argument
                domain.load_root()
                types.release(before)
                return f"the CPU walks the page directory in frame {argument:#x} now"
            case MmuExt.TLB_FLUSH_LOCAL:
                domain.flush_tlb()
                return "emptied the TLB"
            case MmuExt.INVLPG_LOCAL:
                domain.flush_tlb()
                return f"took {argument:#010x} out of the TLB"
        raise Refused(Errno.NOT_THERE, f"there is no mmuext operation {command}")

    # -- descriptors

    def _set_gdt(self, arguments: Sequence[int]) -> Result:
        at, entries = arguments[:2]
        pages = -(-entries // ENTRIES_A_PAGE)
        if pages > GUEST_GDT_PAGES:
            raise Refused(Errno.INVALID, f"{entries} descriptors are too many")
        state, taken = self._domain.state, []
        try:
            for frame in self._words(at, pages) if pages else ():
                self._types.use(frame, FrameType.DESCRIPTORS)
                taken.append(frame)
        except Refused:
            for frame in taken:
                self._types.release(frame)
            raise
        before, state.gdt = state.gdt, taken
        self._domain.show_gdt()
        for frame in before:
            self._types.release(frame)
        return SUCCESS, f"took a GDT of {pages} pages"

    def _update_descriptor(self, arguments: Sequence[int]) -> Result:
        at, high, low_word, high_word = arguments[:4]
        if high or at & 7:
            raise Refused(Errno.INVALID, f"{at:#x} is no place for a descriptor")
        frame = at >> PAGE_SHIFT
        low_word, high_word = sound_descriptor(low_word, high_word)
        wanted = FrameType.DESCRIPTORS if self._types.type_of(frame) is FrameType.DESCRIPTORS else FrameType.WRITABLE
        self._types.use(frame, wanted)
        self._wrote |= wanted is FrameType.WRITABLE
        self._ram.write(HostPhysical(at), struct.pack("<II", low_word, high_word))
        self._types.release(frame)
        return SUCCESS, f"wrote descriptor {high_word:08x}:{low_word:08x}"

    # -- the rest

    def _fpu_taskswitch(self, arguments: Sequence[int]) -> Result:
        self._domain.set_task_switched(bool(arguments[0]))
        return SUCCESS, f"{'set' if arguments[0] else 'cleared'} CR0.TS"

    def _set_timer_op(self, arguments: Sequence[int]) -> Result:
        nanoseconds = arguments[0] | arguments[1] << 32
        self._domain.set_timer(nanoseconds)
        return SUCCESS, f"the timer's event comes at {nanoseconds:,} ns" if nanoseconds else "stopped the timer"

    def _version(self, _arguments: Sequence[int]) -> Result:
        return VERSION, "told the version"

    def _console_io(self, arguments: Sequence[int]) -> Result:
        command, count, at = arguments[:3]
        if command or count > LONGEST_WRITE:
            raise Refused(Errno.INVALID, "only to write, and up to a page")
        self._spend(count)
        self._domain.console_write(self._read(at, count))
        return count, f"wrote {count} bytes to the console"

    def _sched_op(self, arguments: Sequence[int]) -> Result:
        command, at = arguments[:2]
        match command:
            case Sched.YIELD:
                return SUCCESS, "nobody else in the VM wants the CPU"
            case Sched.BLOCK:
                self._domain.block()
                return SUCCESS, "unmasked events; the guest sleeps until one comes"
            case Sched.SHUTDOWN:
                reason, status = self._words(at, 2)
                self._domain.power_off(status & 0xFF)
                return SUCCESS, f"the guest has ended with status {status & 0xFF} (reason {reason})"
        raise Refused(Errno.NOT_THERE, f"there is no sched_op {command}")

    def _event_channel_op(self, arguments: Sequence[int]) -> Result:
        command, at = arguments[:2]
        events = self._events
        if command == EventOp.BIND_VIRQ:
            (virq,) = self._words(at, 1)
            self._write(at + 8, self._read(at + 8, 4))  # before anything is bound: can the answer be given?
            channel = events.bind_timer(virq)
            self._write(at + 8, channel.to_bytes(4, "little"))
            return SUCCESS, f"the timer's events come by channel {channel}"
        (channel,) = self._words(at, 1)
        if channel >= CHANNELS:
            raise Refused(Errno.INVALID, f"there is no channel {channel}")
        match command:
            case EventOp.CLOSE:
                events.close(channel)
                return SUCCESS, f"closed channel {channel}"
            case EventOp.SEND:
                self._spend(OUT_BYTES)  # the most that lies in a ring
                return SUCCESS, f"event to channel {channel}: {events.send(channel)}"
            case EventOp.UNMASK:
                events.unmask(channel)
                return SUCCESS, f"unmasked channel {channel}"
            case EventOp.STATUS:
                self._write(at + 4, int(channel in events.bound).to_bytes(4, "little"))
                return SUCCESS, f"told the state of channel {channel}"
        raise Refused(Errno.NOT_THERE, f"there is no event_channel_op {command}")

    def _multicall(self, arguments: Sequence[int]) -> Result:
        at, count = arguments[:2]
        names: list[str] = []

        def one(number: int) -> None:
            entry = at + MULTICALL_BYTES * number
            operation, _, *inner = self._words(entry, 2 + MULTICALL_ARGUMENTS)
            self._write(entry + 4, bytes(4))  # can the result be given?
            if operation in (Hypercall.MULTICALL, Hypercall.IRET):
                value: int | None = -Errno.INVALID
                text = "not within a multicall"
            else:
                value, text = self._do(operation, inner)
            assert value is not None, "only iret leaves EAX alone"
            self._write(entry + 4, (value & ADDRESS_MASK).to_bytes(4, "little"))
            names.append(f"{name_of(operation)}: {text}")

        done = self._each(count, 0, one)
        return SUCCESS, f"{done} calls" + "".join(f"; {each}" for each in names[:4])


_NAMES = {int(each): each.name.lower() for each in Hypercall}


def name_of(number: int) -> str:
    """The name of a hypercall, as Xen's headers write it."""
    return _NAMES.get(number, f"hypercall {number:#x}")
