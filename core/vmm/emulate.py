"""Emulation of the instructions that a deprivileged guest may not run itself, decoded by iced-x86.

A monitor that has trapped an instruction does to the guest's CPU what the instruction would have done to the real one:
the same checks, the same faults, the same effects (Intel SDM vol. 2, each instruction's pseudocode). Operands are
reached through the guest's own segments and page tables. Every kind of VMM shares this; what only a kind can do (wait,
flush, model-specific registers) it gives as `Effects`. Kept in one file because it is one table of instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack
from typing import Protocol

from iced_x86 import Code, Instruction, Mnemonic, OpKind, Register, Register_, RegisterExt

from core.cpu import descriptors, flags
from core.cpu.call_gate import CALL_GATES, push_each, through_call_gate, way_back
from core.cpu.context import CS, DS, EAX, ECX, EDX, ES, ESP, FS, GS, LDTR, SS, TR, Seg
from core.cpu.faults import GuestFault, Vector, general_protection
from core.cpu.guest_cpu import DESC_DB, GuestCpu, Segment, Table
from core.cpu.task_switch import TASKS, Way, back_link, may_switch, switch_task
from core.errors import UnknownDeparture
from core.memory.walk import LinearMemory

SYSENTER_CS = 0x174
Action = Callable[["Emulator", Instruction], str]

_SEGMENTS = {
    Register.ES: ES,
    Register.CS: CS,
    Register.SS: SS,
    Register.DS: DS,
    Register.FS: FS,
    Register.GS: GS,
}
_GENERAL = {Register.EAX + index: index for index in range(8)}
_ADDRESSING = frozenset(range(Register.AX, Register.EDI + 1))
_FAR_LOADS = {
    Mnemonic.LES: ES,
    Mnemonic.LDS: DS,
    Mnemonic.LFS: FS,
    Mnemonic.LGS: GS,
    Mnemonic.LSS: SS,
}
ALWAYS_SET = {6: 0xFFFF_0FF0, 7: 0x400}  # bits of debug registers that cannot be cleared
_BRANCHES = {Mnemonic.JMP, Mnemonic.CALL}
_PARTLY_OURS = {*_BRANCHES, Mnemonic.MOV, Mnemonic.POP}


class Effects(Protocol):
    """What an instruction does beyond the CPU's registers and memory."""

    def halt(self) -> None:
        """HLT: wait for an interrupt."""

    def shadow(self) -> None:
        """STI, MOV SS, POP SS: no interrupt before the next instruction has run."""

    def invalidate(self, linear: int) -> None:
        """INVLPG."""

    def read_msr(self, number: int) -> int:
        """RDMSR; raises GuestFault for one that is not there."""

    def write_msr(self, number: int, value: int) -> None:
        """WRMSR."""

    def timestamp(self) -> int:
        """RDTSC."""

    def load_debug_register(self, number: int, value: int) -> None:
        """MOV to DR0–DR3, DR6 or DR7."""


