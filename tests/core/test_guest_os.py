"""The guest's processes, read from its memory: what the lab sees is what the guest itself says."""

from __future__ import annotations

import re

import pytest

from core.events import StopReason
from core.guests.catalog import load_program
from core.guests.structures import types_of
from core.session import Session

BUILDS = pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])


def booted(image: str, kind: str, command_line: str, executed: int) -> Session:
    session = Session(recording=False)
    session.load(load_program(image), kind, command_line=command_line)
    session.run(executed)
    return session


@BUILDS
def test_a_tree_of_processes_is_seen_while_it_grows(image: str, kind: str) -> None:
    session = booted(image, kind, "run=forks", 1_500_000)
    system = session.guest_system()
    assert system is not None
    parents = {process.pid: process.parent for process in system.processes}
    assert parents[1] == 0
    assert parents[2] == 1
    assert [pid for pid, parent in parents.items() if parent == 2] == [3, 4]
    assert {process.name for process in system.processes} == {"init", "forks"}


@BUILDS
def test_the_running_process_is_known_by_the_guests_record_and_by_cr3(image: str, kind: str) -> None:
    session = booted(image, kind, "run=greedy", 3_000_000)
    system = session.guest_system()
    assert system is not None
    assert [(process.name, process.in_cr3) for process in system.processes if process.current] == [("greedy", True)]


@BUILDS
def test_the_lab_sees_what_ps_prints(image: str, kind: str) -> None:
    session = booted(image, kind, "", 3_000_000)
    session.inputs.send(b"run greedy 1 &\nps\n")
    session.run(3_000_000)
    printed = re.findall(r"^ +(\d+) +(\d+) +(\w+) +(\d+)  (\w+)\r$", session.console.decode(), re.MULTILINE)
    system = session.guest_system()
    assert system is not None
    seen = {process.pid: (process.parent, process.name) for process in system.processes}
    assert len(printed) >= 2
    for pid, parent, _state, _runs, name in printed:
        assert int(pid) not in seen or seen[int(pid)] == (int(parent), name)
    assert {1, 2} <= seen.keys()


@BUILDS
def test_ticks_and_free_frames_are_the_guests_own(image: str, kind: str) -> None:
    session = booted(image, kind, "", 3_000_000)
    session.inputs.send(b"free\nticks\n")
    session.run(1_000_000)
    said = session.console.decode()
    system = session.guest_system()
    assert system is not None
    assert f"{system.free_frames} frames free" in said
    assert system.ticks >= int(re.findall(r"(\d+) ticks since boot", said)[-1])


def test_reading_changes_nothing() -> None:
    looked, alone = (booted("pebble", "bare", "run=forks", 1_000_000) for _ in range(2))
    looked.guest_system()
    for session in (looked, alone):
        assert session.run() is StopReason.ENDED
    assert (looked.executed, looked.console) == (alone.executed, alone.console)


def test_a_guest_without_such_records_has_none() -> None:
    assert booted("hello", "bare", "", 100).guest_system() is None


def test_an_image_without_debug_information_has_no_types() -> None:
    assert types_of(b"", "process.c") is None
    assert types_of(load_program("hello").image, "process.c") is None
