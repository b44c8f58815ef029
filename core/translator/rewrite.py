"""The rules of translation: what each sensitive instruction and each branch becomes; all others are copied.

Ring 1 runs most instructions as ring 0 would; those stay as they are. Branches must stay in the cache, calls must push
the guest's own return address, and what reads or changes privileged state works on the monitor's variables: in line
where that is short, else by calling out to the monitor (Adams & Agesen, ASPLOS 2006, §3.2). Replacements keep every
flag that the instruction would keep, and nothing of them has happened when one of their accesses faults, but for a
borrowed register, which is noted. Kept in one file because it is one table of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from enum import Enum
from typing import NamedTuple

from iced_x86 import (
    Code,
    Code_,
    ConditionCode,
    Encoder,
    Instruction,
    MemoryOperand,
    Mnemonic,
    OpKind,
    Register,
    Register_,
    RegisterExt,
)

from core.cpu import flags
from core.cpu.relocation import COUNTS, OWN_STORE, STRAYED, VISITS
from core.translations import Fate, Reason
from core.translator.blocks import Mode, Unit
from core.translator.look_up import PLACE_BYTES
from core.translator.region import VIRTUAL_IF_SET, Slot

CALLOUT_VECTOR = 0xCA  # of the INT by which translated code calls the monitor; told from a guest's by where it stands
CALL_OUT = bytes([0xCD, CALLOUT_VECTOR])
JUMP_BYTES = 5
NOWHERE = -1

# bits of a code map's entries that only Python looks at
AFTER_STI = 1 << 36  # an STI in line stands right before
BOUNDARY = 1 << 37  # nothing is left of the guest's instruction but to go on at the entry's address
INDIRECT = 1 << 38  # as BOUNDARY, but the address is in TARGET


class Step(NamedTuple):
    """One of the guest's instructions: linear `pc` and length; `offset` in the block and size of what it became."""

    pc: int
    length: int
    offset: int
    size: int
    fate: Fate
    reason: Reason


class SiteKind(Enum):
    """What the monitor is called for; `value` says it in words."""

    EMULATE = "to carry the guest's instruction out"
    EXIT = "to find or make the block that the jump leads to, and to chain it"
    MISS = "for a target that the lookup table does not know"
    NO_CODE = "where the guest's code cannot be fetched"
    BREAK = "to raise #DB: the guest has armed a hardware breakpoint here"


class Exit(NamedTuple):
    """A direct branch out of a block: `site`, the linear address of the 32-bit distance in it; its `stub`, which calls
    the monitor; the guest's linear `target`."""

    site: int
    stub: int
    target: int


class Site(NamedTuple):
    """A callout. `address`: of its INT. `resume`: where translated code goes on after it (EMULATE)."""

    kind: SiteKind
    address: int
    pc: int = 0
    resume: int = 0
    next_pc: int = 0
    exit: Exit | None = None
    after_sti: bool = False


class Surroundings(NamedTuple):
    """Linear addresses of what translated code needs: the monitor's variables, the lookup table, and what to jump to,
    with the guest's ECX in SAVED_TOO, when the table has led to the wrong block."""

    variables: int
    table: int
    wrong: int


class Emitted(NamedTuple):
    """A translated unit, to stand at linear address `at`. `entries`: of the code map, by offset. `borrowed`: number
    of the register to give back from SAVED if the instruction at that offset faults. `found`: offset of the door's last
    instruction, which only those pass whom the lookup led here rightly. `begins`: where the others enter; the steps
    begin there, or after the breakpoint that the guest has there."""

    at: int
    code: bytes
    entries: list[tuple[int, int]]
    steps: list[Step]
    exits: list[Exit]
    sites: list[Site]
    borrowed: dict[int, int]
    strays: range
    found: int
    begins: int


