"""What kernels do with debug and model-specific registers: the same under every kind, and what it has come to."""

from __future__ import annotations

import pytest

from core.cpu.faults import Vector
from core.vmm import kinds_for
from tests.cosim.kernel import log, ran_equal, seen

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))


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
