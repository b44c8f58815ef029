"""Delivery through the IDT, rule by rule of the manual (Intel SDM vol. 3 §6.12–6.15)."""

from __future__ import annotations

import pytest

from core.cpu.context import Gpr, Seg
from core.cpu.delivery import Event, Origin, deliver
from core.cpu.faults import Shutdown, Vector
from core.cpu.guest_cpu import Segment, Table
from tests.core.cpu.rig import (
    CODE,
    CODE_0,
    CODE_1,
    CODE_3,
    CODE_CONFORMING,
    DATA_0,
    DATA_3,
    GDT,
    IDT,
    NOT_PRESENT_CODE,
    NOT_PRESENT_DATA,
    READ_ONLY,
    STACK_0,
    STACK_3,
    TSS,
    TSS_SEL,
    Rig,
    gate,
    handler,
)  # fmt: skip

INT, SOFT, HARD = Origin.EXCEPTION, Origin.SOFTWARE, Origin.EXTERNAL


@pytest.fixture
def rig() -> Rig:
    return Rig()


def soft(rig: Rig, vector: int) -> None:
    """INT n standing at CODE, two bytes long."""
    rig.guest.eip = CODE + 2
    deliver(rig.guest, rig.memory, Event(vector, SOFT), fault_eip=CODE)


def where(rig: Rig) -> tuple[int, int, int]:
    """Ring, CS selector, EIP."""
    return rig.guest.cpl, rig.guest.segment(Seg.CS).selector, rig.guest.eip


def test_an_interrupt_in_ring_0_pushes_flags_cs_eip_on_the_same_stack_and_masks_interrupts(rig: Rig) -> None:
    done = deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert where(rig) == (0, CODE_0, handler(0x20))
    assert rig.guest.reg(Gpr.ESP) == STACK_0 - 12
    assert rig.stack(3) == [CODE, CODE_0, 0x202]
    assert not rig.guest.interrupts_enabled
    assert (done.gate, done.ring_from, done.ring_to) == ("interrupt gate", 0, 0)


def test_a_trap_gate_leaves_interrupts_as_they_were(rig: Rig) -> None:
    rig.set_gate(0x21, gate(0xF, CODE_0, handler(0x21)))
    deliver(rig.guest, rig.memory, Event(0x21, HARD))
    assert rig.guest.interrupts_enabled


def test_tf_nt_and_vm_are_cleared_but_saved(rig: Rig) -> None:
    rig.guest.eflags = 0x202 | 1 << 8 | 1 << 14
    deliver(rig.guest, rig.memory, Event(0x21, HARD))
    assert rig.guest.eflags & (1 << 8 | 1 << 14) == 0
    assert rig.stack(3)[2] & (1 << 8 | 1 << 14) == (1 << 8 | 1 << 14)


@pytest.mark.parametrize("vector", [8, 10, 11, 12, 13, 14, 17])
def test_exceptions_with_an_error_code_push_it_last(rig: Rig, vector: int) -> None:
    deliver(rig.guest, rig.memory, Event(vector, INT, 0x1234 if vector != 8 else 0, 0xDEAD if vector == 14 else None))
    assert rig.stack(4)[:3] == [0x1234 if vector != 8 else 0, CODE, CODE_0]


@pytest.mark.parametrize("vector", [0, 1, 3, 4, 5, 6, 7, 16])
def test_exceptions_without_an_error_code_push_none(rig: Rig, vector: int) -> None:
    deliver(rig.guest, rig.memory, Event(vector, INT, 0x1234))
    assert rig.stack(2) == [CODE, CODE_0]


@pytest.mark.parametrize("vector", [8, 13, 14])
def test_a_software_interrupt_pushes_no_error_code_whatever_its_vector(rig: Rig, vector: int) -> None:
    soft(rig, vector)
    assert rig.stack(2) == [CODE + 2, CODE_0]


def test_a_page_fault_sets_cr2(rig: Rig) -> None:
    deliver(rig.guest, rig.memory, Event(14, INT, 2, 0x1234_5678))
    assert rig.guest.cr(2) == 0x1234_5678


