"""What an onlooker sees of memory: bytes in three kinds of address, page walks, the screen; and nothing is touched."""

from __future__ import annotations

import pytest

from core.addresses import GuestPhysical
from core.events import Cause
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.looks import Follow, Ground, Look, Reference, SeenBytes, Space, Span, TableWalk
from core.memory import nested_walk, shadow_walk
from core.session import Session
from core.vmm import kinds_for
from core.vmm.hardware import Hardware
from tests.core.paged_guest import DIRECTORY, READ_ONLY, SOURCE, TABLE, TARGET, USER_PAGE, paged

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))


def seen_bytes(session: Session, span: Span) -> SeenBytes:
    found = session.seen(Look(span=span), None).bytes
    assert found is not None
    return found


def walk_of(session: Session, address: int) -> tuple[TableWalk, tuple[TableWalk, ...], int | None]:
    found = session.seen(Look(walk=address), None).walk
    assert found is not None
    return found.guest, found.real, found.host


def references(session: Session, address: int) -> tuple[Reference, ...]:
    found = session.seen(Look(walk=address), None).walk
    assert found is not None
    return found.references


@each_kind
def test_linear_bytes_go_through_the_guests_page_tables(kind: str) -> None:
    session = paged(kind)
    session.vmm.physical.write(GuestPhysical(TARGET), b"here I am")
    found = seen_bytes(session, Span(Space.LINEAR, USER_PAGE, 16))
    assert found.pieces[0].data.startswith(b"here I am")
    assert found.pieces[0].physical == TARGET
    assert found.start == USER_PAGE


@each_kind
def test_a_span_over_several_pages_says_of_each_what_is_there(kind: str) -> None:
    session = paged(kind)
    found = seen_bytes(session, Span(Space.LINEAR, READ_ONLY + 0xFF0, 0x20))
    assert [(piece.size, piece.ground) for piece in found.pieces] == [(16, Ground.RAM), (16, Ground.UNMAPPED)]
    physical = session.vmm.physical.size
    found = seen_bytes(session, Span(Space.PHYSICAL, physical - 16, 0x20))
    assert [piece.ground for piece in found.pieces] == [Ground.RAM, Ground.DEVICE]
    machine = session.machine.ram.size
    found = seen_bytes(session, Span(Space.HOST, machine - 16, 0x20))
    assert [piece.ground for piece in found.pieces] == [Ground.RAM, Ground.NOWHERE]


@each_kind
def test_the_same_bytes_stand_at_all_three_addresses(kind: str) -> None:
    session = paged(kind)
    linear = seen_bytes(session, Span(Space.LINEAR, 0, 64, Follow.EIP))
    assert linear.pc == session.pc
    assert linear.pc_size == 5
    assert linear.start == session.pc & ~15
    physical = seen_bytes(session, Span(Space.PHYSICAL, 0, 64, Follow.EIP))
    host = seen_bytes(session, Span(Space.HOST, 0, 64, Follow.EIP))
    assert linear.pieces[0].data == physical.pieces[0].data == host.pieces[0].data
    assert host.pc == session.vmm.physical.host(GuestPhysical(session.pc))


def test_a_span_ends_with_the_address_space_and_is_never_endless() -> None:
    session = paged("bare")
    assert sum(piece.size for piece in seen_bytes(session, Span(Space.LINEAR, 0xFFFF_FFF0, 256)).pieces) == 16
    assert sum(piece.size for piece in seen_bytes(session, Span(Space.LINEAR, 0, 1 << 30)).pieces) <= 1 << 14


@each_kind
def test_looking_changes_nothing(kind: str) -> None:
    session = paged(kind)
    before = session.machine.ram.array.copy()
    everything = Look(Span(Space.LINEAR, USER_PAGE, 4096), USER_PAGE, map=True, page=TARGET >> 12, screen=True)
    session.seen(everything, None)
    assert (session.machine.ram.array == before).all()


@each_kind
def test_a_walk_names_every_entry_and_where_it_ends(kind: str) -> None:
    session = paged(kind, "written")
    guest, _, host = walk_of(session, USER_PAGE + 0x123)
    assert [(e.level, e.index, e.address, e.value) for e in guest.entries] == [
        (2, 1, DIRECTORY + 4, TABLE + 0x1000 | 0x27),
        (1, 0, TABLE + 0x1000, TARGET | 0x67),
    ]
    assert guest.reached == TARGET + 0x123
    assert host == session.vmm.physical.host(GuestPhysical(TARGET + 0x123))


