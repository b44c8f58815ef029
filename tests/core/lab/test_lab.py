"""A lab that was saved and opened is the lab that it was, and goes on as that would have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.devices.disk_image import DiskImage, load_disk_image
from core.errors import LabError, RequestError
from core.events import StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.lab.files import open_lab, save_lab
from core.lab.lab import Desk, Lab
from core.layout import MIB
from core.looks import Space
from core.rewind import look
from core.session import Session
from core.timeline.timeline import Recording
from core.translations import Switch
from tests.core.test_session import each_kind
from tests.core.timeline.test_timeline import COUNTING, DENSE, ECHO, recorded, run_to


def reopened(lab: Lab, tmp_path: Path) -> Session:
    """The lab in another session, by way of a file."""
    path = tmp_path / "it.ringside"
    save_lab(lab, path, "test")
    session = Session(history=Recording())
    session.lab.open(open_lab(path))
    return session


def same(one: Session, other: Session) -> bool:
    return (
        one.lab.facts() == other.lab.facts() and one.console == other.console and one.registers() == other.registers()
    )


@each_kind
def test_a_lab_comes_back_as_it_was_and_goes_on_as_it_would_have(kind: str, tmp_path: Path) -> None:
    session = recorded(ECHO, kind)
    for text in (b"a", b"bc"):
        run_to(session, session.machine_executed + 3_000)
        session.inputs.send(text)
    run_to(session, session.machine_executed + 5_001)
    session.breakpoints = frozenset({session.pc + 5})
    again = reopened(session.lab.facts(Desk(("code",), (), "four-rings", 2)), tmp_path)
    assert same(session, again)
    assert again.breakpoints == session.breakpoints
    for each in (session, again):
        each.breakpoints = frozenset()
        each.inputs.send(b"z")
        run_to(each, each.machine_executed + 4_000)
    assert same(session, again)
    assert look(session).facts["RAM"] == look(again).facts["RAM"]


def test_several_vms_with_shares_come_back(tmp_path: Path) -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), "trap_emulate")
    session.run(4_000)
    session.vms.add(load_program("hello"), "hardware", memory=2 * MIB, weight=3, cap=40, disk=DiskImage(bytes(1024)))
    session.run(9_000)
    session.vms.pause("A")
    session.select("B")
    session.run(2_000)
    again = reopened(session.lab.facts(), tmp_path)
    assert same(session, again)
    assert again.vms.summaries() == session.vms.summaries()
    assert again.selected == "B"


def test_how_the_translator_was_switched_comes_back(tmp_path: Path) -> None:
    session = recorded(ECHO, "translation")
    run_to(session, 6_000)
    session.inputs.set_translation(Switch.ADAPTIVE, on=False)
    session.inputs.set_translation(Switch.AHEAD, on=True)
    run_to(session, 9_000)
    again = reopened(session.lab.facts(), tmp_path)
    assert same(session, again)
    assert again.vmm.switches == {Switch.AHEAD}


def test_every_future_comes_back_and_can_be_entered(tmp_path: Path) -> None:
    session = recorded(ECHO)
    run_to(session, 6_000)
    begin = session.machine_executed
    session.inputs.send(b"first")
    run_to(session, 20_000)
    first = session.console
    session.travel.go_to(begin - 1)
    session.inputs.send(b"second")
    run_to(session, 20_000)
    assert (first, session.console) == (b"first", b"second")
    session.travel.go_to(begin + 5)
    again = reopened(session.lab.facts(), tmp_path)
    assert again.past() is not None
    assert session.past() is not None
    assert again.past().futures == session.past().futures  # type: ignore[union-attr]
    again.travel.enter(0)
    assert again.console == b"first"
    again.travel.enter(1)
    assert again.console == b"second"
    again.travel.undo()
    assert again.console == b""


def test_a_lab_that_is_kept_while_the_past_is_searched_stands_where_the_search_began(tmp_path: Path) -> None:
    session = recorded(COUNTING)
    session.step(9_001)
    session.inputs.edit_memory(Space.LINEAR, 0x20_0004, b"edited")
    before, stood = look(session), session.lab.facts()
    search = session.travel.running_back_to_write(Space.LINEAR, 0x30_0000)
    for _ in range(2):
        next(search)
    assert session.timeline.now != stood.now
    kept = session.lab.facts()
    assert (kept.now, kept.applied) == (stood.now, stood.applied)
    assert look(reopened(kept, tmp_path)).facts["RAM"] == before.facts["RAM"]
    search.close()
    assert session.lab.facts() == stood
    assert before.differences(look(session)) == []


def test_a_search_that_is_given_up_leaves_what_was_just_done_and_who_is_looked_at() -> None:
    session = Session(history=DENSE)
    session.load(load_program("rings"), "trap_emulate")
    session.run(9_000)
    session.vms.add(load_program("hello"), "hardware", memory=2 * MIB)
    session.select("B")
    session.inputs.edit_register("EAX", 0x1234)
    before = look(session)
    search = session.travel.running_back()
    next(search)
    search.close()
    assert session.selected == "B"
    assert before.differences(look(session)) == []


def test_a_lab_in_the_past_has_its_future_before_it(tmp_path: Path) -> None:
    session = recorded(ECHO)
    run_to(session, 6_000)
    session.inputs.send(b"x")
    session.inputs.send(b"y")
    between = session.machine_executed
    run_to(session, 9_000)
    session.travel.go_to(between)
    again = reopened(session.lab.facts(), tmp_path)
    assert same(session, again)
    run_to(again, 9_000)
    assert again.console == b"xy"


def test_a_lab_at_a_breakpoint_comes_back_to_it(tmp_path: Path) -> None:
    program = load_program("hello")
    session = Session(history=DENSE)
    session.load(program, "trap_emulate")
    session.breakpoints = frozenset({program.symbols["print_next"]})
    for _ in range(3):
        assert session.run() is StopReason.BREAKPOINT
    again = reopened(session.lab.facts(), tmp_path)
    assert same(session, again)
    assert again.run() is session.run()
    assert same(session, again)


def test_a_lab_whose_replay_is_another_machine_is_refused_and_the_former_is_there(tmp_path: Path) -> None:
    other = recorded("again: inc eax\njmp again")
    other.run(7_000)
    wrong = other.lab.facts()
    session = recorded(ECHO)
    run_to(session, 5_000)
    session.inputs.send(b"kept")
    run_to(session, 9_000)
    before = session.lab.facts()
    for lab in (
        _changed(wrong, fingerprint="0" * 64),
        _changed(wrong, now=wrong.now._replace(executed=wrong.now.executed - 1)),
    ):
        with pytest.raises(RequestError):
            session.lab.open(lab)
        assert session.lab.facts() == before
        assert session.console == b"kept"


def _changed(lab: Lab, **fields: object) -> Lab:
    import dataclasses

    return dataclasses.replace(lab, **fields)  # type: ignore[arg-type]


def test_opening_that_is_given_up_stands_on_the_way_with_the_rest_before_it() -> None:
    session = recorded("again: inc eax\njmp again", recording=Recording())
    session.run(3_000_000)
    lab = session.lab.facts()
    opening = session.lab.opening(lab)
    shares = [next(opening) for _ in range(3)]
    opening.close()
    assert shares == sorted(shares)
    assert 0 < session.machine_executed < 3_000_000
    past = session.past()
    assert past is not None
    assert past.reached == 3_000_000
    session.run(3_000_000 - session.machine_executed)
    assert session.lab.facts() == lab


def test_the_same_lab_gives_the_same_file_in_every_process(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from core.guests.catalog import load_program
from core.lab.files import save_lab
from core.session import Session
from core.timeline.timeline import Recording
session = Session(history=Recording(instructions=50_000, departures=100))
session.load(load_program("pebble-clean"), sys.argv[2], command_line="run=hello")
session.run(300_000)
save_lab(session.lab.facts(), Path(sys.argv[1]), "test")
"""
    files = [tmp_path / f"{seed}.ringside" for seed in (1, 2)]
    for seed, file in enumerate(files, 1):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", script, str(file), "translation"], check=True, env=environment)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_saving_over_a_lab_leaves_it_whole_if_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = recorded("again: inc eax\njmp again")
    path = tmp_path / "lab.ringside"
    save_lab(session.lab.facts(), path, "test")
    before = path.read_bytes()
    session.run(1_000)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LabError, match="No space left"):
        save_lab(session.lab.facts(), path, "test")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_sources_and_debug_information_travel_with_a_guest(tmp_path: Path) -> None:
    session = Session(history=DENSE)
    program = load_program("pebble")
    session.load(program, "bare")
    lab = session.lab.facts()
    path = tmp_path / "lab.ringside"
    save_lab(lab, path, "test")
    assert open_lab(path).first.program == program


