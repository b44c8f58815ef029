"""What each hypercall does for a small guest in assembly, and what it refuses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.addresses import PAGE_SHIFT, GuestPhysical
from core.events import Cause, EndHow, Ring
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.image import Interface
from core.layout import PARAVIRT_START
from core.session import Session
from core.vmm.paravirt import Paravirt
from tests.core.vmm.paravirt_counts import assert_counts, monitor


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


HEAD = """
    .macro hypercall number, a=0, b=0, c=0, d=0
    mov eax, \\number
    mov ebx, \\a
    mov ecx, \\b
    mov edx, \\c
    mov esi, \\d
    int 0x82
    .endm
start:
    mov [start_page], esi
"""
TAIL = """
done:
    hypercall 29, 2, "offset status"
    .balign 4096
status: .long 0, 0
start_page: .long 0
results: .long 0, 0, 0, 0, 0, 0, 0, 0
    .balign 4096
updates: .skip 4096
"""


def ran(session: Session, code: str) -> Paravirt:
    program = replace(assemble(HEAD + code + TAIL, "guest.s"), interface=Interface.PARAVIRT)
    session.load(program, "paravirt")
    session.run(100_000)
    return monitor(session)


def results(session: Session) -> tuple[int, ...]:
    assert session.program is not None
    at = session.program.symbols["results"]
    return struct.unpack("<8i", session.vmm.physical.read(GuestPhysical(at), 32))


# EDI: the machine address of the entry that maps page 0xE00; EBP: that page's frame number
ENTRY = """
    mov eax, [start_page]
    mov ebx, [eax + 40]         # the directory, one to one
    mov edx, [ebx + 12]         # its entry for the fourth 4 MiB
    and edx, 0xfffff000
    lea edi, [edx + 4 * 0x200]
    mov ecx, [eax + 48]         # the list of frames
    mov ebp, [ecx + 4 * 0xe00]
"""


def test_batches_cost_one_departure_where_single_calls_cost_one_each(session: Session) -> None:
    fill = (
        ENTRY
        + """
    xor ecx, ecx
fill:
    mov edx, ecx
    shl edx, 4
    lea eax, [edi + 4 * ecx]
    mov [updates + edx], eax
    mov dword ptr [updates + edx + 8], 0
    inc ecx
    cmp ecx, 32
    jb fill
"""
    )
    single = (
        fill
        + """
    xor ebp, ebp
again:
    lea eax, [updates + ebp]
    hypercall 1, eax, 1
    add ebp, 16
    cmp ebp, 32 * 16
    jb again
"""
    )
    counts = {}
    for name, code in (("single", single.replace("hypercall 1, eax, 1", SINGLE)), ("batch", fill + BATCH)):
        vmm = ran(session, code)
        assert session.end is not None
        assert session.end.how is EndHow.EXIT
        assert not vmm.types.references[0xE00:0xE20].any()  # each of the 32 pages is mapped no more
        counts[name] = session.traps.causes[Cause.HYPERCALL]
    assert counts == {"single": 33, "batch": 2}


SINGLE = "mov ebx, eax\nmov eax, 1\nmov ecx, 1\nxor edx, edx\nint 0x82"
BATCH = 'hypercall 1, "offset updates", 32\n'


def test_no_guest_maps_a_frame_that_is_not_its_own_nor_writes_its_page_tables(session: Session) -> None:
    code = (
        ENTRY
        + """
    mov [updates], edi
    mov dword ptr [updates + 8], 0x00000003     # frame 0: the host's
    hypercall 1, "offset updates", 1
    mov [results], eax
    mov eax, edi
    and eax, 0xfffff000
    or eax, 3
    mov [updates + 8], eax                      # the page table itself, to be written
    hypercall 1, "offset updates", 1
    mov [results + 4], eax
    and dword ptr [updates + 8], 0xfffffffd     # to be read
    hypercall 1, "offset updates", 1
    mov [results + 8], eax
    mov eax, [start_page]
    mov ebx, [eax + 40]
    hypercall 14, 0xffc00000, 0, 0              # the monitor's region
    mov [results + 12], eax
    mov eax, [0xe00000 + 4 * 0x200]             # read the table through its new mapping
    mov [results + 16], eax
    mov dword ptr [0xe00000], 0                 # and write it
    """
    )
    vmm = ran(session, code)
    assert results(session)[:4] == (-1, -16, 0, -1)
    assert results(session)[4] & 0xFFFF_FFFF == vmm.types.words(results(session)[4] >> PAGE_SHIFT & 0xFFFFF)[0x200]
    assert session.end is not None
    assert "no handler for #PF" in session.end.sentence
    last = session.traps.last
    assert last is not None
    assert last.cause is Cause.PAGE_FAULT_TRUE
    assert_counts(vmm)


def test_a_program_cannot_call_the_hypervisor(session: Session) -> None:
    code = """
    mov eax, offset user
    shr eax, 12
    mov ecx, [start_page]
    mov ecx, [ecx + 48]
    mov ecx, [ecx + 4 * eax]
    shl ecx, 12
    or ecx, 5
    hypercall 14, "offset user", ecx, 2         # a page that ring 3 may read
    mov eax, offset user
    push 0xe033
    push 0x300000
    push 0x202
    push 0xe02b
    push eax
    push 0
    hypercall 23
    .balign 4096
