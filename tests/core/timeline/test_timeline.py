"""Going back: every moment is exactly what it was, whatever happened, and every future stays reachable.

It is one file, since all of it is about one thing: the same few guests, taken back and forth in many ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RequestError
from core.events import Cause, StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.layout import MIB
from core.rewind import look, rewind_check
from core.session import Session
from core.timeline.describe import describe
from core.timeline.timeline import Recording
from core.vmm import kinds_for
from tests.core.test_session import address, each_kind
from tests.core.test_session_outside import ECHO as UNFINISHED_ECHO
from tests.cosim.random_programs import build, paged_programs

DENSE = Recording(instructions=3_000, departures=20)
HOSTED = [kind for kind, vmm in kinds_for().items() if vmm.hosted]
COUNTING = "again: inc dword ptr [0x200000]\nadd eax, 3\njmp again"

ECHO = (
    """
    mov eax, offset received
    mov [idt + 0x24 * 8], ax
    shr eax, 16
    mov [idt + 0x24 * 8 + 6], ax
"""
    + UNFINISHED_ECHO
)

# maps 0x400000 to one frame and another by turns, and never tells the CPU
FORGETFUL = """
    mov edi, 0x110000
    mov dword ptr [edi], 0x83
    mov dword ptr [edi + 4], 0x111007
    mov dword ptr [0x111000], 0x300007
    mov dword ptr [0x300000], 1
    mov dword ptr [0x301000], 2
    mov eax, cr4
    or eax, 0x10
    mov cr4, eax
    mov cr3, edi
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
again:
    add ebx, [0x400000]
    xor dword ptr [0x111000], 0x1000
    jmp again
"""

# linear 0x400000 and 0x401000 lie in two pages that are no neighbours
TWO_PAGES = """
    mov edi, 0x110000
    mov dword ptr [edi], 0x83
    mov dword ptr [edi + 4], 0x111007
    mov dword ptr [0x111000], 0x300007
    mov dword ptr [0x111004], 0x250007
    mov eax, cr4
    or eax, 0x10
    mov cr4, eax
    mov cr3, edi
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
"""
ADDING_ACROSS = TWO_PAGES + "again: add dword ptr [0x400ffe], 0x10000\njmp again"

# a read across both of them faults in the second, which the handler then maps; the next store is to a page of its own
FAULTING_ACROSS = f"""
.globl _start
_start:
    mov eax, offset fault
    mov [idt + 14 * 8], ax
    shr eax, 16
    mov [idt + 14 * 8 + 6], ax
    lidt [idtr]
    mov esp, 0x200000
    {TWO_PAGES}
    mov dword ptr [0x111004], 0
    mov cr3, edi
    mov eax, [0x400ffe]
again:
    inc dword ptr [0x260000]
    jmp again
fault:
    mov dword ptr [0x111004], 0x250007
    add esp, 4
    iretd
.balign 8
idt: .skip 14 * 8
    .word 0, 8, 0x8e00, 0
idtr: .word 15 * 8 - 1
    .long idt
"""

# notes in ESI in which order keyboard (1) and serial port (0) interrupt; lets both at `out 0x21` after a while
TWO_DEVICES = """.globl _start
_start:
    mov eax, offset key
    mov [idt + 0x21 * 8], ax
    shr eax, 16
    mov [idt + 0x21 * 8 + 6], ax
    mov eax, offset serial
    mov [idt + 0x24 * 8], ax
    shr eax, 16
    mov [idt + 0x24 * 8 + 6], ax
    lidt [idtr]
    mov esp, 0x200000
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xff
    out 0x21, al
    mov dx, 0x3f9
    mov al, 1
    out dx, al
    mov dx, 0x3fc
    mov al, 8
    out dx, al
    sti
    mov ecx, 200
wait: loop wait
    mov al, 0
    out 0x21, al
again: inc ebx
    jmp again
key:
    shl esi, 1
    or esi, 1
    in al, 0x60
    jmp eoi
serial:
    shl esi, 1
    mov dx, 0x3f8
    in al, dx
