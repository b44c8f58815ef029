"""Collects Python's garbage in the GUI thread and nowhere else, for as long as the engine's threads run.

Python collects in whatever thread happens to allocate; a Qt object collected outside the GUI thread crashes Qt.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

PERIOD_MS = 200


class GuiGarbage(QObject):
    """From construction to `stop`, Python collects only here."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=PERIOD_MS)
        self._timer.timeout.connect(collect)
        self._timer.start()

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()


def collect() -> None:
    """Collect the generations that Python would have collected by now."""
    full = [count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    if full[0]:
        gc.collect(2 if full[1] and full[2] else 1 if full[1] else 0)
