"""The table of holes is measured, holds for every kind that there is, and agrees with the list that `compare` uses."""

from __future__ import annotations

import pytest

from core.cpu.decode import decode
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.hole_table import HOLE, Row, Verdict, measure_holes, run_to_end
from core.session import Session
from core.vmm import kinds_for
from core.vmm.holes import is_hole

# Robin & Irvine's list by mnemonic
LISTED = {
    "SGDT", "SIDT", "SLDT", "SMSW", "PUSHF", "POPF", "LAR", "LSL", "VERR", "VERW", "POP", "PUSH", "CALL", "JMP", "INT",
    "RET", "STR", "MOV",
}  # fmt: skip
LEAKY = [kind for kind, vmm in kinds_for().items() if vmm.leaves_holes]
TIGHT = [kind for kind, vmm in kinds_for().items() if not vmm.leaves_holes]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return list(measure_holes())


def is_listed(row: Row) -> bool:
    """Is the instruction that the guest shows one of `is_hole`?"""
    session = Session(recording=False)
    session.load(load_program(row.guest), "bare")
    code = session.peek_code(row.address)
    session.close()
    return is_hole(decode(code, row.address))


def test_every_instruction_of_the_paper_has_its_guest(table: list[Row]) -> None:
    assert {row.name for row in table} == LISTED
    for row in table:
        words = row.instruction.upper().replace("O16 ", "").split()
        assert words[0].startswith(row.name), row.guest


def test_deprivileging_leaves_a_hole_just_where_the_list_says_so(table: list[Row]) -> None:
    assert LEAKY
    for row in table:
        for kind in LEAKY:
            expected = Verdict.DIFFERS if is_listed(row) else Verdict.TRAPS
            assert row.under(kind).verdict is expected, (row.guest, kind)


def test_what_the_cpu_does_as_on_bare_calls_no_monitor(table: list[Row]) -> None:
    """In guest mode the guest's own faults and gates go through its IDT, and the hypervisor learns nothing of them."""
    for row in table:
        assert row.under("bare").verdict is Verdict.SAME, row.guest
        assert row.under("hardware").verdict is Verdict.SAME, row.guest
        calls = row.name == "SMSW"  # it reads CR0, which the shadow kind keeps for itself
        assert row.under("hardware_shadow").verdict is (Verdict.TRAPS if calls else Verdict.SAME), row.guest


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_memory_that_is_touched_for_the_first_time_makes_no_instruction_trap(kind: str) -> None:
    """MOV from a segment register into a page that the monitor's tables lack yet."""
    program = assemble(f".globl _start\n_start: nop\n{HOLE}: mov [0x500000], cs\nmov al, 0\nout 0xf4, al\n", "mov.s")
    session = Session(recording=False)
    session.load(program, kind)
    assert run_to_end(session, program, program.symbols[HOLE]) == ((), None)
    session.close()


def test_no_other_kind_shows_its_guest_anything_else_than_bare(table: list[Row]) -> None:
    for row in table:
        for kind in TIGHT:
            assert row.under(kind).verdict in (Verdict.TRAPS, Verdict.SAME), (row.guest, kind)
            assert row.under(kind).seen == row.under("bare").seen


def test_what_was_seen_is_what_the_guest_left_in_its_memory(table: list[Row]) -> None:
    row = next(row for row in table if row.name == "SGDT")
    program = load_program(row.guest)
    assert row.address == program.symbols[HOLE]
    assert [(seen.name, seen.value) for seen in row.under("bare").seen] == [("base", program.symbols["gdt"])]
    assert [str(seen) for seen in row.under("trap_emulate").seen] == ["base = 0xffc00000"]


def test_only_the_kinds_asked_for_are_measured_and_bare_comes_first() -> None:
    row = next(iter(measure_holes(["trap_emulate"])))
    assert [cell.kind for cell in row.cells] == ["bare", "trap_emulate"]
