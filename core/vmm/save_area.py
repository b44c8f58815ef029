"""What #VMEXIT stores: the guest's state, from the CPU into the state save area of its VMCB.

The emulated CPU stops at an exit with the guest's state still loaded, and the lab completes the exit (AMD APM vol. 2
§15.6): the save area, the interrupt shadow, EXITCODE and what belongs to it. FS, GS, LDTR, TR and the registers of
SYSCALL and SYSENTER, which a hypervisor would save by VMSAVE right after, are stored along. Loading is left to the CPU:
VMRUN is real. Every exit passes here, so the state is read as a few runs of bytes, and what seldom changes is packed
only when it has.
"""

from __future__ import annotations

import struct

from core.addresses import PAGE_SHIFT
from core.cpu.context import CR_AT, HEADER_BYTES, HF_CPL, HF_INHIBIT_IRQ, HFLAGS_AT, Seg
from core.cpu.unicorn_cpu import Cpu
from core.vmm.vmcb import SAVE_AREA_END, SEGMENTS, VMCB_BYTES, Vmcb

_IN_CPU = struct.Struct("<" + "I4xQII" * 10)  # selector, base, limit, flags of each segment, in the order of `Seg`
_IN_VMCB = struct.Struct("<" + "HHIQ" * 10)  # selector, attributes, limit, base, in the order of the save area
_ORDER = tuple(Seg[name] for name in SEGMENTS)
_GENERAL = struct.Struct("<I28xI92xI4xI12xQ8xIi")  # EAX, ESP, EIP, eflags, cc_src, cc_op, df
_SEGMENTS_AT, _SYSENTER_AT, _DR6_AT = (HEADER_BYTES + offset for offset in (0xB8, 0x12C0, 0x1548))
_CR = struct.Struct("<Q8xQQQ")  # CR0, CR2, CR3, CR4
_HFLAGS = struct.Struct("<I")
_MODE_BYTES = CR_AT + _CR.size - HFLAGS_AT  # hflags, segments and control registers stand side by side
_RARE = struct.Struct("<QQQQ8xQQQQ")  # SYSENTER_CS, _ESP, _EIP, STAR, then LSTAR, CSTAR, SFMASK, KERNEL_GS_BASE
_SYSTEM_CALL = struct.Struct("<5Q")  # STAR and what follows it
_DEBUG = struct.Struct("<QQ")  # DR6, DR7
_PAIR, _TRIPLE = struct.Struct("<QQ"), struct.Struct("<QQQ")
_EXIT = struct.Struct("<4Q")
ALL_ONES = 0xFFFF_FFFF


def attributes(flags: int) -> int:
    """The 12 attribute bits of the VMCB from a descriptor's second word."""
    return flags >> 8 & 0xFF | flags >> 12 & 0xF00


class SaveArea:
    """Stores the state of `cpu` into `vmcb`."""

    def __init__(self, cpu: Cpu, vmcb: Vmcb) -> None:
        self._cpu = cpu
        self._number, self._dirty = vmcb.address >> PAGE_SHIFT, vmcb.ram.dirty
        self._page = vmcb.ram.bytes[vmcb.address : vmcb.address + VMCB_BYTES]
        self._quads = self._page.cast("Q")
        context = memoryview(cpu.state).cast("B")
        self._context = context
        self._mode = context[HFLAGS_AT : HFLAGS_AT + _MODE_BYTES]
        self._sysenter = context[_SYSENTER_AT : _SYSENTER_AT + _RARE.size]
        self._debug = context[_DR6_AT : _DR6_AT + _DEBUG.size]
        self._used = self._page[:SAVE_AREA_END]
        self.forget()

    def forget(self) -> None:
        """The save area was written by somebody else."""
        self._stored = self._stored_sysenter = self._stored_debug = b""

    def image(self) -> bytes:
        """A copy of all that is used of the VMCB."""
        return self._used.tobytes()

    def store(self) -> None:
        """The guest's registers."""
        mode, sysenter, debug = self._mode.tobytes(), self._sysenter.tobytes(), self._debug.tobytes()
        if mode != self._stored:
            self._store_mode(mode)
        if sysenter != self._stored_sysenter or debug != self._stored_debug:
            self._store_rare(sysenter, debug)
        eax, esp, eip, flags, source, operation, df = _GENERAL.unpack_from(self._context, HEADER_BYTES)
        quads = self._quads
        quads[0x570 // 8] = self._cpu.whole_eflags(flags, source, operation, df)
        quads[0x578 // 8], quads[0x5D8 // 8], quads[0x5F8 // 8] = eip, esp, eax
        self._dirty[self._number] = 1  # the page was written through its memory

    def _store_rare(self, sysenter: bytes, debug: bytes) -> None:
        self._stored_sysenter, self._stored_debug = sysenter, debug
        cs, esp, eip, *system_call = _RARE.unpack(sysenter)
        _SYSTEM_CALL.pack_into(self._page, 0x600, *system_call)
        _TRIPLE.pack_into(self._page, 0x628, cs & ALL_ONES, esp, eip)
        dr6, dr7 = _DEBUG.unpack(debug)
        _PAIR.pack_into(self._page, 0x560, dr7, dr6)

    def _store_mode(self, mode: bytes) -> None:
        self._stored = mode
        (hflags,) = _HFLAGS.unpack_from(mode)
        self._page[0x4CB] = hflags & HF_CPL
        self._page[0x68] = 1 if hflags & HF_INHIBIT_IRQ else 0
        held = _IN_CPU.unpack_from(mode, _SEGMENTS_AT - HFLAGS_AT)
        values: list[int] = []
        for seg in _ORDER:
            selector, base, limit, flags = held[4 * seg : 4 * seg + 4]
            values += (selector & 0xFFFF, attributes(flags), limit, base & ALL_ONES)
        _IN_VMCB.pack_into(self._page, 0x400, *values)
        cr0, cr2, cr3, cr4 = _CR.unpack_from(mode, CR_AT - HFLAGS_AT)
        _TRIPLE.pack_into(self._page, 0x548, cr4, cr3, cr0)
        self._quads[0x640 // 8] = cr2

    def store_exit(self, code: int, info1: int, info2: int, next_eip: int, cut_short: int) -> None:
        """Why the guest left, and what delivery that `cut_short` (EXITINTINFO); EVENTINJ has served."""
        _EXIT.pack_into(self._page, 0x70, code, info1, info2, cut_short)
        self._quads[0xA8 // 8] = 0
        self._quads[0xC8 // 8] = next_eip
