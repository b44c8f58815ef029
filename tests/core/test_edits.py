"""What a person changes in registers and memory is what the guest goes on with, under every kind, and can be undone."""

from __future__ import annotations

import pytest

from core.errors import RequestError
from core.events import StopReason
from core.guests.catalog import load_program
from core.lab.lab import Lab
from core.looks import Space
from core.rewind import look
from core.session import Session
from core.timeline.timeline import Recording
from tests.core.test_session import each_kind
from tests.core.timeline.test_timeline import DENSE, recorded, run_to

SPIN = """
    mov ecx, 100
again: add ebx, ecx
    loop again
    mov al, [letter]
    out 0xe9, al
    mov edx, 0x3f8
    out dx, al
    hlt
.data
letter: .byte 'a'
"""


def believed(session: Session, name: str) -> int:
    return next(each.believed for each in session.registers() if each.name == name)


def at(session: Session, label: str) -> int:
    assert session.program is not None
    return session.program.symbols[label]


@each_kind
def test_the_guest_goes_on_with_what_was_set(kind: str) -> None:
    session = recorded(SPIN, kind)
    session.step(11)
    session.inputs.edit_register("ECX", 1)
    session.inputs.edit_register("EBX", 0xFFFF_FFFF)
    session.inputs.edit_memory(Space.LINEAR, at(session, "letter"), b"z")
    before = session.executed
    assert session.run() in (StopReason.WAITING, StopReason.ENDED)
    assert session.console == b"z"
    assert session.executed - before < 12
    assert believed(session, "EBX") == 0


@each_kind
def test_code_that_is_changed_runs_changed_though_it_ran_before(kind: str) -> None:
    session = recorded(SPIN, kind)
    session.step(40)
    session.inputs.edit_memory(Space.LINEAR, at(session, "again"), b"\x90\x90")  # add ebx, ecx → nop, nop
    before = believed(session, "EBX")
    session.run()
    assert believed(session, "EBX") == before == sum(range(81, 101))


@each_kind
def test_flags_and_the_pointer_can_be_set(kind: str) -> None:
    session = recorded("cmp eax, eax\njne other\nmov esi, 1\nhlt\nother: mov esi, 2\nhlt", kind)
    session.step()
    session.inputs.edit_register("EFLAGS", 0)  # no ZF
    session.run()
    assert believed(session, "ESI") == 2
    session.travel.go_to(1)
    session.inputs.edit_register("EIP", at(session, "other"))
    session.step()
    assert believed(session, "ESI") == 2


@each_kind
def test_an_edit_is_part_of_the_past_and_can_be_undone(kind: str) -> None:
    session = recorded(SPIN, kind)
    session.step(7)
    before = look(session)
    session.inputs.edit_register("ECX", 5)
    session.inputs.edit_memory(Space.LINEAR, at(session, "letter"), b"q")
    edited = look(session)
    assert before.differences(edited)
    session.run()
    end, console = look(session), session.console
    session.travel.go_to(3)
    run_to(session, session.timeline.branch.reached.executed)
    assert end.differences(look(session)) == []
    assert session.console == console == b"q"
    session.travel.undo()
    session.travel.undo()
    assert before.differences(look(session)) == []
    assert session.sentence.startswith("Undone: ECX of VM A set to 0x5.")


def test_an_edit_survives_saving(tmp_path: object) -> None:
    session = recorded(SPIN)
    session.step(7)
    session.inputs.edit_register("ECX", 5)
    session.step(3)
    lab: Lab = session.lab.facts()
    again = Session(history=Recording())
    again.lab.open(lab)
    assert again.lab.facts() == lab


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: s.inputs.edit_register("CR3", 0), "own instructions must load it"),
        (lambda s: s.inputs.edit_register("EAX", 1 << 32), "does not fit"),
        (lambda s: s.inputs.edit_memory(Space.LINEAR, 0xF000_0000, b"x"), "no memory"),
        (lambda s: s.inputs.edit_memory(Space.PHYSICAL, 0x1000_0000, b"x"), "no memory"),
        (lambda s: s.inputs.edit_memory(Space.HOST, 0x10_0000, b"x"), "Choose a linear or guest-physical address"),
    ],
)
def test_what_cannot_be_set_is_said_and_changes_nothing(change: object, why: str) -> None:
    session = recorded(SPIN, "trap_emulate")
    session.step(5)
    before, journal = look(session), session.travel.journal
    with pytest.raises(RequestError, match=why):
        change(session)  # type: ignore[operator]
    assert before.differences(look(session)) == []
    assert session.travel.journal == journal


def test_a_page_table_of_a_paravirtual_guest_is_the_monitors_to_change() -> None:
    session = Session(history=DENSE)
    session.load(load_program("pebble-pv"), "paravirt")
    session.run(50_000)
    with pytest.raises(RequestError, match="page"):
        session.inputs.edit_memory(Space.PHYSICAL, session.vmm.guest.paging.cr3, b"\0")


@each_kind
def test_a_page_table_that_is_edited_counts_at_once(kind: str) -> None:
    session = recorded(
        """
        mov edi, 0x110000
        mov dword ptr [edi], 0x83
        mov dword ptr [edi + 4], 0x111007
        mov dword ptr [0x111000], 0x300007
        mov dword ptr [0x300000], 1
        mov dword ptr [0x301000], 2
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov cr3, edi
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        mov ebx, [0x400000]
        mov ecx, [0x400000]
        hlt
        """,
        kind,
    )
    session.step(14)
    session.inputs.edit_memory(Space.PHYSICAL, 0x11_1001, b"\x10\x30")
    session.run()
    assert (believed(session, "EBX"), believed(session, "ECX")) == (1, 2)
