"""The lab without a screen: running, stepping, stopping, looking."""

from __future__ import annotations

import threading

import pytest

from core.errors import RequestError, UnknownName
from core.events import Cause, EndHow, Ring, StopReason
from core.guests.assembler import assemble
from core.guests.image import Program
from core.layout import VM_MEMORY
from core.session import Session
from core.vmm import kinds

KINDS = list(kinds())
each_kind = pytest.mark.parametrize("kind", KINDS)
EXIT = "mov al, 0\nout 0xf4, al\n"


def on(text: str, kind: str = "bare") -> Session:
    session = Session()
    session.load(assemble(text, "guest.s"), kind)
    return session


def address(session: Session, name: str) -> int:
    assert session.program is not None
    return session.program.symbols[name]


@each_kind
def test_a_guest_starts_in_protected_mode_in_what_it_believes_to_be_ring_0(kind: str) -> None:
    session = on("hlt", kind)
    registers = {register.name: register.believed for register in session.registers()}
    assert (registers["CPL"], registers["CR0"], registers["IF"], registers["CS"]) == (0, 0x11, 0, 8)
    assert session.believed_ring is Ring.KERNEL


@each_kind
def test_the_exit_port_ends_the_run_with_its_status(kind: str) -> None:
    session = on("mov al, 42\nout 0xf4, al\nnop", kind)
    assert session.run() is StopReason.ENDED
    assert session.end is not None
    assert (session.end.how, session.end.status) == (EndHow.EXIT, 42)
    assert session.executed == 2


@each_kind
def test_hlt_with_interrupts_off_is_the_end(kind: str) -> None:
    session = on("cli\nhlt", kind)
    session.run()
    assert session.end is not None
    assert session.end.how is EndHow.HALTED


@each_kind
def test_hlt_with_nothing_to_wake_it_waits_for_the_person(kind: str) -> None:
    session = on("sti\nhlt\n" + EXIT, kind)
    assert session.run() is StopReason.WAITING
    assert session.end is None
    assert session.run() is StopReason.WAITING


@each_kind
def test_a_triple_fault_ends_the_run_and_names_the_faults(kind: str) -> None:
    session = on("ud2", kind)
    session.run()
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "#UD invalid opcode, then #GP general protection, then #DF double fault" in session.end.sentence


@each_kind
def test_nothing_runs_after_the_end(kind: str) -> None:
    session = on(EXIT + "nop\nnop", kind)
    session.run()
    before = session.executed
    assert session.run() is StopReason.ENDED
    assert session.step() is StopReason.ENDED
    assert session.executed == before


@each_kind
def test_a_step_is_one_instruction_even_where_it_traps(kind: str) -> None:
    session = on("cli\nsti\nnop\nhlt", kind)
    for expected in (1, 2, 3):
        assert session.step() is StopReason.BUDGET
        assert session.executed == expected


@each_kind
def test_a_run_stops_at_a_breakpoint_and_leaves_it_when_run_again(kind: str) -> None:
    session = on("start: nop\nloop: inc eax\njmp loop", kind)
    session.breakpoints = frozenset({address(session, "loop")})
    for executed in (1, 3, 5):
        assert session.run() is StopReason.BREAKPOINT
        assert session.executed == executed


def test_a_run_that_only_paused_stops_at_a_breakpoint_right_there() -> None:
    session = on("nop\nhere: nop\nhlt")
    session.breakpoints = frozenset({address(session, "here")})
    session.run(1)
    assert session.run(resumed=True) is StopReason.BREAKPOINT
    assert session.executed == 1


def test_a_breakpoint_stops_nowhere_else_with_the_same_low_half() -> None:
    session = on("nop\nnop\nhlt")
    session.breakpoints = frozenset({session.pc + 0x10001})
    assert session.run(2) is StopReason.BUDGET