class Emitter:
    """Writes the translation of one unit, for linear address `at`."""

    def __init__(self, unit: Unit, at: int, around: Surroundings, guilty: Set[int]) -> None:
        self.unit = unit
        self._guilty = guilty
        self.mode = unit.mode
        self.at = at
        self._around = around
        self._variables = around.variables - unit.mode.base
        self._encoder = Encoder(unit.mode.bits)
        self.code = bytearray()
        self.entries: list[tuple[int, int]] = []
        self.steps: list[Step] = []
        self.exits: list[Exit] = []
        self.sites: list[Site] = []
        self.borrowed: dict[int, int] = {}
        self.strays = range(0)
        self.pc = unit.pc
        self._pending = COUNTS  # flags of the next instruction emitted
        self.shadowed = False  # the instruction before was an STI in line
        self.shadowing = False  # the instruction before begins an interrupt shadow
        self.is_last = False
        self._slow: list[tuple[int, Site]] = []
        self._resumes_later = NOWHERE

    # -- emitting

    @property
    def here(self) -> int:
        """Linear address of what is emitted next."""
        return self.at + len(self.code)

    def raw(self, code: bytes, bits: int = 0, pc: int | None = None) -> None:
        """One instruction, as bytes."""
        self.entries.append((len(self.code), (self.pc if pc is None else pc) | self._pending | bits))
        self._pending = 0
        self.code += code

    def put(self, instruction: Instruction, bits: int = 0) -> None:
        """One instruction."""
        self._encoder.encode(instruction, self.here)
        self.raw(self._encoder.take_buffer(), bits)

    def displacement(self, slot: int) -> int:
        """Offset in CS of one of the monitor's variables."""
        return _signed(self._variables + slot)

    def variable(self, slot: int) -> MemoryOperand:
        """The memory operand that is one of the monitor's variables."""
        return MemoryOperand(displ=self.displacement(slot), displ_size=4, seg=Register.CS)

    def _load(self, register: Register_, slot: int) -> Instruction:
        return Instruction.create_reg_mem(Code.MOV_R32_RM32, register, self.variable(slot))

    def _store(self, slot: int, register: Register_) -> Instruction:
        return Instruction.create_mem_reg(Code.MOV_RM32_R32, self.variable(slot), register)

    def load(self, register: Register_, slot: int) -> None:
        """MOV register, variable."""
        self.put(self._load(register, slot))

    def store(self, slot: int, register: Register_) -> None:
        """MOV variable, register."""
        self.put(self._store(slot, register), OWN_STORE)

    def store_number(self, slot: int, value: int) -> None:
        """MOV variable, value."""
        self.put(Instruction.create_mem_u32(Code.MOV_RM32_IMM32, self.variable(slot), value), OWN_STORE)

    def push_number(self, value: int, size: int) -> None:
        """PUSH value, of `size` bytes."""
        if size == 4:
            self.put(Instruction.create_u32(Code.PUSHD_IMM32, value & 0xFFFF_FFFF))
        else:
            self.put(Instruction.create_i32(Code.PUSH_IMM16, _signed(value & 0xFFFF, 16)))

    def jump(self, target: int, opcode: bytes = b"\xe9", *, counted: bool = False) -> None:
        """Leave the block for the guest's linear `target`, by a JMP or Jcc of that `opcode`."""
        prefix = b"\x66" if self.mode.bits == 16 else b""
        self.raw(prefix + opcode + bytes(4), 0 if counted else BOUNDARY, self.pc if counted else target)
        self.exits.append(Exit(self.here - 4, 0, target))

    def leave_for_target(self) -> None:
        """Leave the block for the guest EIP in TARGET, through the lookup table."""
        self.put(self._store(Slot.SAVED_TOO, Register.ECX), INDIRECT | OWN_STORE)
        low = Instruction.create_reg_mem(Code.MOVZX_R32_RM16, Register.ECX, self.variable(Slot.TARGET))
        self.put(low, INDIRECT)
        table = _signed(self._around.table - self.mode.base)
        place = MemoryOperand(index=Register.ECX, scale=PLACE_BYTES, displ=table, displ_size=4, seg=Register.CS)
        self.put(Instruction.create_mem(Code.JMP_RM32, place), INDIRECT)

    def skip(self, code: Code_, bits: int = 0) -> int:
        """A short jump or branch of that `code`, forward to where `land` is called with what this gives."""
        self.put(Instruction.create_branch(code, self.here + 0x10), bits)
        return len(self.code)

    def land(self, skipped: int) -> None:
        """Here `skip` leads to."""
        self.code[skipped - 1] = len(self.code) - skipped

    def _open_door(self) -> int:
        """Where the lookup table leads to: go in if TARGET is this unit's EIP, else to what asks the monitor. Gives the
        offset of the last instruction, which is for those who go in."""
        self._pending = 0
        eip = self.unit.pc - self.mode.base
        self.put(self._load(Register.ECX, Slot.TARGET), INDIRECT)
        distance = MemoryOperand(Register.ECX, displ=_signed(-eip), displ_size=4)
        self.put(Instruction.create_reg_mem(Code.LEA_R32_M, Register.ECX, distance), INDIRECT)
        inside = self.skip(Code.JECXZ_REL8_32, INDIRECT)
        prefix = b"\x66" if self.mode.bits == 16 else b""
        away = self._around.wrong - (self.here + len(prefix) + JUMP_BYTES)
        self.raw(prefix + b"\xe9" + (away & 0xFFFF_FFFF).to_bytes(4, "little"), INDIRECT)
        found = len(self.code)
        self.land(inside)
        self.put(self._load(Register.ECX, Slot.SAVED_TOO), INDIRECT | VISITS)
        return found

    def call_out(self, instruction: Instruction, *, ends: bool, resumes_later: bool = False) -> None:
        """Let the monitor carry `instruction` out. With it the unit may end; or its own translation goes on."""
        address = self.here
        self.raw(CALL_OUT)
        resume = 0 if ends else self.here
        self.sites.append(
            Site(SiteKind.EMULATE, address, self.pc, resume, instruction.next_ip32, after_sti=self.shadowed)
        )
        self._resumes_later = len(self.sites) - 1 if resumes_later else NOWHERE

    def branch_slowly(self, instruction: Instruction) -> None:
        """JNE to a callout for `instruction` at the block's end."""
        prefix = b"\x66" if self.mode.bits == 16 else b""
        self.raw(prefix + b"\x0f\x85" + bytes(4))
        site = Site(SiteKind.EMULATE, 0, self.pc, 0, instruction.next_ip32, after_sti=self.shadowed)
        self._slow.append((len(self.code) - 4, site))

    # -- the unit

    def emit(self) -> Emitted:
        """The whole of it."""
        unit = self.unit
        found = self._open_door()
        begins = len(self.code)
        if unit.breaks:
            self.sites.append(Site(SiteKind.BREAK, self.here, unit.pc))
            self.raw(CALL_OUT, BOUNDARY)
        last = len(unit.instructions) - 1
        for number, instruction in enumerate(unit.instructions):
            self.pc = instruction.ip32
            self._pending = COUNTS | (VISITS if number == 0 else 0) | (AFTER_STI if self.shadowed else 0)
            self.is_last = number == last
            start = len(self.code)
            rule = RULES.get(instruction.code)  # whatever its LOCK: the emulated CPU ignores it
            if self.pc in self._guilty:
                rule = _guilty
            if rule is None:
                self.copy(instruction)
                fate, reason = Fate.COPIED, Reason.HARMLESS
                ends = False
                self.shadowed = self.shadowing = False
            else:
                fate, reason, ends = rule(self, instruction)
                self.shadowed = instruction.code == Code.STI and fate is Fate.IN_LINE
                self.shadowing = self.shadowed or instruction.code in _SHADOWING
            self._finish_slow()
            size = len(self.code) - start
            self.steps.append(Step(self.pc, instruction.len, start, size, fate, reason))
        if unit.undecodable:
            self._run_undecodable()
        elif not ends:
            self._pending = 0
            self.jump(unit.end)
        self._emit_stubs()
        return Emitted(
            self.at, bytes(self.code), self.entries, self.steps, self.exits, self.sites, self.borrowed,
            self.strays, found, begins,
        )  # fmt: skip

    def copy(self, instruction: Instruction) -> None:
        """As it stands."""
        start = instruction.ip32 - self.unit.pc
        self.raw(self.unit_code[start : start + instruction.len])

    def _finish_slow(self) -> None:
        """The instruction's translation ends here: where its callouts come back to."""
        if self._resumes_later != NOWHERE:
            self.sites[self._resumes_later] = self.sites[self._resumes_later]._replace(resume=self.here)
            self._resumes_later = NOWHERE
        for number, (at, site) in enumerate(self._slow):
            if site.resume == 0:
                self._slow[number] = (at, site._replace(resume=self.here))

    def _run_undecodable(self) -> None:
        """The CPU must see it; should it run it after all, it stops wherever that ends."""
        self.pc = (self.unit.end - len(self.unit.undecodable)) & 0xFFFF_FFFF
        start = len(self.code)
        self._pending = COUNTS | (VISITS if not self.steps else 0)
        self.raw(self.unit.undecodable)
        for ahead in range(1, len(self.unit.undecodable) + 1):
            self.entries.append((start + ahead, self.pc + ahead | STRAYED))
        self.code += b"\x90"
        self.steps.append(
            Step(self.pc, len(self.unit.undecodable), start, len(self.code) - start, Fate.COPIED, Reason.UNKNOWN)
        )

    def _emit_stubs(self) -> None:
        self._pending = 0
        for at, site in self._slow:
            distance = len(self.code) - (at + 4)
            self.code[at : at + 4] = (distance & 0xFFFF_FFFF).to_bytes(4, "little")
            self.pc = site.pc
            self.sites.append(site._replace(address=self.here))
            self.raw(CALL_OUT)
        for number, way in enumerate(self.exits):
            self.exits[number] = each = way._replace(stub=self.here)
            at = each.site - self.at
            self.code[at : at + 4] = (each.stub - (each.site + 4) & 0xFFFF_FFFF).to_bytes(4, "little")
            self.sites.append(Site(SiteKind.EXIT, self.here, each.target, exit=each))
            self.raw(CALL_OUT, BOUNDARY, each.target)

    unit_code: bytes = b""


