"""Call stacks, read from the guest's memory at known places: every frame, its arguments, and where the stack ends."""

from __future__ import annotations

import pytest

from core.call_frame import CallFrame
from core.events import Ring
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.session import Session

LIMIT = 5_000_000
BUILDS = pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
SHARED = Session(recording=False)


def at(image: str, kind: str, command_line: str, *path: str) -> Session:
    """Run to each symbol of the path in turn; ``program!symbol`` is one of a program's."""
    SHARED.load(load_program(image), kind, command_line=command_line)
    for symbol in path:
        assert SHARED.program is not None
        program, _, name = symbol.rpartition("!")
        symbols = SHARED.program.programs[program].symbols if program else SHARED.program.symbols
        while True:
            SHARED.run_to(symbols[name], LIMIT)
            assert SHARED.pc == symbols[name]
            if SHARED.code().name_of(SHARED.pc) == symbol:
                break
    return SHARED


def chain(frames: tuple[CallFrame, ...]) -> list[str]:
    return [f"{frame.program}!{frame.function}".lstrip("!") for frame in frames]


def arguments(frame: CallFrame) -> dict[str, str]:
    return {argument.name: argument.value for argument in frame.arguments}


@BUILDS
def test_a_stack_goes_from_deep_in_the_kernel_to_the_programs_first_function(image: str, kind: str) -> None:
    session = at(image, kind, "run=forks", "forks!tree", "process_fork", "process_new")
    frames = session.call_stack()
    assert chain(frames) == [
        "process_new", "process_fork", "system_call", "trap", "enter",
        "forks!fork", "forks!tree", "forks!main", "forks!_start",
    ]  # fmt: skip
    assert [frame.interrupted for frame in frames] == [name == "forks!fork" for name in chain(frames)]
    kernel = Ring.KERNEL if kind == "bare" else Ring.ONE
    assert [frame.ring for frame in frames] == [kernel] * 5 + [Ring.USER] * 4
    assert arguments(frames[6]) == {"depth": "3"}
    assert frames[7].arguments[0].value.endswith('""')
    assert [frame.base for frame in frames[:5]] == sorted(frame.base for frame in frames[:5])


@BUILDS
def test_each_frame_says_the_source_line_of_its_call(image: str, kind: str) -> None:
    session = at(image, kind, "run=forks", "forks!tree", "process_fork")
    texts = {source.name: source.text.splitlines() for source in session.code().sources}
    said = [texts[frame.file][frame.line - 1].strip() for frame in session.call_stack() if frame.file]
    assert said[1:] == [
        "result = process_fork(frame);",
        "system_call(frame);",
        "call trap",
        "int fork(void) { return call(CALL_FORK, 0, 0, 0); }",
        "int child = fork();",
        "int before = call(CALL_FREE, 0, 0, 0), size = tree(depth), after = call(CALL_FREE, 0, 0, 0);",
    ]


def test_recursion_has_a_frame_an_activation_with_its_own_arguments() -> None:
    session = at("pebble", "bare", "run=forks", *["forks!tree"] * 6)
    trees = [frame for frame in session.call_stack() if frame.function == "tree"]
    assert len(trees) > 1
    assert arguments(trees[0]) == {"depth": str(4 - len(trees))}  # before its first instruction
    assert [frame.base for frame in trees] == sorted({frame.base for frame in trees})


def test_every_instruction_of_a_function_has_the_same_caller() -> None:
    session = at("pebble", "bare", "run=primes 100", "primes!number")
    function = session.call_stack()[0]
    for _ in range(60):
        frames = session.call_stack()
        if frames[0].function != "number":
            break
        assert (frames[0].base, chain(frames)[-3:]) == (
            function.base,
            ["primes!number", "primes!main", "primes!_start"],
        )
        assert arguments(frames[0]).keys() <= {"text"}
        session.step()
    assert session.call_stack()[0].function == "main"


def test_code_in_line_is_a_frame_of_the_function_that_it_came_from() -> None:
    session = at("pebble", "bare", "run=hello", "hello!main", "put")
    frames = session.call_stack()
    assert chain(frames)[:3] == ["put", "call_write", "system_call"]
    assert [frame.inlined for frame in frames[:3]] == [False, True, False]
    assert frames[1].base == frames[2].base
    assert arguments(frames[1])["size"] == "25"


def test_an_interrupt_in_a_program_stands_on_the_line_it_interrupted() -> None:
    session = at("pebble", "bare", "run=greedy 400000", "greedy!main", "schedule")
    frames = session.call_stack()
    assert chain(frames)[:4] == ["schedule", "interrupt", "trap", "enter"]
    assert frames[4].interrupted
    assert frames[4].program == "greedy"


def test_while_the_kernel_changes_to_another_process_the_formers_program_is_out_of_sight() -> None:
    session = at("pebble", "bare", "run=forks", "forks!tree", "process_wait", "switch_stacks")
    frames = session.call_stack()
    assert chain(frames) == ["switch_stacks", "run", "sleep_on", "process_wait", "system_call", "trap", "enter"]


SOURCE = """
        .globl start
start:  mov     esp, offset stack_top
        xor     ebp, ebp
        call    outer
        hlt
outer:  push    ebp
        mov     ebp, esp
        push    eax
        call    inner
        leave
        ret
inner:  push    ebp
        mov     ebp, esp
        pop     ebp
        ret
        .bss
        .skip   256
stack_top:
"""
KNOWN = {
    3: ["outer", "start"],
    4: ["outer", "start"],
    5: ["outer", "start"],
    7: ["inner", "outer", "start"],
    8: ["inner", "outer", "start"],
    9: ["inner", "outer", "start"],
    10: ["inner", "outer", "start"],  # at its RET
    11: ["outer", "start"],
}


@pytest.mark.parametrize("steps", KNOWN)
def test_an_assembly_guest_is_followed_by_the_frame_pointers_that_it_sets_up(steps: int) -> None:
    SHARED.load(assemble(SOURCE, "frames.s"), "bare")
    SHARED.step(steps)
    assert chain(SHARED.call_stack()) == KNOWN[steps]


def test_where_nothing_is_certain_the_stack_ends() -> None:
    SHARED.load(assemble("start: call next\nnext: nop\n nop\n hlt\n", "g.s"), "bare")
    SHARED.step(2)
    assert chain(SHARED.call_stack()) == ["next"]
