"""Driving the real window from a program: waiting for what it comes to, with an end to all patience."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from core.errors import LabFault, UserError

if TYPE_CHECKING:
    from app.engine.client import Engine

PATIENCE = 60.0  # seconds


def use_no_screen() -> None:
    """Let Qt paint into memory unless the person chose a platform. Before the application is made."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


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

    def settle(self, seconds: float = 0.3) -> None:
        """Let Qt lay out, paint and finish its motions."""
        end = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= end, inf)

    def _refuse(self, failure: UserError | LabFault) -> None:
        self._failure = failure
