"""Steps by source lines and out of functions: through recursion, forks, interrupts and other processes, to the line."""

from __future__ import annotations

import pytest

from core.events import Cause, Ring, StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.session import Session
from core.step_kind import StepKind

INTO, OVER, LINE_OUT, OUT = StepKind.LINE_INTO, StepKind.LINE_OVER, StepKind.LINE_OUT, StepKind.OUT
BUILDS = pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
LAB = Session(recording=False)


def at(image: str, kind: str, command_line: str, symbol: str) -> Session:
    """A session that stands at ``program!symbol`` for the first time."""
    LAB.breakpoints = frozenset()
    LAB.load(load_program(image), kind, command_line=command_line)
    assert LAB.program is not None
    program, _, name = symbol.partition("!")
    while LAB.code().name_of(LAB.pc) != symbol:
        LAB.run_to(LAB.program.programs[program].symbols[name], 5_000_000)
    return LAB


def step(kind: StepKind, times: int = 1) -> StopReason:
    for _ in range(times):
        reason = LAB.go_on(LAB.begin_step(kind))
    return reason


def source() -> str:
    """The text of the present line."""
    place = LAB.code().line_at(LAB.pc)
    assert place is not None
    return next(s.text for s in LAB.code().sources if s.name == place[0]).splitlines()[place[1] - 1].strip()


def function() -> str:
    return LAB.call_stack()[0].function


def arguments() -> dict[str, str]:
    return {argument.name: argument.value for argument in LAB.call_stack()[0].arguments}


@BUILDS
def test_over_a_fork_stays_with_the_parent_while_its_children_run_the_same_lines(image: str, kind: str) -> None:
    session = at(image, kind, "run=forks", "forks!tree")
    parent, base = session.cr3, session.call_stack()[0].base
    seen = []
    for _ in range(12):
        assert step(OVER) is StopReason.BUDGET
        assert (session.cr3, session.call_stack()[0].base) == (parent, base)
        seen.append(source())
    assert seen == [
        "if (depth == 0)",
        "int child = fork();",
        "if (child == 0)",
        "for (int i = 0; i < 2; i++) {",
        "int child = fork();",
        "if (child == 0)",
        "for (int i = 0; i < 2; i++) {",
        "while (wait(&status) > 0)",
        "size += status;",
        "while (wait(&status) > 0)",
        "size += status;",
        "while (wait(&status) > 0)",
    ]


@BUILDS
def test_into_a_system_call_and_out_again_to_the_program(image: str, kind: str) -> None:
    session = at(image, kind, "run=forks", "forks!tree")
    step(OVER, 2)
    step(INTO)
    assert function() in ("fork", "call")
    while LAB.believed_ring.value == 3:
        step(INTO)
    assert session.code().symbol_at(session.pc)[0] == "stubs"
    while function() != "system_call":
        assert step(INTO) is StopReason.BUDGET
    assert source() == "u32 a = frame->ebx, b = frame->esi, c = frame->edi;"
    step(LINE_OUT)
    assert (function(), source()) == ("trap", "system_call(frame);")
    step(LINE_OUT, 2)
    assert (session.code().user, LAB.believed_ring.value) == ("forks", 3)
    while function() != "tree":
        step(LINE_OUT)
    assert source() == "if (child == 0)"  # where the line with the call had nothing left to do


def test_a_line_with_a_long_loop_runs_at_the_speed_of_the_machine() -> None:
    at("pebble", "bare", "run=primes 20000", "primes!main")
    while source() != "for (uint32_t i = 2; i <= limit; i++) {":
        step(OVER)
    for _ in range(20):
        step(OVER)
    before = LAB.executed
    step(OUT)
    assert LAB.executed - before > 50_000
    assert LAB.code().name_of(LAB.pc).startswith("primes!_start")


def test_into_stops_behind_the_instructions_that_make_the_frame() -> None:
    at("pebble", "bare", "run=primes 100", "primes!main")
    while function() == "main":
        step(INTO)
    assert (function(), source()) == ("number", "while (*text >= '0' && *text <= '9')")
    assert arguments()["text"].endswith('"100"')


def test_over_does_not_go_into_code_that_was_put_in_line() -> None:
    at("pebble", "bare", "run=hello", "hello!main")
    LAB.run_to(LAB.code().symbols["system_call"], 5_000_000)
    seen = []
    while function() == "system_call":
        step(OVER)
        seen.append(source())
        assert not LAB.call_stack()[0].inlined
    # what `result = call_write(a, b)` became stands in line, to the last instruction
    assert seen[-4:] == ["switch ((enum call)frame->eax) {", "frame->eax = (u32)result;", "}", "system_call(frame);"]


def test_over_one_instruction_does_not_end_in_a_brother_that_comes_back_there_first() -> None:
    session = at("pebble", "bare", "run=forks", "forks!tree")
    tree = session.pc
    calls = [
        at
        for at in range(tree, tree + 0x100)
        if session.peek(at, 5) == b"\xe8" + (tree - at - 5).to_bytes(4, "little", signed=True)
    ]
    session.run_to(calls[0], 5_000_000)
    first = session.cr3, session.place().registers[4]
    while session.cr3 == first[0] or session.place().registers[4] != first[1]:
        session.run_to(calls[0], 5_000_000)  # forked in the same activation: the same stack pointer, other memory
    brother = session.cr3, session.place().registers[4]
    session.step_over()
    assert session.pc == calls[0] + 5
    assert (session.cr3, session.place().registers[4]) == brother


