"""The intercepts of AMD-V, one for each bit of the VMCB that makes a guest leave: name, place, exit code, meaning.

The CPU looks at the bit when the guest is about to do the thing; if it is set the guest leaves instead, and EXITCODE
says which (AMD APM vol. 2 §15.9 to §15.14, appendix C). Our emulated CPU honours all but a few: of these, I/O is
checked by the lab by the manual's rules (as it plays I/O permission on the bare machine), interrupts by the interposer,
and the rest are listed with the reason why they do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from core.cpu.faults import Vector
from core.events import VECTOR_NAMES


class Exit(IntEnum):
    """Exit codes that the lab names in its own code."""

    READ_CR0 = 0x00
    WRITE_CR0 = 0x10
    WRITE_CR8 = 0x18
    READ_DR0 = 0x20
    WRITE_DR0 = 0x30
    EXCEPTION_0 = 0x40
    INTR = 0x60
    VINTR = 0x64
    IDTR_READ = 0x66
    TR_WRITE = 0x6D
    RDTSC = 0x6E
    CPUID = 0x72
    IRET = 0x74
    SWINT = 0x75
    HLT = 0x78
    INVLPG = 0x79
    INVLPGA = 0x7A
    IOIO = 0x7B
    MSR = 0x7C
    SHUTDOWN = 0x7F
    VMRUN = 0x80
    VMMCALL = 0x81
    VMLOAD = 0x82
    VMSAVE = 0x83
    STGI = 0x84
    CLGI = 0x85
    SKINIT = 0x86
    NPF = 0x400
    INVALID = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class Intercept:
    """One intercept bit. `inert` says why it does nothing here ("" if it works), `by_lab` whether the lab checks it
    in the CPU's place, `required` why the lab's hypervisor cannot do without it ("" if it can)."""

    name: str
    field: str
    bit: int
    code: int
    meaning: str
    inert: str = ""
    by_lab: bool = False
    required: str = ""


_NOT_CHECKED = "The emulated CPU does not look at this bit."
_NEVER = "Nothing in the lab causes this event."
_GUARD = "Without it the guest would take the hypervisor's place: VMRUN refuses a VMCB, or the guest its host."


def _registers() -> list[Intercept]:
    found = []
    for field, verb, first in (("CR_READ", "read", 0x00), ("CR_WRITE", "write", 0x10)):
        for n in (0, 2, 3, 4, 8):
            meaning = f"MOV {'from' if verb == 'read' else 'to'} CR{n}" + {
                ("read", 0): ", and SMSW",
                ("write", 0): ", and LMSW, CLTS",
                ("read", 8): ", in 32-bit mode LOCK MOV from CR0",
                ("write", 8): ", in 32-bit mode LOCK MOV to CR0",
            }.get((verb, n), "")
            found.append(Intercept(f"CR{n} {verb}", field, n, first + n, meaning))
    for field, verb, first in (("DR_READ", "read", 0x20), ("DR_WRITE", "write", 0x30)):
        for n in range(8):
            meaning = f"MOV {'from' if verb == 'read' else 'to'} DR{n}"
            found.append(Intercept(f"DR{n} {verb}", field, n, first + n, meaning))
    return found


_SOFTWARE = "In the emulated CPU INT3 and INTO are software interrupts: the intercept of INTn sees them."
_EXCEPTION_INERT = {
    2: _NEVER,
    3: _SOFTWARE,
    4: _SOFTWARE,
    17: "The emulated CPU does not check alignment.",
    18: _NEVER,
    19: "The CPU does not promise SSE.",
}


def _exceptions() -> list[Intercept]:
    return [
        Intercept(
            name,
            "EXCEPTIONS",
            n,
            Exit.EXCEPTION_0 + n,
            f"the guest raises {name}",
            _EXCEPTION_INERT.get(n, ""),
            by_lab=n == Vector.DF,
        )
        for n, name in VECTOR_NAMES.items()
    ]


_MISC: tuple[tuple[int, str, str, str], ...] = (
    (0x60, "INTR", "a device interrupts the machine", ""),
    (0x61, "NMI", "a non-maskable interrupt", _NEVER),
    (0x62, "SMI", "a system-management interrupt", _NEVER),
    (0x63, "INIT", "the machine's INIT line", _NEVER),
    (0x64, "VINTR", "the guest begins to accept a waiting interrupt", ""),
    (0x65, "CR0_SEL_WRITE", "CR0 is written and a bit other than TS or MP changes", _NOT_CHECKED),
    (0x66, "IDTR read", "SIDT", ""),
    (0x67, "GDTR read", "SGDT", ""),
    (0x68, "LDTR read", "SLDT", ""),
    (0x69, "TR read", "STR", ""),
    (0x6A, "IDTR write", "LIDT", ""),
    (0x6B, "GDTR write", "LGDT", ""),
    (0x6C, "LDTR write", "LLDT", ""),
    (0x6D, "TR write", "LTR", ""),
    (0x6E, "RDTSC", "RDTSC", ""),
    (0x6F, "RDPMC", "RDPMC", ""),
    (0x70, "PUSHF", "PUSHF", ""),
    (0x71, "POPF", "POPF", ""),
    (0x72, "CPUID", "CPUID", ""),
    (0x73, "RSM", "RSM", ""),
    (0x74, "IRET", "IRET", ""),
    (0x75, "INTn", "INT n, INT3 and INTO", ""),
    (0x76, "INVD", "INVD", _NOT_CHECKED),
    (0x77, "PAUSE", "PAUSE", ""),
    (0x78, "HLT", "HLT", ""),
    (0x79, "INVLPG", "INVLPG", ""),
    (0x7A, "INVLPGA", "INVLPGA", ""),
    (0x7B, "IOIO", "IN, OUT, INS and OUTS at ports whose bit in the I/O permission map is set", ""),
    (0x7C, "MSR", "RDMSR and WRMSR of registers whose bit in the MSR permission map is set", ""),
    (0x7D, "TASK_SWITCH", "the guest switches tasks by a TSS", _NOT_CHECKED),
    (0x7E, "FERR_FREEZE", "the FPU freezes the processor", _NEVER),
    (0x7F, "SHUTDOWN", "a triple fault", ""),
    (0x80, "VMRUN", "VMRUN", ""),
    (0x81, "VMMCALL", "VMMCALL: the guest calls its hypervisor", ""),
    (0x82, "VMLOAD", "VMLOAD", ""),
    (0x83, "VMSAVE", "VMSAVE", ""),
    (0x84, "STGI", "STGI", ""),
    (0x85, "CLGI", "CLGI", ""),
    (0x86, "SKINIT", "SKINIT", ""),
    (0x87, "RDTSCP", "RDTSCP", _NOT_CHECKED),
    (0x88, "ICEBP", "INT1", _NOT_CHECKED),
    (0x89, "WBINVD", "WBINVD", ""),
    (0x8A, "MONITOR", "MONITOR", ""),
    (0x8B, "MWAIT", "MWAIT", ""),
)
_BY_LAB = frozenset({Exit.INTR, Exit.VINTR, Exit.IOIO, Exit.SHUTDOWN})


def _misc() -> list[Intercept]:
    return [
        Intercept(
            name,
            "MISC_1" if code < 0x80 else "MISC_2",
            code & 0x1F,
            code,
            meaning,
            inert,
            by_lab=code in _BY_LAB,
            required=_GUARD if code == Exit.VMRUN else "",
        )
        for code, name, meaning, inert in _MISC
    ]


INTERCEPTS: tuple[Intercept, ...] = (*_registers(), *_exceptions(), *_misc())
INTERCEPT = {each.code: each for each in INTERCEPTS}


def exit_name(code: int) -> str:
    """What an exit code is called: "CPUID", "#PF page fault", "nested page fault"."""
    if code == Exit.NPF:
        return "nested page fault"
    if code == Exit.INVALID:
        return "VMEXIT_INVALID"
    known = INTERCEPT.get(code)
    return known.name if known is not None else f"exit {code:#x}"
