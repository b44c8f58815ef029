"""What holds for every test: no screen, no settings of the person's, the same inputs each time, nothing left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt, here or in a child process

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

PATIENCE = 5.0  # seconds within which what was told to end must have ended

# On a loaded machine slow is not wrong. `--hypothesis-profile=explore` looks where these never do.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


@pytest.fixture(autouse=True)
def settings_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and progress are kept in the test's own folder, by whatever way they are kept."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))
    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QSettings, QStandardPaths

        QStandardPaths.setTestModeEnabled(sys.platform != "linux")  # elsewhere no variable says where
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            for scope in (QSettings.Scope.UserScope, QSettings.Scope.SystemScope):
                QSettings.setPath(form, scope, str(tmp_path / "home" / "qt"))


@pytest.fixture(autouse=True)
def nothing_left_behind(settings_of_nobody: None) -> Iterator[None]:
    """A test that leaves a thread, a process or a window fails, with their names."""
    threads, windows = set(threading.enumerate()), _windows()
    processes = set(multiprocessing.active_children())
    yield
    left = [f"process {process.name}" for process in _still_running(processes)]
    left += [f"thread {thread.name}" for thread in _still_alive(threads)]
    left += [f"window {window}" for window in _still_open(windows)]
    if left:
        pytest.fail("left behind: " + ", ".join(left))


def _still_running(known: set[multiprocessing.process.BaseProcess]) -> list[multiprocessing.process.BaseProcess]:
    left = [process for process in multiprocessing.active_children() if process not in known]
    for process in left:
        process.join(PATIENCE)
    left = [process for process in left if process.is_alive()]
    for process in left:
        process.kill()  # the next test must not pay for this one
        process.join()
    return left


def _still_alive(known: set[threading.Thread]) -> list[threading.Thread]:
    left = [thread for thread in threading.enumerate() if thread not in known]
    for thread in left:
        thread.join(PATIENCE)
    return [thread for thread in left if thread.is_alive()]


def _windows() -> set[int]:
    """Top-level widgets, by the address of the C++ object, since wrappers come and go."""
    return {_address(window) for window in _top_level_widgets()}


def _still_open(known: set[int]) -> list[str]:
    if not [window for window in _top_level_widgets() if _address(window) not in known]:
        return []
    _delete_what_is_due()
    left = [window for window in _top_level_widgets() if _address(window) not in known]
    return [f"{type(window).__name__} {window.objectName() or window.windowTitle()}" for window in left]


def _top_level_widgets() -> list[QWidget]:
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtWidgets import QApplication

    return QApplication.topLevelWidgets() if QApplication.instance() else []


def _address(window: QWidget) -> int:
    from shiboken6 import getCppPointer

    return int(getCppPointer(window)[0])


def _delete_what_is_due() -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    gc.collect()  # a widget without a parent lives as long as its Python object
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
