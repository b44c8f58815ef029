"""The map of physical memory: what pages are used for, and who owns the machine's frames."""

from __future__ import annotations

import numpy as np
import pytest

from core.addresses import PAGE_SIZE
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.looks import Look, PhysicalMap, UseKind
from core.session import Session
from core.vmm import kinds_for
from core.vmm.hardware import Hardware
from tests.core.paged_guest import DIRECTORY, READ_ONLY, TABLE, TARGET, USER_PAGE, paged

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))


def map_of(session: Session, page: int | None = None) -> PhysicalMap:
    found = session.seen(Look(map=True, page=page), session.guest_system()).map
    assert found is not None
    return found


def kind_at(found: PhysicalMap, address: int) -> UseKind:
    return found.legend[found.uses[address // PAGE_SIZE]].kind


@each_kind
def test_without_symbols_of_a_system_the_machine_still_tells_much(kind: str) -> None:
    found = map_of(paged(kind, "written"))
    assert kind_at(found, 0x1000) is UseKind.BOOT
    assert kind_at(found, 0xB8000) is UseKind.SCREEN
    assert kind_at(found, 0x10_0000) is UseKind.IMAGE
    assert {kind_at(found, at) for at in (DIRECTORY, TABLE, TABLE + 0x1000)} == {UseKind.TABLES}
    assert kind_at(found, TARGET) is UseKind.USER
    assert kind_at(found, 0x50_0000) is UseKind.UNTOUCHED


def test_a_touched_page_is_told_from_an_untouched_one() -> None:
    session = Session()
    session.load(assemble("mov eax, [0x200000]\nmov [0x300000], eax\nnop\nnop", "touch.s"), "bare")
    session.step(3)
    found = map_of(session)
    assert [kind_at(found, at) for at in (0x20_0000, 0x30_0000, 0x40_0000)] == [
        UseKind.TOUCHED, UseKind.TOUCHED, UseKind.UNTOUCHED,
    ]  # fmt: skip


@each_kind
def test_a_page_knows_the_linear_addresses_that_lead_to_it(kind: str) -> None:
    page = map_of(paged(kind), TARGET // PAGE_SIZE).page
    assert page is not None
    assert [(m.linear, m.writable, m.user) for m in page.mappings] == [
        (TARGET, True, False), (USER_PAGE, True, True), (READ_ONLY, False, False),
    ]  # fmt: skip


@each_kind
def test_pebbles_memory_is_coloured_by_process_and_its_free_frames_are_as_many_as_it_says(kind: str) -> None:
    session = Session()
    session.load(load_program("pebble-clean"), kind)
    session.run(limit=3_000_000)
    system = session.guest_system()
    assert system is not None
    found = map_of(session)
    named = {found.legend[code].name for code in set(found.uses)}
    assert {f"{process.name} ({process.pid})" for process in system.processes} <= named
    free = sum(found.legend[code].kind is UseKind.FREE for code in found.uses)
    assert free == system.free_frames > 0
    for process in system.processes:
        assert kind_at(found, process.directory) is UseKind.TABLES


@each_kind
def test_every_frame_of_the_machine_has_the_holder_that_the_allocator_names(kind: str) -> None:
    session = paged(kind)
    found = map_of(session)
    owners = session.machine.frames.owners()
    assert [found.holder_names[code].owner for code in found.holders] == list(owners)
    frames = np.frombuffer(found.frames, "<u4")
    assert [owners[frame] for frame in frames] == ["VM A"] * len(frames)


def test_the_monitors_frames_say_what_they_are_for() -> None:
    session = paged("trap_emulate")
    found = map_of(session)
    held = [found.holder_names[code] for code in found.holders]
    own = {holder.purpose for holder in held if holder.owner == "monitor of A"}
    assert own == {"shadow page tables", "shadow descriptor tables, TSS"}
    root = int(session.machine.cpu.state.cr[3]) // PAGE_SIZE
    assert held[root].purpose == "shadow page tables"


def test_crafted_page_tables_lead_nowhere_and_break_nothing() -> None:
    session = paged("bare")
    session.machine.ram.array[DIRECTORY : DIRECTORY + PAGE_SIZE] = 0xFF  # every table beyond the end of memory
    assert len(map_of(session, 3).uses) == session.vmm.physical.size // PAGE_SIZE


def test_with_several_vms_every_frame_has_its_holder_and_the_map_is_that_of_the_selected_vm() -> None:
    session = paged("trap_emulate", "written")
    other = session.vms.add(assemble("mov [0x100500], eax\nnop\nnop", "other.s"), "trap_emulate", memory=4 << 20)
    found = map_of(session)
    owners = session.machine.frames.owners()
    assert [found.holder_names[code].owner for code in found.holders] == list(owners)
    assert {"VM A", "VM B", "monitor of A", "monitor of B"} <= set(owners)
    purposes = {(holder.owner, holder.purpose) for holder in found.holder_names}
    assert {("monitor of A", "shadow page tables"), ("monitor of B", "shadow page tables")} <= purposes
    assert kind_at(found, TARGET) is UseKind.USER
    session.select(other)
    found = map_of(session)
    assert len(found.uses) == (4 << 20) // PAGE_SIZE
    assert {owners[frame] for frame in np.frombuffer(found.frames, "<u4")} == {"VM B"}


def test_under_amd_v_the_control_block_and_the_nested_tables_are_named() -> None:
    session = paged("hardware", "written")
    found = map_of(session)
    held = [found.holder_names[code] for code in found.holders]
    assert isinstance(session.vmm, Hardware)
    assert held[session.vmm.nested.root // PAGE_SIZE].purpose == "nested page table"
    assert held[session.vmm.vmcb.address // PAGE_SIZE].purpose == "VMCB"
    assert all(holder.purpose for holder in held if holder.owner == "monitor of A")
