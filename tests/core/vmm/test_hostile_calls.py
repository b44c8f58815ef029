"""What single hypercalls of a hostile guest once won: stale code, a handler in no code segment, no end of work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.events import Cause
from core.session import Session
from tests.core.vmm.paravirt_counts import assert_counts
from tests.core.vmm.test_hypercalls import ENTRY, ran, results


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


# EDI: the machine address of `fn`
ADDRESS_OF_FN = """
    mov edi, offset fn
    shr edi, 12
    mov eax, [start_page]
    mov eax, [eax + 48]
    mov edi, [eax + 4 * edi]
    shl edi, 12
    mov eax, offset fn
    and eax, 0xfff
    add edi, eax
"""
FN = """
    jmp done
    .balign 16
fn: mov al, 0x11
    ret
    nop
"""


@pytest.mark.parametrize(
    "overwrite",
    [
        """
    mov [updates], edi
    mov dword ptr [updates + 8], 0xc3c322b0
    hypercall 1, "offset updates", 1
    """,
        """
    mov ebx, edi
    mov eax, 10
    xor ecx, ecx
    mov edx, 0xc3c322b0
    xor esi, esi
    int 0x82
    """,
    ],
    ids=["mmu_update", "update_descriptor"],
)
def test_code_that_a_hypercall_overwrites_runs_as_it_stands_then(session: Session, overwrite: str) -> None:
    call = "xor eax, eax\ncall fn\nmov [results + {}], eax\n"
    ran(session, ADDRESS_OF_FN + call.format(0) + overwrite + call.format(4) + FN)
    assert results(session)[:2] == (0x11, 0x22)


@pytest.mark.parametrize("now", [0x00CF_9200, 0x00CF_FA00], ids=["data", "of ring 3"])
def test_a_handlers_segment_that_is_no_code_of_ring_1_any_more_is_not_entered(session: Session, now: int) -> None:
    code = (
        ENTRY
        + f"""
    mov dword ptr [0xe00008], 0x0000ffff
    mov dword ptr [0xe0000c], 0x00cfba00        # code of ring 1
    mov [updates], ebp
    shl ebp, 12
    lea ecx, [ebp + 1]
    hypercall 14, 0xe00000, ecx, 2
    hypercall 2, "offset updates", 2
    hypercall 0, "offset table"
    mov [results], eax
    lea ebx, [ebp + 8]
    mov eax, 10
    xor ecx, ecx
    mov edx, 0x0000ffff
    mov esi, {now:#x}
    int 0x82
    mov [results + 4], eax
    mov ebp, 1
    ud2
handler:
    jmp done
    .balign 4
table: .byte 6, 0
    .word 0x09
    .long handler, 0, 0
"""
    )
    ran(session, code)
    assert results(session)[:2] == (0, 0)
    assert session.end is not None
    assert "cannot take #UD" in session.end.sentence


def test_the_timer_of_a_guest_that_bound_no_channel_posts_nothing(session: Session) -> None:
    code = """
    hypercall 15, 100000, 0
    mov ecx, 30000
wait:
    dec ecx
    jnz wait
    mov eax, [start_page]
    mov ecx, [eax + 36]
    shl ecx, 12
    or ecx, 3
    hypercall 14, "offset updates", ecx, 2        # the shared page
    mov eax, [updates + 0x800]
    mov [results], eax
    """
    vmm = ran(session, code)
    assert session.traps.causes[Cause.INTERRUPT] >= 1
    assert vmm.state.deadline is None
    assert results(session)[0] == 0


def test_one_departure_does_no_more_work_than_a_bound(session: Session) -> None:
    """A multicall of batches would otherwise be the product of both numbers."""
    code = (
        ENTRY
        + """
    shl ebp, 12
    mov edx, 0xd00000                           # 4096 updates of one plain word
    mov ecx, 4096
update:
    mov [edx], ebp
    add edx, 16
    dec ecx
    jnz update
    mov edx, 0xc00000                           # 64 calls of all these
    mov ecx, 64
each:
    mov dword ptr [edx], 1
    mov dword ptr [edx + 8], 0xd00000
    mov dword ptr [edx + 12], 4096
    add edx, 32
    dec ecx
    jnz each
    hypercall 13, 0xc00000, 64
    mov [results], eax
    mov eax, [0xc00004]
    mov [results + 4], eax
    mov eax, [0xc00004 + 63 * 32]
    mov [results + 8], eax
    hypercall 1, 0xd00000, 4096                 # the next departure has its own
    mov [results + 12], eax
    """
    )
    vmm = ran(session, code)
    assert results(session)[:4] == (-16, 0, 0, 0)
    assert_counts(vmm)
