"""The monitor's region in the guest's address space: only loads in ring 1 reach it."""

from __future__ import annotations

import pytest

from core.addresses import PAGE_SIZE
from core.cpu.faults import Vector
from core.layout import SHADOW_GDT, SHADOW_LDT, SHADOW_TSS
from core.session import Session
from core.vmm import kinds_for
from core.vmm.shadow_descriptors import shadow_of
from tests.cosim.kernel import PAIR, TO_USER, UNTIL_THE_LOG_IS_FULL, kernel, log, ran_equal, seen

OWN_PAGES = f"""
    mov dword ptr [0x405000], FRAMES + 7            # over the shadow GDT
    mov dword ptr [0x405c00], FRAMES + 0x1000 + 7   # where no kind has anything
    mov dword ptr [DIRECTORY + 4 * {SHADOW_GDT >> 22}], 0x405007
    mov eax, cr3
    mov cr3, eax
"""
EMPTY = 0xFFF0_0000


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_a_guest_has_its_own_pages_there_but_for_loads_in_ring_1(kind: str) -> None:
    session = ran_equal(
        f"""
    {OWN_PAGES}
    mov dword ptr [{SHADOW_GDT:#x}], 0x1234
    mov dword ptr [{EMPTY:#x}], 0x5678
    mov eax, [{EMPTY:#x}]
    mov [seen], eax
    mov dword ptr [resume], offset denied
    mov dword ptr [{SHADOW_GDT + PAGE_SIZE:#x}], 1  # its tables have nothing there
denied:
    {TO_USER}
    mov eax, [{SHADOW_GDT:#x}]
    mov [seen + 4], eax
    mov dword ptr [{SHADOW_GDT + 8:#x}], 0x9abc
    mov dword ptr [resume], offset denied_again
    mov eax, [{SHADOW_GDT + PAGE_SIZE:#x}]
denied_again:
    mov eax, [WINDOW + 8]
    mov [seen + 8], eax
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
        paging=True,
    )
    assert seen(session, 3) == [0x5678, 0x1234, 0x9ABC]
    faults = [(each.vector, each.error, each.cr2) for each in log(session)[:2]]
    there = SHADOW_GDT + PAGE_SIZE
    assert faults == [(Vector.PF, 2, there), (Vector.PF, 4, there)]


@pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])
def test_what_ring_1_can_read_there_was_made_from_the_guests_own_tables_alone(paging: bool) -> None:
    """Its GDT with the privilege changed, the LDT that it has not, and a task state of nothing."""
    size = SHADOW_TSS + PAGE_SIZE - SHADOW_GDT
    program = kernel(
        f"mov esi, {SHADOW_GDT:#x}\n mov edi, SCRATCH\n mov ecx, {size // 4}\n cld\n rep movsd\n", paging=paging
    )
    session = PAIR.session
    session.load(program, "trap_emulate")
    session.run(100_000)
    assert session.end is not None
    assert session.end.status == 0
    copied = session.peek(0x200000, size)
    table = shadow_gdt(session)
    assert copied[: len(table)] == table
    assert not any(copied[len(table) : SHADOW_LDT - SHADOW_GDT])
    assert not any(copied[SHADOW_LDT - SHADOW_GDT :])


def shadow_gdt(session: Session) -> bytes:
    """What the shadow of the guest's GDT must be."""
    gdt = session.vmm.guest.gdtr
    words = [int.from_bytes(session.peek(gdt.base + at, 4), "little") for at in range(0, gdt.limit + 1, 4)]
    shadow = [shadow_of(low, high) if high else (0, 0) for low, high in zip(words[::2], words[1::2], strict=True)]
    return b"".join(low.to_bytes(4, "little") + high.to_bytes(4, "little") for low, high in shadow)
