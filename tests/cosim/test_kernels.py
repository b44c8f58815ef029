"""What kernels do on purpose, feature by feature: the same under every kind, and what it has come to."""

from __future__ import annotations

import pytest

from core.cpu.faults import Vector
from core.events import EndHow
from core.vmm import kinds_for
from tests.cosim.kernel import PAIR, TO_USER, UNTIL_THE_LOG_IS_FULL, kernel, log, ran_equal, seen, word

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))
each_paging = pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])

TO_NARROW_CODE = """
    push NARROW_CODE
    mov ecx, offset here
    sub ecx, offset narrow
    push ecx
    retf
.code16
here:
"""
FROM_NARROW_CODE = """
    .byte 0x66, 0xea
    .long back
    .word CODE
.code32
back:
"""


def resume_narrow(label: str) -> str:
    """In 16-bit code: let the next fault go on at `label`."""
    return f"mov ebx, offset resume\n mov ecx, offset {label}\n sub ecx, offset narrow\n mov [ebx], ecx\n"


@each_kind
@each_paging
def test_privileged_instructions_of_16_bit_code_are_read_as_such(kind: str, paging: bool) -> None:
    session = ran_equal(
        f"""
    mov eax, offset seen
    {TO_NARROW_CODE}
    cli
    mov ebx, cr0
    mov [eax], ebx
    sti
    in al, 0x61
    mov al, 0
    clts
    mov bx, DATA
    mov ds, bx
    mov ecx, offset gdt_register
    lgdt [ecx]                          # with a base of 24 bits, and again with all of it
    lidt [ecx + 6]
    .byte 0x66
    lidt [ecx + 6]
    xor ebx, ebx
    lmsw bx
    mov dword ptr [eax + 4], 1
    {FROM_NARROW_CODE}
""",
        kind,
        paging=paging,
    )
    assert seen(session, 2) == [0x8001_0011 if paging else 0x11, 1]


@each_kind
@each_paging
def test_16_bit_code_has_its_string_io_faults_far_calls_and_stacks(kind: str, paging: bool) -> None:
    session = ran_equal(
        f"""
    mov edx, offset seen
    {TO_NARROW_CODE}
    mov ax, DATA
    mov es, ax
    mov ds, ax
    mov edi, 0x107ffe                   # only DI counts
    mov cx, 3
    mov dx, 0x80
    cld
    rep insw
    mov si, 0x7ffe
    mov cx, 2
    rep outsb
    mov edx, offset seen
    mov [edx], edi
    {resume_narrow("refused")}
    mov ax, 0x1234
    mov ss, ax
refused:
    push cs
    call near_one
    int 0x30
    mov ebp, esp
    mov ax, NARROW_DATA
    mov ss, ax
    mov sp, 0xfff0
    push DATA
    pop es
    push cs
    call near_one
    mov ax, DATA
    mov ss, ax
    mov esp, ebp
    {FROM_NARROW_CODE}
    jmp finish
.code16
near_one:
    inc dword ptr [edx + 4]
    retf
.code32
""",
        kind,
        paging=paging,
    )
    assert seen(session, 2) == [0x108004, 2]
    assert [(noted.vector, noted.error, noted.cs) for noted in log(session)] == [
        (Vector.GP, 0x1234, 0x30),
        (0x30, 0, 0x30),
    ]


@each_kind
@each_paging
def test_a_single_step_comes_after_every_instruction_and_iteration(kind: str, paging: bool) -> None:
    """Also after those that a monitor carries out."""
    session = ran_equal(
        """
    push 0x102
    push CODE
    mov eax, offset stepped
    push eax
    iretd
stepped:
    mov eax, 1
    cli
    mov ecx, 2
    mov edi, SCRATCH
    rep stosd
    mov ebx, cr0
    mov ds, [data_selector]
data_selector: .word DATA
""",
        kind,
        paging=paging,
    )
    steps = log(session)
    assert len(steps) == 8
    assert {(noted.vector, noted.dr6) for noted in steps} == {(Vector.DB, 0xFFFF_4FF0)}
    assert [noted.eip - steps[0].eip for noted in steps[:7]] == [0, 1, 6, 11, 11, 13, 16]


