"""The check on what tests leave behind (tests/conftest.py) sees each kind of thing, and names it."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

LEAKING = """
import multiprocessing, threading, time
from PySide6.QtWidgets import QWidget

kept = []

def test_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, name="wanderer", daemon=True).start()

def test_leaves_a_process():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), name="orphan", daemon=True)
    process.start()
    kept.append(process)

def test_leaves_a_window(qtbot):
    kept.append(QWidget(objectName="ghost"))

def test_leaves_nothing(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    thread = threading.Thread(target=int)
    thread.start()

def test_finds_no_settings_and_leaves_some():
    from PySide6.QtCore import QSettings
    settings = QSettings("Ringside", "Ringside")
    assert settings.allKeys() == []
    settings.setValue("theme", "light")
    settings.sync()

def test_finds_no_settings_again():
    test_finds_no_settings_and_leaves_some()
"""


def test_what_is_left_behind_is_named(pytester: pytest.Pytester) -> None:
    hasty = CONFTEST.read_text(encoding="utf-8").replace("PATIENCE = 5.0", "PATIENCE = 0.1")
    pytester.makeconftest(hasty)
    pytester.makepyfile(LEAKING)
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    ran.assert_outcomes(passed=6, errors=3)  # the check speaks at teardown, so the tests themselves pass
    ran.stdout.fnmatch_lines(
        ["*left behind: thread wanderer", "*left behind: process orphan", "*left behind: window QWidget ghost"]
    )
