"""Two guests that do the same, for a PC and for paravirtual VMs: compute, look whether a letter has come, echo it."""

from __future__ import annotations

from pathlib import Path

from core.guests.assembler import assemble_to_elf
from core.layout import PARAVIRT_START

KINDS = ("bare", "trap_emulate", "translation", "hardware", "hardware_shadow", "paravirt")
BESIDE = KINDS[1:]  # those that can share a machine
COMPUTE = """
again:
    mov ecx, 2000
compute:
    rol ebx, 5
    add ebx, ecx
    mov [sum], ebx
    loop compute
"""
PC = f"""
.globl _start
_start:
{COMPUTE}
    mov edx, 0x3fd
    in al, dx
    test al, 1
    jz again
    mov edx, 0x3f8
    in al, dx
    out dx, al
    jmp again
.balign 4096
sum: .long 0
"""
PARAVIRT = f"""
.section .note.ringside, "a", @note
.long 9, 4, 0x100
.asciz "Ringside"
.balign 4
.long 1
.text
.globl _start
_start:
{COMPUTE}
    mov edx, [ring + 3072]
    cmp edx, [ring + 3076]
    je again
    mov al, [ring + edx]
    mov [letter], al
    inc dword ptr [ring + 3072]
    push ebx
    mov eax, 18
    mov ebx, 0
    mov ecx, 1
    mov edx, offset letter
    int 0x82
    pop ebx
    jmp again
.equ ring, {PARAVIRT_START + 0x1000:#x}
.balign 4096
sum: .long 0
letter: .long 0
"""


def assembled(folder: Path) -> dict[str, str]:
    """The path of each kind's guest, made in `folder`."""
    paths = {}
    for name, source in (("pc", PC), ("paravirt", PARAVIRT)):
        path = folder / f"{name}.elf"
        path.write_bytes(assemble_to_elf(f"{name}.s", source)[0])
        paths[name] = str(path)
    return {kind: paths.get(kind, paths["pc"]) for kind in KINDS}
