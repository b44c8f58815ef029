"""A storm of exits of every kind leaves the guest as the bare machine leaves it: no state drifts.

`RINGSIDE_STORM=1000000 .venv/bin/python -m pytest -s -o faulthandler_timeout=0 tests/cosim/test_exit_storm.py` lets
that many exits come, and says of what kinds they were; by default it is a lean one.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import cast

import pytest

from core.guests.assembler import assemble
from core.session import Session
from core.vmm.hardware import Hardware
from core.vmm.intercepts import Exit
from tests.cosim.equality import VISIBLE

EXITS_A_ROUND = 22  # at least; with the timer's
ROUNDS = int(os.environ.get("RINGSIDE_STORM", "6000")) // EXITS_A_ROUND
STORM = f"""
.globl _start
_start:
    lidt [idtr]
    mov eax, offset skip3
    mov word ptr [idt + 6*8], ax
    shr eax, 16
    mov word ptr [idt + 6*8 + 6], ax
    mov eax, offset soft
    mov word ptr [idt + 0x30*8], ax
    shr eax, 16
    mov word ptr [idt + 0x30*8 + 6], ax
    mov eax, offset tick
    mov word ptr [idt + 0x20*8], ax
    shr eax, 16
    mov word ptr [idt + 0x20*8 + 6], ax
    mov esi, offset set_up
    mov ecx, 8
timer:
    movzx edx, byte ptr [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    loop timer
    sti
    mov ebp, {ROUNDS}
    mov ebx, 0
    fninit
    fldz
round:
    mov eax, 1
    cpuid
    add [sum], edx
    in al, 0x61
    adc [sum], eax
    out 0x80, al
    mov ecx, 0xc0000080
    rdmsr
    xor [sum], eax
    .byte 0x0f, 0x01, 0xd9
    pushfd
    xor dword ptr [esp], 0x8d5
    popfd
    sgdt [table]
    sidt [table]
    str ax
    int 0x30
    rdtsc
    add [sum], eax
    mov eax, cr0
    mov cr0, eax
    mov eax, cr3
    mov cr3, eax
    invlpg [0x300000]
    pause
    wbinvd
    mov eax, [0x2000000]
    sub [sum], eax
    fld1
    faddp
    fld st(0)
    fistp dword ptr [count]
    dec ebp
    jnz round
    mov al, 0
    out 0xf4, al
skip3:
    add dword ptr [esp], 3
    iretd
tick:
    push eax
    mov al, 0x20
    out 0x20, al
    inc dword ptr [ticks]
    pop eax
    iretd
soft:
    inc dword ptr [calls]
    iretd
    .align 8
idt: .fill 6, 8, 0
    .word 0, 8, 0x8e00, 0
    .fill 25, 8, 0
    .word 0, 8, 0x8e00, 0
    .fill 15, 8, 0
    .word 0, 8, 0x8e00, 0
idtr: .word 0x31*8 - 1
    .long idt
table: .fill 6, 1, 0
# interrupt controller to vectors 0x20, the timer alone, every 700 instructions
set_up: .byte 0x20, 0x11, 0x21, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfe, 0x43, 0x34, 0x40, 7, 0x40, 0
sum: .long 0
calls: .long 0
ticks: .long 0
count: .long 0
end:
"""
ALL = (
    Exit.IDTR_READ, 0x67, 0x69, Exit.RDTSC, 0x70, 0x71, Exit.IRET, Exit.SWINT, 0x77, Exit.INVLPG, 0x89,
    0x00, 0x10, 0x03, 0x13,
)  # fmt: skip


def ended(kind: str) -> tuple[dict[str, object], int]:
    session = Session(recording=False)
    session.load(assemble(STORM, "storm.s"), kind)
    if kind != "bare":
        for code in ALL:
            cast(Hardware, session.vmm).set_intercept(code, on=True)
    session.run()
    assert session.program is not None
    first, last = session.program.symbols["idt"], session.program.symbols["end"]
    seen: dict[str, object] = {each.name: each.believed for each in session.registers() if each.name in VISIBLE}
    seen |= {"end": session.end, "executed": session.executed, "memory": session.peek(first, last - first)}
    count = session.traps.count
    names = Counter(trap.handler.split(",")[0].removeprefix("hypervisor: ") for trap in session.traps.recent())
    sys.stdout.write(f"\n{kind}: {count:,} departures; of the newest: {dict(names.most_common())}\n")
    session.close()
    return seen, count


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
def test_a_storm_of_mixed_exits_leaves_what_a_bare_run_leaves(kind: str) -> None:
    expected, _ = ended("bare")
    found, exits = ended(kind)
    assert found == expected
    assert exits >= ROUNDS * EXITS_A_ROUND