def translate(unit: Unit, code: bytes, at: int, around: Surroundings, guilty: Set[int] = frozenset()) -> Emitted:
    """The translation of `unit`, whose bytes `code` begins with, for linear address `at`. Its instructions at the
    linear addresses `guilty` would be copied, but trap too often."""
    emitter = Emitter(unit, at, around, guilty)
    emitter.unit_code = code
    return emitter.emit()


def leave_door(mode: Mode, variables: int) -> bytes:
    """MOV ECX, SAVED_TOO: what a door that was the wrong one has borrowed goes back."""
    encoder = Encoder(mode.bits)
    saved = MemoryOperand(displ=_signed(variables + Slot.SAVED_TOO - mode.base), displ_size=4, seg=Register.CS)
    encoder.encode(Instruction.create_reg_mem(Code.MOV_R32_RM32, Register.ECX, saved), 0)
    return encoder.take_buffer()


def _signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def operand_of(instruction: Instruction, ahead: int = 0) -> MemoryOperand:
    """The memory operand of `instruction`, or what lies `ahead` bytes after it."""
    displacement = _signed(int(instruction.memory_displacement) + ahead)
    size = instruction.memory_displ_size
    if ahead:
        size = 4
    return MemoryOperand(
        instruction.memory_base,
        instruction.memory_index,
        instruction.memory_index_scale,
        displacement,
        size,
        False,
        instruction.segment_prefix,
    )