def test_ring_3_to_0_switches_to_the_stack_of_the_tss_and_saves_the_old_one(rig: Rig) -> None:
    rig.enter(3)
    done = deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert where(rig) == (0, CODE_0, handler(0x20))
    assert rig.guest.segment(Seg.SS).selector == DATA_0
    assert rig.guest.reg(Gpr.ESP) == STACK_0 - 20
    assert rig.stack(5) == [CODE, CODE_3, 0x202, STACK_3, DATA_3]
    assert (done.ring_from, done.ring_to) == (3, 0)


def test_ring_3_to_1_takes_the_stack_of_ring_1(rig: Rig) -> None:
    rig.enter(3)
    rig.set_gate(0x22, gate(0xE, CODE_1, handler(0x22)))
    deliver(rig.guest, rig.memory, Event(0x22, HARD))
    assert where(rig) == (1, CODE_1, handler(0x22))
    assert rig.guest.reg(Gpr.ESP) == STACK_0 - 0x800 - 20


def test_a_conforming_handler_runs_in_the_ring_of_the_interrupted_code(rig: Rig) -> None:
    rig.enter(3)
    rig.set_gate(0x22, gate(0xE, CODE_CONFORMING, handler(0x22)))
    deliver(rig.guest, rig.memory, Event(0x22, HARD))
    assert where(rig) == (3, CODE_CONFORMING | 3, handler(0x22))
    assert rig.guest.reg(Gpr.ESP) == STACK_3 - 12


@pytest.mark.parametrize(("kind", "masks"), [(0x6, True), (0x7, False)])
def test_a_16_bit_gate_pushes_words_and_jumps_within_64_kib(rig: Rig, kind: int, masks: bool) -> None:
    rig.guest.eip = 0x8000
    rig.set_gate(0x22, gate(kind, CODE_0, 0x1234_5678))
    deliver(rig.guest, rig.memory, Event(0x22, HARD))
    esp = rig.guest.reg(Gpr.ESP)
    assert esp == STACK_0 - 6
    assert [rig.read(esp + 2 * n, 2) for n in range(3)] == [0x8000, CODE_0, 0x202]
    assert rig.guest.eip == 0x5678
    assert rig.guest.interrupts_enabled is not masks


def test_accessed_bits_are_left_alone_as_the_emulated_cpu_leaves_them_in_far_transfers(rig: Rig) -> None:
    deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert not rig.read(GDT + CODE_0 + 5, 1) & 1


# -- software interrupts and the gate's privilege


def test_a_program_may_use_a_gate_of_its_own_privilege(rig: Rig) -> None:
    rig.enter(3)
    rig.set_gate(0x2F, gate(0xE, CODE_0, handler(0x2F), dpl=3))
    soft(rig, 0x2F)
    assert where(rig) == (0, CODE_0, handler(0x2F))
    assert rig.stack(1) == [CODE + 2]


def test_a_program_that_uses_a_kernels_gate_faults_at_its_int_instruction(rig: Rig) -> None:
    rig.enter(3)
    soft(rig, 0x20)
    assert rig.guest.eip == handler(Vector.GP)
    assert rig.stack(2) == [0x20 * 8 + 2, CODE]  # IDT bit set, EXT clear; EIP of the INT itself


def test_an_external_interrupt_may_use_a_gate_that_a_program_may_not(rig: Rig) -> None:
    rig.enter(3)
    deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert rig.guest.eip == handler(0x20)


# -- what is wrong with a gate or with the segment it names: vector and error code

BAD_GATES = [
    ("beyond the IDT", 0x60, None, Vector.GP, 0x60 * 8 + 2),
    ("not a gate", 0x22, gate(0xC, CODE_0, CODE), Vector.GP, 0x22 * 8 + 2),
    ("empty", 0x22, 0, Vector.GP, 0x22 * 8 + 2),
    ("not present", 0x22, gate(0xE, CODE_0, CODE, present=False), Vector.NP, 0x22 * 8 + 2),
    ("null selector", 0x22, gate(0xE, 0, CODE), Vector.GP, 0),
    ("selector beyond the GDT", 0x22, gate(0xE, 0x200, CODE), Vector.GP, 0x200),
    ("selector of an absent LDT", 0x22, gate(0xE, 0x0C, CODE), Vector.GP, 0x0C),
    ("data segment", 0x22, gate(0xE, DATA_0, CODE), Vector.GP, DATA_0),
    ("system descriptor", 0x22, gate(0xE, 0x28, CODE), Vector.GP, 0x28),
    ("outer code", 0x22, gate(0xE, CODE_3, CODE), Vector.GP, CODE_3 & ~3),
    ("absent code", 0x22, gate(0xE, NOT_PRESENT_CODE, CODE), Vector.NP, NOT_PRESENT_CODE),
]