@each_kind
def test_running_to_an_address_stops_before_it_and_leaves_no_breakpoint(kind: str) -> None:
    session = on("mov ecx, 5\nloop: dec ecx\njnz loop\nthere: nop\n" + EXIT, kind)
    assert session.run_to(address(session, "there")) is StopReason.BREAKPOINT
    assert session.pc == address(session, "there")
    assert session.breakpoints == frozenset()
    assert session.run() is StopReason.ENDED


def test_running_to_an_address_gives_up_at_the_limit() -> None:
    session = on("loop: jmp loop\nthere: nop")
    assert session.run_to(address(session, "there"), 100) is StopReason.BUDGET


@each_kind
def test_stepping_over_a_call_runs_it_whole_and_recursion_too(kind: str) -> None:
    session = on(
        "mov ecx, 3\ncall count\nafter: nop\nhlt\ncount: dec ecx\njz done\ncall count\ninner: nop\ndone: ret", kind
    )
    session.step()
    session.step_over()
    assert session.pc == address(session, "after")
    session.step_over()
    assert session.executed > 10


@each_kind
def test_stepping_over_anything_else_is_a_step(kind: str) -> None:
    session = on("nop\ncli\nhlt", kind)
    session.step_over()
    session.step_over()
    assert session.executed == 2


def test_running_until_a_trap_stops_right_after_it() -> None:
    session = on("nop\nnop\ncli\nnop\nsti\nnop\nhlt", "trap_emulate")
    reason = session.run_until(lambda trap: trap.cause is Cause.PRIVILEGED and trap.instruction == "sti", 100)
    assert reason is StopReason.BREAKPOINT
    assert session.executed == 5


@each_kind
def test_a_request_to_stop_ends_an_endless_loop(kind: str) -> None:
    session = on("loop: jmp loop", kind)
    timer = threading.Timer(0.02, session.request_stop)
    timer.start()
    assert session.run() is StopReason.REQUESTED
    timer.join()
    assert session.run(10) is StopReason.BUDGET


@each_kind
def test_a_request_to_stop_ends_an_endless_sleep_between_masked_ticks(kind: str) -> None:
    """The timer runs, its interrupt is masked: HLT never wakes, and the lab must still obey."""
    session = on("mov al, 0x34\nout 0x43, al\nmov al, 9\nout 0x40, al\nout 0x40, al\nsti\nhlt", kind)
    timer = threading.Timer(0.02, session.request_stop)
    timer.start()
    assert session.run() is StopReason.REQUESTED
    timer.join()


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
    session.send_input(b"hello")
    assert session.run(10_000) is StopReason.WAITING
    assert session.console == b"hello"


@each_kind
def test_nothing_is_delivered_between_sti_and_the_next_instruction(kind: str) -> None:
    session = echo(kind)
    session.run_to(address(session, "idle"))
    assert session.traps.causes[Cause.INTERRUPT] == 0
    session.reset()
    session.run(1)
    session.send_input(b"x")  # pending long before STI
    session.run_to(address(session, "idle"))
    assert session.pc == address(session, "idle")
    session.run(1_000)
    interrupt = next(trap for trap in session.traps.recent() if trap.cause is Cause.INTERRUPT)
    assert interrupt.pc == address(session, "idle") + 1  # behind the HLT that STI protects


@each_kind
def test_input_at_the_same_virtual_time_makes_the_same_run(kind: str) -> None:
    runs = []
    for _ in range(2):
        session = echo(kind)
        session.run(500)
        session.send_input(b"ab")
        session.run(10_000)
        runs.append((session.executed, session.time, session.console, session.traps.recent()))
    assert runs[0] == runs[1]


@each_kind
def test_reset_is_power_on_again(kind: str) -> None:
    session = on("mov dword ptr [0x200000], 5\ninc eax\n" + EXIT, kind)
    session.run()
    session.reset()
    assert session.executed == 0
    assert session.read_memory(0x200000, 4) == bytes(4)
    assert session.end is None
    assert session.run() is StopReason.ENDED