class Emulator:
    """Emulates one instruction at a time on `guest`."""

    def __init__(self, guest: GuestCpu, memory: LinearMemory, effects: Effects) -> None:
        self.guest = guest
        self.memory = memory
        self.effects = effects

    def emulate(self, instruction: Instruction) -> str | None:
        """Carry `instruction` out and move EIP on; a clause says what was done. None: not an instruction for us.

        Raises GuestFault where the CPU would, with nothing changed.
        """
        mnemonic = instruction.mnemonic
        action = _ACTIONS.get(mnemonic)
        if action is None or (mnemonic in _PARTLY_OURS and not _is_ours(instruction)):
            return None  # a LOCK changes nothing: the emulated CPU ignores it
        eip = self.guest.step_over(instruction.len)
        try:
            return action(self, instruction)
        except GuestFault:
            self.guest.eip = eip
            raise

    # -- operands

    def supervisor_only(self) -> None:
        """#GP outside ring 0."""
        if self.guest.cpl != 0:
            raise general_protection()

    def address(self, instruction: Instruction) -> int:
        """Linear address of the memory operand."""
        offset = int(instruction.memory_displacement)
        offset += self._address_register(instruction.memory_base)
        offset += self._address_register(instruction.memory_index) * instruction.memory_index_scale
        narrow = 2 in (RegisterExt.size(instruction.memory_base), RegisterExt.size(instruction.memory_index))
        offset &= 0xFFFF if narrow or instruction.memory_displ_size == 2 else 0xFFFF_FFFF
        return (self.guest.segment(_SEGMENTS[instruction.memory_segment]).base + offset) & 0xFFFF_FFFF

    def _address_register(self, register: Register_) -> int:
        if register not in _ADDRESSING:
            return 0  # none
        value = self.guest.reg(_GENERAL[RegisterExt.full_register32(register)])
        return value & 0xFFFF if RegisterExt.size(register) == 2 else value

    def load(self, linear: int, size: int, *, user: bool | None = None) -> int:
        """Read `size` bytes of guest memory with the rights of the guest's ring, unless `user` says otherwise."""
        raw = self.memory.read(self.guest.paging, linear, size, user=self.guest.cpl == 3 if user is None else user)
        return int.from_bytes(raw, "little")

    def source(self, instruction: Instruction, operand: int, size: int) -> int:
        """Value of a register or memory operand, `size` bytes."""
        if instruction.op_kind(operand) == OpKind.MEMORY:
            return self.load(self.address(instruction), size)
        full = _GENERAL[RegisterExt.full_register32(instruction.op_register(operand))]
        return self.guest.reg(full) & (1 << 8 * size) - 1

    # -- the stack

    def stack_mask(self) -> int:
        """Which bits of ESP the stack segment uses."""
        return 0xFFFF_FFFF if self.guest.segment(SS).flags & DESC_DB else 0xFFFF

    def peek_stack(self, slot: int, size: int, *, far: bool = False) -> int:
        """The stack word number `slot` of `size` bytes, without popping it; `far` returns read it with ring 0's
        rights, as the emulated CPU does."""
        guest = self.guest
        offset = (guest.reg(ESP) + slot * size) & self.stack_mask()
        return self.load((guest.segment(SS).base + offset) & 0xFFFF_FFFF, size, user=False if far else None)

    def peek_frame(self, words: int, size: int) -> list[int]:
        """The `words` topmost stack words of `size` bytes, as `peek_stack` of a far return reads them."""
        guest, mask = self.guest, self.stack_mask()
        offset, length = guest.reg(ESP) & mask, words * size
        linear = guest.segment(SS).base + offset
        if offset + length - 1 > mask or linear + length - 1 > 0xFFFF_FFFF:  # it wraps around
            return [self.peek_stack(word, size, far=True) for word in range(words)]
        raw = self.memory.read(guest.paging, linear, length)
        return list(unpack(f"<{words}{'I' if size == 4 else 'H'}", raw))

    def drop_stack(self, bytes_: int) -> None:
        """Move ESP up (down, if negative)."""
        mask = self.stack_mask()
        esp = self.guest.reg(ESP)
        self.guest.set_reg(ESP, esp & ~mask & 0xFFFF_FFFF | (esp + bytes_) & mask)

    def push(self, values: tuple[int, ...], size: int) -> None:
        """Push `values`, the first one first."""
        guest = self.guest
        frame = b"".join((value & (1 << 8 * size) - 1).to_bytes(size, "little") for value in reversed(values))
        top = (guest.reg(ESP) - len(frame)) & self.stack_mask()
        linear = (guest.segment(SS).base + top) & 0xFFFF_FFFF
        self.memory.write(guest.paging, linear, frame, user=guest.cpl == 3)
        self.drop_stack(-len(frame))

    # -- segments

    def load_segment(self, seg: Seg, selector: int) -> None:
        """Load a data or stack segment register with every check."""
        descriptors.load_data(self.guest, self.memory, seg, selector)

    def enter_code(self, code: Segment, eip: int, *, call: bool) -> None:
        """Go on at `eip` in `code`, ring unchanged. Beyond the limit the CPU's #GP names the segment for CALL alone."""
        if eip > code.limit:
            raise general_protection(descriptors.selector_error(code.selector) if call else 0)
        self.guest.set_segment(CS, code)
        self.guest.eip = eip

    def return_to(self, selector: int, eip: int, popped: int, size: int) -> Segment:
        """The far return of RET and IRET to `selector`:`eip`, after `popped` bytes were taken from the stack. No limit
        is checked: the emulated CPU checks none (core/cpu/FINDINGS.md)."""
        guest = self.guest
        code = descriptors.code_for_return(guest, self.memory, selector)
        ring = selector & 3
        if ring == guest.cpl:
            self.drop_stack(popped)
        else:
            slot = popped // size
            esp, stack_selector = (
                self.peek_stack(slot, size, far=True),
                self.peek_stack(slot + 1, size, far=True) & 0xFFFF,
            )
            found = descriptors.stack_segment(guest, self.memory, stack_selector, ring, Vector.GP)
            stack = found.cache(stack_selector)
            guest.set_cpl(ring)
            guest.set_segment(SS, stack)
            mask = self.stack_mask()
            guest.set_reg(ESP, guest.reg(ESP) & ~mask & 0xFFFF_FFFF | esp & mask)
        guest.set_segment(CS, code)
        guest.eip = eip
        return code


