"""Exits in the middle of a delivery: EXITINTINFO says what was cut short, and the hypervisor injects it again."""

from __future__ import annotations

from typing import cast

import pytest

from core.addresses import GuestPhysical
from core.guests.assembler import assemble
from core.session import Session
from core.vmm.event_field import from_field, to_field
from core.vmm.hardware import Hardware
from core.vmm.intercepts import Exit

STACK = 0x600000  # in two megabytes of which nothing was touched
TEXT = f"""
.globl _start
_start: jmp begin
handler: inc dword ptr [count]
        hlt
begin:  mov eax, offset handler
        .irp vector, 6, 13, 0x30
        mov [idt + 8 * \\vector], ax
        .endr
        lidt [idtr]
        mov esp, {STACK}
        {{before}}
raise:  {{event}}
        hlt
        .align 8
idt:    .rept 64
        .quad 0x00108e0000080000
        .endr
idtr:   .word 511
        .long idt
count:  .long 0
"""
UD, GP, INT_30 = 1 << 31 | 3 << 8 | 6, 1 << 31 | 1 << 11 | 3 << 8 | 13, 1 << 31 | 4 << 8 | 0x30


def at_the_event(event: str, before: str = "nop", kind: str = "hardware") -> tuple[Session, Hardware]:
    session = Session()
    session.load(assemble(TEXT.format(event=event, before=before), "cut_short.s"), kind)
    assert session.program is not None
    while session.pc != session.program.symbols["raise"]:
        session.step()
    return session, cast(Hardware, session.vmm)


def handled(session: Session) -> int:
    assert session.program is not None
    return int.from_bytes(session.peek(session.program.symbols["count"], 4) or b"", "little")


@pytest.mark.parametrize(("event", "expected"), [("ud2", UD), ("int 0x30", INT_30)])
def test_a_nested_page_fault_cuts_a_delivery_short_and_the_event_is_injected_again(event: str, expected: int) -> None:
    session, vmm = at_the_event(event)
    start = session.pc
    session.step()
    get = vmm.vmcb.get
    assert (get("EXITCODE"), get("EXITINFO1"), get("EXITINFO2")) == (Exit.NPF, 1 << 32 | 6, STACK - 12)
    assert (get("EXITINTINFO"), get("EVENTINJ")) == (expected, expected)
    assert get("RSP") == STACK
    missed, delivered = session.traps.recent()[-2:]
    assert missed.handler == "hypervisor: nested page fault"
    assert "whose delivery it cut short" in missed.outcome
    assert (missed.pc, delivered.pc) == (start, start)
    session.step()
    assert handled(session) == 1


def test_the_same_event_with_all_pages_there_exits_for_nothing() -> None:
    session, vmm = at_the_event("ud2", before="push eax")
    before = session.traps.count
    session.step()
    assert session.traps.count == before + 1
    assert vmm.vmcb.get("EXITINTINFO") == 0


def test_an_intercepted_exception_that_a_delivery_meets_exits_with_both() -> None:
    session, vmm = at_the_event("ud2", before="mov dword ptr [idt + 6 * 8 + 4], 0\npush eax")
    vmm.set_intercept(Exit.EXCEPTION_0 + 13, on=True)
    session.step()
    get = vmm.vmcb.get
    assert (get("EXITCODE"), get("EXITINFO1")) == (Exit.EXCEPTION_0 + 13, 6 * 8 + 3)
    assert get("EXITINTINFO") == UD
    assert get("EVENTINJ") == GP | 6 * 8 + 3 << 32
    session.step(2)
    assert handled(session) == 1


def test_under_shadow_paging_a_page_fault_that_a_delivery_meets_exits_too() -> None:
    paging = "mov dword ptr [0x300000], 0x83\nmov eax, 0x10\nmov cr4, eax\nmov eax, 0x300000\nmov cr3, eax\n"
    before = f"{paging}mov eax, 0x80000011\nmov cr0, eax\nmov esp, {STACK}"
    session, vmm = at_the_event("ud2", before, "hardware_shadow")
    session.step()
    cut = [trap for trap in session.traps.recent() if "was being delivered" in trap.outcome]
    # the stack is mapped nowhere: #PF while #UD was delivered, and again for the #PF, and for the #DF: the end
    assert [trap.handler for trap in cut] == ["hypervisor: #PF page fault"] * 3
    assert vmm.vmcb.get("EXITCODE") == Exit.SHUTDOWN
    assert session.end is not None
    assert "triple" in session.end.sentence.lower()


def test_pages_that_a_delivery_writes_are_learned_as_written() -> None:
    session, vmm = at_the_event("ud2", before="push eax")
    vmm.nested.log_writes()
    session.step()
    assert vmm.nested.written() == {GuestPhysical(STACK - 0x1000)}


def test_a_page_closed_to_writing_stays_closed_after_a_delivery_has_written_to_it() -> None:
    session, vmm = at_the_event("ud2", before="push eax")
    vmm.nested.protect(GuestPhysical(STACK - 0x1000), writable=False)
    session.step()
    assert "which it has closed, through" in session.traps.recent()[-2].outcome
    assert not vmm.nested.lets(GuestPhysical(STACK - 0x1000), write=True)


@pytest.mark.parametrize("field", [UD, GP | 0x50 << 32, INT_30, 1 << 31 | 0x20, 1 << 31 | 2 << 8 | 2])
def test_an_event_is_the_same_after_it_stood_in_a_field(field: int) -> None:
    assert to_field(from_field(field)) == field
