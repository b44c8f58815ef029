"""What is looked at follows what is in sight."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Signal
from pytestqt.qtbot import QtBot

from app.controllers.catalogue import Catalogue
from app.main_window import MainWindow
from app.theme import Theme
from app.views import Area, View, ViewSpec, code_view, rings_view, screen_view
from core.looks import Look
from tests.app.fake_engine import FakeEngine


class Gaze(View):
    """A view that looks at whatever a test says."""

    lookChanged = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.look = Look()


GAZE = ViewSpec("gaze", "Gaze", "?", Area.BOTTOM, 0, Gaze)


@pytest.fixture
def window(engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot) -> MainWindow:
    specs = [rings_view.VIEW, code_view.VIEW, screen_view.VIEW, GAZE]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    return window


def test_a_view_behind_a_tab_is_not_looked_for(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    window.layout_.show_view("code")
    qtbot.waitUntil(lambda: engine.last("look_at") in (None, ("look_at", Look())))
    window.layout_.show_view("screen")
    qtbot.waitUntil(lambda: engine.last("look_at") == ("look_at", Look(screen=True)))
    window.layout_.show_view("code")
    qtbot.waitUntil(lambda: engine.last("look_at") == ("look_at", Look()))


def test_views_in_sight_are_looked_for_together(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    window.layout_.show_view("screen")
    gaze = window.layout_.views["gaze"]
    assert isinstance(gaze, Gaze)
    gaze.look = Look(walk=0x1000)
    gaze.lookChanged.emit()
    qtbot.waitUntil(lambda: engine.last("look_at") == ("look_at", Look(walk=0x1000, screen=True)))