def _is_ours(instruction: Instruction) -> bool:
    """Is this branch a far one; does this MOV or POP concern a segment, control or debug register?"""
    if instruction.mnemonic in _BRANCHES:
        return _is_far(instruction)
    registers = [
        instruction.op_register(n) for n in range(instruction.op_count) if instruction.op_kind(n) == OpKind.REGISTER
    ]
    return any(
        RegisterExt.is_segment_register(each) or RegisterExt.is_cr(each) or RegisterExt.is_dr(each)
        for each in registers
    )


# -- the instructions, one function each; each gives the clause that says what it did


def _cli(emulator: Emulator, _instruction: Instruction) -> str:
    guest = emulator.guest
    if guest.cpl > guest.iopl:
        raise general_protection()
    guest.interrupts_enabled = False
    return "cleared the virtual IF"


def _sti(emulator: Emulator, _instruction: Instruction) -> str:
    guest = emulator.guest
    if guest.cpl > guest.iopl:
        raise general_protection()
    guest.interrupts_enabled = True
    emulator.effects.shadow()
    return "set the virtual IF"


def _hlt(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    emulator.effects.halt()
    return "put the guest to sleep until its next interrupt"


def _load_table(emulator: Emulator, instruction: Instruction) -> tuple[Table, int]:
    emulator.supervisor_only()
    at = emulator.address(instruction)
    limit, base = emulator.load(at, 2), emulator.load(at + 2, 4)
    if instruction.code in (Code.LGDT_M1632_16, Code.LIDT_M1632_16):
        base &= 0xFF_FFFF
    return Table(base, limit), base


def _lgdt(emulator: Emulator, instruction: Instruction) -> str:
    emulator.guest.gdtr, base = _load_table(emulator, instruction)
    return f"noted the guest's GDT at {base:#010x} and made its shadow"


def _lidt(emulator: Emulator, instruction: Instruction) -> str:
    emulator.guest.idtr, base = _load_table(emulator, instruction)
    return f"noted the guest's IDT at {base:#010x}"


def _system_descriptor(emulator: Emulator, selector: int, *kinds: int) -> descriptors.Descriptor:
    error = descriptors.selector_error(selector)
    found = None if selector & 4 else descriptors.fetch(emulator.guest, emulator.memory, selector)
    if found is None or found.is_segment or found.system_type not in kinds:
        raise general_protection(error)
    if not found.present:
        raise GuestFault(Vector.NP, error)
    return found


def _lldt(emulator: Emulator, instruction: Instruction) -> str:
    emulator.supervisor_only()
    selector = emulator.source(instruction, 0, 2)
    if not selector & 0xFFFC:
        emulator.guest.set_segment(LDTR, Segment(selector, 0, 0, 0))
        return "noted that the guest has no LDT"
    found = _system_descriptor(emulator, selector, descriptors.LDT)
    emulator.guest.set_segment(LDTR, found.cache(selector))
    return f"noted the guest's LDT at {found.base:#010x}"


def _ltr(emulator: Emulator, instruction: Instruction) -> str:
    emulator.supervisor_only()
    selector = emulator.source(instruction, 0, 2)
    if not selector & 0xFFFC:
        # the manual says #GP(0); the emulated CPU loads a null TR, and every kind must do as the CPU does
        emulator.guest.set_segment(TR, Segment(selector, 0, 0, 0))
        return "noted that the guest has no TSS"
    found = _system_descriptor(emulator, selector, descriptors.TSS_AVAILABLE, descriptors.TSS_AVAILABLE_16)
    found = descriptors.mark(emulator.guest, emulator.memory, found, descriptors.TSS_BUSY_BIT)
    emulator.guest.set_segment(TR, found.cache(selector))
    return f"noted the guest's TSS at {found.base:#010x}"


def _lmsw(emulator: Emulator, instruction: Instruction) -> str:
    emulator.supervisor_only()
    guest = emulator.guest
    value = emulator.source(instruction, 0, 2)
    old = guest.cr(0)
    guest.set_cr(0, old & ~0xE | value & 0xF)  # PE can be set, never cleared
    return f"set the virtual CR0 to {guest.cr(0):#010x}"


def _smsw(emulator: Emulator, instruction: Instruction) -> str:
    guest = emulator.guest
    value = guest.cr(0)
    if instruction.op0_kind == OpKind.MEMORY:
        word = (value & 0xFFFF).to_bytes(2, "little")
        emulator.memory.write(guest.paging, emulator.address(instruction), word, user=guest.cpl == 3)
    else:
        register = instruction.op0_register
        full = _GENERAL[RegisterExt.full_register32(register)]
        narrow = RegisterExt.size(register) == 2
        guest.set_reg(full, guest.reg(full) & ~0xFFFF | value & 0xFFFF if narrow else value)
    return f"read the virtual CR0: {value:#010x}"


def _clts(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    emulator.guest.set_cr(0, emulator.guest.cr(0) & ~flags.CR0_TS)
    return "cleared TS of the virtual CR0"


def _invlpg(emulator: Emulator, instruction: Instruction) -> str:
    emulator.supervisor_only()
    linear = emulator.address(instruction)
    emulator.effects.invalidate(linear)
    return f"forgot the translation of {linear:#010x}"


def _cache_control(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    return "had no cache of the guest's to write back"


def _rdmsr(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    guest = emulator.guest
    number = guest.reg(ECX)
    value = emulator.effects.read_msr(number)
    guest.set_reg(EAX, value)
    guest.set_reg(EDX, value >> 32)
    return f"read the virtual MSR {number:#x}: {value:#x}"


def _wrmsr(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    guest = emulator.guest
    number, value = guest.reg(ECX), guest.reg(EDX) << 32 | guest.reg(EAX)
    emulator.effects.write_msr(number, value)
    return f"wrote {value:#x} to the virtual MSR {number:#x}"


def _rdtsc(emulator: Emulator, _instruction: Instruction) -> str:
    guest = emulator.guest
    if guest.cpl and guest.cr(4) & flags.CR4_TSD:
        raise general_protection()
    value = emulator.effects.timestamp()
    guest.set_reg(EAX, value)
    guest.set_reg(EDX, value >> 32)
    return f"read the virtual time-stamp counter: {value:#x}"


def _rdpmc(emulator: Emulator, _instruction: Instruction) -> str:
    # the CPU has no counters; that it says so by #GP where PCE would let them be read is its own
    guest = emulator.guest
    raise general_protection() if guest.cpl and guest.cr(4) & flags.CR4_PCE else GuestFault(Vector.UD)


def _rings_alone(emulator: Emulator, instruction: Instruction) -> str:
    """What the CPU has in ring 0 and is no instruction in others; CPUID promises none of it."""
    guest = emulator.guest
    if guest.cpl:
        raise GuestFault(Vector.UD)
    if instruction.mnemonic in (Mnemonic.CLAC, Mnemonic.STAC):
        guest.eflags = guest.eflags & ~flags.AC | (flags.AC if instruction.mnemonic == Mnemonic.STAC else 0)
        return "changed the guest's EFLAGS.AC"
    if guest.reg(ECX):
        raise general_protection()
    return "went on: there is no other processor to wait for"


def _xsetbv(emulator: Emulator, _instruction: Instruction) -> str:
    emulator.supervisor_only()
    raise GuestFault(Vector.UD)  # CR4.OSXSAVE is never set (`core.cpu.modes`)


def _mov(emulator: Emulator, instruction: Instruction) -> str:
    target, source = instruction.op0_register, instruction.op1_register
    guest = emulator.guest
    if RegisterExt.is_cr(target) or RegisterExt.is_cr(source):
        return _mov_control(emulator, instruction)
    if RegisterExt.is_dr(target) or RegisterExt.is_dr(source):
        emulator.supervisor_only()
        if RegisterExt.is_dr(target):
            number, value = _debug_number(emulator, target), guest.reg(RegisterExt.number(source))
            emulator.effects.load_debug_register(number, value | ALWAYS_SET.get(number, 0))
            return f"set DR{number} to {value:#010x}"
        number = _debug_number(emulator, source)
        guest.set_reg(RegisterExt.number(target), guest.cpu.debug_register(number))
        return f"read DR{number}"
    seg = _SEGMENTS.get(target)
    if seg is None or seg is CS:
        raise GuestFault(Vector.UD)
    return _set_segment(emulator, seg, emulator.source(instruction, 1, 2))


def _debug_number(emulator: Emulator, register: Register_) -> int:
    """DR4 and DR5 are other names of DR6 and DR7, unless the debugging extensions took them away."""
    number = int(RegisterExt.number(register))
    if number not in (4, 5):
        return number
    if emulator.guest.cr(4) & flags.CR4_DE:
        raise GuestFault(Vector.UD)
    return number + 2


def _mov_control(emulator: Emulator, instruction: Instruction) -> str:
    target, source = instruction.op0_register, instruction.op1_register
    emulator.supervisor_only()
    guest = emulator.guest
    writing = RegisterExt.is_cr(target)
    number = RegisterExt.number(target if writing else source)
    if number == 0 and instruction.has_lock_prefix:
        return _task_priority(emulator, target, writing=writing)
    if number not in (0, 2, 3, 4):
        raise GuestFault(Vector.UD)
    if writing:
        value = guest.reg(RegisterExt.number(source))
        guest.set_cr(number, value)
        return f"set the virtual CR{number} to {guest.cr(number):#010x}"
    guest.set_reg(RegisterExt.number(target), guest.cr(number))
    return f"read the virtual CR{number}: {guest.cr(number):#010x}"


def _task_priority(emulator: Emulator, target: Register_, *, writing: bool) -> str:
    """LOCK MOV to and from CR0 is AMD's way to CR8 in 32-bit mode (APM vol. 3). Without an APIC it holds nothing."""
    if writing:
        return "dropped what was written to CR8: the machine has no local APIC"
    emulator.guest.set_reg(RegisterExt.number(target), 0)
    return "read CR8, which is 0: the machine has no local APIC"


def _set_segment(emulator: Emulator, seg: Seg, selector: int) -> str:
    emulator.load_segment(seg, selector)
    if seg == SS:
        emulator.effects.shadow()
    return f"loaded {seg.name} with {selector:#06x}"


def _pop(emulator: Emulator, instruction: Instruction) -> str:
    size = 2 if instruction.code in (Code.POPW_DS, Code.POPW_ES, Code.POPW_FS, Code.POPW_GS, Code.POPW_SS) else 4
    seg = _SEGMENTS[instruction.op0_register]
    selector = emulator.peek_stack(0, size) & 0xFFFF
    # SS must be loaded after ESP has moved, in the width of the old stack
    esp = emulator.guest.reg(ESP)
    emulator.drop_stack(size)
    try:
        return _set_segment(emulator, seg, selector)
    except GuestFault:
        emulator.guest.set_reg(ESP, esp)
        raise


def _load_far(emulator: Emulator, instruction: Instruction) -> str:
    seg = _FAR_LOADS[instruction.mnemonic]
    register = instruction.op0_register
    size = RegisterExt.size(register)
    at = emulator.address(instruction)
    offset, selector = emulator.load(at, size), emulator.load(at + size, 2)
    done = _set_segment(emulator, seg, selector)
    full = RegisterExt.number(RegisterExt.full_register32(register))
    old = emulator.guest.reg(full)
    emulator.guest.set_reg(full, offset if size == 4 else old & ~0xFFFF | offset)
    return done


def _far_target(emulator: Emulator, instruction: Instruction) -> tuple[int, int, int]:
    """Selector, offset and operand size of a far JMP or CALL."""
    kind = instruction.op0_kind
    if kind == OpKind.FAR_BRANCH32:
        return instruction.far_branch_selector, instruction.far_branch32, 4
    if kind == OpKind.FAR_BRANCH16:
        return instruction.far_branch_selector, instruction.far_branch16, 2
    size = 2 if instruction.code in (Code.JMP_M1616, Code.CALL_M1616) else 4
    at = emulator.address(instruction)
    offset = emulator.load(at, size)  # first, as the CPU does: which of the two faults can be seen
    return emulator.load(at + size, 2), offset, size


def _is_far(instruction: Instruction) -> bool:
    direct = instruction.is_jmp_far or instruction.is_call_far
    return direct or instruction.is_jmp_far_indirect or instruction.is_call_far_indirect


def _jump_far(emulator: Emulator, instruction: Instruction) -> str:
    selector, offset, size = _far_target(emulator, instruction)
    guest, memory = emulator.guest, emulator.memory
    call = instruction.mnemonic == Mnemonic.CALL
    found = descriptors.fetch(guest, memory, selector) if selector & 0xFFFC else None
    if found is not None and not found.is_segment:
        return _through_system_descriptor(emulator, selector, found, call=call)
    code = descriptors.code_for_jump(guest, memory, selector)
    esp = guest.reg(ESP)
    if call:
        esp = push_each(guest, memory, guest.segment(SS), esp, way_back(guest), size)
    emulator.enter_code(code, offset, call=call)
    emulator.drop_stack(esp - guest.reg(ESP))
    return f"went on at {code.selector:#06x}:{offset:#010x}"


def _through_system_descriptor(emulator: Emulator, selector: int, found: descriptors.Descriptor, *, call: bool) -> str:
    """A far JMP or CALL to a gate or a TSS."""
    guest, memory = emulator.guest, emulator.memory
    if found.system_type in CALL_GATES:
        return through_call_gate(guest, memory, selector, found, call=call)
    if found.system_type in TASKS:
        may_switch(guest, selector, found)
        return switch_task(guest, memory, selector, found, Way.CALL if call else Way.JUMP)
    raise general_protection(descriptors.selector_error(selector))


def _ret_far(emulator: Emulator, instruction: Instruction) -> str:
    size = 2 if instruction.code in (Code.RETFW, Code.RETFW_IMM16) else 4
    # the CPU takes the count as signed (core/cpu/FINDINGS.md)
    extra = (instruction.immediate16 ^ 0x8000) - 0x8000 if instruction.op_count else 0
    eip, selector = emulator.peek_stack(0, size, far=True), emulator.peek_stack(1, size, far=True) & 0xFFFF
    before = emulator.guest.cpl
    code = emulator.return_to(selector, eip, 2 * size + extra, size)
    if emulator.guest.cpl != before:
        emulator.drop_stack(extra)
        descriptors.drop_inner_segments(emulator.guest)
    return _returned(before, emulator.guest.cpl, code.selector, eip)


def _sysexit(emulator: Emulator, _instruction: Instruction) -> str:
    """Flat segments of ring 3 from the MSR, EIP from EDX, ESP from ECX."""
    emulator.supervisor_only()
    guest = emulator.guest
    selector = emulator.effects.read_msr(SYSENTER_CS) & 0xFFFC
    if not selector:
        raise general_protection()
    guest.set_cpl(3)
    guest.set_segment(CS, Segment(selector + 16 | 3, 0, 0xFFFF_FFFF, 0x00CF_FB00))
    guest.set_segment(SS, Segment(selector + 24 | 3, 0, 0xFFFF_FFFF, 0x00CF_F300))
    guest.set_reg(ESP, guest.reg(ECX))
    guest.eip = guest.reg(EDX)
    return _returned(0, 3, selector + 16 | 3, guest.eip)


def _iret(emulator: Emulator, instruction: Instruction) -> str:
    size = 2 if instruction.code == Code.IRETW else 4
    guest = emulator.guest
    old = guest.eflags
    if old & flags.NT:
        return switch_task(guest, emulator.memory, *back_link(guest, emulator.memory), Way.RETURN)
    eip, selector, popped = emulator.peek_frame(3, size)
    selector &= 0xFFFF
    before = guest.cpl
    if size == 4 and popped & flags.VM:
        raise UnknownDeparture("The guest returned to virtual-8086 mode, not carried out here yet.")
    changeable = flags.ARITHMETIC | flags.TF | flags.DF | flags.NT
    if size == 4:
        changeable |= flags.RF | flags.AC | flags.ID
    if before == 0:
        changeable |= flags.IOPL
    if before <= guest.iopl:
        changeable |= flags.IF
    code = emulator.return_to(selector, eip, 3 * size, size)
    guest.eflags = old & ~changeable | popped & changeable
    if guest.cpl != before:
        descriptors.drop_inner_segments(guest)
    return _returned(before, guest.cpl, code.selector, eip)


def _returned(before: int, after: int, selector: int, eip: int) -> str:
    where = f"{selector:#06x}:{eip:#010x}"
    return f"returned from ring {before} to ring {after} at {where}" if before != after else f"returned to {where}"


_ACTIONS: dict[int, Action] = {
    Mnemonic.CLI: _cli,
    Mnemonic.STI: _sti,
    Mnemonic.HLT: _hlt,
    Mnemonic.LGDT: _lgdt,
    Mnemonic.LIDT: _lidt,
    Mnemonic.LLDT: _lldt,
    Mnemonic.LTR: _ltr,
    Mnemonic.LMSW: _lmsw,
    Mnemonic.SMSW: _smsw,
    Mnemonic.CLTS: _clts,
    Mnemonic.INVLPG: _invlpg,
    Mnemonic.INVD: _cache_control,
    Mnemonic.WBINVD: _cache_control,
    Mnemonic.WBNOINVD: _cache_control,
    Mnemonic.RDMSR: _rdmsr,
    Mnemonic.WRMSR: _wrmsr,
    Mnemonic.RDTSC: _rdtsc,
    Mnemonic.RDPMC: _rdpmc,
    Mnemonic.MONITOR: _rings_alone,
    Mnemonic.MWAIT: _rings_alone,
    Mnemonic.CLAC: _rings_alone,
    Mnemonic.STAC: _rings_alone,
    Mnemonic.XSETBV: _xsetbv,
    Mnemonic.MOV: _mov,
    Mnemonic.POP: _pop,
    Mnemonic.LES: _load_far,
    Mnemonic.LDS: _load_far,
    Mnemonic.LFS: _load_far,
    Mnemonic.LGS: _load_far,
    Mnemonic.LSS: _load_far,
    Mnemonic.JMP: _jump_far,
    Mnemonic.CALL: _jump_far,
    Mnemonic.RETF: _ret_far,
    Mnemonic.SYSEXIT: _sysexit,
    Mnemonic.IRET: _iret,
    Mnemonic.IRETD: _iret,
}
