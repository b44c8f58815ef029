"""Hardware breakpoints that a kernel arms on its own code: met under every kind as on bare, wherever the code runs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from core.cpu.faults import Vector
from core.vmm import kinds_for
from tests.cosim.equality import Pair
from tests.cosim.kernel import TO_USER, UNTIL_THE_LOG_IS_FULL, kernel, log, ran_equal, seen
from tests.cosim.random_programs import armed_programs, build

KINDS = [kind for kind in kinds_for() if kind != "bare"]
PROGRAMS = Pair()
each_kind = pytest.mark.parametrize("kind", list(kinds_for()))
each_paging = pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])

MOVED = """
    mov eax, offset first
    mov dr0, eax
    mov eax, 0x302
    mov dr7, eax
    mov dword ptr [resume], offset past_first
    nop
first:
    mov dword ptr [seen], 1
past_first:
    mov eax, offset second                      # moved while it is armed
    mov dr0, eax
    mov dword ptr [resume], offset past_second
second:
    mov dword ptr [seen], 2
past_second:
    xor eax, eax
    mov dr7, eax
    mov ecx, 3
second_again:
    loop second_again
    mov eax, offset third
    mov dr1, eax
    mov eax, 0x308
    mov dr7, eax                                # the next instruction has it already
third:
    nop                                         # no RF: met again and again
"""


@each_kind
@each_paging
def test_they_are_met_where_they_are_moved_to(kind: str, paging: bool) -> None:
    session = ran_equal(MOVED, kind, paging=paging)
    noted = log(session)
    symbols = kernel(MOVED, paging=paging).symbols
    assert [each.eip for each in noted] == [symbols["first"], symbols["second"], *[symbols["third"]] * 6]
    assert {each.vector for each in noted} == {Vector.DB}
    assert [each.dr6 & 0xF for each in noted] == [1, 1, *[2] * 6]
    assert seen(session, 1) == [0]


WARM = """
    mov ecx, 3
again:
    inc dword ptr [seen]
middle:
    inc dword ptr [seen + 4]
    cli
    call away
    loop again
    cmp dword ptr [seen + 8], 0
    jne done
    inc dword ptr [seen + 8]
    mov eax, offset middle
    mov dr2, eax
    mov eax, offset away
    mov dr3, eax
    mov eax, 0x4a0
    mov dr7, eax
    mov ecx, 2
    mov dword ptr [resume], offset go_on
    jmp again
go_on:
    mov dword ptr [resume], offset last
    call away
    nop
last:
    xor eax, eax
    mov dr7, eax
    mov ecx, 2
    jmp again
away:
    inc dword ptr [seen + 12]
    ret
done:
"""


@each_kind
def test_they_are_met_in_code_that_ran_before_and_no_more_when_taken_away(kind: str) -> None:
    session = ran_equal(WARM, kind)
    symbols = kernel(WARM).symbols
    assert [(each.eip, each.dr6 & 0xF) for each in log(session)] == [(symbols["middle"], 4), (symbols["away"], 8)]
    assert seen(session, 4) == [6, 5, 1, 5]


RESUMED = (
    """
    mov eax, offset here
    mov dr1, eax
    mov eax, 0x408
    mov dr7, eax
    mov dword ptr [resume], offset past
    push 0x10202                                # RF
    push CODE
    mov eax, offset here
    push eax
    iretd
here:
    inc dword ptr [seen]
    mov eax, offset here
    jmp eax                                     # the CPU clears RF at last
past:
    mov eax, offset user
    mov dr1, eax
    mov dword ptr [resume], offset user_past
"""
    + TO_USER
    + """
user_past:
"""
    + UNTIL_THE_LOG_IS_FULL
)


@each_kind
@each_paging
def test_rf_passes_one_once_and_programs_meet_them_too(kind: str, paging: bool) -> None:
    session = ran_equal(RESUMED, kind, paging=paging)
    symbols = kernel(RESUMED, paging=paging).symbols
    assert [each.eip for each in log(session) if each.vector == Vector.DB] == [symbols["here"], symbols["user"]]
    assert seen(session, 1) == [1]


AT_ZERO = """
    mov eax, 0x402                              # of DR0, which is 0
    mov dr7, eax
    mov eax, 3
    mov dr1, eax
    mov eax, 0x40a
    mov dr7, eax
    mov eax, 0x10
    mov dr2, eax
    mov eax, 0x400
    mov dr7, eax
"""


@each_kind
@each_paging
def test_one_at_the_very_beginning_of_memory_is_met_there_alone(kind: str, paging: bool) -> None:
    """Which is where a monitor might have the CPU execute what arms it."""
    assert log(ran_equal(AT_ZERO, kind, paging=paging)) == []


AT_THE_MONITOR = """
    mov eax, 0xffc30000
    mov dr0, eax
    mov eax, 0xffc50010
    mov dr1, eax
    mov eax, 0xffc50140
    mov dr2, eax
    mov eax, 0x42a
    mov dr7, eax
    cli
    nop
    mov eax, dr7
    mov [seen], eax
"""


@each_kind
def test_one_where_the_monitor_is_is_not_met(kind: str) -> None:
    session = ran_equal(AT_THE_MONITOR, kind)
    assert log(session) == []
    assert seen(session, 1) == [0x42A]


@given(armed_programs)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs_with_breakpoints_run_as_on_bare(program: tuple[list[bytes], int | None]) -> None:
    assert PROGRAMS.differences(build(*program), KINDS) == []
