"""The whole state of the emulated CPU as one structure, and the check that it is laid out as we believe.

Unicorn keeps the CPU's state in one C structure and copies it whole into a `uc_context`. Read and written through
ctypes, the copy gives what the register API hides: hidden segment caches, CPL, error codes, intercepts. The layout is
that of the unicorn 2.1.4 wheels, 64-bit hosts; `verify_layout` provokes known state and refuses any other.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum

HEADER_BYTES = 0x28  # live pointers of the emulator: never written
CONTEXT_BYTES = 5608
STATE_BYTES = 0x15B8  # behind the header; what follows points into the emulator's own generated code

HFLAGS_AT, CR_AT = HEADER_BYTES + 0xB0, HEADER_BYTES + 0x1A8  # where hflags and CR0 stand
SEGMENTS_AT, SEGMENT_BYTES = HEADER_BYTES + 0xB8, 24

# where the CPU keeps model-specific registers, by number: EFER, SYSENTER_CS, _ESP and _EIP, MISC_ENABLE, PAT, STAR,
# LSTAR, CSTAR, FMASK, KERNEL_GS_BASE, TSC_AUX, VM_HSAVE_PA. The others have no effect, or are a device's.
MSR_AT = {
    0xC000_0080: 0x278, 0x174: 0x12E8, 0x175: 0x12F0, 0x176: 0x12F8, 0x1A0: 0x1360, 0x277: 0x14C8, 0xC000_0081: 0x1300,
    0xC000_0082: 0x1310, 0xC000_0083: 0x1318, 0xC000_0084: 0x1320, 0xC000_0102: 0x1328, 0xC000_0103: 0x1348,
    0xC001_0117: 0x1308,
}  # fmt: skip

# hflags: what the translator of the CPU caches of its mode
HF_CPL = 3
HF_INHIBIT_IRQ = 1 << 3
HF_CS32 = 1 << 4
HF_SS32 = 1 << 5
HF_ADDSEG = 1 << 6
HF_PE = 1 << 7
HF_GUEST = 1 << 21

# cc_op value that says: the arithmetic flags stand in cc_src as they are
CC_OP_EFLAGS = 1


class Seg(IntEnum):
    """Segment registers in the order in which the CPU and the structure number them."""

    ES = 0
    CS = 1
    SS = 2
    DS = 3
    FS = 4
    GS = 5
    LDTR = 6
    TR = 7
    GDTR = 8
    IDTR = 9


class Gpr(IntEnum):
    """General registers in the order in which instructions number them."""

    EAX = 0
    ECX = 1
    EDX = 2
    EBX = 3
    ESP = 4
    EBP = 5
    ESI = 6
    EDI = 7


# The same by themselves, for the hot paths: looking a member of an enumeration up costs as much as a call.
ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR = Seg
EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI = Gpr


class SegmentStruct(ctypes.Structure):
    """The visible selector and the hidden cache; `flags` is the descriptor's second word, as in memory."""

    _fields_ = [
        ("selector", ctypes.c_uint32),
        ("base", ctypes.c_uint64),
        ("limit", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
    ]
    selector: int
    base: int
    limit: int
    flags: int


class CpuContext(ctypes.Structure):
    """The copy of the CPU's state. EFLAGS here lacks the arithmetic flags and DF, which the CPU keeps lazily."""

    _fields_ = [
        ("header", ctypes.c_uint8 * HEADER_BYTES),
        ("regs", ctypes.c_uint64 * 16),
        ("eip", ctypes.c_uint64),
        ("eflags", ctypes.c_uint64),
        ("cc_dst", ctypes.c_uint64),
        ("cc_src", ctypes.c_uint64),
        ("cc_src2", ctypes.c_uint64),
        ("cc_op", ctypes.c_uint32),
        ("df", ctypes.c_int32),
        ("hflags", ctypes.c_uint32),
        ("hflags2", ctypes.c_uint32),
        ("segs", SegmentStruct * 10),
        ("cr", ctypes.c_uint64 * 9),
        ("unmapped_1", ctypes.c_uint8 * (0x250 - 0x1F0)),
        ("efer", ctypes.c_uint64),
        ("unmapped_2", ctypes.c_uint8 * (0x12C0 - 0x258)),
        ("sysenter_cs", ctypes.c_uint32),
        ("sysenter_esp", ctypes.c_uint64),
        ("sysenter_eip", ctypes.c_uint64),
        ("star", ctypes.c_uint64),
        ("vm_hsave", ctypes.c_uint64),
        ("unmapped_3", ctypes.c_uint8 * (0x1508 - 0x12E8)),
        ("error_code", ctypes.c_int32),
        ("exception_is_int", ctypes.c_int32),
        ("exception_next_eip", ctypes.c_uint64),
        ("dr", ctypes.c_uint64 * 8),
        ("armed", ctypes.c_uint64 * 4),  # live pointers: of the breakpoints that a MOV DR7 made in the emulator
        ("old_exception", ctypes.c_int32),
        ("unmapped_4", ctypes.c_uint8 * 4),
        ("vm_vmcb", ctypes.c_uint64),
        ("tsc_offset", ctypes.c_uint64),
        ("intercept", ctypes.c_uint64),
        ("intercept_cr_dr", ctypes.c_uint16 * 4),
        ("intercept_exceptions", ctypes.c_uint32),
        ("nested_cr3", ctypes.c_uint64),
    ]
    regs: ctypes.Array[ctypes.c_uint64]
    eip: int
    eflags: int
    cc_dst: int
    cc_src: int
    cc_src2: int
    cc_op: int
    df: int
    hflags: int
    hflags2: int
    segs: ctypes.Array[SegmentStruct]
    cr: ctypes.Array[ctypes.c_uint64]
    efer: int
    sysenter_cs: int
    sysenter_esp: int
    sysenter_eip: int
    star: int
    vm_hsave: int
    error_code: int
    exception_is_int: int
    exception_next_eip: int
    dr: ctypes.Array[ctypes.c_uint64]
    armed: ctypes.Array[ctypes.c_uint64]
    old_exception: int
    vm_vmcb: int
    tsc_offset: int
    intercept: int
    intercept_cr_dr: ctypes.Array[ctypes.c_uint16]
    intercept_exceptions: int
    nested_cr3: int