user:
    int 0x82
    .balign 4096
    """
    ran(session, code)
    last = session.traps.last
    assert last is not None
    assert (last.ring_from, last.vector) == (Ring.USER, 0x82)
    assert session.end is not None
    assert "no handler for #GP" in session.end.sentence
    assert session.traps.causes[Cause.HYPERCALL] == 2


def test_a_guest_that_enters_virtual_8086_mode_by_itself_is_stopped_in_words(session: Session) -> None:
    """IRET enters it even in ring 1."""
    code = """
    .irp value, 0, 0, 0, 0, 0, 0x8000, 0x20202, 0, 0x9000
    push \\value
    .endr
    iretd
    """
    ran(session, code)
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "virtual-8086" in session.end.sentence


def test_descriptors_of_the_guests_own_are_taken_without_ring_0_and_without_gates(session: Session) -> None:
    code = (
        ENTRY
        + """
    mov dword ptr [0xe00008], 0x0000ffff
    mov dword ptr [0xe0000c], 0x00cf9200        # flat data, DPL 0
    mov [updates], ebp
    hypercall 2, "offset updates", 2
    mov [results], eax                          # its page can still be written: refused
    mov eax, ebp
    shl eax, 12
    or eax, 1
    mov ecx, eax
    hypercall 14, 0xe00000, ecx, 2
    hypercall 2, "offset updates", 2
    mov [results + 4], eax
    mov ax, 0x09
    mov es, ax
    mov eax, es:[start_page]
    mov [results + 8], eax
    mov eax, ebp
    shl eax, 12
    add eax, 16
    mov ebx, eax
    mov eax, 10
    xor ecx, ecx
    mov edx, 0x00080000
    mov esi, 0x0000ee00                         # a gate
    int 0x82
    mov [results + 12], eax
    hypercall 2, 0, 0
    mov [results + 16], eax
    """
    )
    vmm = ran(session, code)
    assert results(session)[:5] == (-16, 0, PARAVIRT_START, -22, 0)
    assert vmm.types.words(vmm.physical.frames[0xE00] >> PAGE_SHIFT)[3] == 0x00CF_B300
    assert_counts(vmm)


def test_an_event_that_came_while_masked_is_delivered_when_the_guest_asks(session: Session) -> None:
    code = """
    hypercall 4, 0xe019, "offset upcall", 0xe019, "offset upcall"
    mov eax, [start_page]
    mov ecx, [eax + 36]
    shl ecx, 12
    or ecx, 3
    hypercall 14, "offset updates", ecx, 2        # the shared page
    mov dword ptr [results], 0
    hypercall 32, 1, "offset bind"
    mov eax, [bind + 8]
    mov [channel], eax
    hypercall 32, 9, "offset channel"
    hypercall 15, 100, 0                        # long past
    mov eax, [results]
    mov [results + 4], eax                      # masked: nothing came
    mov byte ptr [updates + 1], 0
    hypercall 17
    mov eax, [results]
    mov [results + 8], eax
    hypercall 15, 10000000, 0
    hypercall 29, 1                             # sleep until it comes
    mov eax, [results]
    mov [results + 12], eax
    jmp done
upcall:
    inc dword ptr [results]
    mov byte ptr [updates], 0
    mov dword ptr [updates + 0x800], 0
    push eax
    mov eax, 23
    int 0x82
bind: .long 0, 0, 0
channel: .long 0
    """
    ran(session, code)
    assert session.end is not None
    assert session.end.how is EndHow.EXIT
    assert results(session)[1:4] == (0, 1, 2)
    assert session.time >= 1_000_000


def test_operations_that_there_are_not_are_told_so(session: Session) -> None:
    ran(session, 'hypercall 29, 77, "offset status"\nmov [results], eax\nhypercall 99\nmov [results + 4], eax\n')
    assert results(session)[:2] == (-38, -38)


def test_where_a_run_is_interrupted_makes_no_difference(session: Session) -> None:
    ends = []
    for stride in (None, 977):
        session.load(load_program("pebble-pv"), "paravirt", command_line="run=greedy 40")
        while session.end is None:
            session.run(stride)
        ends.append((session.executed, session.time, session.traps.count, session.console))
    assert ends[0] == ends[1]