@each_kind
def test_what_an_access_would_come_to_is_told_with_its_reason(kind: str) -> None:
    session = paged(kind)
    told = {(a.write, a.user): (a.error_code, a.why) for a in walk_of(session, READ_ONLY)[0].attempts}
    assert told == {
        (False, False): (None, ""),
        (True, False): (3, "the table entry is read-only (R/W = 0), and CR0.WP binds the kernel too"),
        (False, True): (5, "the table entry is for the kernel only (U/S = 0)"),
        (True, True): (7, "the table entry is for the kernel only (U/S = 0)"),
    }
    missing = walk_of(session, 0x0080_0000)[0]
    assert missing.reached is None
    assert missing.attempts[0].why == "the directory entry is not present (P = 0)"


@each_kind
def test_without_paging_there_is_no_table_to_walk(kind: str) -> None:
    session = Session()
    session.load(assemble("nop", "nop.s"), kind)
    guest, _, host = walk_of(session, 0x1234)
    assert not guest.paging
    assert guest.entries == ()
    assert guest.reached == 0x1234
    assert host == session.vmm.physical.host(GuestPhysical(0x1234))


def test_on_bare_the_cpu_walks_the_guests_own_tables() -> None:
    assert walk_of(paged("bare"), USER_PAGE)[1] == ()


def test_the_shadow_says_what_it_does_not_hold_yet_and_the_cpu_agrees() -> None:
    """Each difference that is marked is followed by the hidden fault that mends it, until nothing is left to mark."""
    session = paged("trap_emulate")
    (shadow,) = walk_of(session, USER_PAGE)[1]
    assert shadow.entries[-1].lags
    assert shadow.entries[-1].remark == shadow_walk.NEVER_TOUCHED
    session.step()  # mov eax, [USER_PAGE]
    assert session.traps.last is not None
    assert session.traps.last.cause is Cause.PAGE_FAULT_HIDDEN
    (shadow,) = walk_of(session, USER_PAGE)[1]
    assert [entry.remark for entry in shadow.entries] == [shadow_walk.HANGS, shadow_walk.NOT_DIRTY]
    assert shadow.reached == session.vmm.physical.host(GuestPhysical(TARGET))
    assert [attempt.error_code for attempt in shadow.attempts] == [None, 3, None, 7]
    before = session.traps.count
    session.step()  # mov [USER_PAGE], eax
    assert session.traps.count > before
    (shadow,) = walk_of(session, USER_PAGE)[1]
    assert [(entry.lags, entry.remark) for entry in shadow.entries] == [(False, shadow_walk.HANGS), (False, "")]
    assert [attempt.error_code for attempt in shadow.attempts] == [None] * 4


def test_a_traced_page_is_said_to_be_traced() -> None:
    session = paged("trap_emulate")
    text = SOURCE + f"    mov eax, [{TABLE}]\n    mov [{TABLE}], eax\nend: nop\n"
    session.load(assemble(f".globl _start\n_start:\n{text}", "paged.s"), "trap_emulate")
    assert session.program is not None
    session.run_to(session.program.symbols["end"])
    (shadow,) = walk_of(session, TABLE)[1]
    assert shadow.entries[-1].remark == shadow_walk.TRACED.format(what="a page table")


def test_the_monitors_region_is_said_to_be_the_monitors() -> None:
    (shadow,) = walk_of(paged("trap_emulate"), 0xFFC0_0000)[1]
    assert {entry.remark for entry in shadow.entries} == {shadow_walk.MONITORS}
    assert [attempt.error_code for attempt in shadow.attempts] == [None, 3, 5, 7]


@each_kind
def test_the_screen_is_read_from_where_its_picture_starts(kind: str) -> None:
    start_at_160 = "mov edx, 0x3d4\nmov eax, 0xA00D\nout dx, ax\n"  # CRT register 13: 0xA0 characters
    session = Session()
    session.load(assemble(f"mov word ptr [0xB8140], 0x0741\n{start_at_160}nop\nnop", "screen.s"), kind)
    session.step(4)
    screen = session.seen(Look(screen=True), None).screen
    assert screen is not None
    assert screen.memory[:2] == b"A\x07"


