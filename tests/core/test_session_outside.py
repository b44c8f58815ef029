"""The session and the outside world: input, interrupts, system calls, sleep and reset."""

from __future__ import annotations

from core.events import Cause, Ring, StopReason
from core.guests.assembler import assemble
from core.guests.image import Program
from core.rewind import look
from core.session import Session
from tests.core.test_session import KINDS, address, each_kind, on

ECHO = """
    lidt [idt_register]
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xef
    out 0x21, al
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
.data
idt_register:
    .word 0x25 * 8 - 1
    .long idt
idt:
    .fill 0x24 * 8, 1, 0
    .word 0, 8, 0x8e00, 0x10
"""


def echo(kind: str) -> Session:
    program = assemble(ECHO, "echo.s")
    low = program.symbols["received"] & 0xFFFF
    data = program.segments[1].data[:-8] + low.to_bytes(2, "little") + program.segments[1].data[-6:]
    second = type(program.segments[1])(program.segments[1].address, data, len(data))
    session = Session()
    fields = {name: getattr(program, name) for name in Program.__dataclass_fields__}
    session.load(Program(**{**fields, "segments": (program.segments[0], second)}), kind)
    return session


@each_kind
def test_what_is_typed_wakes_the_guest_and_is_answered(kind: str) -> None:
    session = echo(kind)
    assert session.run(10_000) is StopReason.WAITING
    session.inputs.send(b"hello")
    assert session.run(10_000) is StopReason.WAITING
    assert session.console == b"hello"


@each_kind
def test_nothing_is_delivered_between_sti_and_the_next_instruction(kind: str) -> None:
    session = echo(kind)
    session.run_to(address(session, "idle"))
    assert session.traps.causes[Cause.INTERRUPT] == 0
    session.reset()
    session.run(1)
    session.inputs.send(b"x")  # pending long before STI
    session.run_to(address(session, "idle"))
    assert session.pc == address(session, "idle")
    session.run(1_000)
    how = Cause.EXIT if kind.startswith("hardware") else Cause.INTERRUPT
    interrupt = next(trap for trap in session.traps.recent() if trap.cause is how and trap.vector is not None)
    assert interrupt.pc == address(session, "idle") + 1  # behind the HLT that STI protects


@each_kind
def test_input_at_the_same_virtual_time_makes_the_same_run(kind: str) -> None:
    runs = []
    for _ in range(2):
        session = echo(kind)
        session.run(500)
        session.inputs.send(b"ab")
        session.run(10_000)
        runs.append((session.executed, session.time, session.console, session.traps.recent()))
    assert runs[0] == runs[1]


FAST_CALL = """
_start:
    lgdt [gdt_register]
    mov ecx, 0x174
    mov eax, 8
    xor edx, edx
    wrmsr
    inc ecx
    mov eax, 0x9000
    wrmsr
    inc ecx
    mov eax, offset entry
    wrmsr
    mov edx, offset program
    mov ecx, 0xa000
    sysexit
program:
    mov eax, 5
    sysenter
entry:
    out 0xf4, al
.data
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
gdt_register:
    .word 39
    .long gdt
"""


@each_kind
def test_sysexit_and_sysenter_go_to_ring_3_and_back_with_the_stack_of_the_msr(kind: str) -> None:
    session = on(FAST_CALL, kind)
    session.run_to(address(session, "program"))
    assert session.believed_ring is Ring.USER
    session.run_to(address(session, "entry"))
    assert session.believed_ring is Ring.KERNEL
    assert {register.name: register.believed for register in session.registers()}["ESP"] == 0x9000
    assert session.traps.causes[Cause.SYSTEM_CALL] == 1
    session.run()
    assert session.end is not None
    assert session.end.status == 5


@each_kind
def test_sysenter_without_its_msrs_is_a_general_protection_fault(kind: str) -> None:
    session = on("sysenter", kind)
    session.run()
    assert session.end is not None
    assert "#GP general protection, then #DF" in session.end.sentence


@each_kind
def test_a_guest_that_cannot_even_be_fetched_any_more_ends(kind: str) -> None:
    """Paging on with no page tables: the fetch faults, and so does every delivery."""
    session = on("mov eax, cr0\nor eax, 0x80000000\nmov cr0, eax\nnop", kind)
    assert session.run(1000) is StopReason.ENDED
    assert session.end is not None
    assert "#PF page fault" in session.end.sentence


TICKING = """
    lgdt [gdt_register]
    push 8
    mov eax, offset on_gdt
    push eax
    retf
on_gdt:
    mov eax, offset tick
    mov [gate], ax
    lidt [idt_register]
    mov esi, offset set_up
next:
    movzx edx, byte ptr [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    cmp esi, offset set_up_end
    jb next
    sti
idle:
    hlt
    jmp idle
tick:
    inc dword ptr [ticks]
    mov al, 0x20
    out 0x20, al
    iretd
.data
set_up: .byte 0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xfe, 0x43, 0x34, 0x40, 0x9c, 0x40, 0x2e
set_up_end:
.balign 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_register:
    .word 23
    .long gdt
idt_register:
    .word 0x21 * 8 - 1
    .long idt
.balign 8
idt: .skip 0x20 * 8
gate: .word 0, 8, 0x8e00, 0x10
ticks: .long 0
"""


@each_kind
def test_a_caller_that_wants_to_wait_along_is_told_before_the_guest_sleeps(kind: str) -> None:
    session = on(TICKING, kind)
    assert session.run(sleep=0.0) is StopReason.IDLE
    assert 0.0099 < session.idle_seconds <= 0.0101  # 11,932 ticks of the timer
    assert session.run(sleep=session.idle_seconds / 2) is StopReason.IDLE
    before = session.time
    assert session.run(sleep=10.5 * session.idle_seconds) is StopReason.IDLE
    assert session.peek(address(session, "ticks"), 4) == (10).to_bytes(4, "little")  # each in its time
    assert 9_900_000 <= session.time - before <= 10_100_000


@each_kind
def test_where_a_run_is_cut_makes_no_difference_even_while_the_guest_sleeps(kind: str) -> None:
    program, session, sights = assemble(TICKING, "guest.s"), Session(), []
    for piece in (300, 1):
        session.load(program, kind)
        while session.executed < 300:
            session.run(piece)
        assert int.from_bytes(session.peek(address(session, "ticks"), 4) or b"", "little") > 10
        sights.append(look(session))
    assert sights[0].differences(sights[1]) == []


def test_a_guest_may_reset_its_computer_and_everything_begins_again() -> None:
    text = "mov edx, 0x3f8\nmov al, 65\nout dx, al\nmov dword ptr [0x200000], 5\nmov al, 0xfe\nout 0x64, al\nhlt"
    for kind in KINDS:
        session = on(text, kind)
        session.run(40)
        assert session.console == b"A" * 7
        assert session.executed == 40
        assert session.end is None