def test_a_session_without_history_cannot_be_saved() -> None:
    session = Session()
    session.load(assemble("nop", "guest.s"), "bare")
    with pytest.raises(RequestError, match="not recorded"):
        session.lab.facts()


DISK_WRITER = """
    mov edx, 0x1f6
    mov al, 0xe0
    out dx, al
    mov edx, 0x1f2
    mov al, 1
    out dx, al
    inc edx
    xor eax, eax
    out dx, al
    inc edx
    out dx, al
    inc edx
    out dx, al
    mov edx, 0x1f7
    mov al, 0x30
    out dx, al
    mov edx, 0x1f0
    mov ecx, 256
    mov eax, 0x5a5a
fill: out dx, ax
    loop fill
    hlt
"""


def test_a_disk_that_was_saved_to_its_file_is_what_a_reset_vm_begins_with_again(tmp_path: Path) -> None:
    file = tmp_path / "disk.img"
    file.write_bytes(bytes(1024))
    session = Session(history=DENSE)
    session.load(assemble(DISK_WRITER, "writer.s"), "trap_emulate", disk=load_disk_image(file), memory=2 * MIB)
    session.vms.add(load_program("hello"), "trap_emulate", memory=2 * MIB)
    session.run(4_000)
    session.save_disk(file)
    assert file.read_bytes()[:512] == b"\x5a" * 512
    session.reset()
    session.run(2_000)
    again = reopened(session.lab.facts(), tmp_path)
    assert session.lab.facts().fingerprint == again.lab.facts().fingerprint
    assert session.vm.spec.disk is not None
    assert again.vm.spec.disk is not None
    assert again.vm.spec.disk.data == session.vm.spec.disk.data == file.read_bytes()
    again.travel.undo()
    assert again.sentence.startswith("Undone: VM A reset.")
    again.travel.undo()
    assert again.sentence.startswith("Undone: a VM with hello added.")
    with pytest.raises(RequestError, match="Nothing was done"):
        again.travel.undo()
