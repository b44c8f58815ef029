"""The dialogue with what a guest is given: its fields say what is asked, and it stays while that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.start_dialog import StartDialog
from core.guests.start import StartWith

GIVEN = StartWith("run=primes 1000", "/disks/a.img", ("/m/one", "/m/two:its string"))


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme) -> Iterator[StartDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = StartDialog("Pebble", GIVEN, theme, parent)
    made.show()
    yield made
    made.close()


def test_it_opens_with_what_was_given_last(dialog: StartDialog) -> None:
    assert dialog.wanted == GIVEN
    assert "Pebble" in dialog.windowTitle()


def test_what_is_asked_is_what_the_fields_say(dialog: StartDialog, qtbot: QtBot) -> None:
    dialog.command_line.setText("  run=hello ")
    dialog.disk.clear()
    dialog.modules.setPlainText("\n/m/three \n\n")
    with qtbot.waitSignal(dialog.startWanted) as heard:
        dialog.start.click()
    assert heard.args == [StartWith("run=hello", "", ("/m/three",))]
    assert not dialog.start.isEnabled()


def test_a_refusal_stands_in_place_and_loses_nothing(dialog: StartDialog) -> None:
    dialog.start.click()
    dialog.refuse("The module is not there.")
    assert dialog.trouble.isVisible()
    assert dialog.trouble.text() == "The module is not there."
    assert dialog.wanted == GIVEN
    assert dialog.start.isEnabled()


def test_a_new_disk_is_made_and_becomes_the_guests(dialog: StartDialog, tmp_path: Path) -> None:
    path = tmp_path / "new.img"
    dialog.make_disk(str(path))
    assert path.read_bytes() == bytes(1 << 20)
    assert dialog.wanted.disk == str(path)
    path.write_bytes(b"precious")
    dialog.make_disk(str(path))
    assert path.read_bytes() == b"precious"
    assert "There is a file already" in dialog.trouble.text()


def test_every_field_has_a_name_for_those_who_do_not_see_it(dialog: StartDialog) -> None:
    for field in (dialog.command_line, dialog.disk, dialog.modules):
        assert field.accessibleName()
        assert field.accessibleDescription()
