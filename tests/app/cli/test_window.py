"""``ringside`` without arguments: the window opens at once, the engine follows, and closing leaves nothing."""

from __future__ import annotations

import gc
import signal
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


def test_ctrl_c_closes_the_window_but_not_in_the_midst_of_something(qtbot: QtBot) -> None:
    seen: list[bool] = []

    def interrupt() -> None:
        window = the_window()
        signal.raise_signal(signal.SIGINT)
        seen.append(window.isVisible())

    QTimer.singleShot(0, interrupt)
    assert main([]) == 0
    the_window().deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert seen == [True]


def test_collections_look_past_what_the_window_is_made_of(qtbot: QtBot) -> None:
    seen: list[bool] = []

    def look() -> None:
        window = the_window()
        seen.append(any(each is window for each in gc.get_objects()))
        put_away()

    QTimer.singleShot(0, look)
    assert main([]) == 0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert seen == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "no display to open a window on" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gone.ringside", "gone.s", "no/folder"])
def test_a_file_that_is_not_there_is_no_unknown_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 2
    assert capsys.readouterr().err == f"ringside: {name}: There is no such file. Check the path.\n"
