"""A page that the shadow shows for one instruction: nothing of it is left, whatever happens to the tables meanwhile."""

from __future__ import annotations

import pytest

from core.addresses import PAGE_SIZE, GuestVirtual
from core.events import EndHow
from core.guests.assembler import assemble
from core.memory.shadow import Filled, ShadowPager
from core.session import Session
from core.vmm import kinds_for
from tests.core.paged_guest import DIRECTORY, SOURCE, TABLE, TARGET, USER_PAGE, paged

SHADOWED = [name for name, kind in kinds_for().items() if not kind.walks_guest_tables]
BEYOND = 0xB000_0000  # guest-physical, where no RAM is

# a page that is no RAM and one that is, both first touched by the same instruction, in 4 MiB that nothing else uses
COPY_FROM_DEVICE = f"""
    mov dword ptr [{TABLE + 0x1000}], {BEYOND + 3}
    mov dword ptr [{TABLE + 0x1004}], {TARGET + 3}
    mov eax, {DIRECTORY}
    mov cr3, eax
    mov esi, {USER_PAGE}
    mov edi, {USER_PAGE + PAGE_SIZE}
    movsb
    mov dword ptr [{USER_PAGE + PAGE_SIZE + 4}], 6
    mov eax, [{USER_PAGE + PAGE_SIZE + 4}]
    mov edx, 0xf4
    out dx, al
"""


@pytest.mark.parametrize("kind", SHADOWED)
def test_a_device_and_memory_can_be_met_by_one_instruction_where_there_was_no_table(kind: str) -> None:
    session = Session(recording=False)
    before_use = SOURCE.split("paged:")[0]
    session.load(assemble(f".globl _start\n_start:\n{before_use}{COPY_FROM_DEVICE}", "copy.s"), kind)
    session.run_until(lambda trap: session.traps.count > 200, 50_000)  # a fault that comes again and again has no end
    assert session.end is not None
    assert (session.end.how, session.end.status) == (EndHow.EXIT, 6)
    assert session.peek(USER_PAGE + PAGE_SIZE, 1) == b"\xff"
    session.close()


def test_nothing_is_put_back_into_a_table_that_is_somebody_elses_by_then() -> None:
    session = paged("trap_emulate", "written")
    pager, frames = session.vmm.mappings, session.machine.frames
    assert isinstance(pager, ShadowPager)
    close = pager.open_once(GuestVirtual(USER_PAGE), session.vmm.physical.frames[5])
    tables = set(pager.table_frames())
    pager.forget_all()
    given = frames.allocate(len(tables) * PAGE_SIZE, "somebody else")
    assert tables & set(given)
    for frame in given:
        session.machine.ram.write(frame, b"\xa5" * PAGE_SIZE)
    close()
    assert all(session.machine.ram.read(frame, PAGE_SIZE) == b"\xa5" * PAGE_SIZE for frame in given)
    session.close()


def test_an_instruction_that_is_mended_again_and_again_stops_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    session = paged("trap_emulate", "read")
    pager = session.vmm.mappings
    assert isinstance(pager, ShadowPager)
    frame = session.vmm.physical.frames[5]
    monkeypatch.setattr(pager, "resolve", lambda *_args, **_how: Filled(frame))
    session.run(100)
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "again and again" in session.end.sentence
    assert "EIP=" in session.report
    session.close()


def test_a_cr3_that_came_past_the_intercepts_stops_the_machine_in_words() -> None:
    session = paged("hardware_shadow", "written")
    session.machine.cpu.state.cr[3] = 0  # as the CPU leaves it
    session.run(1_000)
    assert session.end is not None
    assert "its own CR3" in session.end.sentence
    session.close()
