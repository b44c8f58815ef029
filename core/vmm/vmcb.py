"""The virtual machine control block (VMCB): a page of host memory by which VMRUN enters a guest and #VMEXIT leaves it.

Its first 1024 bytes, the control area, say what makes the guest leave (the intercepts) and, after an exit, why it
left; from 0x400 on, the state save area holds the guest's registers. VMRUN and #VMEXIT move ES, CS, SS, DS, GDTR, IDTR,
RAX, RSP, RIP, RFLAGS, CPL, EFER, CR0, CR2, CR3, CR4, DR6 and DR7 by themselves; FS, GS, LDTR, TR and the SYSENTER and
STAR registers move by VMLOAD and VMSAVE (AMD APM vol. 2 appendix B, tables B-1 and B-2; §15.5). Left out: fields of
SEV, LBR stacks, IBS and AVIC, which neither the CPU nor the lab has.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

from core.addresses import HostPhysical
from core.memory.ram import Ram

VMCB_BYTES = 0x1000
SAVE_AREA = 0x400
SAVE_AREA_END = 0x698


class Area(Enum):
    """The parts in which people read a VMCB."""

    EXIT = "Why the guest left"
    ENTRY = "What happens at the next entry"
    MEMORY = "How memory is translated"
    INTERCEPTS = "What makes the guest leave"
    SEGMENTS = "The guest's segments"
    REGISTERS = "The guest's registers"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: where it lies, how many bytes it has, what it means."""

    name: str
    offset: int
    size: int
    area: Area
    meaning: str


def _segment(name: str, offset: int, what: str) -> tuple[Field, ...]:
    where = Area.SEGMENTS
    return (
        Field(f"{name}.selector", offset, 2, where, f"{what}: the visible selector"),
        Field(f"{name}.attrib", offset + 2, 2, where, f"{what}: type, S, DPL, P in bits 7:0; AVL, L, D/B, G in 11:8"),
        Field(f"{name}.limit", offset + 4, 4, where, f"{what}: limit in bytes"),
        Field(f"{name}.base", offset + 8, 8, where, f"{what}: linear base address"),
    )


def _table(name: str, offset: int, what: str) -> tuple[Field, ...]:
    return (
        Field(f"{name}.limit", offset + 4, 4, Area.SEGMENTS, f"{what}: limit in bytes"),
        Field(f"{name}.base", offset + 8, 8, Area.SEGMENTS, f"{what}: linear base address"),
    )


