"""What kernels do with debug and model-specific registers: the same under every kind, and what it has come to."""

from __future__ import annotations

import pytest

from core.cpu.faults import Vector
from core.events import EndHow
from core.vmm import kinds_for
from tests.cosim.kernel import PAIR, kernel, log, ran_equal, seen

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))
each_paging = pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])


@each_kind
def test_debug_registers_keep_what_they_can_and_their_other_names(kind: str) -> None:
    session = ran_equal(
        """
.irp n, 0, 1, 2, 3
    mov eax, 0x11110000 * (\\n + 1)
    mov dr\\n, eax
    xor eax, eax
    mov eax, dr\\n
    mov [seen + 4 * \\n], eax
.endr
    xor eax, eax
    mov dr6, eax
    mov dr7, eax
    mov eax, dr6
    mov [seen + 16], eax
    mov eax, dr7
    mov [seen + 20], eax
    .byte 0x0f, 0x21, 0xe0                      # mov eax, dr4
    mov [seen + 24], eax
    mov eax, 8                                  # CR4.DE
    mov cr4, eax
    mov dword ptr [resume], offset refused
    .byte 0x0f, 0x21, 0xe8                      # mov eax, dr5
refused:
""",
        kind,
    )
    assert seen(session, 7) == [0x11110000, 0x22220000, 0x33330000, 0x44440000, 0xFFFF0FF0, 0x400, 0xFFFF0FF0]
    assert [noted.vector for noted in log(session)] == [Vector.UD]


BREAKPOINTS = """
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


@pytest.mark.parametrize("kind", [kind for kind in kinds_for() if kind != "translation"])
@each_paging
def test_breakpoints_that_a_kernel_arms_are_met(kind: str, paging: bool) -> None:
    session = ran_equal(BREAKPOINTS, kind, paging=paging)
    noted = log(session)
    symbols = kernel(BREAKPOINTS, paging=paging).symbols
    assert [each.eip for each in noted] == [symbols["first"], symbols["second"], *[symbols["third"]] * 6]
    assert {each.vector for each in noted} == {Vector.DB}
    assert [each.dr6 & 0xF for each in noted] == [1, 1, *[2] * 6]
    assert seen(session, 1) == [0]


def test_translation_refuses_to_miss_a_breakpoint() -> None:
    program = kernel(BREAKPOINTS)
    PAIR.run(program, "translation")
    assert PAIR.session.end is not None
    assert PAIR.session.end.how is EndHow.ERROR
    assert "hardware breakpoint" in PAIR.session.end.sentence


@each_kind
def test_model_specific_registers_keep_what_the_cpu_keeps(kind: str) -> None:
    """Those of SYSENTER, of SYSCALL, constants, one of memory types, time, and one that is not there."""
    numbers = (0x174, 0x175, 0x176, 0xC000_0081, 0x8B, 0x198, 0x277, 0x1A0, 0x10, 0x1234)
    session = ran_equal(
        "mov edi, offset seen\n cld\n"
        + "".join(
            f"""
    mov ecx, {number:#x}
    rdmsr
    stosd
    mov eax, 0x5a5a5a00
    mov edx, 3
    wrmsr
    rdmsr
    stosd
    mov eax, edx
    stosd
"""
            for number in numbers
        ),
        kind,
    )
    kept = dict(zip(numbers, seen(session, 3 * len(numbers))[1::3], strict=True))
    assert (kept[0x174], kept[0x175], kept[0xC000_0081], kept[0x1234]) == (0x5A00, 0x5A5A5A00, 0x5A5A5A00, 0)