eoi: mov al, 0x20
    out 0x20, al
    iretd
.balign 8
idt: .skip 0x21 * 8
    .word 0, 8, 0x8e00, 0
    .skip 16
    .word 0, 8, 0x8e00, 0
idtr: .word 0x25 * 8 - 1
    .long idt
"""

# sets a breakpoint of the CPU's on `target` again and again; its handler takes it away
BREAKING = """
    mov eax, offset broke
    mov [idt + 8], ax
    shr eax, 16
    mov [idt + 14], ax
    lidt [idt_register]
    mov eax, offset target
    mov dr0, eax
again:
    mov eax, 2
    mov dr7, eax
    mov ecx, 5
wait: loop wait
target:
    inc ebx
    jmp again
broke:
    xor eax, eax
    mov dr7, eax
    iretd
.data
idt_register:
    .word 15
    .long idt
idt:
    .long 0, 0
    .word 0, 8, 0x8e00, 0
"""


def recorded(text: str, kind: str = "bare", recording: Recording = DENSE) -> Session:
    session = Session(history=recording)
    session.load(assemble(text, "guest.s"), kind)
    return session


def run_to(session: Session, executed: int) -> None:
    """However often it must be run for that."""
    while session.machine_executed < executed:
        if session.run(executed - session.machine_executed) in (StopReason.ENDED, StopReason.WAITING):
            break


# -- exactness


@pytest.mark.parametrize(
    ("image", "command_line", "limit", "points", "recording"),
    [
        ("rings", "", 100_000, 400, DENSE),
        ("pebble-clean", "run=hello", 2_000_000, 100, Recording(instructions=90_000, departures=100, budget=8 * MIB)),
    ],
)
@each_kind
def test_every_moment_is_what_it_was_and_has_the_same_future(
    kind: str, image: str, command_line: str, limit: int, points: int, recording: Recording
) -> None:
    program = load_program(image)
    wrong = rewind_check(
        program, kind, points=points, seed=4, limit=limit, command_line=command_line, recording=recording
    )
    assert wrong == []


def test_every_moment_of_a_paravirtual_guest_is_what_it_was_too() -> None:
    program, recording = load_program("pebble-pv"), Recording(instructions=90_000, departures=100, budget=8 * MIB)
    assert rewind_check(program, "paravirt", points=500, seed=4, limit=1_500_000, recording=recording) == []


@each_kind
@given(paged_programs, st.lists(st.integers(0, 3_000), min_size=1, max_size=8))
@settings(max_examples=12)
def test_random_programs_can_be_taken_anywhere_in_any_order(
    kind: str, program: tuple[list[bytes], int | None], moments: list[int]
) -> None:
    session = Session(history=Recording(instructions=200, departures=7))
    session.load(build(program[0], program[1]), kind)
    seen = {}
    for moment in sorted(set(moments)):
        run_to(session, moment)
        seen[session.machine_executed] = look(session)
    for moment in moments:
        reached = min(moment, max(seen))
        session.travel.go_to(reached)
        assert seen[reached].differences(look(session)) == []
    session.close()


def test_a_store_beyond_ram_is_no_page_to_bring_back() -> None:
    session = recorded("mov [0x1000000], eax\nagain: inc ebx\njmp again")
    session.run(5_000)
    seen = look(session)
    session.run(5_000)
    session.travel.go_to(5_000)
    assert seen.differences(look(session)) == []


@each_kind
def test_the_end_belongs_to_the_last_instruction(kind: str) -> None:
    session = recorded("nop\nhlt", kind)
    session.run()
    ended = look(session)
    assert session.end is not None
    session.travel.go_to(session.machine_executed)
    assert ended.differences(look(session)) == []


def test_stale_translations_of_a_guest_that_does_not_flush_repeat() -> None:
    """What is in the TLB cannot be saved, so the lab empties it, and always at the same moments."""
    session = recorded(FORGETFUL)
    seen = {}
    for moment in range(100, 20_000, 997):
        run_to(session, moment)
        seen[moment] = look(session)
    for moment in reversed(seen):
        session.travel.go_to(moment)
        assert seen[moment].differences(look(session)) == []


# -- what came from outside


@each_kind
def test_what_was_typed_is_typed_again_at_the_same_moments(kind: str) -> None:
    session = recorded(ECHO, kind)
    for letter in (b"a", b"bc", b"d"):
        assert session.run() is StopReason.WAITING
        session.inputs.send(letter)
    session.run()
    end, console = look(session), session.console
    assert console == b"abcd"
    session.travel.go_to(0)
    assert session.console == b""
    assert session.run() is StopReason.WAITING
    assert session.console == b"abcd"
    assert end.differences(look(session)) == []


@each_kind
def test_typing_in_the_past_begins_another_future_and_the_first_one_stays(kind: str) -> None:
    session = recorded(ECHO, kind)
    session.run()
    before, end_of_quiet = session.machine_executed, session.machine_time
    session.inputs.send(b"first")
    session.run()
    end, old = look(session), session.timeline.branch
    session.travel.go_to(before)
    session.inputs.send(b"other")
    session.run()
    assert session.console == b"other"
    parted = {future.number: future.begins for future in session.timeline.past().futures}
    assert parted == {0: end_of_quiet, 1: 0}
    with session.travel.travelling() as timeline:
        timeline.enter(old)
    assert session.console == b"first"
    assert end.differences(look(session)) == []


def test_a_future_can_be_thrown_away_but_not_the_present_one() -> None:
    session = recorded(ECHO)
    session.run()
    session.inputs.send(b"x")
    old = session.timeline.branch
    with pytest.raises(RequestError, match="present"):
        session.timeline.discard(old)
    session.travel.go_to(0)
    session.inputs.send(b"y")
    session.timeline.discard(old)
    assert session.timeline.branches == [session.timeline.branch]


@each_kind
def test_what_is_typed_at_a_breakpoint_is_typed_there_again(kind: str) -> None:
    """At a breakpoint in an interrupt's handler the delivery is done already: a moment of its own."""
    session = recorded(ECHO, kind)
    session.breakpoints = frozenset({address(session, "received")})
    session.run()
    session.inputs.send(b"a")
    assert session.run() is StopReason.BREAKPOINT
    session.inputs.send(b"b")
    while session.run() is StopReason.BREAKPOINT:
        pass
    end = look(session)
    session.breakpoints = frozenset()
    session.travel.go_to(0)
    session.run()
    assert end.differences(look(session)) == []