def test_an_unknown_kind_leaves_the_machine_as_it_was() -> None:
    session = on("nop\nhlt")
    session.step()
    with pytest.raises(UnknownName, match="bare, trap_emulate"):
        session.load(assemble("hlt"), "bochs")
    assert session.executed == 1
    assert session.kind == "bare"


def test_without_a_guest_requests_are_refused_with_a_sentence() -> None:
    with pytest.raises(RequestError, match="No guest is loaded"):
        Session().step()
    with pytest.raises(RequestError, match="nothing to reset"):
        Session().reset()


def test_memory_that_is_not_there_cannot_be_read() -> None:
    with pytest.raises(RequestError, match=f"{VM_MEMORY:#010x}"):
        on("hlt").read_memory(VM_MEMORY, 4)


@each_kind
def test_a_snapshot_shows_what_was_read_from_the_machine(kind: str) -> None:
    session = on("mov eax, 0x1234\nout 0x80, al\nint3\nhlt", kind)
    session.step(2)
    snapshot = session.snapshot()
    assert {register.name: register.believed for register in snapshot.registers}["EAX"] == 0x1234
    assert [trap.cause for trap in snapshot.traps] == [Cause.IO]
    assert snapshot.traps[0].outcome.startswith("wrote 0x34 to")
    assert snapshot.traps[0].pc_after == session.pc
    assert (snapshot.pc, snapshot.executed, snapshot.trap_count) == (session.pc, 2, 1)
    current = next(line for line in snapshot.listing if line.address == snapshot.pc)
    assert (current.text, current.file, current.line) == ("int3", "guest.s", 3)


def test_a_later_snapshot_brings_only_what_is_new() -> None:
    session = on("out 0x80, al\nmov al, 65\nmov edx, 0x3f8\nout dx, al\nhlt")
    session.step()
    first = session.snapshot()
    session.step(3)
    second = session.snapshot(first.trap_count, first.console_length)
    assert [trap.number for trap in second.traps] == [1]
    assert second.console == b"A"


def test_the_newest_program_counters_are_remembered_in_order() -> None:
    session = on("nop\nnop\njmp there\nnop\nthere: hlt")
    start = session.pc
    session.run(4)
    assert session.recent_pcs(10) == [start, start + 1, start + 2, address(session, "there")]


def test_the_sentence_tells_what_a_step_did() -> None:
    session = on("cli\nnop\nhlt", "trap_emulate")
    session.step()
    assert session.sentence == (
        "CLI in guest ring 0 is really in ring 1: #GP, and the monitor cleared the virtual IF; the guest goes on at "
        "0x00100001 in ring 1."
    )
    session.step()
    assert session.sentence == "NOP ran directly in ring 1."


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
.data
set_up: .byte 0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1, 0x21, 0xfe, 0x43, 0x34, 0x40, 0x9c, 0x40, 0x2e
set_up_end:
.balign 8
idt_register:
    .word 0x21 * 8 - 1
    .long idt
.bss
idt: .skip 0x21 * 8
"""


@each_kind
def test_a_caller_that_wants_to_wait_along_is_told_before_the_guest_sleeps(kind: str) -> None:
    session = on(TICKING, kind)
    assert session.run(tell_idle=True) is StopReason.IDLE
    assert 0.0099 < session.idle_seconds <= 0.0101  # 11,932 ticks of the timer
    before = session.time
    session.run(1, resumed=True, tell_idle=True)
    assert session.time - before >= 990_000


def test_a_guest_may_reset_its_computer_and_everything_begins_again() -> None:
    text = "mov edx, 0x3f8\nmov al, 65\nout dx, al\nmov dword ptr [0x200000], 5\nmov al, 0xfe\nout 0x64, al\nhlt"
    for kind in KINDS:
        session = on(text, kind)
        session.run(40)
        assert session.console == b"A" * 7
        assert session.executed == 40
        assert session.end is None
