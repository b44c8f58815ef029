"""An engine that dies, with futures, VMs and wishes on their way: its successor has them all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.engine.client import Engine
from app.engine.protocol import AddVm, EnterFuture, GoTo, SelectVm, SetWeight
from core.past import Past
from core.snapshot import Snapshot
from tests.gui.test_running import ECHO

PATIENCE = 30_000  # milliseconds
STEP = 300  # instructions in which a letter is echoed


class Person:
    """Somebody at an engine that runs a guest which echoes; `console` is the VM's that is looked at."""

    def __init__(self, engine: Engine, guest: Path, qtbot: QtBot) -> None:
        self.engine, self.guest, self._qtbot = engine, str(guest), qtbot
        self.console = b""
        self._generation, self._vm = -1, ""
        engine.updated.connect(self._see)
        engine.load(self.guest, "trap_emulate")
        self.await_(lambda: engine.latest is not None)

    def _see(self, snapshot: Snapshot) -> None:
        if (snapshot.generation, snapshot.vm) != (self._generation, self._vm):
            self._generation, self._vm, self.console = snapshot.generation, snapshot.vm, b""
        self.console += snapshot.console

    def await_(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=PATIENCE)

    @property
    def sees(self) -> Snapshot:
        assert self.engine.latest is not None
        return self.engine.latest

    @property
    def past(self) -> Past:
        assert self.sees.past is not None
        return self.sees.past

    def type_in(self, letters: bytes) -> None:
        """And step until they are echoed."""
        console = self.console + letters
        self.engine.send_input(letters)
        self.engine.step(STEP)
        self.await_(lambda: self.console == console)

    def kill(self) -> None:
        assert self.engine.pid is not None
        os.kill(self.engine.pid, signal.SIGTERM)


@pytest.fixture
def person(qtbot: QtBot, tmp_path: Path) -> Iterator[Person]:
    guest = tmp_path / "echo.s"
    guest.write_text(f".globl _start\n_start:\n{ECHO}\n", encoding="utf-8")
    engine = Engine()
    yield Person(engine, guest, qtbot)
    engine.close()


def test_other_futures_are_as_reachable_as_before(person: Person) -> None:
    """ "ab" is one future, "c" from the start another, "ad" from half-way of the first a third."""
    engine = person.engine
    person.type_in(b"a")
    person.type_in(b"b")
    engine.travel(GoTo(0))
    person.await_(lambda: person.past.now == 0 and person.console == b"")
    person.type_in(b"c")
    engine.travel(EnterFuture(0))
    person.await_(lambda: person.past.present == 0 and person.console == b"ab")
    engine.travel(GoTo(STEP))
    person.await_(lambda: person.past.now == STEP)
    person.type_in(b"d")
    engine.travel(GoTo(STEP))  # in the past of the third
    person.await_(lambda: person.past.now == STEP)
    before, registers, generation = person.past, person.sees.registers, person.sees.generation
    assert len(before.futures) == 3
    person.kill()
    person.await_(lambda: person.sees.generation > generation)
    assert replace(person.past, stretches=()) == replace(before, stretches=())
    assert person.sees.registers == registers
    for number, console in enumerate((b"ab", b"c", b"ad")):
        generation = person.sees.generation
        engine.travel(EnterFuture(number))
        person.await_(lambda: person.sees.generation > generation)  # noqa: B023
        assert (person.past.present, person.console) == (number, console)


def test_what_was_asked_of_a_dying_engine_is_done_by_the_next_in_the_same_order(person: Person) -> None:
    """Asked and not obeyed: another VM, to look at it, a letter for it, and a weight."""
    engine = person.engine
    person.kill()
    engine.host(AddVm(person.guest, "hardware"))
    engine.host(SelectVm("B"))
    engine.send_input(b"b")
    engine.host(SetWeight("B", 3))
    person.await_(lambda: [vm.weight for vm in person.sees.vms] == [1, 3])
    assert person.sees.vm == "B"
    engine.run()
    person.await_(lambda: person.console == b"b")


def test_breakpoints_are_those_of_each_vm(person: Person) -> None:
    engine = person.engine
    engine.set_breakpoints(frozenset({0x100_100}))
    engine.host(AddVm(person.guest, "trap_emulate"))
    engine.host(SelectVm("B"))
    person.await_(lambda: person.sees.vm == "B")
    assert person.sees.breakpoints == frozenset()
    generation = person.sees.generation
    person.kill()
    person.await_(lambda: person.sees.generation > generation)
    assert (person.sees.vm, person.sees.breakpoints) == ("B", frozenset())
    engine.host(SelectVm("A"))
    person.await_(lambda: person.sees.vm == "A")
    assert person.sees.breakpoints == {0x100_100}


def test_it_is_back_though_the_next_died_as_well_while_it_started(person: Person) -> None:
    engine = person.engine
    person.type_in(b"a")
    generation, executed = person.sees.generation, person.sees.executed
    words: list[str] = []
    engine.lost.connect(words.append)
    engine.lost.connect(lambda _: person.kill() if len(words) == 1 else None, Qt.ConnectionType.QueuedConnection)
    person.kill()
    person.await_(lambda: person.sees.generation > generation)
    assert len(words) == 2
    assert (person.sees.executed, person.console) == (executed, b"a")