@pytest.mark.parametrize("kind", HOSTED)
def test_vms_that_come_and_go_and_change_places_are_part_of_the_past(kind: str) -> None:
    session = Session(history=Recording(instructions=50_000, departures=60))
    session.load(load_program("rings"), kind)
    run_to(session, 5_000)
    session.vms.add(assemble(COUNTING, "guest.s"), "trap_emulate", memory=4 * MIB, weight=3)
    run_to(session, 60_000)
    seen = {60_000: look(session)}
    session.vms.balloon("A", 8 * MIB)
    session.vms.set_weight("B", 1)
    session.vms.pause("A")
    run_to(session, 90_000)
    session.vms.resume("A")
    run_to(session, 200_000)
    seen[session.machine_executed] = look(session)
    session.vms.remove("A")
    run_to(session, 230_000)
    seen[session.machine_executed] = look(session)
    for moment in sorted(seen, reverse=True):
        session.travel.go_to(moment)
        session.select("B" if moment > 200_000 else "A")
        assert seen[moment].differences(look(session)) == []
    session.travel.go_to(2_000)
    assert session.vms.letters == ("A",)


@each_kind
def test_what_was_done_last_can_be_undone_and_then_what_was_done_before(kind: str) -> None:
    session = recorded(ECHO, kind)
    session.run()
    before = look(session)
    for letter in (b"a", b"b"):
        session.inputs.send(letter)
        session.run()
    session.travel.undo()
    assert session.console == b"a"
    assert "1 byte typed" in session.sentence
    session.travel.undo()
    assert before.differences(look(session)) == []
    with pytest.raises(RequestError, match="could be undone"):
        session.travel.undo()


