"""The one physical CPU: Unicorn 2.1.4 in 32-bit system mode. All that knows unicorn is in this one file, however long.

The emulated CPU is real in its MMU, rings, descriptor checks and AMD-V; it does not deliver exceptions through the
IDT, check I/O permission or complete a #VMEXIT: for those it comes here, and here it is handed on to a
`DepartureHandler` (the interposer). Found while building on it: a callback registered through the C entry costs half
of one registered through the Python binding; `context_restore` inside a hook takes effect at once, new EIP included;
EIP read inside an IN or OUT hook is that of the instruction; EFLAGS in the structure is whole while the CPU stands
still and lacks the arithmetic flags and DF inside a hook; the size that a code hook is given is wrong (0xf1f1f1f1) for
some instructions that raise an exception.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import unicorn
from unicorn import x86_const as x86
from unicorn.unicorn_py3 import unicorn as binding

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from core.cpu import breakpoint_registers, probes
from core.cpu.context import (
    CC_OP_EFLAGS,
    CONTEXT_BYTES,
    HEADER_BYTES,
    HF_CPL,
    HF_CS32,
    STATE_BYTES,
    CpuContext,
    Gpr,
    Seg,
)
from core.cpu.decode import decode
from core.cpu.flags import ALWAYS_ONE, ARITHMETIC, DF, DR7_ENABLES
from core.cpu.fpu import Fpu
from core.cpu.probes import Halted, Word
from core.cpu.relocation import Relocation
from core.cpu.world import WORDS, World
from core.errors import CpuLayoutError, LabFault, UnknownDeparture
from core.memory.ram import Ram
from core.memory.walk import LONGEST_INSTRUCTION

_LIB = binding.uclib
_PTR = ctypes.c_void_p

_OnDeparture = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_int32)
_OnIn = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_int)
_OnOut = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32)
_OnStore = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32)
_OnInstruction = ctypes.CFUNCTYPE(None, _PTR, _PTR)
_OnSkippable = ctypes.CFUNCTYPE(ctypes.c_int, _PTR, _PTR)
_OnInvalid = ctypes.CFUNCTYPE(ctypes.c_bool, _PTR, _PTR)

# the words that every departure touches: looking a member of an enumeration up costs more than the access
EXECUTED, END, STOP, WATCH, REASON, LAST_PC, FETCH_PAGE, AGAIN_AT, RING_0 = (
    int(Word[name])
    for name in ("EXECUTED", "END", "STOP", "WATCH", "REASON", "LAST_PC", "FETCH_PAGE", "AGAIN_AT", "RING_0")
)
HALTS = tuple(Halted)  # by number
CONTROL_REGISTERS = {0: x86.UC_X86_REG_CR0, 3: x86.UC_X86_REG_CR3, 4: x86.UC_X86_REG_CR4}
TLB_FLUSH = unicorn.UC_CTL_IO_WRITE << 30 | unicorn.UC_CTL_TLB_FLUSH  # as uc_ctl takes it
KEPT_APART = ~(ARITHMETIC | DF) & 0xFFFF_FFFF  # what is left in eflags while the guest runs
ALL_ADDRESSES = (1, 0)  # begin > end: a hook for every address
LONGEST_STORE = 64  # bytes, and more than any
NO_PAGE = NO_COUNT = (1 << 64) - 1
MAPPED_TO = 1 << 32
FIRST_EXIT = 0x100  # an interrupt hook's number from here on is a #VMEXIT's
MOV_DR7_EAX = bytes.fromhex("0f23f8")
_FPU_WORDS = (x86.UC_X86_REG_FPCW, x86.UC_X86_REG_FPSW, x86.UC_X86_REG_FPTAG, x86.UC_X86_REG_MXCSR)
_FPU_POINTERS = (
    x86.UC_X86_REG_FIP, x86.UC_X86_REG_FCS, x86.UC_X86_REG_FDP, x86.UC_X86_REG_FDS, x86.UC_X86_REG_FOP,
)  # fmt: skip
MSR = np.dtype([("number", np.uint32), ("value", np.uint64)], align=True)  # as the emulator takes and gives them
NO_CODE_THERE = (unicorn.UC_ERR_FETCH_PROT, unicorn.UC_ERR_FETCH_UNMAPPED)


def _place_without_breakpoint(debug_registers: list[int]) -> int:
    """Where a MOV DR7 can stand in page 0, and an instruction behind it, without meeting the breakpoints there are."""
    met = set(debug_registers[: breakpoint_registers.COUNT])
    return next(at for at in range(0, PAGE_SIZE, 16) if not met & {at, at + len(MOV_DR7_EAX)})


class DepartureHandler(Protocol):
    """What the CPU cannot do by itself and hands on. During each call `Cpu.state` is the present state; changes to it
    by `exception`, `exited`, `sysenter` and `syscall` take effect when the call returns."""

    def exception(self, vector: int, error_code: int, software: bool) -> None:
        """Vector `vector`, raised by an INT instruction if `software`; `error_code` counts where the vector has one."""

    def exited(self, code: int, info: int) -> None:
        """#VMEXIT with exit code `code`; `info` is the low half of EXITINFO1. The guest's whole state is still here."""

    def port_read(self, port: int, size: int) -> int:
        """IN or INS: the value read."""

    def port_write(self, port: int, size: int, value: int) -> None:
        """OUT or OUTS."""

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """EAX, EBX, ECX, EDX."""

    def timestamp(self) -> int:
        """The value of the time-stamp counter for RDTSC."""

    def sysenter(self) -> None:
        """SYSENTER."""

    def syscall(self) -> None:
        """SYSCALL."""

    def memory_read(self, address: int, size: int) -> int:
        """A read of a host-physical address beyond RAM."""

    def memory_write(self, address: int, size: int, value: int) -> None:
        """A write to a host-physical address beyond RAM."""


