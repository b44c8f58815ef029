"""Drivers over rings on hardware: the same guest, the same console and disk, and a fraction of the exits."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from core.addresses import GuestPhysical
from core.devices.disk_image import SECTOR, DiskImage
from core.devices.pc import Pc
from core.events import Cause
from core.guests.catalog import load_program
from core.layout import MIB
from core.memory.guest_physical import GuestPhysicalMemory
from core.session import Session
from core.vmm import kinds_for
from core.vmm.guest_rings import CALL_NOTIFY, CALL_RING, CONSOLE, DISK, GuestRings

LIMIT = 60_000_000
PEBBLE = load_program("pebble")
ASSISTED = [kind for kind in kinds_for() if kind.startswith("hardware")]


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def ran(session: Session, kind: str, command_line: str) -> tuple[bytes, object, bytes]:
    session.load(PEBBLE, kind, command_line=command_line, disk=DiskImage(bytes(1024 * SECTOR)))
    session.run(LIMIT)
    return session.console, session.end, session.vmm.pc.disk.contents()


def departures(session: Session) -> int:
    return session.traps.causes[Cause.EXIT] + session.traps.causes[Cause.HYPERCALL]


@pytest.mark.parametrize("kind", ASSISTED)
@pytest.mark.parametrize("program", ["writer", "hello", "forks"])
def test_console_and_disk_are_the_same_by_ring_and_by_port(session: Session, kind: str, program: str) -> None:
    by_port = ran(session, kind, f"run={program}")
    many = departures(session)
    assert ran(session, kind, f"pv=console,disk run={program}") == by_port
    assert many - departures(session) > 700  # of those for ports; the rest is paging and interrupts
    assert session.traps.causes[Cause.HYPERCALL] > 3


def test_nobody_is_called_where_there_is_nobody(session: Session) -> None:
    assert ran(session, "bare", "pv=console,disk run=writer") == ran(session, "bare", "run=writer")
    assert session.traps.causes[Cause.HYPERCALL] == 0


def test_rings_are_found_again_after_their_pages_were_taken_back(session: Session) -> None:
    blank = DiskImage(bytes(1024 * SECTOR))
    session.load(PEBBLE, "hardware", command_line="pv=console,disk", disk=blank)
    while not session.console.endswith(b"$ "):
        session.run(100_000)
    session.vms.balloon("A", 15 * MIB)
    session.inputs.send(b"write note some words\ncat note\nexit 3\n")
    session.run(LIMIT)
    assert b"$ some words\r\n" in session.console
    assert session.end is not None
    assert session.end.status == 3


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_in_a_ring_nothing_but_the_guests_memory_is_touched(session: Session, seed: int) -> None:
    rng = random.Random(seed)
    session.load(PEBBLE, "hardware", disk=DiskImage(bytes(64 * SECTOR)))
    physical, pc = session.vmm.physical, session.vmm.pc
    rings = made(physical, pc)
    before = outside(session)
    pages = physical.size >> 12
    for _ in range(400):
        page = rng.choice((rng.randrange(1 << 32), rng.randrange(pages), pages - 1))
        value, _ = rings.call(rng.choice((CALL_RING, CALL_NOTIFY)), rng.choice((CONSOLE, DISK, 7)), page)
        assert value in (0, 64, 0xFFFF_FFEA)
        at = (page % pages) << 12
        some = [rng.choice((0, 1, 3, 64, rng.randrange(pages + 9), rng.randrange(1 << 32))) for _ in range(64)]
        physical.write(GuestPhysical(at), struct.pack("<64I", *some))
        physical.write(GuestPhysical(at + 3072), struct.pack("<4I", *some[:4]))
    assert outside(session) == before


def made(physical: GuestPhysicalMemory, pc: Pc) -> GuestRings:
    return GuestRings(physical, pc, lambda: None)


def outside(session: Session) -> bytes:
    """The machine's memory but for the VM's."""
    ram = session.machine.ram
    kept = bytearray(ram.array.tobytes())
    for frame in session.vmm.physical.frames:
        kept[frame : frame + 4096] = bytes(4096)
    return bytes(kept)
