"""Memory taken back from a running VM: its guest sees no difference, and others can have the frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
import pytest

from core.addresses import PAGE_SIZE, GuestPhysical, HostPhysical
from core.errors import LabFault, RequestError
from core.events import Cause
from core.guests.catalog import load_program
from core.layout import MIB
from core.memory.nested import NestedPager
from core.memory.shadow import ShadowPager
from core.session import Session
from core.vmm import kinds_for
from tests.bench import loops
from tests.core.test_hypervisor import GREEDY, KIND, PEBBLE, seen, story

HOSTED = [name for name, kind in kinds_for().items() if kind.hosted]
PAGES = "run=pages"


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def brought_back(session: Session, letter: str) -> int:
    reclaimer = session.hypervisor.vms[letter].reclaimer
    return reclaimer.state.brought_back if reclaimer else 0


@pytest.mark.parametrize(("kind", "line"), list(zip(HOSTED, cycle(["run=forks", PAGES]), strict=False)))
def test_a_guest_under_pressure_is_equal_to_the_same_with_all_its_memory(
    session: Session, kind: str, line: str
) -> None:
    session.load(PEBBLE, kind, command_line=line)
    session.vms.add(GREEDY, kind)
    for taken in (15 * MIB, 10 * MIB, 14 * MIB, 0, 15 * MIB):
        session.vms.balloon("A", taken)
        session.run(150_000)
    session.select("A")
    while session.end is None:
        session.run(1_000_000)
    alone = Session(recording=False)
    alone.load(PEBBLE, kind, command_line=line)
    alone.run()
    mine = [trap for trap in session.traps.recent() if trap.vm == "A" and not hidden(trap.cause)]
    assert seen(session) == seen(alone)
    assert story(mine) == story([trap for trap in alone.traps.recent() if not hidden(trap.cause)])
    assert brought_back(session, "A") > 20
    assert any("taken from the VM" in trap.outcome for trap in session.traps.recent())
    alone.close()


def hidden(cause: Cause) -> bool:
    """The monitor's own doing: how often it acts depends on what is in memory."""
    return cause in (Cause.PAGE_FAULT_HIDDEN, Cause.EXIT, Cause.TRACE, Cause.CALLOUT)


def test_what_is_taken_really_goes_to_another_vm(session: Session) -> None:
    session.load(PEBBLE, KIND)
    for _ in range(5):
        session.vms.add(GREEDY, KIND)
    with pytest.raises(RequestError, match="are free for it"):
        session.vms.add(PEBBLE, KIND, memory=24 * MIB)
    session.run(300_000)
    session.vms.balloon("B", 15 * MIB)
    frames = session.machine.frames
    assert frames.owned_bytes("VM B") == MIB
    was = set(frames.owned("VM B"))
    assert session.vms.add(PEBBLE, KIND, memory=24 * MIB) == "G"
    assert not was & set(frames.owned("VM G"))
    session.run(300_000)
    with pytest.raises(RequestError, match=r"VM B cannot have 15.0 MiB back: only \d+\.\d MiB are free"):
        session.vms.balloon("B", 0)
    session.vms.remove("G")
    session.vms.balloon("B", 0)
    assert frames.owned_bytes("VM B") == 16 * MIB
    summary = session.vms.summaries()[1]
    assert (summary.memory, summary.taken_back) == (16 * MIB, 0)


def test_reading_and_writing_taken_memory_leaves_it_where_it_is(session: Session) -> None:
    session.load(load_program("hello"), KIND)
    session.run()
    before = session.vmm.physical.read(GuestPhysical(0), 16 * MIB)
    session.vms.balloon("A", 14 * MIB)
    physical = session.vmm.physical
    assert physical.read(GuestPhysical(0), 16 * MIB) == before
    absent = min(physical.kept)
    physical.write(GuestPhysical(absent * PAGE_SIZE + 4094), b"abcd")
    assert physical.read(GuestPhysical(absent * PAGE_SIZE + 4094), 4) == b"abcd"
    assert len(physical.kept) == 14 * MIB // PAGE_SIZE
    session.vms.balloon("A", 0)
    assert physical.read(GuestPhysical(absent * PAGE_SIZE + 4094), 4) == b"abcd"
    assert not physical.kept


def test_a_reset_while_memory_is_taken_begins_anew_with_as_little(session: Session) -> None:
    session.load(load_program("hello"), KIND)
    session.vms.add(GREEDY, KIND)
    session.vms.balloon("A", 14 * MIB)
    session.run(50_000)
    session.reset()
    session.run(100_000)
    assert session.console.count(b"Hello") == 2
    assert session.vms.summaries()[0].memory == 2 * MIB


def test_too_much_cannot_be_taken_nor_from_a_bare_machine(session: Session) -> None:
    session.load(GREEDY, KIND)
    for taken in (-PAGE_SIZE, 16 * MIB):
        with pytest.raises(RequestError, match="Choose 0 to 15 MiB"):
            session.vms.balloon("A", taken)
    session.load(GREEDY, "bare")
    with pytest.raises(RequestError, match="Bare machine cannot take memory back"):
        session.vms.balloon("A", MIB)


def test_the_pager_refuses_to_show_a_frame_of_another(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("a100002000 ebfe".replace(" ", ""))), KIND)  # mov eax, [0x200000]
    session.vms.add(GREEDY, KIND)
    frames = session.machine.frames
    session.vms.balloon("A", 15 * MIB)
    page = loops.DATA // PAGE_SIZE
    physical = session.vmm.physical
    if page in physical.kept:
        del physical.kept[page]
    physical.frames[page] = frames.owned("VM B")[0]
    session.vmm.mappings.unmap(GuestPhysical(loops.DATA))  # type: ignore[union-attr]
    with pytest.raises(LabFault, match="belongs to VM B, but was to be shown to VM A"):
        session.run(1000)


@pytest.mark.parametrize("kind", HOSTED)
def test_no_table_that_the_cpu_walks_shows_a_frame_of_another_vm(session: Session, kind: str) -> None:
    session.load(PEBBLE, kind, command_line="run=forks")
    session.vms.add(PEBBLE, kind, command_line="run=pages")
    session.vms.balloon("A", 14 * MIB)
    session.run(1_500_000)
    frames = session.machine.frames
    for letter in "AB":
        session.select(letter)
        shown = {frames.owner(HostPhysical(entry)) for entry in entries(session)}
        assert f"VM {letter}" in shown
        assert shown <= {f"VM {letter}", f"monitor of {letter}"}


def entries(session: Session) -> set[int]:
    """What the present entries of the tables that the CPU walks for the selected VM lead to."""
    pager, ram = session.vmm.mappings, session.machine.ram
    if isinstance(pager, ShadowPager):
        raw = b"".join(ram.read(frame, PAGE_SIZE) for frame in pager.table_frames())
        words = np.frombuffer(raw, np.uint32)
        return {int(word) & ~0xFFF for word in words[(words & 1) == 1]}
    assert isinstance(pager, NestedPager)
    walks = (pager.walk(GuestPhysical(page)) for page in range(0, session.vmm.physical.size, PAGE_SIZE))
    return {entry.value & ~0xFFF for walk in walks for entry in walk if entry.value & 1}
