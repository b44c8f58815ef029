"""What kernels do with page tables, feature by feature: the same under every kind, and what it has come to."""

from __future__ import annotations

import pytest

from core.cpu.faults import Vector
from core.events import Cause
from core.vmm import kinds_for
from tests.cosim.kernel import TO_USER, UNTIL_THE_LOG_IS_FULL, log, ran_equal, seen

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))


@each_kind
def test_string_io_goes_through_the_guests_pages_as_far_as_they_allow(kind: str) -> None:
    session = ran_equal(
        f"""
    mov dword ptr [WINDOW_ENTRY + 4], 0
    invlpg [WINDOW + 0x1000]
    mov edi, WINDOW + 0xffe
    mov ecx, 5
    mov dx, 0x80
    cld
    mov dword ptr [resume], offset absent
    rep insb
absent:
    mov [seen], edi
    mov [seen + 4], ecx
    mov dword ptr [WINDOW_ENTRY + 4], FRAMES + 0x1000 + 5
    invlpg [WINDOW + 0x1000]
    mov dword ptr [resume], offset read_only
    rep insb
read_only:
    mov [seen + 8], ecx
    mov dword ptr [WINDOW_ENTRY + 8], 0
    invlpg [WINDOW + 0x2000]
    mov esi, WINDOW + 0x1ffc
    mov ecx, 3
    mov dword ptr [resume], offset out_of
    rep outsd
out_of:
    mov [seen + 12], ecx
    {TO_USER}
    mov edi, WINDOW
    mov ecx, 2
    mov dword ptr [resume], offset not_allowed
    rep insb
not_allowed:
    mov [seen + 16], ecx
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
        paging=True,
    )
    assert seen(session, 5) == [0x481000, 3, 3, 2, 2]
    noted = [(each.vector, each.error, each.cr2) for each in log(session)[:4]]
    assert noted == [
        (Vector.PF, 2, 0x481000),
        (Vector.PF, 3, 0x481000),
        (Vector.PF, 0, 0x482000),
        (Vector.GP, 0, 0x482000),
    ]


@each_kind
def test_accessed_and_dirty_bits_come_when_the_cpu_sets_them(kind: str) -> None:
    session = ran_equal(
        """
.equ ENTRY, WINDOW_ENTRY
.macro look from, to
    mov eax, [\\from]
    mov [seen + \\to], eax
.endm
    and dword ptr [DIRECTORY + 4], ~0x20
    mov eax, cr3
    mov cr3, eax
    look ENTRY, 0
    mov eax, [WINDOW]
    look ENTRY, 4
    mov dword ptr [WINDOW + 8], 1
    look ENTRY, 8
    look DIRECTORY + 4, 12
    mov dword ptr [ENTRY], FRAMES + 7           # the kernel clears them, and tells by INVLPG
    invlpg [WINDOW]
    mov eax, [WINDOW + 4]
    look ENTRY, 16
    mov dword ptr [WINDOW + 4], 2
    look ENTRY, 20
    mov dword ptr [ENTRY + 4], FRAMES + 0x1000 + 5
    invlpg [WINDOW + 0x1000]
    mov dword ptr [resume], offset refused
    mov dword ptr [WINDOW + 0x1000], 1
refused:
    look ENTRY + 4, 24
    mov dword ptr [DIRECTORY + 8], 0x400087     # a large page
    mov eax, cr3
    mov cr3, eax
    mov eax, [0xa00000]
    look DIRECTORY + 8, 28
    mov dword ptr [0xa00000], 5
    look DIRECTORY + 8, 32
""",
        kind,
        paging=True,
    )
    flags = [value & 0xFF for value in seen(session, 9)]
    assert flags == [0x07, 0x27, 0x67, 0x27, 0x27, 0x67, 0x05, 0xA7, 0xE7]


@each_kind
def test_a_changed_entry_counts_from_invlpg_and_another_address_space_from_cr3(kind: str) -> None:
    session = ran_equal(
        """
    mov dword ptr [WINDOW], 1                   # frame 0 of the window
    mov dword ptr [WINDOW + 0x1000], 2          # frame 1
    mov dword ptr [WINDOW_ENTRY], FRAMES + 0x1000 + 7
    invlpg [WINDOW]
    mov eax, [WINDOW]
    mov [seen], eax
    # another directory with another table for the window: both pages are frame 0
    mov dword ptr [0x405000], TABLE_0 + 7
    mov dword ptr [0x405004], 0x406007
    mov dword ptr [0x406200], FRAMES + 7
    mov dword ptr [0x406204], FRAMES + 7
    mov eax, 0x405000
    mov cr3, eax
    mov eax, [WINDOW]
    add eax, [WINDOW + 0x1000]
    mov [seen + 4], eax
    mov eax, DIRECTORY
    mov cr3, eax
    mov eax, [WINDOW]
    mov [seen + 8], eax
""",
        kind,
        paging=True,
    )
    assert seen(session, 3) == [2, 2, 2]


@pytest.mark.parametrize("kind", ["trap_emulate", "translation"])
def test_page_faults_of_the_guest_and_hidden_ones_are_counted_apart(kind: str) -> None:
    session = ran_equal(
        """
    mov dword ptr [resume], offset gone
    mov eax, [0xd0000000]                       # nothing there: the guest's own
gone:
    mov eax, [WINDOW + 0x3000]                  # first touched: the shadow's
    mov eax, [WINDOW + 0x3004]
    mov dword ptr [WINDOW_ENTRY + 0x10], 0      # a write to a traced page table
""",
        kind,
        paging=True,
    )
    causes = session.traps.causes
    touched = [trap for trap in session.traps.recent() if "0x483000" in trap.instruction]
    assert causes[Cause.PAGE_FAULT_TRUE] == len(log(session)) == 1
    assert [trap.cause for trap in touched] == [Cause.PAGE_FAULT_HIDDEN]
    assert causes[Cause.TRACE] >= 1


@each_kind
def test_operands_of_emulated_instructions_go_through_segments_and_pages(kind: str) -> None:
    """Segment bases, scaled indexes, page borders; and the page fault where one is missing, with nothing changed."""
    session = ran_equal(
        """
.macro refused at, instruction:vararg
    mov dword ptr [resume], offset \\at
    \\instruction
\\at:
.endm
    mov ax, NARROW_DATA
    mov fs, ax
    mov ebx, offset idt_register
    sub ebx, offset narrow
    sub ebx, 16
    mov ecx, 4
    lidt fs:[ebx + ecx * 4]
    mov eax, [idt_register]
    mov [WINDOW + 0xffd], eax                   # across two pages
    mov ax, [idt_register + 4]
    mov [WINDOW + 0x1001], ax
    lidt [WINDOW + 0xffd]
    mov dword ptr [WINDOW_ENTRY + 8], 0
    invlpg [WINDOW + 0x2000]
    refused r1, lgdt [WINDOW + 0x1ffd]
    refused r2, lidt [WINDOW + 0x2000]
    refused r3, lldt word ptr [WINDOW + 0x1fff]
    refused r4, ltr word ptr [WINDOW + 0x2ffe]
    refused r5, lmsw word ptr [WINDOW + 0x2004]
    mov edi, 0x1234
    refused r6, les edi, [WINDOW + 0x1ffb]
    mov [seen], edi
    mov byte ptr [WINDOW + 0x10], 0x10
    mov byte ptr [WINDOW + 0x11], 0
    lldt word ptr [seen + 8]                    # null
    mov esi, WINDOW
    mov gs, [esi + 0x10]
    mov word ptr [seen + 4], gs
""",
        kind,
        paging=True,
    )
    assert [(noted.vector, noted.error) for noted in log(session)] == [(Vector.PF, 0)] * 6
    assert [noted.cr2 for noted in log(session)] == [0x482000] * 3 + [0x482FFE, 0x482004, 0x482000]
    assert seen(session, 2) == [0x1234, 0x10]