@each_kind
def test_keys_reach_the_guests_keyboard(kind: str) -> None:
    session = Session()
    session.load(assemble("nop\nin al, 0x60\nnop\nnop", "key.s"), kind)
    session.step()
    session.inputs.press_keys(b"\x1e\x9e")
    session.step()
    assert session.vmm.guest.reg(0) & 0xFF == 0x1E


def test_two_looks_at_once_are_both_answered() -> None:
    both = Look(map=True) | Look(walk=Follow.ESP, screen=True) | Look(walk=5)
    assert both == Look(walk=Follow.ESP, map=True, screen=True)


def test_under_amd_v_the_cpu_walks_the_guests_tables_and_then_the_nested_ones() -> None:
    session = paged("hardware", "written")
    session.vmm.physical.write(GuestPhysical(TARGET), b"nested")
    guest, (nested,), host = walk_of(session, USER_PAGE)
    assert guest.note == "The CPU walks these itself."
    assert [entry.level for entry in nested.entries][:2] == [3, 2]
    assert nested.reached == host
    assert session.machine.ram.array[nested.reached : nested.reached + 6].tobytes() == b"nested"
    assert [attempt.error_code for attempt in nested.attempts] == [None] * 4


def test_what_the_nested_table_lacks_is_marked_until_the_fault_that_fills_it() -> None:
    session = paged("hardware")
    (nested,) = walk_of(session, 0x0030_0000)[1]
    assert nested.reached is None
    assert nested.entries[-1].remark == nested_walk.MISSING
    assert nested.fault == "#NPF"
    assert {attempt.error_code for attempt in nested.attempts} == {4, 6}
    session.load(assemble(f".globl _start\n_start:\n{SOURCE}    mov eax, [0x300000]\nend: nop\n", "p.s"), "hardware")
    assert session.program is not None
    session.run_to(session.program.symbols["end"])
    (nested,) = walk_of(session, 0x0030_0000)[1]
    assert nested.reached == session.vmm.physical.host(GuestPhysical(0x30_0000))


def test_a_page_that_the_hypervisor_closed_says_so() -> None:
    session = paged("hardware", "written")
    assert isinstance(session.vmm, Hardware)
    session.vmm.nested.protect(GuestPhysical(TARGET), writable=False)
    (nested,) = walk_of(session, USER_PAGE)[1]
    assert nested.entries[-1].remark == nested_walk.CLOSED
    assert [attempt.error_code for attempt in nested.attempts] == [None, 7, None, 7]


def test_the_translation_cache_and_a_block_of_it_are_looked_at_only_when_wanted() -> None:
    session = Session()
    session.load(load_program("hello"), "translation")
    session.step(3)
    assert (session.snapshot().seen.cache, session.snapshot().seen.block) == (None, None)
    session.look = Look(cache=True, block=Follow.EIP)
    seen = session.snapshot().seen
    assert seen.cache is not None
    assert seen.block is not None
    assert seen.block.block in seen.cache.living
    session.look = Look(block=0)
    first = session.snapshot().seen.block
    assert first is not None
    assert first.block.ordinal == 0


def test_a_two_dimensional_walk_takes_eleven_references_where_the_nested_pages_are_small() -> None:
    session = paged("hardware", "read")
    assert isinstance(session.vmm, Hardware)
    before = references(session, USER_PAGE)
    assert len(before) == (2 + 1) * (2 + 1) - 1
    for page in (DIRECTORY, TABLE, TARGET):
        session.vmm.nested.protect(GuestPhysical(page), writable=False)
    found = references(session, USER_PAGE)
    assert len(found) == (2 + 1) * (3 + 1) - 1
    assert [each.entry.level for each in found] == [3, 2, 1, 2, 3, 2, 1, 1, 3, 2, 1]
    assert [each.table for each in found] == [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]


def test_a_two_dimensional_walk_ends_where_a_nested_entry_is_missing() -> None:
    session = paged("hardware", "read")
    assert isinstance(session.vmm, Hardware)
    _, entry = walk_of(session, USER_PAGE)[0].entries
    session.vmm.nested.unmap(GuestPhysical(entry.address & ~0xFFF))
    found = references(session, USER_PAGE)
    assert [each.table for each in found] == [1, 1, 1, 0, 1, 1, 1]
    assert "a nested page fault" in found[-1].entry.remark
