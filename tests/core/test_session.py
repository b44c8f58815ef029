"""The lab without a screen: running, stepping, stopping, looking."""

from __future__ import annotations

import threading

import pytest

from core.errors import RequestError, UnknownName
from core.events import Cause, EndHow, Ring, StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.layout import MIB, VM_MEMORY
from core.session import Session
from core.vmm import kinds_for

KINDS = list(kinds_for())
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


@each_kind
def test_where_a_run_is_interrupted_changes_nothing_not_even_the_record(kind: str) -> None:
    """Stopped as it departs, every time, a guest with processes, ticks and page tables does and is done to the same."""
    through, broken = Session(), Session()
    for session in (through, broken):
        session.load(load_program("pebble-clean"), kind)
    assert through.run(400_000) is StopReason.BUDGET
    broken.vmm.interposer.looked_for = lambda trap: broken.request_stop() is not None
    while broken.executed < 400_000:
        broken.run(400_000 - broken.executed)
    assert broken.traps.recent() == through.traps.recent()
    assert (broken.executed, broken.time, broken.console) == (through.executed, through.time, through.console)
    assert broken.registers() == through.registers()
    assert bytes(broken.machine.ram.bytes) == bytes(through.machine.ram.bytes)


def test_a_run_until_an_interrupt_stops_as_it_is_delivered() -> None:
    session = Session()
    session.load(load_program("rings"), "bare")
    assert session.run_until(lambda trap: trap.cause is Cause.INTERRUPT, 1_000_000) is StopReason.BREAKPOINT
    assert session.traps.last is not None
    assert session.pc == session.traps.last.pc_after == address(session, "timer_interrupt")


@each_kind
def test_reset_is_power_on_again(kind: str) -> None:
    session = on("mov dword ptr [0x200000], 5\ninc eax\n" + EXIT, kind)
    session.run()
    session.reset()
    assert session.executed == 0
    assert session.read_memory(0x200000, 4) == bytes(4)
    assert session.end is None
    assert session.run() is StopReason.ENDED


@each_kind
def test_power_on_clears_memory_that_a_larger_machine_has_left_behind_a_smaller_one(kind: str) -> None:
    """A VM's frames lie above those of the bare machine's memory, which is all that the bare machine has."""
    last = VM_MEMORY - 4
    session = on(f"mov dword ptr [{last}], 0x5eed\n" + EXIT, kind)
    session.run()
    assert session.read_memory(last, 4) == b"\xed\x5e\0\0"
    for each in ("bare", kind):
        session.load(assemble(EXIT, "guest.s"), each)
        session.run()
    assert session.read_memory(last, 4) == bytes(4)


@each_kind
def test_a_machine_without_room_for_the_guest_is_refused_with_the_figures(kind: str) -> None:
    session = on("nop\nhlt", kind)
    session.step()
    free = "128.0 are free for it." if kind == "bare" else r"125.0 are free for it \(its monitor needs 2 more\)"
    with pytest.raises(RequestError, match=rf"A VM of 200.0 MiB has no place: of the machine's 128 MiB only {free}"):
        session.load(load_program("hello"), kind, memory=200 * MIB)
    assert (session.executed, session.program.name) == (1, "guest")  # type: ignore[union-attr]


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
    assert snapshot.traps[-1].cause is (Cause.EXIT if kind.startswith("hardware") else Cause.IO)
    assert snapshot.traps[-1].instruction == "out 0x80, al"
    assert snapshot.traps[-1].outcome.startswith("wrote 0x34 to")
    assert snapshot.traps[-1].pc_after == session.pc
    assert (snapshot.pc, snapshot.executed, snapshot.trap_count) == (session.pc, 2, session.traps.count)
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


def test_power_on_names_the_kind_as_it_is_written() -> None:
    assert on("nop", "hardware").sentence.startswith("Power on: guest under hardware-assisted (AMD-V), ready at ")
    assert "under AMD-V with shadow paging" in on("nop", "hardware_shadow").sentence