# -- moves


@each_kind
def test_a_step_back_undoes_a_step(kind: str) -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), kind)
    run_to(session, 7_000)
    before = []
    for _ in range(40):
        before.append(look(session))
        session.step()
    for expected in reversed(before):
        session.travel.step_back()
        assert expected.differences(look(session)) == []


def test_there_is_nothing_before_power_on() -> None:
    session = recorded(COUNTING)
    with pytest.raises(RequestError, match="power-on"):
        session.travel.step_back()


@each_kind
def test_running_back_meets_the_breakpoints_in_reverse(kind: str) -> None:
    session = recorded(COUNTING, kind)
    session.breakpoints = frozenset({address(session, "again")})
    met = []
    for _ in range(6):
        assert session.run() is StopReason.BREAKPOINT
        met.append(session.machine_executed)
    session.breakpoints = frozenset()
    run_to(session, 20_000)
    session.breakpoints = frozenset({address(session, "again")})
    assert session.travel.run_back() is StopReason.BREAKPOINT
    assert session.pc == address(session, "again")
    assert 20_000 - session.machine_executed <= 3
    session.travel.go_to(met[4] + 1)
    for expected in (met[4], met[3], met[2]):
        assert session.travel.run_back() is StopReason.BREAKPOINT
        assert session.machine_executed == expected


@each_kind
def test_running_back_to_a_departure_stops_before_the_instruction_that_departed(kind: str) -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), kind)
    run_to(session, 60_000)
    calls = [trap for trap in session.traps.recent() if trap.cause is Cause.SYSTEM_CALL]
    for trap in reversed(calls[-4:]):
        assert session.travel.run_back_to_trap(lambda each: each.cause is Cause.SYSTEM_CALL)
        assert session.pc == trap.pc
        assert session.time == trap.time - 1


def test_without_a_breakpoint_before_it_running_back_ends_at_power_on() -> None:
    session = recorded(COUNTING)
    run_to(session, 30_000)
    assert session.travel.run_back() is StopReason.BUDGET
    assert session.machine_executed == 0


# -- what it costs


def test_old_checkpoints_are_thinned_out_and_come_back_where_one_goes() -> None:
    session = recorded(COUNTING, recording=Recording(instructions=1_000, departures=50, budget=5 * MIB))
    run_to(session, 200_000)
    timeline = session.timeline
    assert timeline.size <= 5 * MIB
    assert len(timeline.branch.path) < 200
    session.travel.go_to(31_500)
    nearest = max(each.executed for each in timeline.branch.path if each.executed <= 31_500)
    assert nearest == 31_000


def test_traps_are_forgotten_with_old_checkpoints_and_found_again_by_replaying() -> None:
    """A guest that idles for an hour traps a million times."""
    text = "mov ecx, 1000\nfirst: out 0x80, al\nloop first\nin al, 0x64\nagain: out 0x80, al\njmp again"
    session = recorded(text, recording=Recording(departures=40, budget=6 * MIB))
    run_to(session, 20_000)
    timeline = session.timeline
    assert timeline.size <= 6 * MIB
    assert max(later.traps - each.traps for each, later in pairwise(timeline.branch.path)) < 3_000
    session.travel.go_to(10_000)
    assert len(session.traps.recent()) < session.traps.count - 1_001  # the one that is sought is not among them
    assert session.travel.run_back_to_trap(lambda trap: trap.instruction.startswith("in "))
    assert session.machine_executed == 2_001
    session.run(1)
    last = session.traps.last
    assert last is not None
    assert (last.number, last.instruction) == (1_000, "in al, 0x64")
    session.close()


def test_a_session_without_history_refuses_to_go_back() -> None:
    session = Session()
    session.load(assemble(COUNTING, "guest.s"), "bare")
    with pytest.raises(RequestError, match="not recorded"):
        session.travel.step_back()