class Breaks(Enum):
    """Before which instructions the CPU stops: those with a breakpoint, none, or every one."""

    AS_SET = "as set"
    NEVER = "never"
    ALWAYS = "always"


class Cpu:
    """The CPU with its RAM mapped from address 0 and everything above handed to the handler's memory calls.

    `state` is valid after `pull`; changes to it take effect by `push`. `ctl` is the probes' control block.
    """

    def __init__(self, ram: Ram, buffers: probes.ProbeBuffers, *, recording: bool = True) -> None:
        self.ram = ram
        self.buffers = buffers
        self._uc: Any = binding.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_32, cpu=x86.UC_CPU_X86_EPYC)
        self._handle = self._uc._uch
        self._uc.mem_map_ptr(0, ram.size, unicorn.UC_PROT_ALL, ram.pointer)
        self._context = self._uc.context_save()
        if self._context.size != CONTEXT_BYTES:
            raise CpuLayoutError(
                f"This unicorn keeps its CPU state in {self._context.size} bytes, not {CONTEXT_BYTES}; "
                "install unicorn 2.1.4, the version Ringside is built for."
            )
        self._context_pointer = self._context.context
        self.state = CpuContext.from_address(self._context_pointer.value)
        self.ctl = (ctypes.c_uint64 * probes.CONTROL_WORDS).from_address(buffers.control.ctypes.data)
        self._break_map = np.zeros(probes.BREAK_MAP_BYTES, np.uint8)
        for word in range(probes.CONTROL_WORDS):
            self.ctl[word] = 0
        self.ctl[Word.RAM] = ram.pointer
        probes.attach(buffers, self._break_map)
        self.ctl[Word.FRAMES] = ram.size >> PAGE_SHIFT  # the buffers may be of a larger machine
        self._breakpoints: frozenset[int] = frozenset()
        self._breaks = Breaks.AS_SET
        self._handler: DepartureHandler | None = None
        self._relocation: Relocation | None = None
        self._failure: BaseException | None = None
        self._running = False
        self._callbacks: list[Any] = []
        self._called_natively: list[Any] = []
        self.guarded: set[int] = set()  # pages with a hook of their own
        self._write_hooks: list[ctypes.c_size_t] = []
        self._scratch = ctypes.c_uint64()
        self._scratch_at = ctypes.byref(self._scratch)
        self._uc.ctl_exits_enabled(True)
        self._uc.ctl_set_exits([])
        self._recording = recording
        self._watch(recording)
        self._intercept_departures()
        self.pull()
        # A gate to an inner ring with no busy TSS would abort the emulator, so there is one from the start.
        self.state.segs[7].flags = 0x8B00
        self._power_on = self._state_bytes()
        self.push()

    # -- the whole state

    def pull(self) -> None:
        """Copy the CPU's state into `state`."""
        _LIB.uc_context_save(self._handle, self._context_pointer)

    def push(self) -> None:
        """Make `state` the CPU's state. The pending-exception fields are cleared, which the CPU never does."""
        self.state.old_exception = -1
        self.state.exception_is_int = 0
        _LIB.uc_context_restore(self._handle, self._context_pointer)

    def save_world(self) -> World:
        """All of `state`, and the counts that belong to it. Only while the CPU stands still."""
        words = tuple(int(self.ctl[word]) for word in WORDS)
        context: bytes = self._state_bytes()
        pointers: Any = CpuContext.armed  # of the class: where it stands and how large it is
        if not any(self.state.armed):
            return World(context, words, self._relocation)
        at = pointers.offset - HEADER_BYTES
        context = context[:at] + bytes(pointers.size) + context[at + pointers.size :]
        made = breakpoint_registers.only(self.state.dr[7], [pointer != 0 for pointer in self.state.armed])
        return World(context, words, self._relocation, made)

    def load_world(self, world: World) -> None:
        """Bring back what was saved. Who lets it run after another must empty the TLB: its tags are not the VM's."""
        if any(self.state.armed):
            self._move_to_dr7(self.state.dr[7] & ~DR7_ENABLES)
        self._load_state(world.context)
        if world.armed:
            self.state.dr[7] = world.armed & ~DR7_ENABLES
            self._move_to_dr7(world.armed)
            armed = list(self.state.armed)
            self._load_state(world.context)
            self.state.armed[:] = armed
        for word, value in zip(WORDS, world.words, strict=True):
            self.ctl[word] = value
        self.relocate(world.relocation)
        self.push()

    def _state_bytes(self) -> bytes:
        return ctypes.string_at(self._context_pointer.value + HEADER_BYTES, STATE_BYTES)

    def _load_state(self, state: bytes) -> None:
        ctypes.memmove(self._context_pointer.value + HEADER_BYTES, state, STATE_BYTES)

    def _move_to_dr7(self, value: int) -> None:
        """Have the CPU execute MOV DR7, EAX, by which alone it makes and removes breakpoints: in page 0 of RAM, whose
        bytes come back. Nothing else of `state` is worth keeping then."""
        state, ram, control = self.state, self.ram.bytes, bytes(self.ctl)
        debug, armed = list(state.dr), list(state.armed)
        at = _place_without_breakpoint(debug)
        code = slice(at, at + len(MOV_DR7_EAX))
        covered = bytes(ram[code])
        self._load_state(self._power_on)
        state.dr[:], state.armed[:] = debug, armed
        state.regs[Gpr.EAX], state.eip = value, at
        ram[code] = MOV_DR7_EAX
        self.push()
        self.flush_tlb()
        self.forget_code(at, len(MOV_DR7_EAX))
        for word in (Word.STOP, Word.WATCH, Word.CODE_SIZE):
            self.ctl[word] = 0
        self.end = self.executed + 1
        self._relocation = None
        self.run()
        ram[code] = covered
        self.forget_code(at, len(MOV_DR7_EAX))
        self.flush_tlb()
        stop = self.ctl[Word.STOP]
        ctypes.memmove(self.ctl, control, len(control))
        self.ctl[Word.STOP] |= stop

    def write_pcs_to(self, ring: npt.NDArray[np.uint64]) -> None:
        """Keep the newest program counters in `ring` u64[PC_RING] from now on; who owns it keeps it alive."""
        self.ctl[Word.RING_BUFFER] = ring.ctypes.data

    @property
    def cpl(self) -> int:
        """Current privilege level of `state`."""
        return self.state.hflags & HF_CPL

    @property
    def eflags(self) -> int:
        """EFLAGS of `state`. While the guest runs the CPU keeps the arithmetic flags and DF apart, and lazily."""
        state = self.state
        return self.whole_eflags(state.eflags & 0xFFFF_FFFF, state.cc_src, state.cc_op, state.df)

    @eflags.setter
    def eflags(self, value: int) -> None:
        state = self.state
        if not self._running:
            state.eflags = value | ALWAYS_ONE
            return
        state.cc_op = CC_OP_EFLAGS
        state.cc_src = value & ARITHMETIC
        state.df = -1 if value & DF else 1
        state.eflags = (value & ~(ARITHMETIC | DF)) | ALWAYS_ONE

    def whole_eflags(self, kept: int, source: int, operation: int, direction: int) -> int:
        """EFLAGS from what `state` holds of them: eflags; while the guest runs also cc_src, cc_op, df."""
        if not self._running:
            return kept | ALWAYS_ONE
        if operation != CC_OP_EFLAGS:
            _LIB.uc_context_reg_read(self._context_pointer, x86.UC_X86_REG_EFLAGS, self._scratch_at)
            source = self._scratch.value
        return kept & KEPT_APART | source & ARITHMETIC | (DF if direction < 0 else 0) | ALWAYS_ONE

    def write_cr(self, number: int, value: int) -> None:
        """Load CR0, CR3 or CR4 as MOV CR does: modes are recomputed, the TLB is flushed. `state` stays valid."""
        self.push()
        self._scratch.value = value
        _LIB.uc_reg_write(self._handle, CONTROL_REGISTERS[number], self._scratch_at)
        self.pull()
        self.flush_tlb()

    def flush_tlb(self) -> None:
        """Forget cached translations, after page tables were edited from outside."""
        _LIB.uc_ctl(self._handle, TLB_FLUSH)
        self.ctl[FETCH_PAGE] = NO_PAGE

    def forget_code(self, address: int, size: int) -> None:
        """Forget code cached from linear `address` on, as it is mapped now, after it was overwritten from outside."""
        if int(self._uc.reg_read(x86.UC_X86_REG_CS)) & 3 == 3:  # the emulator finds only what this ring may fetch
            self.forget_all_code()
        else:
            self._uc.ctl_remove_cache(address, address + size)

    def forget_code_in(self, frames: Iterable[int], flat: World) -> None:
        """Forget code cached from these frames (by number), which were overwritten from outside. The emulator asks for
        linear addresses, so `flat`, a world without paging, is in the CPU afterwards."""
        self.load_world(flat)
        self.flush_tlb()
        for frame in frames:
            self._uc.ctl_remove_cache(frame << PAGE_SHIFT, frame + 1 << PAGE_SHIFT)

    def forget_all_code(self) -> None:
        """The same for all of memory."""
        self._uc.ctl_flush_tb()

    # -- running

    @property
    def executed(self) -> int:
        """Instructions and exceptions so far, exact even inside a departure."""
        return self.ctl[EXECUTED]

    @executed.setter
    def executed(self, value: int) -> None:
        self.ctl[EXECUTED] = value

    @property
    def executed_by_ring(self) -> tuple[int, int, int, int] | None:
        """Instructions and exceptions so far by the ring that the CPU was really in; None: not recorded."""
        if not self._recording:
            return None
        return tuple(int(self.ctl[RING_0 + ring]) for ring in range(4))  # type: ignore[return-value] # four

    @property
    def end(self) -> int:
        """The count at which the present run stops; may be lowered inside a departure, exactly."""
        return self.ctl[END]

    @end.setter
    def end(self, value: int) -> None:
        self.ctl[END] = value

    @property
    def last_pc(self) -> int:
        """EIP of the newest instruction begun, as a linear address."""
        return self.ctl[LAST_PC]

    @last_pc.setter
    def last_pc(self, value: int) -> None:
        self.ctl[LAST_PC] = value

    def run(self) -> Halted:
        """Execute from `state` until a probe stops it (the reason is returned), HLT (NONE), or a jump to where there is
        no memory (NOWHERE). Leaves `state` pulled.

        Raises what a departure's handler raised, or UnknownDeparture if the emulator gave up.
        """
        halted = Halted.AGAIN
        while halted is Halted.AGAIN:
            halted = self._run()
        return halted

    def _run(self) -> Halted:
        self.ctl[REASON] = 0
        self.ctl[FETCH_PAGE] = self.ctl[AGAIN_AT] = NO_PAGE
        if self._relocation is not None:
            self._relocation.to_real()
        self.push()
        self._running = True
        status = _LIB.uc_emu_start(self._handle, self.state.eip & 0xFFFF_FFFF, 0, 0, 0)
        self._running = False
        self.pull()
        if self._relocation is not None:
            self._relocation.to_guest(None, False)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if status in NO_CODE_THERE:
            return Halted.NOWHERE
        if status != unicorn.UC_ERR_OK:
            raise UnknownDeparture(
                f"The CPU gave up at {self.state.eip & 0xFFFFFFFF:#010x}: {binding.UcError(status)}.", self.dump()
            )
        return HALTS[self.ctl[REASON]]

    def relocate(self, relocation: Relocation | None) -> None:
        """From now on code runs where `relocation` says, and the probes count as its map says."""
        self._relocation = relocation
        words, guarded = (0, 0, 0, 0, 0), int(NO_PAGE)
        if relocation is not None:
            places = relocation.code_map
            entries, heat = places.entries, places.heat
            words = (places.base, len(entries), entries.ctypes.data, heat.ctypes.data, places.virtual_if)
            guarded = places.variables
        self.ctl[Word.VARIABLES] = guarded
        for word, value in enumerate(words, Word.CODE_BASE):
            self.ctl[word] = value

    def guard(self, page: int) -> None:
        """Stop (GUARDED) where others than OWN_STOREs write to host-physical `page`, while it is the variables'. For
        good, since one can go back to when it was; a page that was guarded before costs nothing more."""
        if page in self.guarded:
            return
        self.guarded.add(page)
        control = self.buffers.control.ctypes.data
        self._hook(unicorn.UC_HOOK_MEM_WRITE, self._native.guard, control, within=(page, page + PAGE_MASK))
        if self._recording:
            self._watch_writes()
        self.forget_all_code()

    @contextmanager
    def watching_writes(self, first: int, size: int, seen: Callable[[int, int], None]) -> Iterator[None]:
        """While it lasts, `seen` is told host-physical address and size of every store of the CPU's that reaches one of
        the `size` bytes from host-physical `first` on, all in one page, or that leaves its own page and would reach
        them if it went on there; it must not raise. For recorded CPUs, whose stores all look for hooks."""
        callback = _OnStore(seen)
        before = first & PAGE_MASK  # bytes of its page that a store from another page must write first
        told = ctypes.cast(callback, _PTR).value or 0
        watched = (ctypes.c_uint64 * 4)(first, first + size, before, told)
        within = ALL_ADDRESSES if before < LONGEST_STORE else (first - LONGEST_STORE + 1, first + size - 1)
        hook = self._hook(unicorn.UC_HOOK_MEM_WRITE, self._native.stored, ctypes.addressof(watched), within=within)
        try:
            yield
        finally:
            _LIB.uc_hook_del(self._handle, hook)
            self._callbacks.remove(self._native.stored)

    def watch_ring(self, left: int | None) -> None:
        """Stop (OTHER_RING) before the first instruction in another ring than this one; None: in none."""
        self._set_watch(probes.WATCH_RING, left is not None)
        self.ctl[Word.RING_LEFT] = left or 0

    def code_here(self) -> bytes:
        """The instruction that the CPU is in, and what follows in its page; for use in a run. Where it really runs:
        rewritten code is not what the guest believes to be there."""
        at, code = self.ctl[Word.REAL_PC], b""
        while len(code) < LONGEST_INSTRUCTION and not decode(code, 0, 32 if self.state.hflags & HF_CS32 else 16):
            if _LIB.uc_vmem_translate(self._handle, at + len(code), unicorn.UC_PROT_EXEC, self._scratch_at):
                break
            physical = self._scratch.value
            code += bytes(self.ram.bytes[physical : (physical | PAGE_MASK) + 1])
        return code

    def count_attempt(self, pc: int) -> None:
        """Count an instruction at linear `pc` that faulted before any probe saw it."""
        self.ctl[EXECUTED] += 1
        self.ctl[LAST_PC] = pc
        self.ctl[RING_0 + self.cpl] += 1

    def uncount_attempt(self, ring: int) -> None:
        """Take back the count of an instruction that will be tried again without the guest's notice."""
        self.ctl[EXECUTED] -= 1
        self.ctl[RING_0 + ring] -= 1

    def stop_now(self) -> None:
        """Leave the run from within a departure, without executing anything more."""
        self.ctl[REASON] = Halted.BUDGET
        _LIB.uc_emu_stop(self._handle)

    def request_stop(self) -> None:
        """Stop before the next instruction; from any thread."""
        self.ctl[Word.STOP] = 1

    @property
    def breakpoints(self) -> frozenset[int]:
        """Linear addresses before which the CPU stops."""
        return self._breakpoints

    @breakpoints.setter
    def breakpoints(self, addresses: frozenset[int]) -> None:
        changed, self._breakpoints = addresses != self._breakpoints, addresses
        self._watch_breakpoints(changed)

    @property
    def breaks(self) -> Breaks:
        """Which breakpoints count now."""
        return self._breaks

    @breaks.setter
    def breaks(self, breaks: Breaks) -> None:
        if breaks is not self._breaks:
            self._breaks = breaks
            self.heed_breakpoints()
            self._watch_breakpoints(True)

    def is_break(self, address: int) -> bool:
        """Does the CPU stop before the instruction at linear `address`?"""
        return self._breaks is Breaks.ALWAYS or address in self._breakpoints

    def _watch_breakpoints(self, changed: bool) -> None:
        wanted = bool(self._breakpoints) if self._breaks is Breaks.AS_SET else self._breaks is Breaks.ALWAYS
        self._set_watch(probes.WATCH_BREAKPOINTS, wanted)
        if not changed:
            return
        self._break_map[:] = 0xFF if self._breaks is Breaks.ALWAYS else 0
        if self._breaks is Breaks.AS_SET:
            for address in self._breakpoints:
                self._break_map[(address & 0xFFFF) >> 3] |= 1 << (address & 7)

    def pass_breakpoint(self) -> None:
        """Let the next instruction run even if a breakpoint stands on it."""
        self.ctl[Word.SKIP_AT] = self.executed

    def heed_breakpoints(self) -> None:
        """Take `pass_breakpoint` back."""
        self.ctl[Word.SKIP_AT] = NO_COUNT

    def await_interrupts_open(self, wanted: bool) -> None:
        """Stop (INTERRUPTIBLE) before the first instruction at which the real EFLAGS.IF is set."""
        self._set_watch(probes.WATCH_INTERRUPT, wanted)

    def _set_watch(self, bit: int, on: bool) -> None:
        self.ctl[WATCH] = self.ctl[WATCH] | bit if on else self.ctl[WATCH] & ~bit

    def debug_register(self, number: int) -> int:
        """DR0–DR7."""
        return int(self._uc.reg_read(x86.UC_X86_REG_DR0 + number)) & 0xFFFF_FFFF

    def set_debug_register(self, number: int, value: int) -> None:
        """Store into a debug register, which makes no breakpoint. `state` stays valid."""
        self.push()
        self._uc.reg_write(x86.UC_X86_REG_DR0 + number, value)
        self.pull()

    def load_debug_register(self, number: int, value: int, *, below: int = MAPPED_TO) -> None:
        """As a MOV to it that the CPU executes: the breakpoints that DR7 enables, at addresses `below`, are made, all
        others are gone. Only while the CPU stands still."""
        self.load_world(replace(self.save_world(), armed=0))
        self.state.dr[number] = value
        kept = [self.state.dr[each] & 0xFFFF_FFFF < below for each in range(breakpoint_registers.COUNT)]
        control = breakpoint_registers.only(self.state.dr[7], kept)
        self.load_world(replace(self.save_world(), armed=control if control & DR7_ENABLES else 0))

    def fpu(self) -> Fpu:
        """The floating-point unit and SSE."""
        read = self._uc.reg_read
        control, status, tags, mxcsr = (int(read(each)) for each in _FPU_WORDS)
        return Fpu(
            control=control,
            status=status,
            tags=tags,
            pointers=tuple(int(read(each)) for each in _FPU_POINTERS),
            registers=tuple(read(x86.UC_X86_REG_FP0 + number) for number in range(8)),
            mxcsr=mxcsr,
            vectors=tuple(int(read(x86.UC_X86_REG_XMM0 + number)) for number in range(8)),
        )

    def load_fpu(self, fpu: Fpu) -> None:
        """Make it this. `state` stays valid."""
        self.push()
        write = self._uc.reg_write
        words = (fpu.control, fpu.status, fpu.tags, fpu.mxcsr)
        for register, value in zip((*_FPU_WORDS, *_FPU_POINTERS), (*words, *fpu.pointers), strict=True):
            write(register, value)
        for number in range(8):
            write(x86.UC_X86_REG_FP0 + number, fpu.registers[number])
            write(x86.UC_X86_REG_XMM0 + number, fpu.vectors[number])
        self.pull()

    def msr(self, number: int) -> int:
        """A model-specific register."""
        return int(self._uc.msr_read(number))

    def msrs(self, numbers: Sequence[int]) -> list[int]:
        """Several of them in one call, which is what costs."""
        asked = np.zeros(len(numbers), MSR)
        asked["number"] = numbers
        places = asked.ctypes.data + MSR.itemsize * np.arange(len(numbers), dtype=np.uintp)
        kinds = np.full(len(numbers), x86.UC_X86_REG_MSR, np.int32)
        status = _LIB.uc_reg_read_batch(
            self._handle,
            kinds.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
            places.ctypes.data_as(ctypes.POINTER(_PTR)),
            len(numbers),
        )
        assert status == unicorn.UC_ERR_OK, "whoever asks knows that the CPU has them"
        values: list[int] = asked["value"].tolist()
        return values

    def set_msr(self, number: int, value: int) -> None:
        """Load a model-specific register. `state` stays valid."""
        self.push()
        self._uc.msr_write(number, value)
        self.pull()

    def dump(self) -> str:
        """The registers as text, for a report."""
        state = self.state
        general = " ".join(f"{reg.name}={state.regs[reg] & 0xFFFFFFFF:08x}" for reg in Gpr)
        segments = "\n".join(
            f"{name}={seg.selector:04x} base={seg.base:08x} limit={seg.limit:08x} flags={seg.flags:08x}"
            for name, seg in zip((each.name for each in Seg), state.segs, strict=True)
        )
        control = " ".join(f"CR{n}={state.cr[n]:08x}" for n in (0, 2, 3, 4))
        return (
            f"EIP={state.eip & 0xFFFFFFFF:08x} EFLAGS={self.eflags:08x} CPL={self.cpl} executed={self.executed}\n"
            f"{general}\n{segments}\n{control}\nerror code={state.error_code & 0xFFFFFFFF:#x}"
        )

    # -- departures

    @property
    def hook_count(self) -> int:
        """How many hooks the emulator has; each costs something wherever it applies."""
        return len(self._callbacks)

    def connect(self, handler: DepartureHandler) -> None:
        """Hand every departure to `handler` from now on."""
        self._handler = handler

    def _hook(
        self, kind: int, function: Any, data: int = 0, *extra: Any, within: tuple[int, int] = ALL_ADDRESSES
    ) -> ctypes.c_size_t:
        handle = ctypes.c_size_t()
        begin, end = (ctypes.c_uint64(bound) for bound in within)
        pointer = ctypes.cast(function, _PTR) if not isinstance(function, int) else _PTR(function)
        status = _LIB.uc_hook_add(self._handle, ctypes.byref(handle), kind, pointer, _PTR(data), begin, end, *extra)
        if status != unicorn.UC_ERR_OK:
            raise LabFault(f"The CPU refused a hook of kind {kind}: {binding.UcError(status)}.")
        self._callbacks.append(function)
        return handle

    def _watch(self, recording: bool) -> None:
        names = ("uc_emu_stop", "uc_vmem_translate", "uc_reg_read", "uc_context_save", "uc_context_restore")
        functions = {name: ctypes.cast(getattr(_LIB, name), _PTR) for name in names}
        layout: Any = CpuContext  # of the class: where its fields stand
        numbers = {
            "REG_EFLAGS": x86.UC_X86_REG_EFLAGS,
            "REG_CS": x86.UC_X86_REG_CS,
            "AT_ERROR_CODE": layout.error_code.offset,
            "AT_EXCEPTION_IS_INT": layout.exception_is_int.offset,
            "AT_OLD_EXCEPTION": layout.old_exception.offset,
            "AT_CR2": layout.cr.offset + 2 * ctypes.sizeof(ctypes.c_uint64),
            "AT_VM_VMCB": layout.vm_vmcb.offset,
        }
        self._native = native = probes.compile_probes(functions, numbers)
        control = self.buffers.control.ctypes.data
        self._hook(unicorn.UC_HOOK_CODE, native.record if recording else native.count, control)
        if recording:
            self._hook(unicorn.UC_HOOK_MEM_READ, native.memory, control)
            self._watch_writes()

    def _watch_writes(self) -> None:
        """Record the writes to all pages but the guarded, whose own hooks do: the call of a hook is what costs."""
        for hook in self._write_hooks:
            _LIB.uc_hook_del(self._handle, hook)
            self._callbacks.remove(self._native.memory)
        bounds = [0, *(edge for page in sorted(self.guarded) for edge in (page, page + PAGE_SIZE)), MAPPED_TO]
        self._write_hooks = [
            self._hook(
                unicorn.UC_HOOK_MEM_WRITE,
                self._native.memory,
                self.buffers.control.ctypes.data,
                within=(begin, end - 1),
            )
            for begin, end in zip(bounds[::2], bounds[1::2], strict=True)
            if begin < end
        ]

    def _guard(self, action: Callable[[DepartureHandler], None]) -> None:
        """Run a departure's handler; what it raises is kept, since it cannot cross the emulator's C code."""
        handler = self._handler
        if handler is None or self._failure is not None:
            self.request_stop()
            return
        try:
            action(handler)
        except BaseException as failure:  # noqa: BLE001 - raised again by `run`
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        self._failure = failure
        self.request_stop()
        _LIB.uc_emu_stop(self._handle)

    def _intercept_departures(self) -> None:
        save, restore = _LIB.uc_context_save, _LIB.uc_context_restore
        handle, pointer, state = self._handle, self._context_pointer, self.state

        def stateful(action: Callable[[DepartureHandler], None], *, moves_on: bool = False) -> None:
            save(handle, pointer)
            length = self.ctl[Word.LAST_SIZE] if moves_on else 0
            self._guard(action)
            if moves_on:  # the CPU will add the instruction's length, prefixes included, to whatever EIP is left here
                state.eip -= length
            state.old_exception = -1
            state.exception_is_int = 0
            self.ctl[FETCH_PAGE] = self.ctl[AGAIN_AT] = NO_PAGE
            restore(handle, pointer)

        def in_guest_terms(action: Callable[[DepartureHandler], None]) -> Callable[[DepartureHandler], None]:
            def act(handler: DepartureHandler) -> None:
                if self._relocation is not None:
                    self._relocation.to_guest(None, False)
                action(handler)
                if self._relocation is not None:
                    self._relocation.to_real()

            return act

        def raised(relocation: Relocation, handler: DepartureHandler, number: int) -> None:
            """Exception `number` of code that runs elsewhere than its guest believes."""
            event = relocation.to_guest(number, state.exception_is_int != 0)
            if event is None:
                return
            vector, software = event
            assert vector is not None, "an exception stays one"
            handler.exception(vector, state.error_code & 0xFFFF_FFFF, software)
            (self._relocation or relocation).to_real()

        def on_departure(number: int, error_code: int, is_int: int) -> None:
            """Exceptions and #VMEXITs, a hundred thousand a second: `departed` in probes.ll has done what `stateful`
            does for the rest, and will do."""
            handler, relocation = self._handler, self._relocation
            if handler is None or self._failure is not None:
                self.request_stop()
                return
            try:
                if relocation is not None:
                    raised(relocation, handler, number)
                elif number >= FIRST_EXIT:
                    handler.exited(number - FIRST_EXIT, error_code)
                else:
                    handler.exception(number, error_code, is_int != 0)
            except BaseException as failure:  # noqa: BLE001 - raised again by `run`
                self._fail(failure)

        def on_invalid(_uc: int, _data: int) -> bool:
            def act(handler: DepartureHandler) -> None:
                if self._relocation is None:
                    handler.exception(6, 0, False)
                else:
                    raised(self._relocation, handler, 6)

            stateful(act)
            return True

        def on_sysenter(_uc: int, _data: int) -> None:
            stateful(in_guest_terms(lambda handler: handler.sysenter()), moves_on=True)

        def on_syscall(_uc: int, _data: int) -> None:
            stateful(in_guest_terms(lambda handler: handler.syscall()), moves_on=True)

        def on_in(port: int, size: int) -> int:
            handler = self._handler
            if handler is None or self._failure is not None:
                self.request_stop()
                return 0
            try:
                return handler.port_read(port, size)
            except BaseException as failure:  # noqa: BLE001 - raised again by `run`
                self._fail(failure)
                return 0

        def on_out(port: int, size: int, value: int) -> None:
            self._guard(lambda handler: handler.port_write(port, size, value))

        answer = [0]

        def write_registers(values: tuple[tuple[int, int], ...]) -> None:
            for register, value in values:
                self._scratch.value = value & 0xFFFF_FFFF
                _LIB.uc_reg_write(handle, register, self._scratch_at)

        def on_cpuid(_uc: int, _data: int) -> int:
            def answer_cpuid(handler: DepartureHandler) -> None:
                save(handle, pointer)
                result = handler.cpuid(state.regs[Gpr.EAX] & 0xFFFF_FFFF, state.regs[Gpr.ECX] & 0xFFFF_FFFF)
                registers = (x86.UC_X86_REG_EAX, x86.UC_X86_REG_EBX, x86.UC_X86_REG_ECX, x86.UC_X86_REG_EDX)
                write_registers(tuple(zip(registers, result, strict=True)))

            self._guard(answer_cpuid)
            return 1

        def on_rdtsc(_uc: int, _data: int) -> int:
            def answer_rdtsc(handler: DepartureHandler) -> None:
                now = handler.timestamp()
                write_registers(((x86.UC_X86_REG_EAX, now), (x86.UC_X86_REG_EDX, now >> 32)))

            self._guard(answer_rdtsc)
            return 1

        control, native = self.buffers.control.ctypes.data, self._native
        self.ctl[Word.CONTEXT] = pointer.value
        for word, called in (
            (Word.HANDLER, _OnDeparture(on_departure)),
            (Word.PORT_READER, _OnIn(on_in)),
            (Word.PORT_WRITER, _OnOut(on_out)),
        ):
            self.ctl[word] = ctypes.cast(called, _PTR).value or 0
            self._called_natively.append(called)
        self._hook(unicorn.UC_HOOK_INTR, native.departed, control)
        self._hook(unicorn.UC_HOOK_INSN_INVALID, _OnInvalid(on_invalid))
        for function, instruction in (
            (native.port_read, x86.UC_X86_INS_IN),
            (native.port_write, x86.UC_X86_INS_OUT),
            (_OnSkippable(on_cpuid), x86.UC_X86_INS_CPUID),
            (_OnSkippable(on_rdtsc), x86.UC_X86_INS_RDTSC),
            (_OnInstruction(on_sysenter), x86.UC_X86_INS_SYSENTER),
            (_OnInstruction(on_syscall), x86.UC_X86_INS_SYSCALL),
        ):
            self._hook(unicorn.UC_HOOK_INSN, function, control, ctypes.c_int(instruction))

        def read_beyond(_uc: Any, offset: int, size: int, _data: Any) -> int:
            answer[0] = (1 << 8 * size) - 1

            def read(handler: DepartureHandler) -> None:
                answer[0] = handler.memory_read(self.ram.size + offset, size)

            self._guard(read)
            return answer[0]

        def write_beyond(_uc: Any, offset: int, size: int, value: int, _data: Any) -> None:
            self._guard(lambda handler: handler.memory_write(self.ram.size + offset, size, value))

        self._uc.mmio_map(self.ram.size, MAPPED_TO - self.ram.size, read_beyond, None, write_beyond, None)

    def close(self) -> None:
        """Release the emulator, and with it the RAM's mapping."""
        self._handler = None
        self._callbacks.clear()
        self._called_natively.clear()
        del self._uc