def addresses_by_16_bits(instruction: Instruction) -> bool:
    """Is its memory operand's address one of 16 bits?"""
    registers = (instruction.memory_base, instruction.memory_index)
    return any(RegisterExt.size(each) == 2 for each in registers) or instruction.memory_displ_size == 2


def borrowable(instruction: Instruction) -> tuple[Register_, Register_]:
    """A register that the memory operand does not need, and its low half."""
    used = {instruction.memory_base, instruction.memory_index}
    return next((whole, half) for whole, half in _HALVES if whole not in used)


_HALF_OF = {
    Register.EAX: Register.AX,
    Register.ECX: Register.CX,
    Register.EDX: Register.DX,
    Register.EBX: Register.BX,
    Register.ESP: Register.SP,
    Register.EBP: Register.BP,
    Register.ESI: Register.SI,
    Register.EDI: Register.DI,
}
_HALVES = ((Register.EAX, Register.AX), (Register.ECX, Register.CX), (Register.EDX, Register.DX))


# -- the rules, one function each: they emit, and give fate, reason, and whether the unit ends with it

Ruled = tuple[Fate, Reason, bool]
Rule = Callable[[Emitter, Instruction], Ruled]


def _callout(reason: Reason, *, ends: bool = False) -> Rule:
    def rule(emitter: Emitter, instruction: Instruction) -> Ruled:
        emitter.call_out(instruction, ends=ends)
        return Fate.CALLOUT, reason, ends

    return rule


_ends_unit = _callout(Reason.TRANSFER, ends=True)
_guilty = _callout(Reason.TRAPS)


def _called_out(emitter: Emitter, instruction: Instruction, reason: Reason) -> Ruled:
    """What a rule gives where it is too much in line."""
    emitter.call_out(instruction, ends=False)
    return Fate.CALLOUT, reason, False


def _cli(emitter: Emitter, _instruction: Instruction) -> Ruled:
    emitter.store_number(Slot.VIRTUAL_IF, 0)
    return Fate.IN_LINE, Reason.VIRTUAL_IF, False


def _sti(emitter: Emitter, instruction: Instruction) -> Ruled:
    if emitter.is_last or emitter.shadowing:  # the interrupt shadow is the monitor's to keep
        return _called_out(emitter, instruction, Reason.SHADOW)
    emitter.store_number(Slot.VIRTUAL_IF, VIRTUAL_IF_SET)
    return Fate.IN_LINE, Reason.VIRTUAL_IF, False


_STACK_TOP = MemoryOperand(Register.ESP)


def _pushf(emitter: Emitter, instruction: Instruction) -> Ruled:
    if not emitter.mode.wide_stack or emitter.mode.io_privileged:
        return _called_out(emitter, instruction, Reason.FLAGS)
    # the real flags are the guest's but for IF, which is always set; taken away by LEA, which keeps every flag
    emitter.put(Instruction.create(Code.PUSHFD))
    emitter.store(Slot.SAVED, Register.ECX)
    emitter.load(Register.ECX, Slot.VIRTUAL_IF)
    closed = emitter.skip(Code.JECXZ_REL8_32)
    right = emitter.skip(Code.JMP_REL8_32)
    emitter.land(closed)
    emitter.put(Instruction.create_reg_mem(Code.MOV_R32_RM32, Register.ECX, _STACK_TOP))
    less = MemoryOperand(Register.ECX, displ=-flags.IF, displ_size=4)
    emitter.put(Instruction.create_reg_mem(Code.LEA_R32_M, Register.ECX, less))
    emitter.put(Instruction.create_mem_reg(Code.MOV_RM32_R32, _STACK_TOP, Register.ECX))
    emitter.land(right)
    emitter.load(Register.ECX, Slot.SAVED)
    return Fate.IN_LINE, Reason.FLAGS, False