def test_a_breakpoint_on_the_way_ends_a_step() -> None:
    session = at("pebble", "bare", "run=forks", "forks!tree")
    step(OVER, 2)
    wanted = load_program("pebble").symbols["process_fork"]
    session.breakpoints = frozenset({wanted})
    assert step(OVER) is StopReason.BREAKPOINT
    assert session.pc == wanted


def test_an_interrupted_step_is_taken_up_and_ends_at_the_same_place() -> None:
    ends = []
    for interruptions in (0, 40):
        session = at("pebble", "bare", "run=forks", "forks!tree")
        step(OVER, 2)
        under_way = session.begin_step(OVER)
        for _ in range(interruptions):
            session.machine.cpu.request_stop()
            assert session.go_on(under_way) is StopReason.REQUESTED
        assert session.go_on(under_way) is StopReason.BUDGET
        ends.append((session.pc, session.executed, session.cr3))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("kind_of_step", [INTO, OVER, OUT])
@BUILDS
def test_an_interrupt_on_the_way_is_passed(image: str, kind: str, kind_of_step: StepKind) -> None:
    session = at(image, kind, "run=greedy 400", "greedy!main")
    session.run_until(lambda trap: trap.cause is Cause.INTERRUPT and trap.believed is Ring.USER, 5_000_000)
    just_before = session.executed - 1
    at(image, kind, "run=greedy 400", "greedy!main")
    session.run(just_before - session.executed)
    frame, interrupts = session.call_stack()[0], session.traps.causes[Cause.INTERRUPT]
    assert frame.function == "main"
    while session.traps.causes[Cause.INTERRUPT] == interrupts:
        assert step(kind_of_step) is StopReason.BUDGET
    now = session.call_stack()[0]
    if kind_of_step is OUT:
        assert now.function == "_start"
    else:
        assert (now.function, now.base) == ("main", frame.base)


def test_another_vm_on_the_machine_changes_nothing_about_a_step() -> None:
    runs = []
    for others in (0, 1):
        session = at("pebble-clean", "trap_emulate", "run=forks", "forks!tree")
        for _ in range(others):
            session.vms.add(load_program("pebble-clean"), "trap_emulate", command_line="run=primes 200000")
            session.select("A")
        seen = []
        for _ in range(9):
            assert step(OVER) is StopReason.BUDGET
            seen.append((session.selected, session.pc, session.cr3, session.executed))
        runs.append(seen)
    assert runs[0] == runs[1]


RECURSION = """
        .globl start
start:  mov esp, 0x200000
        mov ecx, 5
        call fact
        call busy
        hlt
fact:   cmp ecx, 1
        je one
        push ecx
        dec ecx
        call fact
        pop ecx
        imul eax, ecx
        ret
one:    mov eax, 1
        ret
busy:   mov ecx, 300000
loop:   dec ecx
        jnz loop
        ret
"""


def recursion(steps: int) -> Session:
    LAB.breakpoints = frozenset()
    LAB.load(assemble(RECURSION, "recursion.s"), "bare")
    LAB.step(steps)
    return LAB


def test_in_assembly_over_takes_a_recursive_call_whole() -> None:
    recursion(7)
    assert source() == "call fact"
    esp = LAB.place().registers[4]
    step(OVER)
    assert source() == "pop ecx"
    assert LAB.place().registers[4] == esp


def test_in_assembly_into_enters_each_activation_and_out_leaves_just_one() -> None:
    recursion(2)
    depths = []
    for _ in range(30):
        step(INTO)
        if source().startswith("one:"):
            break
        depths.append(LAB.place().registers[4])
    assert min(depths) == 0x200000 - 4 - 4 * 8
    for height in (7, 5, 3, 1):
        step(OUT)
        assert (source(), LAB.place().registers[4]) == ("pop ecx", 0x200000 - 4 * height - 4)
    step(OUT)
    assert source() == "call busy"


def test_out_of_a_loop_in_assembly_runs_it_to_its_return() -> None:
    recursion(3)
    LAB.run_to(LAB.code().symbols["loop"], 10_000)
    LAB.step(5)
    before = LAB.executed
    step(OUT)
    assert source() == "hlt"
    assert LAB.executed - before > 500_000


def test_a_breakpoint_set_in_a_program_is_passed_by_the_others() -> None:
    session = at("pebble", "bare", "run=forks", "forks!main")
    session.snapshot()  # what the person sees, and sets it in
    session.breakpoints = frozenset({session.pc})
    wanted = session.pc
    session.reset()
    passed = session.run_to(wanted, 5_000_000)
    assert (passed, session.code().user) == (StopReason.BREAKPOINT, "init")  # which has code there too
    session.reset()
    assert session.run(5_000_000) is StopReason.BREAKPOINT
    assert (session.pc, session.code().user) == (wanted, "forks")
    assert session.snapshot().elsewhere == frozenset()
    session.breakpoints = frozenset()
