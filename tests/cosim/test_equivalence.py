"""Equivalence (Popek & Goldberg): what a guest can see is the same under every kind as on the bare machine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.addresses import GuestPhysical
from core.events import EndHow
from core.guests.catalog import load_program
from core.guests.image import Program
from core.session import Session
from core.vmm import kinds
from tests.cosim.random_programs import SCRATCH, SCRATCH_BYTES, build, paged_programs, programs

LIMIT = 12_000
OTHERS = [kind for kind in kinds() if kind != "bare"]
# what the guest itself can read; IF and IOPL of EFLAGS included, since belief is compared
VISIBLE = (
    "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP", "EIP", "EFLAGS", "CPL", "CS", "SS", "DS", "ES", "FS", "GS",
    "CR0", "CR2", "CR3", "CR4", "GDTR", "IDTR", "LDTR", "TR",
)  # fmt: skip


def visible(session: Session) -> dict[str, object]:
    """All that a guest's run has left to compare."""
    registers = {register.name: hex(register.believed) for register in session.registers() if register.name in VISIBLE}
    assert session.program is not None
    symbols = session.program.symbols
    data = session.vmm.physical.read(GuestPhysical(symbols.get("gdt", 0)), 0x3000)
    return {
        "end": session.end,
        "executed": session.executed,
        "time": session.time,
        "console": session.console,
        **registers,
        "data": data,
        "scratch": session.peek(SCRATCH, SCRATCH_BYTES),
        "stack": session.peek(0x2EFF00, 0x300),
        "kernel stack": session.peek(0x2FFF00, 0x100),
        "page tables": session.vmm.physical.read(GuestPhysical(0x400000), 0x5000),
        "frames": session.vmm.physical.read(GuestPhysical(0x600000), 0x10000),
    }


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """What differs, with the place in memory."""
    said: list[str] = []
    for name, value in expected.items():
        other = found[name]
        if isinstance(value, bytes) and isinstance(other, bytes) and name != "console":
            places = [at for at, (a, b) in enumerate(zip(value, other, strict=True)) if a != b]
            said += [f"{name}+{at:#x}: {value[at]:#04x}, not {other[at]:#04x}" for at in places[:8]]
        elif value != other:
            said.append(f"{name}: {value}, not {other}")
    return said


SESSION = Session(recording=False)


def run(program: Program, kind: str) -> dict[str, object]:
    SESSION.load(program, kind)
    SESSION.run(LIMIT)
    return visible(SESSION)


@pytest.mark.parametrize("kind", OTHERS)
@given(programs)
@settings(max_examples=600)
def test_random_programs_are_the_same_under_every_kind(kind: str, program: tuple[list[bytes], int | None]) -> None:
    built = build(*program)
    expected, found = run(built, "bare"), run(built, kind)
    assert differences(expected, found) == []


@pytest.mark.parametrize("kind", OTHERS)
@given(paged_programs)
@settings(max_examples=600)
def test_random_programs_with_paging_are_the_same_under_every_kind(
    kind: str, program: tuple[list[bytes], int | None]
) -> None:
    built = build(*program, paging=True)
    expected, found = run(built, "bare"), run(built, kind)
    assert differences(expected, found) == []


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("guest", ["hello", "rings", "privileged"])
def test_shipped_guests_are_the_same_under_every_kind(guest: str, kind: str) -> None:
    ends = []
    for each in ("bare", kind):
        SESSION.load(load_program(guest), each)
        SESSION.run(1_000_000)
        ends.append((SESSION.end, SESSION.executed, SESSION.time, SESSION.console))
    assert ends[0] == ends[1]
    assert ends[0][0] is not None
    assert (ends[0][0].how, ends[0][0].status) == (EndHow.EXIT, 0)


def test_the_hole_guest_is_right_on_bare_and_caught_by_the_documented_holes_under_trap_and_emulate() -> None:
    SESSION.load(load_program("hole"), "bare")
    SESSION.run(1_000_000)
    assert SESSION.end is not None
    assert SESSION.end.status == 0
    SESSION.load(load_program("hole"), "trap_emulate")
    SESSION.run(1_000_000)
    assert SESSION.end.status == 1
    assert SESSION.console.decode().splitlines() == [
        "PUSHF: shows interrupts on, though CLI turned them off",
        "POPF: silently ignored, interrupts are still off",
        "SGDT: shows another table than LGDT loaded",
        "SMSW: shows TS set, though CLTS cleared it",
        "MOV from CS: shows another ring than 0",
        "Something stands between me and the machine.",
    ]


@pytest.mark.parametrize("guest", ["rings", "privileged", "hole"])
@pytest.mark.parametrize("kind", list(kinds()))
def test_single_steps_are_one_run(guest: str, kind: str) -> None:
    """The first 700 instructions one by one, and at once."""
    program = load_program(guest)
    SESSION.load(program, kind)
    for _ in range(700):
        SESSION.step()
    stepped = visible(SESSION)
    SESSION.load(program, kind)
    SESSION.step(700)
    assert visible(SESSION) == stepped
