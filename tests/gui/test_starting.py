"""A command line, a disk and modules given in the window, and the disk written back when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtTest import QTest

from app.controllers.actions import Act
from app.controllers.remembered_starts import RememberedStarts
from app.views.console_view import ConsoleView
from app.widgets.start_dialog import StartDialog
from core.devices.disk_image import make_disk
from core.guests.start import NOTHING, StartWith
from tests.gui.conftest import Person


@pytest.fixture
def opened(person: Person) -> Iterator[Callable[[], StartDialog]]:
    """Opens the dialogue as a person does; whatever is open in the end is closed."""

    def open_it() -> StartDialog:
        person.press(Act.START_WITH)
        assert person.window.start.dialog is not None
        return person.window.start.dialog

    yield open_it
    if person.window.start.dialog is not None:
        person.window.start.dialog.reject()


def start(person: Person, dialog: StartDialog) -> None:
    dialog.start.click()
    person.wait(lambda: person.window.start.dialog is None and person.sees.guest == "pebble")


def test_pebble_is_given_all_three_and_keeps_them(
    person: Person, opened: Callable[[], StartDialog], tmp_path: Path
) -> None:
    disk, module = tmp_path / "disk.img", tmp_path / "one.txt"
    make_disk(disk, 1 << 20)
    module.write_bytes(b"one\n")
    assert not person.window.actions_[Act.SAVE_DISK].isEnabled()
    person.load("pebble")
    dialog = opened()
    dialog.command_line.setText("run=modules")
    dialog.disk.setText(str(disk))
    dialog.modules.setPlainText(str(module))
    start(person, dialog)
    assert "command line “run=modules”, disk disk.img, 1 module" in person.window.sentence.text
    person.run()
    assert "modules: one.txt, 4 bytes" in person.console.text
    assert person.sees.end is not None
    person.load("hello")
    person.load("pebble")  # as from the toolbar: what it was given is remembered
    person.run()
    assert "modules: one.txt, 4 bytes" in person.console.text
    assert opened().wanted == StartWith("run=modules", str(disk), (str(module),))

    assert disk.read_bytes() == bytes(1 << 20)
    assert person.window.actions_[Act.SAVE_DISK].isEnabled()
    person.engine.save_disk(str(disk))
    person.wait(lambda: "saved in" in person.window.sentence.text)
    assert disk.read_bytes()[:4] == b"PEBL"


def test_what_is_wrong_stands_in_the_dialogue_and_the_machine_stays(
    person: Person, opened: Callable[[], StartDialog]
) -> None:
    generation = person.sees.generation
    dialog = opened()
    dialog.disk.setText("/no/such/disk.img")
    dialog.start.click()
    person.wait(lambda: dialog.trouble.isVisible())
    assert dialog.trouble.text().startswith("/no/such/disk.img: The disk image cannot be read: it is not there.")
    dialog.disk.clear()
    dialog.command_line.setText("run=hello")
    dialog.start.click()
    person.wait(lambda: "no multiboot header" in dialog.trouble.text())
    assert person.sees.generation == generation
    assert person.window.program.starts.of("hello") == NOTHING


@pytest.mark.parametrize("nonsense", ["", "{", "[1]", '{"pebble": 3}', '{"pebble": {"disk": 1}}'])
def test_nonsense_in_the_settings_is_nothing(person: Person, nonsense: str) -> None:
    person.window.settings.setValue("program/starts", nonsense)
    assert RememberedStarts(person.window.settings).of("pebble") == NOTHING


def test_who_chooses_a_guest_and_runs_it_types_to_it(person: Person) -> None:
    person.load("pebble")
    person.window.program.guests.setFocus()
    person.press(Act.RUN)
    assert isinstance(person.console, ConsoleView)
    assert person.window.focusWidget() is person.console.terminal
    person.wait(lambda: person.console.text.endswith("$ "))
    for key in "help\r":
        QTest.keyClick(person.window.focusWidget(), key)
    person.wait(lambda: "programs: init shell hello" in person.console.text)
    assert person.sees.guest == "pebble"
    assert person.sees.running
