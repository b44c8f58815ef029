"""Guests that echo letters. On a PC one computes and looks whether a letter has come, another sleeps between the ticks
of its timer until one comes; a paravirtual one computes and looks into its console's ring."""

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
SLEEPER = """
.globl _start
_start:
    lidt [idtr]
    mov eax, offset tick
    mov [idt + 0x20 * 8], ax
    mov eax, offset received
    mov [idt + 0x24 * 8], ax
    shr eax, 16
    mov [idt + 0x20 * 8 + 6], ax
    mov [idt + 0x24 * 8 + 6], ax
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xee
    out 0x21, al
    mov al, 0x34
    out 0x43, al
    mov al, 0x9c
    out 0x40, al
    mov al, 0x2e
    out 0x40, al
    mov edx, 0x3fc
    mov al, 8
    out dx, al
    mov edx, 0x3f9
    mov al, 1
    out dx, al
    sti
idle:
    hlt
    jmp idle
received:
    mov edx, 0x3f8
    in al, dx
    out dx, al
    mov al, 0x20
    out 0x20, al
    iretd
tick:
    inc dword ptr [ticks]
    mov al, 0x20
    out 0x20, al
    iretd
.balign 4096
ticks: .long 0
idtr: .word 0x25 * 8 - 1
    .long idt
.balign 8
idt:
    .fill 0x20 * 8, 1, 0
    .word 0, 8, 0x8e00, 0x10
    .fill 3 * 8, 1, 0
    .word 0, 8, 0x8e00, 0x10
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


def assembled(folder: Path) -> dict[str, tuple[str, ...]]:
    """The paths of each kind's guests, made in `folder`."""
    paths = {}
    for name, source in (("busy", PC), ("sleeper", SLEEPER), ("paravirt", PARAVIRT)):
        path = folder / f"{name}.elf"
        path.write_bytes(assemble_to_elf(f"{name}.s", source)[0])
        paths[name] = str(path)
    return {kind: (paths["paravirt"],) if kind == "paravirt" else (paths["busy"], paths["sleeper"]) for kind in KINDS}
