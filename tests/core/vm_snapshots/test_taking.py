"""Taking a snapshot changes nothing; a VM that goes on from one is the VM that was never stopped, under any kind."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cpu.virtual_cpu import VirtualCpu
from core.events import StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.image import Program
from core.lab.fingerprint import fingerprint
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kinds_for
from tests.cosim.random_programs import armed_programs, build, paged_programs

KINDS = list(kinds_for())
MEMORY = 8 * MIB
LIMIT = 10_000
SESSION = Session(recording=False)
BUSY_BIT = 1 << 9  # of a TSS in TR: the CPU keeps the type as LTR read it, or as it marked it
# ticks of the timer interrupt it at moments that depend on nothing but virtual time; FPU and halting included
TICKS = """
        mov eax, offset tick
        mov [idt + 0x20 * 8], ax
        mov word ptr [idt + 0x20 * 8 + 2], 8
        mov word ptr [idt + 0x20 * 8 + 4], 0x8E00
        shr eax, 16
        mov [idt + 0x20 * 8 + 6], ax
        lidt [idtr]
        mov esi, offset setup
        mov ecx, 8
        xor edx, edx
next:   mov dl, [esi]
        mov al, [esi + 1]
        out dx, al
        add esi, 2
        loop next
        fninit
        fldpi
        sti
again:  inc ebx
        fld1
        faddp
        cli
        mov eax, [ticks]
        sti
        cmp eax, 12
        jb again
sleep:  hlt
        cmp dword ptr [ticks], 16
        jb sleep
        cli
        fstp qword ptr [sum]
        mov eax, ebx
        mov dx, 0xF4
        out dx, eax
tick:   push eax
        push edx
        mov eax, [ticks]
        mov [when + eax * 4], ebx
        inc dword ptr [ticks]
        mov dx, 0x3F8
        mov al, bl
        out dx, al
        mov al, 0x20
        out 0x20, al
        pop edx
        pop eax
        iretd
setup:  .byte 0x20, 0x11, 0x21, 32, 0x21, 4, 0x21, 1, 0x21, 0xFE, 0x43, 0x34, 0x40, 7, 0x40, 0
        .balign 8
idtr:   .word 33 * 8 - 1
        .long idt
ticks:  .long 0
sum:    .quad 0
when:   .fill 32, 4, 0
idt:    .fill 33, 8, 0
"""


def as_a_guest_sees(snapshot: VmSnapshot) -> VmSnapshot:
    """Without who monitored it, and what it was called; nor where the FPU's last instruction really ran, which a
    deprivileged guest sees."""
    *others, task = snapshot.cpu.segments
    fpu = replace(snapshot.cpu.fpu, pointers=())
    cpu = replace(snapshot.cpu, segments=(*others, task._replace(flags=task.flags | BUSY_BIT)), fpu=fpu)
    return replace(snapshot, letter="", kind="", cpu=cpu)


def differences(one: VmSnapshot, other: VmSnapshot) -> list[str]:
    """The parts in which two instants differ."""
    pair = as_a_guest_sees(one), as_a_guest_sees(other)
    parts = [(each.name, *(getattr(one, each.name) for one in pair)) for each in fields(VmSnapshot)]
    parts += [(each.name, *(getattr(one.cpu, each.name) for one in pair)) for each in fields(VirtualCpu)]
    return [f"{name}: {str(a)[:200]}, not {str(b)[:200]}" for name, a, b in parts if a != b and name != "cpu"]


@pytest.mark.parametrize("kind", KINDS)
def test_taking_changes_nothing(kind: str) -> None:
    session = Session(history=Recording())
    session.load(load_program("pebble-clean"), kind, command_line="run=hello")
    session.run(101_234)
    now = (
        fingerprint(session.hypervisor, session.registers(), session.traps),
        session.timeline.now,
        session.travel.journal,
    )
    one, two = session.snapshots.now(), session.snapshots.now()
    assert one == two
    assert now == (
        fingerprint(session.hypervisor, session.registers(), session.traps),
        session.timeline.now,
        session.travel.journal,
    )
    session.close()


def uninterrupted(session: Session, program: Program, kind: str, at: int) -> tuple[VmSnapshot, VmSnapshot]:
    """The VM after `at` instructions, and at its end."""
    session.load(program, kind, memory=MEMORY)
    session.run(at)
    taken = session.snapshots.now()
    session.run(LIMIT - at)
    return taken, session.snapshots.now()


@cache
def ticking() -> Program:
    return assemble(TICKS, "ticks.s")


@given(st.integers(0, 1_900), st.sampled_from(KINDS), st.sampled_from(KINDS))
@settings(max_examples=40)
def test_a_vm_goes_on_from_any_instant_as_if_never_stopped(at: int, kind: str, other: str) -> None:
    taken, end = uninterrupted(SESSION, ticking(), kind, at)
    SESSION.power_on_from(taken, other)
    assert differences(taken, SESSION.snapshots.now()) == []
    SESSION.run(LIMIT - at)
    assert differences(end, SESSION.snapshots.now()) == []
    assert len(SESSION.console) == 16
    assert SESSION.end is not None


@given(paged_programs, st.integers(1, 4_000), st.sampled_from(KINDS), st.sampled_from(KINDS))
@settings(max_examples=40)
def test_so_do_random_programs_with_paging(
    program: tuple[list[bytes], int | None], at: int, kind: str, other: str
) -> None:
    taken, end = uninterrupted(SESSION, build(*program, paging=True), kind, at)
    SESSION.power_on_from(taken, other)
    SESSION.run(LIMIT - at)
    assert differences(end, SESSION.snapshots.now()) == []


@given(armed_programs, st.integers(730, 1_500), st.sampled_from(KINDS), st.sampled_from(KINDS))
@settings(max_examples=30)
def test_so_do_programs_that_have_armed_breakpoints(
    program: tuple[list[bytes], int | None], at: int, kind: str, other: str
) -> None:
    taken, end = uninterrupted(SESSION, build(*program), kind, at)
    SESSION.power_on_from(taken, other)
    SESSION.run(LIMIT - at)
    assert differences(end, SESSION.snapshots.now()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_between_an_interrupt_and_its_handler_is_an_instant_too(kind: str) -> None:
    session = Session(history=Recording())
    session.load(ticking(), kind, memory=MEMORY)
    session.breakpoints = frozenset({ticking().symbols["tick"]})
    for _ in range(3):
        assert session.run() is StopReason.BREAKPOINT
    taken = session.snapshots.now()
    assert taken.interrupted
    session.breakpoints = frozenset()
    session.run()
    end = session.snapshots.now()
    session.close()
    for other in KINDS:
        SESSION.power_on_from(taken, other)
        SESSION.run(LIMIT)
        assert differences(end, SESSION.snapshots.now()) == []
