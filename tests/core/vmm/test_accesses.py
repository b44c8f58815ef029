"""Where a nested page fault was met: in the guest's page tables, or at the end of its walk."""

from __future__ import annotations

from typing import cast

import pytest

from core.addresses import GuestPhysical
from core.guests.assembler import assemble
from core.session import Session
from core.vmm.hardware import Hardware
from core.vmm.intercepts import Exit

FINAL, TABLE = 1 << 32, 1 << 33
# The first 4 MiB by a large page; 0x400000 on by a table at 0x800000, which leads to 0xa00000, 0xc00000 and itself. The
# table is written before paging is on, and then taken out of the nested table.
TEXT = """
.globl _start
_start: mov dword ptr [0x300000], 0x83
        mov dword ptr [0x300004], 0x800007
        mov dword ptr [0x800000], 0xa00007
        mov dword ptr [0x800004], 0xc00007
        mov dword ptr [0x800008], 0x800007
        mov eax, 0x10
        mov cr4, eax
        mov eax, 0x300000
        mov cr3, eax
        mov eax, 0x80000011
        mov cr0, eax
        lgdt [table]
        mov esi, 0x400ffe
        mov edi, 0x200000
        mov esp, 0x402000
        jmp ready
ready:  nop
        {access}
        nop
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table:  .word 23
        .long gdt
"""


def faults(access: str, *gone: int) -> list[tuple[int, int]]:
    """EXITINFO1 and EXITINFO2 of the nested page faults of `access`, once these pages are in no nested table."""
    session = Session()
    session.load(assemble(TEXT.format(access=access), "accesses.s"), "hardware")
    vmm = cast(Hardware, session.vmm)
    assert session.program is not None
    while session.pc != session.program.symbols["ready"]:
        session.step()
    session.step()
    for page in gone:
        vmm.nested.unmap(GuestPhysical(page))
    seen = []
    fault = vmm._handlers[Exit.NPF]

    def noted(code: int) -> object:
        seen.append((vmm.vmcb.get("EXITINFO1"), vmm.vmcb.get("EXITINFO2")))
        return fault(code)

    vmm._handlers[Exit.NPF] = noted  # type: ignore[assignment]
    session.step()
    return seen


@pytest.mark.parametrize(
    ("access", "gone", "expected"),
    [
        ("mov eax, [0x400000]", [0x800000], [(TABLE | 6, 0x800000), (FINAL | 4, 0xA00000)]),
        ("mov [0x400010], eax", [0x800000], [(TABLE | 6, 0x800000), (FINAL | 6, 0xA00010)]),
        ("mov [0x401010], eax", [0x800000], [(TABLE | 6, 0x800004), (FINAL | 6, 0xC00010)]),
        ("push eax", [0x800000], [(TABLE | 6, 0x800004), (FINAL | 6, 0xC00FFC)]),
        ("movsb", [0x800000], [(TABLE | 6, 0x800000), (FINAL | 4, 0xA00FFE)]),
        ("mov eax, [esi]", [0x800000], [(TABLE | 6, 0x800000), (FINAL | 4, 0xA00FFE), (FINAL | 4, 0xC00000)]),
        ("mov ds, [0x400000]", [0x800000], [(TABLE | 6, 0x800000), (FINAL | 4, 0xA00000)]),
        ("nop", [0x300000], [(TABLE | 6, 0x300000)]),
        # an entry of the table that is written as data: met on the walk first
        ("mov dword ptr [0x402008], 0", [0x800000], [(TABLE | 6, 0x800008)]),
        # and one that is no part of any walk of this instruction
        ("mov dword ptr [0x300000], 0x83", [], []),
    ],
)
def test_the_bits_say_whether_a_table_or_the_address_itself_was_missing(
    access: str, gone: list[int], expected: list[tuple[int, int]]
) -> None:
    assert faults(access, *gone) == expected
