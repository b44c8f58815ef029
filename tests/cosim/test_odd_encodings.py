"""Encodings that no compiler makes, which the CPU takes nevertheless: the same under every kind."""

from __future__ import annotations

import pytest

from core.cpu.faults import Vector
from core.vmm import kinds_for
from tests.cosim.kernel import TO_USER, UNTIL_THE_LOG_IS_FULL, log, ran_equal, seen

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))


@each_kind
def test_a_lock_before_a_privileged_instruction_changes_nothing(kind: str) -> None:
    """The manual says #UD; the emulated CPU ignores it (core/cpu/FINDINGS.md)."""
    session = ran_equal(
        """
    mov ecx, 0x175
    mov eax, 0x1234
    xor edx, edx
    .byte 0xf0
    wrmsr
    xor eax, eax
    .byte 0xf0
    rdmsr
    mov [seen], eax
    mov word ptr [seen + 4], 0x13
    .byte 0xf0
    lmsw word ptr [seen + 4]
    mov eax, cr0
    mov [seen + 8], eax
    .byte 0xf0, 0x0f, 0x20, 0xd8                # mov eax, cr3
    .byte 0xf0
    cli
    .byte 0xf0
    clts
    .byte 0xf0
    lgdt [gdt_register]
    .byte 0xf0
    invlpg [0]
    mov ax, DATA
    .byte 0xf0
    mov ss, ax
""",
        kind,
    )
    assert seen(session, 3) == [0x1234, 0x13, 0x13]
    assert log(session) == []


@each_kind
def test_lock_and_cr0_are_the_task_priority_which_holds_nothing(kind: str) -> None:
    session = ran_equal(
        f"""
    mov eax, 5
    .byte 0xf0, 0x0f, 0x22, 0xc0                # mov cr8, eax
    .byte 0xf0, 0x0f, 0x20, 0xc0                # mov eax, cr8
    mov [seen], eax
    mov eax, cr0
    mov [seen + 4], eax
    {TO_USER}
    mov dword ptr [resume], offset refused
    .byte 0xf0, 0x0f, 0x20, 0xc0
refused:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    assert seen(session, 2) == [0, 0x11]
    assert (log(session)[0].vector, log(session)[0].error) == (Vector.GP, 0)


@each_kind
@pytest.mark.parametrize("modrm", [0x7F, 0x0F, 0x2F, 0xEF])
def test_control_registers_that_are_not_there_are_refused_by_ring(kind: str, modrm: int) -> None:
    session = ran_equal(
        f"""
    mov dword ptr [resume], offset one
    .byte 0x0f, 0x22, {modrm}
one:
    {TO_USER}
    mov dword ptr [resume], offset two
    .byte 0x0f, 0x22, {modrm}
two:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    assert [noted.vector for noted in log(session)][:2] == [Vector.UD, Vector.GP]


@each_kind
@pytest.mark.parametrize(
    "code", [(0xFF, 0x2D), (0xFF, 0x1D), (0xC4, 0x05), (0xC5, 0x05), (0x0F, 0xB2, 0x05), (0x66, 0x0F, 0xB4, 0x05)],
    ids=["jmp", "call", "les", "lds", "lss", "lfs 16"],
)  # fmt: skip
@pytest.mark.parametrize("at", ["0x800ffe", "WINDOW + 0xffd"])
def test_the_offset_of_a_far_pointer_is_read_before_its_selector(kind: str, code: tuple[int, ...], at: str) -> None:
    """Which of the two faults can be seen, and what has been accessed before."""
    session = ran_equal(
        f"""
    mov dword ptr [WINDOW_ENTRY + 4], 0
    invlpg [WINDOW + 0x1000]
    mov dword ptr [resume], offset refused
    .byte {", ".join(map(hex, code))}
    .long {at}
refused:
""",
        kind,
        paging=True,
    )
    assert [noted.vector for noted in log(session)] == [Vector.PF]


@each_kind
@pytest.mark.parametrize("reg", [1, 2, 4, 7])
def test_a_pop_to_memory_is_one_whatever_its_reg_field_says(kind: str, reg: int) -> None:
    """For AMD, and so for the decoder, most of these are XOP: another length, and all behind it another instruction."""
    session = ran_equal(
        f"""
    mov ebx, offset seen
    push 0x11
    push 0x22
    push 0x33
    .byte 0x8f, {reg << 3 | 3:#x}               # pop [ebx]
    .byte 0x3e, 0x8f, {reg << 3 | 0x43:#x}, 4   # pop [ebx + 4]
    .byte 0x8f, {reg << 3 | 0xC1:#x}            # pop ecx
    mov [seen + 8], ecx
    {TO_USER}
    push 0x44
    .byte 0x8f, {reg << 3 | 5:#x}               # pop [seen + 12]
    .long seen + 12
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    assert seen(session, 4) == [0x33, 0x22, 0x11, 0x44]


@each_kind
def test_what_follows_such_a_pop_is_instructions_of_their_own(kind: str) -> None:
    """BLCFILL eax, [eax - 0x70] and VPROTB xmm0, [eax], xmm2, if the CPU had them: a jump and a call stand in them."""
    session = ran_equal(
        """
    xor eax, eax
    push 0x55
    .byte 0x8f, 0xe9, 0x78, 0x01, 0x48, 0x90    # pop ecx; js over; dec eax; over: nop
    mov [seen], eax
    mov [seen + 4], ecx
    push 0x66
    .byte 0x8f, 0xe9, 0xe8, 0x90, 0, 0, 0       # pop ecx; call 0x90 bytes on
    .fill 0x90, 1, 0x40                         # inc eax
    mov [seen + 8], ecx
    mov [seen + 12], eax
""",
        kind,
    )
    assert seen(session, 4) == [0xFFFF_FFFF, 0x55, 0x66, 0xFFFF_FFFF]