def _popf(emitter: Emitter, instruction: Instruction) -> Ruled:
    if not emitter.mode.wide_stack or emitter.mode.io_privileged or emitter.is_last:
        return _called_out(emitter, instruction, Reason.FLAGS)
    # it loads every flag that is lost here; no access can fault after the first
    emitter.put(Instruction.create_mem_u32(Code.TEST_RM32_IMM32, _STACK_TOP, flags.IF | flags.IOPL))
    either = emitter.skip(Code.JNE_REL8_32)
    # mostly IF was clear before, too, and to look is a quarter of storing, which is guarded
    emitter.put(Instruction.create_mem_i32(Code.CMP_RM32_IMM8, emitter.variable(Slot.VIRTUAL_IF), 0))
    closed = emitter.skip(Code.JE_REL8_32)
    emitter.store_number(Slot.VIRTUAL_IF, 0)
    changed = emitter.skip(Code.JMP_REL8_32)
    emitter.land(either)
    emitter.put(Instruction.create_mem_u32(Code.TEST_RM32_IMM32, _STACK_TOP, flags.IOPL))
    emitter.branch_slowly(instruction)
    emitter.store_number(Slot.VIRTUAL_IF, VIRTUAL_IF_SET)
    emitter.land(changed)
    emitter.land(closed)
    emitter.put(Instruction.create(Code.POPFD))
    return Fate.IN_LINE, Reason.FLAGS, False


_CONTROL = {0: Slot.CR0, 2: Slot.CR2, 3: Slot.CR3, 4: Slot.CR4}


def _read_control(emitter: Emitter, instruction: Instruction) -> Ruled:
    slot = _CONTROL.get(RegisterExt.number(instruction.op1_register))
    if slot is None or instruction.has_lock_prefix:  # which makes CR8 of CR0
        return _called_out(emitter, instruction, Reason.CONTROL)
    emitter.load(instruction.op0_register, slot)
    return Fate.IN_LINE, Reason.CONTROL, False


def _smsw(emitter: Emitter, instruction: Instruction) -> Ruled:
    if instruction.op0_kind == OpKind.MEMORY:
        _store_borrowing(emitter, instruction, Slot.CR0)
    else:
        _load_register(emitter, instruction, Slot.CR0)
    return Fate.IN_LINE, Reason.CONTROL, False


def _load_register(emitter: Emitter, instruction: Instruction, slot: Slot) -> None:
    target = instruction.op0_register
    code = Code.MOV_R32_RM32 if RegisterExt.size(target) == 4 else Code.MOV_R16_RM16
    emitter.put(Instruction.create_reg_mem(code, target, emitter.variable(slot)))


def _store_borrowing(emitter: Emitter, instruction: Instruction, *slots: Slot) -> None:
    """Store the low half of the first variable, then all of the second if there is one."""
    register, half = borrowable(instruction)
    emitter.store(Slot.SAVED, register)
    ahead = 0
    for slot in slots:
        emitter.load(register, slot)
        emitter.borrowed[len(emitter.code)] = RegisterExt.number(register)
        operand = operand_of(instruction, ahead)
        if ahead:
            emitter.put(Instruction.create_mem_reg(Code.MOV_RM32_R32, operand, register))
        else:
            emitter.put(Instruction.create_mem_reg(Code.MOV_RM16_R16, operand, half))
        ahead = 2
    emitter.load(register, Slot.SAVED)


def _store_table(limit: Slot, base: Slot) -> Rule:
    def rule(emitter: Emitter, instruction: Instruction) -> Ruled:
        if addresses_by_16_bits(instruction):
            return _called_out(emitter, instruction, Reason.TABLE)
        _store_borrowing(emitter, instruction, limit, base)
        return Fate.IN_LINE, Reason.TABLE, False

    return rule


_SELECTOR = {Register.CS: Slot.CS, Register.SS: Slot.SS}


def _read_segment(emitter: Emitter, instruction: Instruction) -> Ruled:
    slot = _SELECTOR.get(instruction.op1_register)
    if slot is None:
        emitter.copy(instruction)
        return Fate.COPIED, Reason.HARMLESS, False
    if instruction.op0_kind == OpKind.MEMORY:
        _store_borrowing(emitter, instruction, slot)
    else:
        _load_register(emitter, instruction, slot)
    return Fate.IN_LINE, Reason.SELECTOR, False


def _push_segment(slot: Slot, code: Code_) -> Rule:
    def rule(emitter: Emitter, _instruction: Instruction) -> Ruled:
        emitter.put(Instruction.create_mem(code, emitter.variable(slot)))
        return Fate.IN_LINE, Reason.SELECTOR, False

    return rule


_STACK = frozenset({Register.SS})