def test_hardware_breakpoints_come_and_go_with_the_moments_in_which_they_were_set() -> None:
    """The CPU itself makes them, outside of the state that a checkpoint holds."""
    session = recorded(BREAKING)
    seen = {}
    for moment in range(10, 9_000, 701):
        run_to(session, moment)
        seen[moment] = look(session)
    assert session.traps.causes[Cause.FAULT] > 100
    for moment in [*reversed(seen), *seen]:
        session.travel.go_to(moment)
        assert seen[moment].differences(look(session)) == []
    session.close()


def test_a_set_is_the_same_however_its_members_came_together() -> None:
    """What is long is compared by a hash of its words."""

    @dataclass(eq=False)
    class Holder:
        values: dict[int, set[int]]

    one: set[int] = set()
    other: set[int] = set()
    for members, order in ((one, (0, 32, 64)), (other, (64, 32, 0))):
        for member in order:
            members.add(member)
    assert repr(describe("x", Holder({1: one}), ())) == repr(describe("x", Holder({1: other}), ()))


@each_kind
@pytest.mark.parametrize("guest", [ADDING_ACROSS, FAULTING_ACROSS])
def test_a_page_that_was_first_written_in_an_unusual_way_is_brought_back(kind: str, guest: str) -> None:
    """By a store that went on there from another; or after a read that broke off between two pages, when the emulator
    calls no hook of memory any more."""
    session = recorded(guest, kind)
    session.step(5_000)
    before = look(session)
    session.step(5_000)
    session.travel.go_to(5_000)
    assert before.differences(look(session)) == []
    session.close()


@each_kind
def test_what_is_typed_where_a_departure_was_waited_for_is_typed_there_again(kind: str) -> None:
    """After it, and before the interrupt that it lets through: the key is served first, though it came second."""
    session = recorded(TWO_DEVICES, kind)
    session.step(100)
    session.inputs.send(b"x")
    found = session.run_until(lambda trap: "out 0x21" in trap.instruction and trap.machine_time > 200, 10_000)
    assert found is StopReason.BREAKPOINT
    session.inputs.press_keys(b"\x1e")
    session.run(1_000)
    before, end = look(session), session.machine_executed
    assert {each.name: each.believed for each in session.registers()}["ESI"] == 0b10
    session.travel.go_to(50)
    session.travel.go_to(end)
    assert before.differences(look(session)) == []
    session.close()


def test_what_is_typed_where_a_world_switch_was_waited_for_is_typed_there_again() -> None:
    """Into a VM that was given the CPU with an interrupt pending."""
    session = recorded(TWO_DEVICES, "trap_emulate")
    program = session.program
    assert program is not None
    session.vms.add(program, "hardware")
    session.step(60_000)
    for letter in session.vms.letters:
        session.select(letter)
        session.inputs.send(b"x")
    for number in range(6):
        assert session.run_until(lambda trap: trap.cause is Cause.WORLD_SWITCH, 100_000) is StopReason.BREAKPOINT
        session.inputs.press_keys(b"\x1e")
        if number % 2:
            session.inputs.send(b"y")
    session.run(50_000)
    before, end = look(session), session.machine_executed
    session.travel.go_to(50)
    session.travel.go_to(end)
    assert before.differences(look(session)) == []
    session.close()


def test_where_an_interrupt_or_a_world_switch_has_just_come_one_goes_back_to_before_it() -> None:
    """At the same virtual time: none of the two is an instruction's."""
    session = Session(history=DENSE)
    session.load(load_program("rings"), "trap_emulate")
    session.vms.add(load_program("rings"), "hardware")
    for cause in (Cause.INTERRUPT, Cause.WORLD_SWITCH):
        session.run_until(lambda trap, cause=cause: trap.cause is cause, 200_000)
        traps, time = session.traps.count, session.machine_time
        assert session.travel.run_back_to_trap(lambda trap, cause=cause: trap.cause is cause)
        assert session.machine_time == time
        assert session.traps.count < traps
        session.run_until(lambda trap, cause=cause: trap.cause is cause, 200_000)
        assert (session.machine_time, session.traps.count) == (time, traps)
    session.close()
