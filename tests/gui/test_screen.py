"""The guest's own screen and keyboard, in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.views.screen_view import ScreenView
from tests.gui.conftest import Person


@pytest.mark.parametrize("kind", ["bare", "trap_emulate"])
def test_typing_on_the_screen_goes_through_the_guests_keyboard(person: Person, qtbot: QtBot, kind: str) -> None:
    person.window.layout_.show_view("screen")
    view = person.window.layout_.views["screen"]
    assert isinstance(view, ScreenView)
    person.load("pebble-clean", kind)
    person.press(Act.RUN)
    person.wait(lambda: view.screen_text.text.endswith("$"))
    qtbot.keyClicks(view.picture, "echo Hi!")
    qtbot.keyClick(view.picture, Qt.Key.Key_Return)
    person.wait(lambda: "\nHi!\n" in view.screen_text.text)
    assert "\nHi!\n" in person.console.text
