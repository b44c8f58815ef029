"""The engine dies: the window stays, says so, and has another at the same guest."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.controllers.actions import Act
from app.engine.client import Engine
from app.engine.protocol import AddVm, SelectVm
from core.lab.lab import Desk
from tests.gui.conftest import Person
from tests.gui.test_running import ECHO


@pytest.fixture
def engine(qapp: QApplication) -> Iterator[Engine]:
    """An engine of each test's own, since none survives."""
    engine = Engine()
    yield engine
    engine.close()


def kill(person: Person) -> None:
    """End the engine process as nobody expects it."""
    pid = person.engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def test_killed_engine_is_told_and_started_again_at_the_same_guest(person: Person) -> None:
    person.load("hello", "trap_emulate")
    person.step()
    before, pid = person.sees.generation, person.engine.pid
    kill(person)
    person.wait(lambda: "died" in person.window.message.text)
    person.wait(lambda: "started again with the same guest" in person.window.message.text)
    person.wait(lambda: person.sees.generation > before)
    assert person.engine.pid != pid
    assert person.sees.guest == "hello"
    assert person.sees.kind == "trap_emulate"
    person.wait(lambda: person.sees.executed == 1)
    assert not person.window.message.details.isHidden()
    person.run()
    assert person.console.text == "Hello from ring 0!\n"


def test_engine_killed_while_it_runs_comes_back_too(person: Person, source: Callable[[str], str]) -> None:
    person.load(source("loop_here: jmp loop_here"))
    breakpoint_ = person.sees.pc + 64
    person.code.toggle_breakpoint(breakpoint_)
    person.window.run.run()
    person.wait(lambda: person.sees.running and person.sees.executed > 1000)
    kill(person)
    seen, generation = person.sees.executed, person.sees.generation
    person.wait(lambda: person.sees.generation > generation and person.sees.executed >= seen)
    assert not person.sees.running
    person.wait(lambda: person.sees.breakpoints == {breakpoint_})
    person.step()


def test_what_was_typed_is_not_lost_with_the_engine(person: Person, source: Callable[[str], str]) -> None:
    person.load(source(ECHO))
    person.press(Act.RUN)
    for letter in (b"a", b"b"):
        person.engine.send_input(letter)
        shown = person.console.text + letter.decode()
        person.wait(lambda shown=shown: person.console.text == shown)
    executed, generation = person.sees.executed, person.sees.generation
    kill(person)
    person.engine.send_input(b"c")  # nobody hears it now
    person.wait(lambda: person.sees.generation > generation and person.sees.executed >= executed)
    assert person.console.text == "ab"
    person.press(Act.RUN)
    person.wait(lambda: person.console.text == "abc")


def test_all_vms_come_back_with_what_each_was_given(person: Person, source: Callable[[str], str]) -> None:
    person.load(source(ECHO), "trap_emulate")
    for guest, kind, weight, cap in (("rings", "hardware", 3, None), (source(ECHO), "translation", 1, 20)):
        person.engine.host(AddVm(guest, kind, weight=weight, cap=cap))
    person.engine.host(SelectVm("C"))
    person.wait(lambda: person.sees.vm == "C")
    given = [(vm.letter, vm.guest, vm.kind, vm.weight, vm.cap) for vm in person.sees.vms]
    die(person)  # before anything has run
    assert "same guests" in person.window.message.text
    assert [(vm.letter, vm.guest, vm.kind, vm.weight, vm.cap) for vm in person.sees.vms] == given
    assert person.sees.vm == "C"
    person.press(Act.RUN)
    person.wait(lambda: person.sees.vms[1].end is not None)
    person.engine.send_input(b"c")
    person.wait(lambda: person.console.text == "c")
    person.engine.stop()
    person.wait(lambda: not person.sees.running)
    before = person.sees
    die(person)
    assert (person.sees.vms, person.sees.registers) == (before.vms, before.registers)
    assert person.console.text == "c"


def die(person: Person) -> None:
    """Kill the engine, and wait until another has what that one had."""
    before = person.sees
    kill(person)
    person.wait(lambda: person.sees.generation > before.generation and person.sees.time >= before.time)
    person.wait(lambda: len(person.sees.vms) == len(before.vms) and person.sees.vm == before.vm)


def test_an_opened_lab_survives_the_death_of_its_engine_and_the_loss_of_its_file(
    person: Person, source: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.ringside"
    guest = source(ECHO)
    person.load(guest)
    person.press(Act.RUN)
    person.engine.send_input(b"ab")
    person.wait(lambda: person.console.text == "ab")
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    person.engine.save_lab(str(path), Desk())
    person.wait(lambda: path.exists())
    person.load("hello")
    person.window.program.open_file(str(path))
    person.wait(lambda: person.console.text == "ab")
    path.unlink()
    Path(guest).unlink()
    generation = person.sees.generation
    kill(person)
    person.wait(lambda: person.engine.latest is not None and person.sees.generation > generation)
    person.wait(lambda: person.console.text == "ab")