def _load_segment(emitter: Emitter, instruction: Instruction) -> Ruled:
    if instruction.op0_register in _STACK:
        return _called_out(emitter, instruction, Reason.STACK)
    if instruction.op0_register in _SELECTOR:  # CS: no such instruction, the CPU will tell
        emitter.copy(instruction)
        return Fate.COPIED, Reason.HARMLESS, False
    if instruction.op1_kind == OpKind.REGISTER:
        half = _HALF_OF[RegisterExt.full_register32(instruction.op1_register)]
        peek = Instruction.create_reg_reg(Code.MOVZX_R32_RM16, Register.ECX, half)
    else:
        peek = Instruction.create_reg_mem(Code.MOVZX_R32_RM16, Register.ECX, operand_of(instruction))
    return _load_checked(emitter, instruction, peek)


def _pop_segment(emitter: Emitter, instruction: Instruction) -> Ruled:
    if not emitter.mode.wide_stack:
        return _called_out(emitter, instruction, Reason.RPL)
    return _load_checked(
        emitter, instruction, Instruction.create_reg_mem(Code.MOVZX_R32_RM16, Register.ECX, _STACK_TOP)
    )


def _load_far(emitter: Emitter, instruction: Instruction) -> Ruled:
    if addresses_by_16_bits(instruction):
        return _called_out(emitter, instruction, Reason.RPL)
    size = RegisterExt.size(instruction.op0_register)
    emitter.store(Slot.SAVED, Register.ECX)
    # the offset first, as the CPU does: which of the two faults can be seen
    wide = Code.MOV_R32_RM32 if size == 4 else Code.MOVZX_R32_RM16
    emitter.put(Instruction.create_reg_mem(wide, Register.ECX, operand_of(instruction)))
    emitter.load(Register.ECX, Slot.SAVED)
    selector = Instruction.create_reg_mem(Code.MOVZX_R32_RM16, Register.ECX, operand_of(instruction, size))
    return _load_checked(emitter, instruction, selector)


def _load_checked(emitter: Emitter, instruction: Instruction, peek: Instruction) -> Ruled:
    """Ring 1 may load what ring 0 may, but for a selector with RPL 1: for that one the monitor is asked."""
    emitter.store(Slot.SAVED, Register.ECX)
    emitter.put(peek)
    emitter.put(Instruction.create_reg_reg(Code.MOVZX_R32_RM8, Register.ECX, Register.CL))
    place = MemoryOperand(Register.ECX, displ=emitter.displacement(Slot.ASKS_FOR_RING_1), displ_size=4, seg=Register.CS)
    emitter.put(Instruction.create_reg_mem(Code.MOVZX_R32_RM8, Register.ECX, place))
    harmless = emitter.skip(Code.JECXZ_REL8_32)
    emitter.load(Register.ECX, Slot.SAVED)
    emitter.call_out(instruction, ends=False, resumes_later=True)
    emitter.land(harmless)
    emitter.load(Register.ECX, Slot.SAVED)
    emitter.copy(instruction)
    return Fate.IN_LINE, Reason.RPL, False


# -- branches


def _size(instruction: Instruction) -> int:
    return 2 if instruction.op0_kind == OpKind.NEAR_BRANCH16 else 4


def _jump(emitter: Emitter, instruction: Instruction) -> Ruled:
    emitter.jump(_near(emitter, instruction), counted=True)
    return Fate.BRANCH, Reason.JUMP, True


def _near(emitter: Emitter, instruction: Instruction) -> int:
    """The linear target of a near branch. It was decoded at linear addresses, so 16-bit ones must be made anew."""
    base = emitter.mode.base
    if _size(instruction) == 4:
        return (instruction.near_branch32 - base & 0xFFFF_FFFF) + base & 0xFFFF_FFFF
    distance = (instruction.near_branch16 - instruction.next_ip32) & 0xFFFF
    return (base + ((instruction.next_ip32 - base + distance) & 0xFFFF)) & 0xFFFF_FFFF


def _branch(emitter: Emitter, instruction: Instruction) -> Ruled:
    condition = instruction.condition_code - ConditionCode.O  # in the order in which the CPU numbers them
    emitter.jump(_near(emitter, instruction), bytes([0x0F, 0x80 + condition]), counted=True)
    emitter.jump(instruction.next_ip32)
    return Fate.BRANCH, Reason.JUMP, True


def _loop(emitter: Emitter, instruction: Instruction) -> Ruled:
    """These reach only 127 bytes: over the jump that goes on, to the one that is taken."""
    over = JUMP_BYTES + (emitter.mode.bits == 16)
    narrow = _LOOPS[instruction.code]
    emitter.put(Instruction.create_branch(narrow, emitter.here + 0x40))
    emitter.code[-1] = over
    emitter.jump(instruction.next_ip32)
    emitter.jump(_near(emitter, instruction))
    return Fate.BRANCH, Reason.JUMP, True


