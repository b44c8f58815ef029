"""Registers that the CPU does not put away with a VM: each VM has its own, and time travel and snapshots carry them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.compare import Setting, first_difference
from core.cpu.unsaved_msrs import POWERED_ON
from core.guests.assembler import assemble
from core.guests.image import Program
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from core.vmm import kinds_for

TABLE, SEEN = 0x20_0000, 0x30_0000
VALUES = ((0x1234_5678, 0x9ABC_DEF1), (0xFFFF_FFFF, 0xFFFF_FFFF))


def all_of_them() -> Program:
    """Reads each register, writes each of the values, and reads it again after each."""
    numbers = ", ".join(f"{number:#x}" for number in POWERED_ON)
    steps = "".join(
        f"mov eax, {low:#x}\nmov edx, {high:#x}\nwrmsr\nrdmsr\nmov [edi], eax\nmov [edi + 4], edx\nadd edi, 8\n"
        for high, low in VALUES
    )
    return assemble(f"""
    mov esi, offset numbers
    mov edi, {SEEN:#x}
each:
    mov ecx, [esi]
    rdmsr
    mov [edi], eax
    mov [edi + 4], edx
    add edi, 8
    {steps}
    add esi, 4
    cmp esi, offset behind
    jne each
    hlt
numbers: .long {numbers}
behind:
    """)


@pytest.mark.parametrize("kind", [kind for kind in kinds_for() if kind != "bare"])
def test_a_guest_finds_in_them_what_it_finds_on_bare(kind: str) -> None:
    assert first_difference(Setting(all_of_them(), "", 100_000), kind) is None


@pytest.mark.parametrize("number", [0x200, 0x400])
@pytest.mark.parametrize("kind", [kind for kind, vmm in kinds_for().items() if vmm.hosted])
def test_what_one_vm_writes_no_other_reads(kind: str, number: int) -> None:
    session = Session(recording=False)
    before = POWERED_ON[number]
    writer = assemble(f"mov ecx, {number}\nmov eax, {~before & 0xFFFFFFFF}\nmov edx, eax\nwrmsr\nrdmsr\nloop: jmp loop")
    reader = assemble(f"mov ebx, 500\nwait: dec ebx\njnz wait\nmov ecx, {number}\nrdmsr\nloop: jmp loop")
    session.load(writer, kind, memory=2 * MIB)
    other = session.vms.add(reader, kind, memory=2 * MIB)
    session.run(60_000)
    assert register(session, "EAX") == ~before & 0xFFFF_FFFF
    session.select(other)
    assert (register(session, "EAX"), register(session, "EDX")) == (before & 0xFFFF_FFFF, before >> 32)


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_going_back_and_a_revert_take_back_what_was_written(session: Session, kind: str) -> None:
    session.load(assemble("mov ecx, 0x200\nrdmsr\nmov esi, eax\nmov eax, 7\nwrmsr\nrdmsr\nloop: jmp loop"), kind)
    session.run(1)
    session.snapshots.take("unwritten")
    session.run(200)
    session.snapshots.take("written")
    for come_back in (lambda: session.travel.go_to(1), lambda: session.snapshots.revert("unwritten")):
        come_back()
        session.run(2)
        assert register(session, "ESI") == 0
    session.snapshots.revert("written")
    assert session.vmm.kept_msr(0x200) == 7


def register(session: Session, name: str) -> int:
    return next(each.believed for each in session.registers() if each.name == name)


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(history=Recording(instructions=50, departures=20))
    yield session
    session.close()


def test_many_are_read_at_once_as_one_by_one() -> None:
    session = Session()
    session.load(
        assemble("mov ecx, 0x200\nmov eax, 7\nmov edx, 9\nwrmsr\nmov ecx, 0x2ff\nwrmsr\nloop: jmp loop"), "bare"
    )
    session.step(7)
    cpu = session.machine.cpu
    numbers = tuple(POWERED_ON)
    assert cpu.msrs(numbers) == [cpu.msr(number) for number in numbers]
    assert cpu.msrs((0x2FF, 0x200)) == [0x9_0000_0007, 0x9_0000_0007]
    session.close()
