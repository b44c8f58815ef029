"""Going back by what the code does: each move ends where the code, stepped through forwards, says it should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.cpu.context import Gpr
from core.errors import RequestError
from core.events import RINGS, StopReason
from core.guests.catalog import load_program
from core.rewind import look
from core.session import Session
from tests.core.test_session import each_kind
from tests.core.timeline.test_timeline import DENSE, recorded

CALLS = """
    mov ecx, 5
next: push ecx
    call outer
    pop ecx
    loop next
done: hlt
outer: push ebp
    mov ebp, esp
    call inner
    call inner
    pop ebp
    ret
inner: push ebp
    mov ebp, esp
    inc dword ptr [counter]
    pop ebp
    ret
.data
counter: .long 0
other: .long 0
"""


def go(search: Iterator[None]) -> None:
    for _ in search:
        pass


def label(session: Session, name: str) -> int:
    assert session.program is not None
    return session.program.symbols[name]


def history(session: Session, count: int) -> list[tuple[int, int]]:
    """Program counter and stack pointer before each of so many instructions."""
    seen = []
    for _ in range(count):
        seen.append((session.pc, session.vmm.guest.reg(Gpr.ESP)))
        session.step()
    return seen


@each_kind
def test_back_over_a_return_is_before_its_call(kind: str) -> None:
    session = recorded(CALLS, kind)
    seen = history(session, 60)
    for _ in range(12):
        here, stack = session.executed, session.vmm.guest.reg(Gpr.ESP)
        go(session.travel.stepping_back_over())
        after = session.executed
        assert after < here
        assert seen[after] == (session.pc, session.vmm.guest.reg(Gpr.ESP))
        deeper = [each for each in range(after + 1, here) if seen[each][1] < min(stack, seen[after][1])]
        assert len(deeper) == here - after - 1  # all that was taken back together lay deeper


@each_kind
def test_back_out_of_a_function_is_before_its_call(kind: str) -> None:
    session = recorded(CALLS, kind)
    session.step(8 + 17 + 5)
    while session.pc != label(session, "inner") + 3:
        session.step()
    go(session.travel.running_back_out())
    assert session.peek_code(session.pc)[0] == 0xE8
    here = session.executed
    session.step()
    assert session.pc == label(session, "inner")
    session.travel.go_to(here)
    go(session.travel.running_back_out())
    session.step()
    assert session.pc == label(session, "outer")


@each_kind
def test_back_to_the_last_change_of_ring_of_every_kind(kind: str) -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), kind)
    rings = [session.ring]
    while session.executed < 1_500 and session.end is None:
        session.step()
        rings.append(session.ring)
    session.travel.go_to(min(session.executed, len(rings) - 1))
    changes = [at for at in range(1, len(rings)) if rings[at] is not rings[at - 1]]
    for _ in range(4):
        here = session.executed
        go(session.travel.running_back_to_ring_change())
        assert session.executed in [at - 1 for at in changes if at <= here] or session.executed == 0
        assert not [at for at in changes if session.executed + 1 < at <= here]


@each_kind
def test_on_to_the_next_change_of_ring_is_before_the_first_instruction_in_another(kind: str) -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), kind)
    for _ in range(8):
        left, spent, here = session.ring, session.machine.cpu.executed_by_ring, session.executed
        assert spent is not None
        assert session.run_to_ring_change(left, 20_000) is StopReason.BREAKPOINT
        assert session.ring is not left
        now = session.machine.cpu.executed_by_ring
        assert now is not None
        assert [after - before for after, before in zip(now, spent, strict=True)] == [
            session.executed - here if ring is left else 0 for ring in RINGS
        ]
    here, ring = session.executed, session.ring
    go(session.travel.running_back_to_ring_change())
    assert here - 1 <= session.executed <= here
    assert session.ring is not ring
    session.close()


def test_a_function_whose_call_is_not_known_says_so_and_nothing_moves() -> None:
    session = recorded("again: inc eax\njmp again")
    session.step(9)
    before = look(session)
    with pytest.raises(RequestError, match="is not known"):
        go(session.travel.running_back_out())
    assert before.differences(look(session)) == []


def test_an_instruction_beyond_the_past_is_refused() -> None:
    session = recorded("again: inc eax\njmp again")
    session.step(50)
    session.travel.go_to_instruction(20)
    assert session.executed == 20
    session.travel.go_to_instruction(50)
    with pytest.raises(RequestError, match="has 50 instructions"):
        session.travel.go_to_instruction(51)
