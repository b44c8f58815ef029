"""A revert puts a VM back to an instant; what comes then is what came then, and time travel crosses it both ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.devices.disk_image import DiskImage
from core.errors import RequestError, UnknownName
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.lab.archive import open_packed, pack
from core.lab.files import encoded, read_lab
from core.lab.fingerprint import fingerprint
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from core.vm_snapshots.divergence import from_image
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kinds_for
from tests.core.vm_snapshots.test_taking import LIMIT, MEMORY, SESSION, differences, ticking

HOSTED = [kind for kind, vmm in kinds_for().items() if vmm.hosted]
DENSE = Recording(instructions=900, departures=20)


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(history=DENSE)
    yield session
    session.close()


@pytest.fixture
def unrecorded() -> Iterator[Session]:
    """For long runs that nobody goes back in."""
    session = Session(recording=False)
    yield session
    session.close()


def look(session: Session) -> tuple[object, ...]:
    """All of the machine by which a replay is known."""
    consoles = [session.vms.console_of(letter) for letter in session.vms.letters]
    return fingerprint(session.hypervisor, session.registers(), session.traps), consoles, session.timeline.now


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_after_a_revert_all_happens_as_it_did(session: Session, kind: str) -> None:
    session.load(ticking(), kind, memory=MEMORY)
    session.run(1_500)
    kept = session.snapshots.take("before")
    session.run(3_000)
    later = session.snapshots.now()
    machine, generation = session.machine_executed, session.generation
    session.snapshots.revert("before")
    assert differences(kept.snapshot, session.snapshots.now()) == []
    assert (session.machine_executed, session.executed) == (machine, 1_500)
    assert session.generation > generation
    session.run(3_000)
    assert differences(later, session.snapshots.now()) == []


def test_going_back_over_a_revert_and_on_again_is_the_same_run(session: Session) -> None:
    session.load(ticking(), "translation", memory=MEMORY)
    session.run(1_500)
    session.snapshots.take("before")
    seen = {}
    session.run(3_000)
    seen[session.machine_executed - 1] = None
    session.snapshots.revert("before")
    for _ in range(4):
        session.run(700)
        seen[session.machine_executed] = look(session)
    for executed in (5_200, 4_499, 6_600, 5_900, 7_300):
        session.travel.go_to(executed)
        if seen[executed] is not None:
            assert look(session) == seen[executed]
    session.travel.go_to(2_000)
    assert [each.name for each in session.snapshots.shelf.kept] == ["before"]
    session.travel.go_to(7_300)
    session.travel.undo()
    assert (session.machine_executed, session.executed) == (4_500, 4_500)


@pytest.mark.parametrize("kind", HOSTED)
def test_a_clone_under_another_kind_goes_on_beside_the_first(session: Session, kind: str) -> None:
    session.load(ticking(), "trap_emulate", memory=MEMORY)
    session.run(1_500)
    kept = session.snapshots.take()
    assert kept.name == "ticks 1"
    session.run(300)
    letter = session.snapshots.clone(kept.name, kind)
    assert letter == "B"
    session.run(2 * LIMIT)
    first = session.snapshots.now("A")
    assert differences(first, session.snapshots.now("B")) == []
    assert first.end is not None


def test_a_lab_file_holds_snapshots_clones_and_reverts(session: Session) -> None:
    session.load(ticking(), "hardware", memory=2 * MIB, disk=DiskImage(b"\x55" * 1024))
    session.run(1_500)
    session.snapshots.take("one")
    session.run(800)
    session.snapshots.revert("one")
    session.run(900)
    session.snapshots.clone("one", "translation")
    session.run(1_000)
    session.snapshots.take("two", "B")
    now, kept = look(session), session.snapshots.shelf.kept
    other = Session(history=DENSE)
    other.lab.open(read_lab(open_packed(pack(*encoded(session.lab.facts(), "test")))))
    assert look(other) == now
    assert other.snapshots.shelf.kept == kept
    other.snapshots.revert("two", "B")
    assert differences(kept[1].snapshot, other.snapshots.now("B")) == []
    other.close()


def test_what_cannot_be_is_refused_and_changes_nothing(session: Session) -> None:
    session.load(ticking(), "hardware", memory=64 * MIB)
    session.run(1_500)
    session.snapshots.take("big")
    now = look(session)
    with pytest.raises(RequestError, match="has no place"):
        session.snapshots.clone("big")
    with pytest.raises(UnknownName, match="no snapshot “small”"):
        session.snapshots.revert("small")
    with pytest.raises(RequestError, match="already"):
        session.snapshots.take("big")
    with pytest.raises(RequestError, match="for itself"):
        session.snapshots.clone("big", "bare")
    assert look(session) == now
    session.load(assemble("again: jmp again", "loop.s"), "hardware")
    with pytest.raises(RequestError, match=r"VM A runs loop now, and the snapshot is of ticks with 64 MiB"):
        session.snapshots.revert("big")


def test_an_ended_vm_can_be_put_back_to_life(session: Session) -> None:
    session.load(load_program("hello"), "bare")
    session.run(100)
    session.snapshots.take("alive")
    session.run(100_000)
    text, end = session.console, session.end
    session.snapshots.take("dead")
    session.snapshots.revert("alive")
    assert session.end is None
    session.run(100_000)
    assert (session.console, session.end) == (text, end)
    session.snapshots.revert("dead")
    assert session.end == end


def test_how_far_a_vm_has_come_is_counted_in_pages_and_sectors(session: Session) -> None:
    writer = "mov dword ptr [0x200000], 1\nmov dword ptr [0x205ffe], -1\nagain: jmp again"
    session.load(assemble(writer, "writer.s"), "bare", disk=DiskImage(bytes(2048)))
    session.snapshots.take("image")
    session.step(2)
    session.vmm.pc.disk.write_sector(3, b"\1" * 512)
    found = session.snapshots.diverged()
    assert (found.from_image.pages, found.from_image.sectors, found.from_image.bytes) == (3, 1, 3 * 4096 + 512)
    assert found.from_image.words == "3 of 4,096 pages, 1 of 4 sectors"
    assert found.from_snapshots == (("image", found.from_image),)
    assert found.from_image.page_bits[0x200 // 8] == 0b110_0001  # pages 200, 205 and 206
    assert found.from_image.sector_bits == bytes([1 << 3])


def test_a_vm_that_sleeps_beside_another_is_taken_with_the_idle_time_that_has_passed(session: Session) -> None:
    session.load(assemble("again: inc eax\njmp again", "loop.s"), "trap_emulate", memory=MEMORY)
    session.vms.add(ticking(), "hardware", memory=MEMORY)
    owed: list[VmSnapshot] = []
    while session.hypervisor.vms["B"].interposer.end is None:
        if session.hypervisor.scheduler.state.shares["B"].owed:
            before = look(session) if not owed else ()
            owed.append(session.snapshots.now("B"))
            assert not before or look(session) == before
            assert session.selected == "A"
        session.run(700)
    assert len(owed) > 3
    assert owed[0].idle > 0
    end = session.snapshots.now("B")
    for each in owed[:: len(owed) // 3]:
        SESSION.power_on_from(each, "translation")
        SESSION.run(LIMIT)
        assert differences(end, SESSION.snapshots.now()) == []


@pytest.mark.parametrize("kind", HOSTED)
def test_memory_that_was_taken_from_a_vm_stays_taken_over_a_revert(session: Session, kind: str) -> None:
    session.load(ticking(), kind, memory=MEMORY)
    session.run(1_500)
    session.snapshots.take("whole")
    session.vms.balloon("A", 6 * MIB)
    session.run(1_000)
    session.snapshots.take("pressed")
    session.run(10_000)
    end = session.snapshots.now()
    for name in ("whole", "pressed"):
        session.snapshots.revert(name)
        assert differences(session.snapshots.shelf.named(name).snapshot, session.snapshots.now()) == []
        assert session.vms.summaries()[0].taken_back == 6 * MIB
        session.run(10_000)
        assert differences(end, session.snapshots.now()) == []


def test_rings_of_the_guests_drivers_go_along_where_there_are_such(unrecorded: Session) -> None:
    unrecorded.load(load_program("pebble"), "hardware", command_line="run=hello pv=console,disk")
    unrecorded.run(500_000)
    snapshot = unrecorded.snapshots.take("rings").snapshot
    assert snapshot.own is not None
    unrecorded.run(1_000_000)
    end = unrecorded.snapshots.now()
    assert end.end is not None
    for kind in ("hardware", "hardware_shadow"):
        SESSION.power_on_from(snapshot, kind)
        SESSION.run(1_000_000)
        assert differences(end, SESSION.snapshots.now()) == []
    with pytest.raises(RequestError, match="Binary translation has no rings for the drivers"):
        unrecorded.snapshots.clone("rings", "translation")


def test_a_paravirtual_vm_goes_on_in_the_frames_that_its_guest_knows(unrecorded: Session) -> None:
    unrecorded.load(load_program("pebble-pv"), "paravirt", command_line="run=hello", disk=DiskImage(bytes(1 << 20)))
    unrecorded.run(250_000)
    snapshot = unrecorded.snapshots.take("there").snapshot
    unrecorded.run(2_000_000)
    end = unrecorded.snapshots.now()
    assert end.end is not None
    SESSION.power_on_from(snapshot)
    for each in (unrecorded, SESSION):
        if each is unrecorded:
            each.snapshots.revert("there")
        assert differences(snapshot, each.snapshots.now()) == []
        each.run(2_000_000)
        assert differences(end, each.snapshots.now()) == []
    with pytest.raises(RequestError, match="knows the machine's frames, and frame 0x100 belongs to VM A"):
        unrecorded.snapshots.clone("there")
    with pytest.raises(RequestError, match="was written for"):
        SESSION.power_on_from(snapshot, "hardware")


def test_the_list_says_which_kinds_can_go_on(session: Session) -> None:
    for guest, kind in (("hello", "bare"), ("pebble-pv", "paravirt")):
        session.load(load_program(guest), kind)
        session.snapshots.take()
    hello, pebble = session.snapshots.shelf.facts()
    assert hello.carriers == tuple(kinds_for())
    assert pebble.carriers == ("paravirt",)


def test_what_was_thrown_away_comes_back_in_its_place(session: Session) -> None:
    session.load(load_program("hello"), "bare")
    first, _second = session.snapshots.take("first"), session.snapshots.take("second")
    session.snapshots.shelf.delete("first")
    session.snapshots.shelf.rename("second", "first")  # its name has another by now
    session.snapshots.shelf.keep_again(first)
    assert [(fact.number, fact.name) for fact in session.snapshots.shelf.facts()] == [(1, "first 2"), (2, "first")]


@pytest.mark.parametrize("kind", HOSTED)
def test_a_new_vm_is_its_image_whoever_had_its_frames_before(session: Session, kind: str) -> None:
    session.load(ticking(), kind, memory=4 * MIB)
    session.run(1_500)
    session.snapshots.take("early")
    session.run(1_000)
    session.snapshots.revert("early")
    fresh = [session.vms.add(ticking(), "trap_emulate", memory=4 * MIB)]
    session.vms.remove("A")
    fresh.append(session.vms.add(ticking(), "trap_emulate", memory=6 * MIB))
    assert [from_image(session.snapshots.now(letter)).pages for letter in fresh] == [0, 0]