FIELDS = (
    Field("EXITCODE", 0x70, 8, Area.EXIT, "why the guest left; -1: VMRUN found the VMCB invalid"),
    Field("EXITINFO1", 0x78, 8, Area.EXIT, "depends on the exit: an error code, the port of an IN or OUT, MSR written"),
    Field("EXITINFO2", 0x80, 8, Area.EXIT, "depends on the exit: the faulting address, the EIP after an IN or OUT"),
    Field("EXITINTINFO", 0x88, 8, Area.EXIT, "an event whose delivery the exit cut short"),
    Field("NRIP", 0xC8, 8, Area.EXIT, "the EIP of the instruction after the intercepted one"),
    Field("EVENTINJ", 0xA8, 8, Area.ENTRY, "event to deliver at entry: V 31, error code 63:32, type 10:8, vector 7:0"),
    Field("V_IRQ_CTL", 0x60, 8, Area.ENTRY, "virtual interrupts: V_TPR 7:0, V_IRQ 8, V_INTR_MASKING 24, vector 39:32"),
    Field("INT_SHADOW", 0x68, 8, Area.ENTRY, "bit 0: the guest is in the shadow of an STI or MOV SS"),
    Field("TSC_OFFSET", 0x50, 8, Area.ENTRY, "added to the time-stamp counter that the guest reads"),
    Field("LBR_ENABLE", 0xB8, 8, Area.ENTRY, "last-branch records (the CPU has none)"),
    Field("CLEAN", 0xC0, 4, Area.ENTRY, "which parts the CPU may take from its cache"),
    Field("ASID", 0x58, 4, Area.MEMORY, "address space tag of the guest's TLB entries; 0 is the host's"),
    Field("TLB_CONTROL", 0x5C, 1, Area.MEMORY, "what VMRUN flushes: 0 nothing, 1 everything"),
    Field("NP_ENABLE", 0x90, 8, Area.MEMORY, "bit 0: nested paging"),
    Field("N_CR3", 0xB0, 8, Area.MEMORY, "host-physical address of the nested page table"),
    Field("IOPM_BASE", 0x40, 8, Area.MEMORY, "host-physical address of the I/O permission map: a bit for each port"),
    Field("MSRPM_BASE", 0x48, 8, Area.MEMORY, "host-physical address of the MSR permission map: two bits for each MSR"),
    Field("CR_READ", 0x00, 2, Area.INTERCEPTS, "reads of CR0 to CR15"),
    Field("CR_WRITE", 0x02, 2, Area.INTERCEPTS, "writes of CR0 to CR15"),
    Field("DR_READ", 0x04, 2, Area.INTERCEPTS, "reads of DR0 to DR15"),
    Field("DR_WRITE", 0x06, 2, Area.INTERCEPTS, "writes of DR0 to DR15"),
    Field("EXCEPTIONS", 0x08, 4, Area.INTERCEPTS, "exceptions 0 to 31"),
    Field("MISC_1", 0x0C, 4, Area.INTERCEPTS, "exit codes 60h to 7Fh"),
    Field("MISC_2", 0x10, 4, Area.INTERCEPTS, "exit codes 80h to 9Fh"),
    *_segment("ES", 0x400, "data segment ES"),
    *_segment("CS", 0x410, "code segment"),
    *_segment("SS", 0x420, "stack segment"),
    *_segment("DS", 0x430, "data segment DS"),
    *_segment("FS", 0x440, "data segment FS (moves by VMLOAD and VMSAVE)"),
    *_segment("GS", 0x450, "data segment GS (moves by VMLOAD and VMSAVE)"),
    *_table("GDTR", 0x460, "global descriptor table"),
    *_segment("LDTR", 0x470, "local descriptor table (moves by VMLOAD and VMSAVE)"),
    *_table("IDTR", 0x480, "interrupt descriptor table"),
    *_segment("TR", 0x490, "task state segment (moves by VMLOAD and VMSAVE)"),
    Field("CPL", 0x4CB, 1, Area.REGISTERS, "the guest's current privilege level"),
    Field("RIP", 0x578, 8, Area.REGISTERS, "where the guest was, and goes on"),
    Field("RSP", 0x5D8, 8, Area.REGISTERS, "stack pointer"),
    Field("RAX", 0x5F8, 8, Area.REGISTERS, "the one general register that VMRUN itself uses"),
    Field("RFLAGS", 0x570, 8, Area.REGISTERS, "flags"),
    Field("CR0", 0x558, 8, Area.REGISTERS, "control register 0: protection, paging, FPU"),
    Field("CR2", 0x640, 8, Area.REGISTERS, "address of the guest's last page fault"),
    Field("CR3", 0x550, 8, Area.REGISTERS, "page directory that the CPU walks"),
    Field("CR4", 0x548, 8, Area.REGISTERS, "control register 4: extensions"),
    Field("DR6", 0x568, 8, Area.REGISTERS, "debug status"),
    Field("DR7", 0x560, 8, Area.REGISTERS, "debug control"),
    Field("EFER", 0x4D0, 8, Area.REGISTERS, "extended features; SVME (bit 12) must be set"),
    Field("STAR", 0x600, 8, Area.REGISTERS, "SYSCALL target (moves by VMLOAD and VMSAVE)"),
    Field("SYSENTER_CS", 0x628, 8, Area.REGISTERS, "SYSENTER code segment (moves by VMLOAD and VMSAVE)"),
    Field("SYSENTER_ESP", 0x630, 8, Area.REGISTERS, "SYSENTER stack (moves by VMLOAD and VMSAVE)"),
    Field("SYSENTER_EIP", 0x638, 8, Area.REGISTERS, "SYSENTER entry point (moves by VMLOAD and VMSAVE)"),
    Field("G_PAT", 0x668, 8, Area.REGISTERS, "page attributes under nested paging"),
)
FIELD = {field.name: field for field in FIELDS}

SEGMENTS = ("ES", "CS", "SS", "DS", "FS", "GS", "GDTR", "LDTR", "IDTR", "TR")  # in the order of the save area
_FORMATS = {1: struct.Struct("<B"), 2: struct.Struct("<H"), 4: struct.Struct("<I"), 8: struct.Struct("<Q")}
_READERS = {field.name: (_FORMATS[field.size].unpack_from, field.offset) for field in FIELDS}


class Vmcb:
    """A VMCB at host-physical `address`, which is a page of its own."""

    def __init__(self, ram: Ram, address: HostPhysical) -> None:
        self.ram = ram
        self.address = address

    def clear(self) -> None:
        """All zero."""
        self.ram.write(self.address, bytes(VMCB_BYTES))

    def get(self, name: str) -> int:
        """The value of the field `name`."""
        unpack_from, offset = _READERS[name]
        value: int = unpack_from(self.ram.bytes, self.address + offset)[0]
        return value

    def set(self, name: str, value: int) -> None:
        """Store `value`, cut to the field's size."""
        field = FIELD[name]
        raw = (value & (1 << 8 * field.size) - 1).to_bytes(field.size, "little")
        self.ram.write(HostPhysical(self.address + field.offset), raw)

    def image(self) -> bytes:
        """A copy of all that is used of it."""
        return self.ram.read(self.address, SAVE_AREA_END)


def value_in(image: bytes, field: Field) -> int:
    """The value of `field` in a copy of a VMCB."""
    return int.from_bytes(image[field.offset : field.offset + field.size], "little")
