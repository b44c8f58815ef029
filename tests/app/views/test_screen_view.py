"""The Screen view: what stands in the screen's memory is to be read on it, and keys become scan codes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.models.screen_text import Run, ScreenText
from app.theme import Theme
from app.views.screen_view import ScreenView
from app.widgets.text_screen import COLOURS
from core.devices.vga import TEXT_BYTES
from core.looks import Look, Seen, SeenScreen
from tests.app.builders import loaded, snapshot


def screen(text: bytes, attribute: int = 0x07, cursor: int | None = 0) -> SeenScreen:
    memory = b"".join(bytes([byte, attribute]) for byte in text)
    return SeenScreen(memory + b" \x07" * ((TEXT_BYTES - len(memory)) // 2), cursor)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> ScreenView:
    view = ScreenView(theme)
    qtbot.addWidget(view)
    view.resize(700, 460)
    view.show()
    view.show_program(loaded())
    return view


def show(view: ScreenView, seen: SeenScreen | None) -> None:
    view.show_snapshot(snapshot(seen=Seen(screen=seen)))


def test_it_looks_at_the_screen_alone(view: ScreenView) -> None:
    assert view.look == Look(screen=True)


def test_text_is_there_to_read_and_to_copy(view: ScreenView) -> None:
    show(view, screen(b"Pebble" + b" " * 74 + b"$ ps"))
    assert not view.is_empty
    assert view.screen_text.text == "Pebble\n$ ps"
    assert view.picture.accessibleDescription() == "Pebble\n$ ps"
    view.picture.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == "Pebble\n$ ps"


def test_a_dark_screen_says_what_will_appear(view: ScreenView) -> None:
    show(view, SeenScreen(bytes(TEXT_BYTES), None))
    assert view.is_empty
    assert "B8000" in view.empty_words


def test_a_snapshot_that_has_not_looked_changes_nothing(view: ScreenView) -> None:
    show(view, screen(b"here"))
    show(view, None)
    assert view.screen_text.text == "here"


def test_letters_of_one_attribute_are_one_run_and_the_same_screen_is_decoded_once() -> None:
    model = ScreenText()
    red = screen(b"red", 0x4E)
    assert model.show(red)
    assert not model.show(red)
    assert model.runs[:2] == (Run(0, 0, "red", 0x4E), Run(0, 3, " " * 77, 0x07))
    assert (model.runs[0].foreground, model.runs[0].background) == (14, 4)


def test_the_picture_has_the_guests_own_colours(view: ScreenView) -> None:
    show(view, screen(b"\xdb" * 80, 0x4E, None))  # full blocks, yellow on red
    image = view.picture.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, image.width(), 7) for y in range(0, image.height(), 3)}
    assert {COLOURS[14].name(), COLOURS[0].name()} <= colours


def test_keys_become_scan_codes_and_tab_moves_on(view: ScreenView, qtbot: QtBot) -> None:
    show(view, screen(b"$ "))
    sent: list[bytes] = []
    view.keyed.connect(sent.append)
    qtbot.keyClicks(view.picture, "ok")
    qtbot.keyClick(view.picture, Qt.Key.Key_Return)
    qtbot.keyClick(view.picture, Qt.Key.Key_Tab)
    assert b"".join(sent).hex() == "18982 5a51c9c".replace(" ", "")


def test_power_on_darkens_it(view: ScreenView) -> None:
    show(view, screen(b"old"))
    view.show_program(loaded(2))
    assert view.is_empty
    assert view.screen_text.text == ""
