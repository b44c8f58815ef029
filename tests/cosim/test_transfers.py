"""Call gates and task switches: carried out by the CPU on bare, by the monitor under deprivileging, to the same end."""

from __future__ import annotations

import struct

import pytest

from core.cpu.context import Gpr
from core.guests.assembler import assemble
from core.session import Session
from core.vmm import kinds_for
from tests.cosim.equality import Pair
from tests.cosim.random_programs import SCRATCH, build

KINDS = list(kinds_for())
PAIR = Pair()
TO_RING_3 = bytes.fromhex("6a23 680000 2f00 6802020000 6a1b 68".replace(" ", "")) + b"SLOT\xcf"
PUSH_TWO = b"\x6a\x05\x6a\x06"


def call(selector: int) -> bytes:
    return b"\x9a\0\0\0\0" + struct.pack("<H", selector)


def jump(selector: int) -> bytes:
    return b"\xea\0\0\0\0" + struct.pack("<H", selector)


def ran(pieces: list[bytes], kind: str, *, paging: bool = False) -> Session:
    """The session after the program ran, having been the same as on bare."""
    program = build(pieces, None, paging=paging)
    assert PAIR.differences(program, [kind]) == []
    return PAIR.session


def count(session: Session, name: str) -> int:
    assert session.program is not None
    return int.from_bytes(session.read_memory(session.program.symbols[name], 4), "little")


@pytest.mark.parametrize("paging", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_gate_leads_from_ring_3_to_ring_0_and_back(kind: str, paging: bool) -> None:
    session = ran([TO_RING_3, call(0x63), b"\x40"], kind, paging=paging)
    assert count(session, "gate_count") == 1


@pytest.mark.parametrize("load", ["8ec0", "8ed8", "8ee0", "8ee8"], ids=["es", "ds", "fs", "gs"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_null_selector_that_names_ring_3_goes_outward_as_the_cpu_has_it(kind: str, load: str) -> None:
    """In ES and DS it becomes 0, in FS and GS it stays."""
    ran([b"\x66\xb8\x03\0" + bytes.fromhex(load), TO_RING_3], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_copied_to_the_inner_stack_and_dropped_from_both(kind: str) -> None:
    session = ran([TO_RING_3, PUSH_TWO + call(0x6B), b"\x89\x25" + struct.pack("<I", SCRATCH)], kind)
    assert count(session, "gate_count") == 1
    assert session.read_memory(SCRATCH, 4) == struct.pack("<I", 0x2F0000)
    assert count(session, "parameter") == 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_gate_is_passed_within_ring_0_by_call_and_by_jump(kind: str) -> None:
    session = ran([call(0x60), b"\x6a\x08\x68SLOT" + jump(0x60)], kind)
    assert count(session, "gate_count") == 2


@pytest.mark.parametrize("selector", [0x78, 0x7B])
@pytest.mark.parametrize("kind", KINDS)
def test_a_gate_that_is_not_for_the_caller_is_refused(kind: str, selector: int) -> None:
    session = ran([TO_RING_3, call(selector)], kind)
    assert count(session, "gate_count") == 0
    assert count(session, "log") == 13


@pytest.mark.parametrize("paging", [False, True])
@pytest.mark.parametrize("way", [call(0x88), call(0x90), b"\xcd\x3e"], ids=["tss", "task gate", "interrupt"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_was_called_returns_to_its_caller(kind: str, way: bytes, paging: bool) -> None:
    session = ran([b"\xb8\x34\x12\0\0", way, way, b"\x40"], kind, paging=paging)
    assert count(session, "task_count") == 2
    assert session.end is not None
    assert session.end.status == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_was_jumped_to_does_not_return(kind: str) -> None:
    session = ran([jump(0x88), b"\xf4"], kind)
    assert count(session, "task_count") == 1
    assert count(session, "log") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_monitor_keeps_a_page_table_shadowed_while_it_pushes_a_frame_over_it(kind: str) -> None:
    """INT with its stack in a page table: three entries of the window are overwritten, one is then used."""
    used = b"\xa1" + struct.pack("<I", 0x480000)
    spoiled = b"\x0f\x01\x3d" + struct.pack("<I", 0x480000) + b"\xbc" + struct.pack("<I", 0x40220C) + b"\xcd\x3d"
    session = ran([used, spoiled, used], kind, paging=True)
    assert count(session, "log") == 0x3D
    assert session.read_memory(session.program.symbols["log"] + 24, 4) == b"\x0e\0\0\0"  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_an_fpu_that_the_guest_has_switched_off_is_refused_as_on_bare(kind: str) -> None:
    """LMSW sets EM and clears TS; MOVAPS is then #UD, though the monitor still keeps the FPU."""
    session = ran([b"\x66\xb8\x07\0\x0f\x01\xf0", b"\x0f\x28\x05" + struct.pack("<I", 0x200000)], kind)
    assert count(session, "log") == 6


@pytest.mark.parametrize("flags", ["add ebx, ecx", "sub ebx, ecx", "shl ebx, 3", "imul ebx, ecx", "neg ebx"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_instruction_that_faults_leaves_the_flags_as_they_were(kind: str, flags: str) -> None:
    """The store goes to the GDT's page, which some kinds trace; LAHF then reads what the arithmetic has left."""
    program = assemble(FLAGS.replace("ARITHMETIC", flags), "flags.s")
    session = PAIR.session
    answers = []
    for each in ("bare", kind):
        session.load(program, each)
        session.run(10_000)
        answers.append((session.end, session.vmm.guest.reg(Gpr.ESI)))
    assert answers[0] == answers[1]


FLAGS = """
_start:
    lgdt [gdt_register]
    mov ecx, 40
    xor esi, esi
next:
    imul ebx, ecx, 0x12345671
    ARITHMETIC
    mov [there], ebx
    lahf
    seto dl
    xor esi, eax
    rol esi, 3
    add esi, edx
    loop next
    mov al, 0
    out 0xf4, al
.data
.balign 4096
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_register:
    .word 23
    .long gdt
there:
    .long 0
"""
