"""The window is opened, and the person does not wait for it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.engine.client import Engine
from app.main_window import MainWindow
from tests.gui.conftest import Person


def test_f5_pressed_before_the_first_guest_is_there_runs_it(qtbot: QtBot, tmp_path: Path) -> None:
    engine = Engine()
    window = MainWindow(engine, QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    person = Person(window, engine, qtbot)
    window.open()
    with qtbot.waitActive(window):
        window.activateWindow()
    assert engine.latest is None
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert "as soon as it is loaded" in window.actions_.reason(Act.RUN)
    person.wait(lambda: engine.latest is not None and engine.latest.end is not None)
    assert person.console.text == "Hello from ring 0!\n"
    engine.close()
