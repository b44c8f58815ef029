"""The real window on a real engine, driven by a program: set up apart from the person's settings, and put away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.errors import LabFault, UserError

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.main_window import MainWindow

PATIENCE = 60.0  # seconds
STILL, LOOK = 0.7, 0.1  # seconds without a change that end all motion, and between looks


@dataclass(frozen=True, slots=True)
class Stage:
    """A window that is shown, its engine, and who waits for them."""

    window: MainWindow
    engine: Engine
    watcher: Watcher

    def settle(self) -> None:
        """Wait until the picture has stood still for a while."""
        last, since = self.window.grab().toImage(), time.monotonic()
        deadline = since + PATIENCE
        while time.monotonic() < min(since + STILL, deadline):
            self.watcher.wait(LOOK)
            picture = self.window.grab().toImage()
            if picture != last:
                last, since = picture, time.monotonic()


@contextmanager
def running_engine() -> Iterator[tuple[Engine, Watcher]]:
    """An engine without a window. Qt paints into memory unless the person chose a platform."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from app.cli.window import make_application

    application = make_application()
    application.setCursorFlashTime(0)
    from app.engine.client import Engine

    engine = Engine()
    try:
        yield engine, Watcher(engine)
    finally:
        engine.close()


@contextmanager
def shown_window(size: tuple[int, int], settings: Mapping[str, str]) -> Iterator[Stage]:
    """The window in its first layout with these `settings` and no others."""
    with running_engine() as (engine, watcher), TemporaryDirectory() as folder:
        from PySide6.QtCore import QCoreApplication, QEvent, QSettings

        from app.main_window import MainWindow

        kept = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        for key, value in settings.items():
            kept.setValue(key, value)
        window = MainWindow(engine, kept)
        try:
            window.layout_.restore()
            window.run.restore()
            window.resize(*size)
            window.show()
            yield Stage(window, engine, watcher)
        finally:
            window.close()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Watcher:
    """Waits while Qt works, and raises what the engine meets with in the meantime."""

    def __init__(self, engine: Engine) -> None:
        self._failure: Exception | None = None
        engine.refused.connect(self._refuse)
        engine.faulted.connect(self._refuse)
        engine.lost.connect(lambda words: self._refuse(LabFault(words)))

    def wait_until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Let Qt work until `condition` holds; a LabFault says that it did not within `patience` seconds."""
        from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

        deadline = time.monotonic() + patience
        tick = QTimer(interval=5)
        tick.start()  # wakes the loop below, so that conditions no event tells of are seen too
        while not condition():
            if self._failure is not None:
                raise self._failure
            if time.monotonic() > deadline:
                raise LabFault(f"The window did not come to rest within {patience:g} seconds.")
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def wait(self, seconds: float) -> None:
        """Let Qt work for so long."""
        end = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= end, inf)

    def _refuse(self, failure: UserError | LabFault) -> None:
        self._failure = failure