@pytest.mark.parametrize(("why", "vector", "entry", "fault", "error"), BAD_GATES, ids=[row[0] for row in BAD_GATES])
@pytest.mark.parametrize("origin", [HARD, SOFT])
def test_a_bad_gate_raises_its_fault(
    rig: Rig, why: str, vector: int, entry: int | None, fault: int, error: int, origin: Origin
) -> None:
    if entry is not None:
        rig.set_gate(vector, entry)
    done = deliver(rig.guest, rig.memory, Event(vector, origin), fault_eip=CODE if origin is SOFT else None)
    external = 0 if origin is SOFT else 1
    assert (done.vector, done.passed) == (fault, (vector,))
    assert rig.guest.eip == handler(fault)
    assert rig.stack(2) == [error | external, CODE]


def test_a_task_gate_to_a_task_that_is_busy_is_refused(rig: Rig) -> None:
    """The rig's only task is the one that runs; what a task gate does otherwise is held to the CPU in tests/cosim."""
    rig.set_gate(0x22, gate(0x5, TSS_SEL, 0))
    done = deliver(rig.guest, rig.memory, Event(0x22, HARD))
    assert (done.vector, done.passed) == (Vector.GP, (0x22,))
    assert rig.stack(1) == [TSS_SEL]


# -- what is wrong with the inner stack

BAD_STACKS = [
    ("null", 0, Vector.TS, 0),
    ("wrong RPL", DATA_0 | 3, Vector.TS, DATA_0),
    ("wrong DPL", DATA_3 & ~3, Vector.TS, DATA_3 & ~3),
    ("beyond the GDT", 0x200, Vector.TS, 0x200),
    ("code", CODE_0, Vector.TS, CODE_0),
    ("read only", READ_ONLY, Vector.TS, READ_ONLY),
    ("absent", NOT_PRESENT_DATA, Vector.SS, NOT_PRESENT_DATA),
]


@pytest.mark.parametrize(("why", "selector", "fault", "error"), BAD_STACKS, ids=[row[0] for row in BAD_STACKS])
def test_a_bad_inner_stack_raises_its_fault(rig: Rig, why: str, selector: int, fault: int, error: int) -> None:
    """The fault's own handler is a conforming one, since it must not need the bad stack."""
    rig.enter(3)
    rig.write(TSS + 8, selector, 4)
    rig.set_gate(fault, gate(0xE, CODE_CONFORMING, handler(fault)))
    done = deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert done.vector == fault
    assert rig.stack(2) == [error | 1, CODE]


def test_a_tss_too_short_for_the_stack_raises_ts_naming_the_tss(rig: Rig) -> None:
    rig.enter(3)
    rig.guest.set_segment(Seg.TR, Segment(0x28, TSS, 8, 0x8B00))
    rig.set_gate(Vector.TS, gate(0xE, CODE_CONFORMING, handler(Vector.TS)))
    deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert rig.stack(2) == [0x28 | 1, CODE]


def test_a_full_stack_segment_raises_ss(rig: Rig) -> None:
    rig.guest.set_segment(Seg.SS, Segment(DATA_0, 0, STACK_0 - 7, 0x409300))  # the frame would cross the limit
    rig.guest.set_reg(Gpr.ESP, STACK_0 + 2)
    with pytest.raises(Shutdown):  # its handlers need the same stack
        deliver(rig.guest, rig.memory, Event(0x20, HARD))


# -- faults met on the way: table 6-5


def break_gate(rig: Rig, *vectors: int) -> None:
    for vector in vectors:
        rig.set_gate(vector, 0)


def test_two_contributory_faults_make_a_double_fault_with_error_code_0(rig: Rig) -> None:
    break_gate(rig, Vector.NP)
    done = deliver(rig.guest, rig.memory, Event(Vector.NP, INT, 0x40))
    assert (done.vector, done.passed) == (Vector.DF, (Vector.NP,))
    assert rig.guest.eip == handler(Vector.DF)
    assert rig.stack(2) == [0, CODE]