_LOOPS = {
    Code.LOOP_REL8_16_CX: Code.LOOP_REL8_32_CX,
    Code.LOOP_REL8_32_CX: Code.LOOP_REL8_32_CX,
    Code.LOOP_REL8_16_ECX: Code.LOOP_REL8_32_ECX,
    Code.LOOP_REL8_32_ECX: Code.LOOP_REL8_32_ECX,
    Code.LOOPE_REL8_16_CX: Code.LOOPE_REL8_32_CX,
    Code.LOOPE_REL8_32_CX: Code.LOOPE_REL8_32_CX,
    Code.LOOPE_REL8_16_ECX: Code.LOOPE_REL8_32_ECX,
    Code.LOOPE_REL8_32_ECX: Code.LOOPE_REL8_32_ECX,
    Code.LOOPNE_REL8_16_CX: Code.LOOPNE_REL8_32_CX,
    Code.LOOPNE_REL8_32_CX: Code.LOOPNE_REL8_32_CX,
    Code.LOOPNE_REL8_16_ECX: Code.LOOPNE_REL8_32_ECX,
    Code.LOOPNE_REL8_32_ECX: Code.LOOPNE_REL8_32_ECX,
    Code.JCXZ_REL8_16: Code.JCXZ_REL8_32,
    Code.JCXZ_REL8_32: Code.JCXZ_REL8_32,
    Code.JECXZ_REL8_16: Code.JECXZ_REL8_32,
    Code.JECXZ_REL8_32: Code.JECXZ_REL8_32,
}


def _call(emitter: Emitter, instruction: Instruction) -> Ruled:
    emitter.push_number(instruction.next_ip32 - emitter.mode.base, _size(instruction))
    emitter.jump(_near(emitter, instruction))
    return Fate.BRANCH, Reason.CALL, True


def _indirect(emitter: Emitter, instruction: Instruction) -> Ruled:
    narrow = instruction.code in (Code.CALL_RM16, Code.JMP_RM16)
    calls = instruction.code in (Code.CALL_RM16, Code.CALL_RM32)
    if instruction.op0_kind == OpKind.REGISTER and not narrow:
        emitter.store(Slot.TARGET, instruction.op0_register)
    else:
        emitter.store(Slot.SAVED, Register.EAX)
        code = Code.MOVZX_R32_RM16 if narrow else Code.MOV_R32_RM32
        if instruction.op0_kind == OpKind.REGISTER:
            emitter.put(Instruction.create_reg_reg(code, Register.EAX, instruction.op0_register))
        else:
            emitter.put(Instruction.create_reg_mem(code, Register.EAX, operand_of(instruction)))
        emitter.store(Slot.TARGET, Register.EAX)
        emitter.load(Register.EAX, Slot.SAVED)
    if calls:
        emitter.push_number(instruction.next_ip32 - emitter.mode.base, 2 if narrow else 4)
    emitter.leave_for_target()
    return Fate.BRANCH, Reason.CALL if calls else Reason.RETURN, True


def _return(emitter: Emitter, instruction: Instruction) -> Ruled:
    if instruction.code in (Code.RETNW, Code.RETNW_IMM16):
        emitter.store_number(Slot.TARGET, 0)
        emitter.put(Instruction.create_mem(Code.POP_RM16, emitter.variable(Slot.TARGET)), OWN_STORE)
    else:
        emitter.put(Instruction.create_mem(Code.POP_RM32, emitter.variable(Slot.TARGET)), OWN_STORE)
    if instruction.op_count:
        # the CPU takes the count as signed (core/cpu/FINDINGS.md)
        above = MemoryOperand(Register.ESP, displ=_signed(instruction.immediate16, 16), displ_size=4)
        code, register = (
            (Code.LEA_R32_M, Register.ESP) if emitter.mode.wide_stack else (Code.LEA_R16_M, Register.SP)
        )  # fmt: skip
        emitter.put(Instruction.create_reg_mem(code, register, above), INDIRECT)
    emitter.leave_for_target()
    return Fate.BRANCH, Reason.RETURN, True


def _interrupt(emitter: Emitter, instruction: Instruction) -> Ruled:
    """It comes to the monitor as it is, with the address after it to be found in the code map."""
    emitter.copy(instruction)
    emitter.jump(instruction.next_ip32)
    return Fate.COPIED, Reason.HARMLESS, True


# -- the table

