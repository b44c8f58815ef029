"""For each intercept, a piece of guest code that causes the intercepted event in ring 0."""

from __future__ import annotations

from core.vmm.intercepts import INTERCEPTS, Exit

_NOT_MAPPED = """
    mov dword ptr [0x200000], 0x83
    mov eax, 0x10
    mov cr4, eax
    mov eax, 0x200000
    mov cr3, eax
    mov eax, 0x80000011
    mov cr0, eax
    mov eax, [0x800000]
"""
_ABSENT = """
    lgdt [table]
    mov ax, 0x10
    mov {segment}, ax
    .align 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf13000000ffff
table: .word 23
    .long gdt
"""

_TIMER = """
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xfe
    out 0x21, al
    mov al, 0x34
    out 0x43, al
    mov al, 1
    out 0x40, al
    xor al, al
    out 0x40, al
    mov ecx, 300
"""

_TASKS = """
    lgdt [table]
    mov ax, 0x18
    ltr ax
    .byte 0xea, 0, 0, 0, 0, 0x20, 0
    .align 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000893100000067, 0x0000893110000067
table: .word 39
    .long gdt
"""

CAUSES: dict[str, str] = {
    "CR8 read": ".byte 0xf0\nmov eax, cr0",
    "CR8 write": ".byte 0xf0\nmov cr0, eax",
    "#AC alignment check": (
        "mov eax, cr0\nor eax, 0x40000\nmov cr0, eax\npushfd\nor dword ptr [esp], 0x40000\npopfd\nmov eax, [0x200001]"
    ),
    "#XM SIMD floating point": (
        "mov eax, 0x600\nmov cr4, eax\npush 0\nldmxcsr [esp]\nxorps xmm0, xmm0\ndivps xmm0, xmm0"
    ),
    "TASK_SWITCH": _TASKS,
    "#DE divide error": "xor ecx, ecx\ndiv ecx",
    "#DB debug": "pushfd\nor dword ptr [esp], 0x100\npopfd\nnop\nnop",
    "#BP breakpoint": "int3",
    "#OF overflow": "mov al, 0x7f\ninc al\ninto",
    "#BR bound range": "mov eax, 9\nbound eax, [limits]\nlimits: .long 0, 1",
    "#UD invalid opcode": "ud2",
    "#NM device not available": "mov eax, cr0\nor eax, 8\nmov cr0, eax\nfldz",
    "#DF double fault": "mov dword ptr [idt + 13 * 8 + 4], 0\nmov ax, 0x50\nmov ds, ax",
    "#TS invalid TSS": "pushfd\nor dword ptr [esp], 0x4000\npopfd\niretd",
    "#NP segment not present": _ABSENT.format(segment="ds"),
    "#SS stack fault": _ABSENT.format(segment="ss"),
    "#GP general protection": "mov ax, 0x50\nmov ds, ax",
    "#PF page fault": _NOT_MAPPED,
    "#MF floating point": (
        "mov eax, cr0\nor eax, 0x20\nmov cr0, eax\nfninit\npush 0x33b\nfldcw [esp]\nfld1\nfldz\nfdivp\nfwait"
    ),
    "INTR": _TIMER + "sti\nagain: loop again",
    "VINTR": _TIMER + "again: loop again\nsti\nnop\nnop",
    "IDTR read": "sidt [0x200000]",
    "GDTR read": "sgdt [0x200000]",
    "LDTR read": "sldt eax",
    "TR read": "str eax",
    "IDTR write": "lidt [0x200000]",
    "GDTR write": "lgdt [0x200000]",
    "LDTR write": "xor eax, eax\nlldt ax",
    "TR write": "xor eax, eax\nltr ax",
    "RDTSC": "rdtsc",
    "RDPMC": "xor ecx, ecx\nrdpmc",
    "PUSHF": "pushfd",
    "POPF": "pushfd\npopfd",
    "CPUID": "cpuid",
    "RSM": "rsm",
    "IRET": "pushfd\npush 8\nmov eax, offset on\npush eax\niretd\non: nop",
    "INTn": "int 0x30",
    "INVD": "invd",
    "PAUSE": "pause",
    "HLT": "hlt",
    "INVLPG": "invlpg [0x200000]",
    "INVLPGA": "xor eax, eax\n.byte 0x0f, 0x01, 0xdf",
    "IOIO": "in al, 0x61",
    "MSR": "mov ecx, 0xc0000080\nrdmsr",
    "SHUTDOWN": "lidt [none]\nud2\nnone: .word 0\n.long 0",
    "VMRUN": "mov eax, 0x200000\n.byte 0x0f, 0x01, 0xd8",
    "VMMCALL": ".byte 0x0f, 0x01, 0xd9",
    "VMLOAD": "mov eax, 0x200000\n.byte 0x0f, 0x01, 0xda",
    "VMSAVE": "mov eax, 0x200000\n.byte 0x0f, 0x01, 0xdb",
    "STGI": ".byte 0x0f, 0x01, 0xdc",
    "CLGI": ".byte 0x0f, 0x01, 0xdd",
    "SKINIT": ".byte 0x0f, 0x01, 0xde",
    "CR0_SEL_WRITE": "mov eax, cr0\nor eax, 0x10000\nmov cr0, eax",
    "RDTSCP": ".byte 0x0f, 0x01, 0xf9",
    "ICEBP": ".byte 0xf1",
    "WBINVD": "wbinvd",
    "MONITOR": "mov eax, 0x200000\nxor ecx, ecx\nxor edx, edx\n.byte 0x0f, 0x01, 0xc8",
    "MWAIT": "xor eax, eax\nxor ecx, ecx\n.byte 0x0f, 0x01, 0xc9",
}
for _each in INTERCEPTS:
    if _each.code < Exit.EXCEPTION_0 and _each.name not in CAUSES:
        _register = f"{'cr' if _each.code < Exit.READ_DR0 else 'dr'}{_each.bit}"
        CAUSES[_each.name] = f"mov eax, {_register}" + (f"\nmov {_register}, eax" if "write" in _each.name else "")