@each_kind
@each_paging
def test_segments_come_from_the_local_table_and_follow_it(kind: str, paging: bool) -> None:
    session = ran_equal(
        f"""
    mov ax, LDT
    lldt ax
    mov ax, 0x0c
    mov fs, ax
    mov eax, fs:[SCRATCH]
    push 0x14
    mov ecx, offset in_ldt
    push ecx
    retf
in_ldt:
    mov byte ptr [ldt + 8 + 5], 0x13    # no more present
    mov dword ptr [resume], offset beyond
    mov ax, 0x0c
    mov es, ax
beyond:
    mov dword ptr [resume], offset outward
    mov ax, 0x24
    mov es, ax
outward:
    {TO_USER}
    mov ax, 0x1f
    mov ds, ax
    mov dword ptr [resume], offset last
    lldt ax
last:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
        paging=paging,
    )
    noted = [(each.vector, each.error, each.cs) for each in log(session)]
    assert noted[:3] == [(Vector.NP, 0x0C, 0x14), (Vector.GP, 0x24, 0x14), (Vector.GP, 0, 0x1B)]


@each_kind
@each_paging
def test_sysenter_and_sysexit_go_to_the_kernel_and_back(kind: str, paging: bool) -> None:
    session = ran_equal(
        f"""
    xor edx, edx
    mov ecx, 0x174
    mov eax, CODE
    wrmsr
    inc ecx
    mov eax, STACK - 0x100
    wrmsr
    inc ecx
    mov eax, offset entered
    wrmsr
    rdmsr
    mov [seen], eax
    {TO_USER}
    mov ecx, esp
    mov edx, offset come_back
    sysenter
entered:
    mov [seen + 4], esp
    mov dword ptr [seen + 8], 1
    sysexit
come_back:
    mov word ptr [seen + 12], ss
    mov dword ptr [resume], offset refused
    sysexit
refused:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
        paging=paging,
    )
    assert session.program is not None
    assert seen(session, 4) == [session.program.symbols["entered"], 0x2FFF00, 1, 0x23]
    assert (log(session)[0].vector, log(session)[0].error) == (Vector.GP, 0)


@each_kind
def test_the_task_register_takes_tasks_that_are_free_and_marks_them(kind: str) -> None:
    session = ran_equal(
        """
    mov dword ptr [resume], offset busy
    mov ax, TSS
    ltr ax
busy:
    mov byte ptr [gdt + TSS + 5], 0x89          # free again
    ltr ax
    mov dword ptr [resume], offset absent
    mov byte ptr [gdt + TSS + 5], 0x09
    ltr ax
absent:
    mov dword ptr [resume], offset no_task
    mov ax, DATA
    ltr ax
no_task:
    mov byte ptr [gdt + TSS + 5], 0x8b
""",
        kind,
    )
    noted = [(each.vector, each.error) for each in log(session)]
    assert noted == [(Vector.GP, 0x28), (Vector.NP, 0x28), (Vector.GP, 0x10)]
    assert word(session, session.program.symbols["gdt"] + 0x2C) >> 8 & 0xFF == 0x8B  # type: ignore[union-attr]


@each_kind
@each_paging
def test_a_16_bit_task_state_names_the_inner_stacks(kind: str, paging: bool) -> None:
    session = ran_equal(
        f"""
    mov ax, NARROW_TSS
    ltr ax
    {TO_USER}
    .byte 0x9a                                  # call far
    .long 0
    .word CALL_GATE
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
        paging=paging,
    )
    assert session.program is not None
    assert word(session, session.program.symbols["gate_stack"]) == 0xFFF0 - 16
    assert {noted.vector for noted in log(session)} == {0x31}


@each_kind
@pytest.mark.parametrize("by", ["OTHER_NARROW_TSS", "NARROW_TASK_GATE"])
def test_a_switch_to_a_16_bit_task_ends_as_the_emulated_cpu_ends_it(kind: str, by: str) -> None:
    """It takes SS from where the LDT stands, which cannot be both."""
    program = kernel(f".byte 0x9a\n .long 0\n .word {by}\n")
    assert PAIR.differences(program, [kind]) == []
    assert PAIR.session.end is not None
    assert "#TS" in PAIR.session.end.sentence
    tss = PAIR.session.program.symbols["tss"]  # type: ignore[union-attr]
    assert (
        word(PAIR.session, tss + 0x0E) & 0xFFFF == program.symbols["test"] + 7 & 0xFFFF
    )  # what it saved of the old one


@each_kind
def test_virtual_8086_mode_stops_the_machine_in_words(kind: str) -> None:
    PAIR.run(
        kernel(
            """
    mov byte ptr [0x9000], 0xf4                 # hlt
.irp value, 0, 0, 0, 0, 0, 0x8000, 0x20202, 0, 0x9000
    push \\value
.endr
    iretd
"""
        ),
        kind,
    )
    assert PAIR.session.end is not None
    assert PAIR.session.end.how is EndHow.ERROR
    assert "virtual-8086" in PAIR.session.end.sentence
    assert "EIP=" in PAIR.session.report


@each_kind
def test_a_program_that_writes_its_kernels_code_changes_the_kernel(kind: str) -> None:
    session = ran_equal(
        f"""
    int 0x31                         # the frame's handler has run, and its jumps are joined
    int 0x31
    mov esi, offset common
scan:
    inc esi
    cmp dword ptr [esi], 0xabd0200f  # mov eax, cr2; stosd
    jne scan
    {TO_USER}
    int 0x31
    mov dword ptr [esi], 0xab909090  # nop; nop; nop; stosd
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    noted = [each.cr2 for each in log(session) if each.vector == 0x31]
    assert noted[:3] == [0, 0, 0]
    assert set(noted[3:]) == {0x10}  # the selector of its data, still in EAX