_SHADOWING = frozenset({Code.STI, Code.MOV_SREG_RM16, Code.MOV_SREG_R32M16, Code.POPW_SS, Code.POPD_SS})
_POPS = (
    Code.POPD_DS, Code.POPW_DS, Code.POPD_ES, Code.POPW_ES, Code.POPD_FS, Code.POPW_FS, Code.POPD_GS, Code.POPW_GS,
)  # fmt: skip
_FAR_LOADS = (
    Code.LDS_R16_M1616, Code.LDS_R32_M1632, Code.LES_R16_M1616, Code.LES_R32_M1632,
    Code.LFS_R16_M1616, Code.LFS_R32_M1632, Code.LGS_R16_M1616, Code.LGS_R32_M1632,
)  # fmt: skip
_CALL_OUT = {
    Reason.CONTROL: (Mnemonic.CLTS, Mnemonic.LMSW),
    Reason.PRIVILEGED: (
        Mnemonic.INVD, Mnemonic.WBINVD, Mnemonic.WBNOINVD, Mnemonic.INVLPG, Mnemonic.LGDT, Mnemonic.LIDT,
        Mnemonic.LLDT, Mnemonic.LTR, Mnemonic.RDMSR, Mnemonic.WRMSR, Mnemonic.HLT,
    ),
    Reason.DESCRIPTOR: (
        Mnemonic.LAR, Mnemonic.LSL, Mnemonic.VERR, Mnemonic.VERW, Mnemonic.STR, Mnemonic.SLDT,
    ),
    Reason.STACK: (Mnemonic.LSS,),
}  # fmt: skip
_CALL_OUT_AND_END = (Mnemonic.IRET, Mnemonic.IRETD, Mnemonic.RETF, Mnemonic.SYSEXIT)

RULES: dict[int, Rule] = {
    Code.CLI: _cli,
    Code.STI: _sti,
    Code.PUSHFD: _pushf,
    Code.PUSHFW: _callout(Reason.FLAGS),
    Code.POPFD: _popf,
    Code.POPFW: _callout(Reason.FLAGS),
    Code.MOV_R32_CR: _read_control,
    Code.MOV_CR_R32: _callout(Reason.CONTROL),
    Code.MOV_R32_DR: _callout(Reason.PRIVILEGED),
    Code.MOV_DR_R32: _callout(Reason.PRIVILEGED),
    Code.SMSW_RM16: _smsw,
    Code.SMSW_R32M16: _smsw,
    Code.SGDT_M1632: _store_table(Slot.GDT_LIMIT, Slot.GDT_BASE),
    Code.SIDT_M1632: _store_table(Slot.IDT_LIMIT, Slot.IDT_BASE),
    Code.SGDT_M1632_16: _callout(Reason.TABLE),
    Code.SIDT_M1632_16: _callout(Reason.TABLE),
    Code.MOV_RM16_SREG: _read_segment,
    Code.MOV_R32M16_SREG: _read_segment,
    Code.PUSHD_CS: _push_segment(Slot.CS, Code.PUSH_RM32),
    Code.PUSHW_CS: _push_segment(Slot.CS, Code.PUSH_RM16),
    Code.PUSHD_SS: _push_segment(Slot.SS, Code.PUSH_RM32),
    Code.PUSHW_SS: _push_segment(Slot.SS, Code.PUSH_RM16),
    Code.MOV_SREG_RM16: _load_segment,
    Code.MOV_SREG_R32M16: _load_segment,
    Code.POPD_SS: _callout(Reason.STACK),
    Code.POPW_SS: _callout(Reason.STACK),
    Code.JMP_REL8_16: _jump,
    Code.JMP_REL8_32: _jump,
    Code.JMP_REL16: _jump,
    Code.JMP_REL32_32: _jump,
    Code.CALL_REL16: _call,
    Code.CALL_REL32_32: _call,
    Code.CALL_RM16: _indirect,
    Code.CALL_RM32: _indirect,
    Code.JMP_RM16: _indirect,
    Code.JMP_RM32: _indirect,
    Code.RETNW: _return,
    Code.RETND: _return,
    Code.RETNW_IMM16: _return,
    Code.RETND_IMM16: _return,
    Code.INT3: _interrupt,
    Code.INT1: _interrupt,
    Code.INT_IMM8: _interrupt,
    Code.INTO: _interrupt,
    Code.CALL_PTR1616: _ends_unit,
    Code.CALL_PTR1632: _ends_unit,
    Code.JMP_PTR1616: _ends_unit,
    Code.JMP_PTR1632: _ends_unit,
    Code.CALL_M1616: _ends_unit,
    Code.CALL_M1632: _ends_unit,
    Code.JMP_M1616: _ends_unit,
    Code.JMP_M1632: _ends_unit,
    **dict.fromkeys(_LOOPS, _loop),
    **dict.fromkeys(_POPS, _pop_segment),
    **dict.fromkeys(_FAR_LOADS, _load_far),
}


def _complete() -> None:
    """Rules for whole families of encodings."""
    called_out = {each: _callout(reason) for reason, names in _CALL_OUT.items() for each in names}
    for code in vars(Code).values():
        if not isinstance(code, int):
            continue
        plain = Instruction()
        plain.code = code  # type: ignore[assignment] # the package's types call a code something else than an int
        if plain.mnemonic in called_out:
            RULES[code] = called_out[plain.mnemonic]
        elif plain.mnemonic in _CALL_OUT_AND_END:
            RULES[code] = _ends_unit
        elif plain.is_jcc_short_or_near:
            RULES[code] = _branch


_complete()
