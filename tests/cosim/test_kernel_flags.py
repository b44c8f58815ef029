"""What a kernel does with IF and IOPL by PUSHF, POPF, CLI and STI: the same under all kinds without the hole."""

from __future__ import annotations

import pytest

from core.cpu import flags
from core.cpu.faults import Vector
from core.vmm import kinds_for
from tests.cosim.kernel import kernel, log, ran_equal, seen

each_complete_kind = pytest.mark.parametrize(
    "kind", [name for name, kind in kinds_for().items() if not kind.leaves_holes]
)

WRITTEN = (0x002, 0x202, 0x3002, 0x3202, 0x1AD7, 0x2CD7, 0x4A97, 0x202, 0x8D7)
"""EFLAGS with IF and IOPL, and other flags, as each follows upon each other."""


@each_complete_kind
@pytest.mark.parametrize("narrow", [False, True], ids=["popfd", "popfw"])
def test_flags_read_back_as_they_were_written_whatever_came_between(kind: str, narrow: bool) -> None:
    load, store = (".byte 0x66\n popfd", ".byte 0x66\n pushfd") if narrow else ("popfd", "pushfd")
    push, pop = (
        ("push word ptr [esi]", "pop word ptr [edi]") if narrow else ("push dword ptr [esi]", "pop dword ptr [edi]")
    )
    session = ran_equal(
        f"""
    mov ecx, {len(WRITTEN)}
    mov esi, offset written
    mov edi, offset seen
next:
    {push}
    {load}
    {store}
    {pop}
    cli
    {store}
    sti
    nop
    pushfd
    lea esp, [esp + {6 if narrow else 8}]
    lea esi, [esi + 4]
    lea edi, [edi + 4]
    loop next
    jmp read
written: .long {", ".join(f"{each:#x}" for each in WRITTEN)}
read:
""",
        kind,
    )
    believed = 0xFFFF if narrow else 0xFFFF_FFFF
    assert [each & believed for each in seen(session, len(WRITTEN))] == [each | flags.ALWAYS_ONE for each in WRITTEN]


@each_complete_kind
def test_a_popf_that_finds_half_of_its_stack_missing_changes_nothing(kind: str) -> None:
    """The word straddles two pages, and the second is not there; IF is clear, and would be set."""
    text = """
    mov dword ptr [WINDOW_ENTRY + 4], 0
    invlpg [WINDOW + 0x1000]
    mov byte ptr [WINDOW + 0xfff], 2
    mov ebx, esp
    mov dword ptr [resume], offset after
    xor eax, eax
    mov esp, WINDOW + 0xfff
    cli
faults:
    popfd
    nop
after:
    mov esp, ebx
    pushfd
    pop dword ptr [seen]
"""
    session = ran_equal(text, kind, paging=True)  # the frame of the fault lies below, on the first page
    (noted,) = log(session)
    assert (noted.vector, noted.eip) == (Vector.PF, kernel(text, paging=True).symbols["faults"])
    assert noted.cr2 == 0x481000
    assert not (noted.eflags | seen(session, 1)[0]) & flags.IF
