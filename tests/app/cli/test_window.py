"""``ringside`` without arguments: the window opens at once, the engine follows, and closing leaves nothing."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.__main__ import main
from app.main_window import MainWindow


def the_window() -> MainWindow:
    (window,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)]
    return window


def put_away() -> None:
    window = the_window()
    window.close()
    window.deleteLater()


def test_the_window_is_there_before_its_engine(qtbot: QtBot) -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(the_window().isVisible() and not the_window().engine.is_ready)
        put_away()

    QTimer.singleShot(0, look)
    assert main([]) == 0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert seen == [True]


def test_a_mistake_in_a_slot_is_told_to_the_person(qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    def fail() -> None:
        the_window().engine.faulted.connect(lambda fault: told.append(fault.report))
        sys.excepthook(ZeroDivisionError, ZeroDivisionError("oh"), None)
        put_away()

    QTimer.singleShot(0, fail)
    hook = sys.excepthook
    assert main([]) == 0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert told == ["ZeroDivisionError: oh\n"]
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert sys.excepthook is hook
