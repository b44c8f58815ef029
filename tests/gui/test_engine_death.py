"""The engine dies: the window stays, says so, and has another at the same guest."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication

from app.controllers.actions import Act
from app.engine.client import Engine
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