@pytest.mark.parametrize("first", [Vector.DE, Vector.TS, Vector.NP, Vector.SS, Vector.GP, Vector.PF])
def test_every_contributory_or_page_fault_doubles_with_gp(rig: Rig, first: int) -> None:
    break_gate(rig, first)
    assert deliver(rig.guest, rig.memory, Event(first, INT, 0)).vector == Vector.DF


@pytest.mark.parametrize("first", [Vector.UD, Vector.NM, Vector.BP, Vector.DB])
def test_a_benign_exception_is_followed_by_the_fault_of_its_delivery(rig: Rig, first: int) -> None:
    break_gate(rig, first)
    done = deliver(rig.guest, rig.memory, Event(first, INT))
    assert done.vector == Vector.GP
    assert rig.stack(1) == [first * 8 + 3]


def test_an_external_interrupt_that_fails_never_doubles(rig: Rig) -> None:
    break_gate(rig, 0x20)
    assert deliver(rig.guest, rig.memory, Event(0x20, HARD)).vector == Vector.GP


def test_a_fault_in_the_double_faults_delivery_is_the_end(rig: Rig) -> None:
    break_gate(rig, Vector.GP, Vector.DF)
    with pytest.raises(Shutdown) as shutdown:
        deliver(rig.guest, rig.memory, Event(Vector.GP, INT, 0))
    assert shutdown.value.vectors == (Vector.GP, Vector.DF, Vector.GP)


def test_no_idt_at_all_is_a_triple_fault(rig: Rig) -> None:
    rig.guest.idtr = Table(IDT, 0)
    with pytest.raises(Shutdown):
        deliver(rig.guest, rig.memory, Event(Vector.UD, INT))


def test_the_guest_is_unchanged_by_a_delivery_that_shuts_it_down(rig: Rig) -> None:
    rig.guest.idtr = Table(IDT, 0)
    with pytest.raises(Shutdown):
        deliver(rig.guest, rig.memory, Event(Vector.UD, INT))
    assert where(rig) == (0, CODE_0, CODE)
    assert rig.guest.reg(Gpr.ESP) == STACK_0


# -- through page tables

PAGES, TABLE = 0x20000, 0x21000


def turn_paging_on(rig: Rig) -> None:
    """Map the first MiB one to one, for everybody."""
    for page in range(256):
        rig.write(TABLE + 4 * page, page << 12 | 7, 4)
    rig.write(PAGES, TABLE | 7, 4)
    rig.guest.set_cr(3, PAGES)
    rig.guest.set_cr(0, 0x8001_0011)


def set_page(rig: Rig, linear: int, flags: int) -> None:
    rig.write(TABLE + 4 * (linear >> 12), linear & ~0xFFF | flags, 4)


def test_a_kernel_stack_that_is_not_mapped_makes_a_double_fault_and_then_the_end(rig: Rig) -> None:
    turn_paging_on(rig)
    set_page(rig, STACK_0 - 1, 0)
    with pytest.raises(Shutdown) as shutdown:
        deliver(rig.guest, rig.memory, Event(Vector.GP, INT, 0))
    assert shutdown.value.vectors == (Vector.GP, Vector.PF, Vector.DF, Vector.PF)


def test_the_frame_for_ring_0_may_lie_in_a_supervisor_page(rig: Rig) -> None:
    turn_paging_on(rig)
    set_page(rig, STACK_0 - 1, 3)
    rig.enter(3)
    deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert rig.guest.reg(Gpr.ESP) == STACK_0 - 20


def test_a_handler_in_ring_3_cannot_be_given_a_frame_in_a_supervisor_page(rig: Rig) -> None:
    turn_paging_on(rig)
    rig.enter(3)
    set_page(rig, STACK_3 - 1, 3)
    rig.set_gate(0x22, gate(0xE, CODE_3, handler(0x22)))
    done = deliver(rig.guest, rig.memory, Event(0x22, HARD))
    assert done.vector == Vector.PF
    assert rig.guest.cr(2) == STACK_3 - 12
    assert rig.stack(1) == [0b111]  # present, write, user


def test_delivery_marks_the_stack_page_accessed_and_dirty(rig: Rig) -> None:
    turn_paging_on(rig)
    deliver(rig.guest, rig.memory, Event(0x20, HARD))
    assert rig.read(TABLE + 4 * (STACK_0 - 1 >> 12)) & 0x60 == 0x60
    assert rig.read(TABLE + 4 * (IDT >> 12)) & 0x60 == 0x20
