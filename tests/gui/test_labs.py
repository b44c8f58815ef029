"""Saving a lab and opening it, as a person does, and what is there after everything died."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.engine.client import Engine
from app.main_window import MainWindow
from core.lab.archive import MANIFEST
from core.lab.lab import Desk
from tests.gui.conftest import Person
from tests.gui.test_running import ECHO

LONG = 200_000  # instructions, every other of them a departure


def typed(person: Person, text: bytes) -> None:
    """Run, type, and stop once it was echoed."""
    person.press(Act.RUN)
    shown = person.console.text + text.decode()
    person.engine.send_input(text)
    person.wait(lambda: person.console.text == shown)
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)


def test_a_saved_lab_is_opened_as_it_was(person: Person, source: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "mine.ringside"
    person.load(source(ECHO), "trap_emulate")
    typed(person, b"ab")
    person.code.toggle_breakpoint(person.sees.pc + 64)
    person.wait(lambda: person.sees.breakpoints)
    person.window.layout_.docks["traps"].close()
    before = person.sees
    person.engine.save_lab(str(path), person.window.labs.desk())
    person.wait(lambda: person.window.labs.path == str(path))
    assert "mine" in person.window.windowTitle()
    person.window.layout_.show_view("traps")
    person.load("hello")
    assert "mine" not in person.window.windowTitle()
    person.window.program.open_file(str(path))
    person.wait(lambda: person.sees.executed == before.executed and person.console.text == "ab")
    person.wait(lambda: person.sees.breakpoints == before.breakpoints)
    assert (person.sees.registers, person.sees.kind) == (before.registers, "trap_emulate")
    person.wait(lambda: person.window.layout_.docks["traps"].isHidden())
    assert "mine" in person.window.windowTitle()
    typed(person, b"c")
    person.press(Act.SAVE_LAB)
    person.wait(lambda: "is saved in" in person.window.sentence.text)


def test_a_file_that_cannot_be_opened_changes_nothing(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "broken.ringside"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    person.step()
    before = person.sees
    person.window.program.open_file(str(path))
    person.wait(lambda: "damaged or cut short" in person.window.message.text)
    person.step()
    assert person.sees.executed == before.executed + 1
    assert person.window.labs.path == ""


def test_opening_can_be_stopped_on_the_way(person: Person, source: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "long.ringside"
    person.load(source("again: out 0x80, al\njmp again"))  # slow to replay
    person.engine.step(LONG, quietly=True)
    person.wait(lambda: person.sees.executed == LONG)
    person.engine.save_lab(str(path), Desk())
    person.wait(lambda: path.exists())
    generation = person.sees.generation
    person.window.program.open_file(str(path))
    person.wait(lambda: person.sees.generation > generation and person.sees.running)
    assert person.sees.sentence.startswith("Opening the lab: ")
    person.engine.send_input(b"x")  # refused: it would be another past
    person.wait(lambda: "still being opened" in person.window.message.text)
    person.engine.stop()
    person.wait(lambda: not person.sees.running)
    assert 0 < person.sees.executed < LONG
    assert person.sees.past is not None
    assert person.sees.past.reached == LONG


def test_what_a_crash_left_is_offered_and_comes_back(
    person: Person, source: Callable[[str], str], tmp_path: Path, qtbot: QtBot, qapp: object
) -> None:
    root = tmp_path / "labs"
    person.window.labs.keep_in(root, person.window.message)
    person.load(source(ECHO))
    typed(person, b"kept")
    folder = root / str(os.getpid())
    person.wait(lambda: (folder / MANIFEST).exists() and b'"6b657074"' in (folder / MANIFEST).read_bytes())
    folder.rename(root / "1")  # as that of a process that is gone
    engine = Engine()
    window = MainWindow(engine, QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    second = Person(window, engine, qtbot)
    try:
        window.open(keep=root)
        second.wait(lambda: engine.latest is not None)
        assert "did not close as it should" in window.message.text
        window.message.accept_button.click()
        second.wait(lambda: second.console.text == "kept")
        assert window.message.text == ""
        assert window.labs.path == ""
    finally:
        window.close()
    assert not [each for each in root.iterdir() if each.is_dir()]
