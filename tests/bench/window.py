"""What a person feels: how long Stop takes in a guest that never ends, and Step until it is painted."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from app.cli.offscreen import running_engine, shown_window
from app.engine.client import Engine
from core.snapshot import Snapshot

from . import loops
from .measure import Effort, Limit, Measure

ENDLESS = {
    "still": (loops.ENDLESS, "bare"),
    "work": (loops.WORK_FOREVER, "bare"),
    "traps": (loops.TRAPS, "trap_emulate"),
}
STEPS_PER_REPEAT = 20
BETWEEN_STEPS = 0.05  # seconds: someone who presses Step twenty times a second


def time_to_stop(effort: Effort) -> dict[str, Measure]:
    """stop.max, in milliseconds: from `Engine.stop` to a snapshot that stands still, the slowest over several loops."""
    times = []
    with running_engine() as (engine, watcher), TemporaryDirectory() as folder:
        state = _Latest(engine)
        for name, (code, kind) in ENDLESS.items():
            image = Path(folder) / f"{name}.elf"
            image.write_bytes(loops.elf(code))
            engine.load(str(image), kind)
            watcher.wait_until(state.forget().is_still)
            for _ in range(effort.repeats):
                engine.run()
                watcher.wait_until(state.forget().is_running)
                start = time.perf_counter()
                engine.stop()
                watcher.wait_until(state.is_still)
                times.append((time.perf_counter() - start) * 1000)
    return {"stop.max": Limit(100, "ms").measure(max(times))}


def step_to_paint(effort: Effort) -> dict[str, Measure]:
    """step_paint.p95, in milliseconds: from `Engine.step` until the real window has painted the snapshot of it."""
    times = []
    with shown_window((1280, 720), {}) as stage:
        painted, state = _Painted(stage.engine, stage.window), _Latest(stage.engine)
        stage.engine.load("rings", "bare")
        stage.watcher.wait_until(state.is_still)
        for _ in range(STEPS_PER_REPEAT * effort.repeats):
            stage.watcher.wait(BETWEEN_STEPS)
            start = time.perf_counter()
            painted.again()
            stage.engine.step()
            stage.watcher.wait_until(painted.is_painted)
            times.append((time.perf_counter() - start) * 1000)
    return {"step_paint.p95": Limit(33, "ms").measure(statistics.quantiles(times, n=20)[-1])}


class _Latest:
    """What the newest snapshot says, since it was last forgotten."""

    def __init__(self, engine: Engine) -> None:
        self._snapshot: Snapshot | None = None
        engine.updated.connect(self._take)

    def _take(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def forget(self) -> _Latest:
        self._snapshot = None
        return self

    def is_running(self) -> bool:
        return self._snapshot is not None and self._snapshot.running

    def is_still(self) -> bool:
        return self._snapshot is not None and not self._snapshot.running


class _Painted(QObject):
    """Sees when the window is painted after a snapshot was shown in it."""

    def __init__(self, engine: Engine, window: QWidget) -> None:
        super().__init__(window)
        self._shown = self._painted = False
        engine.updated.connect(self._show)  # after the window's own slots
        window.installEventFilter(self)

    def again(self) -> None:
        self._shown = self._painted = False

    def is_painted(self) -> bool:
        return self._painted

    def _show(self, _snapshot: Snapshot) -> None:
        self._shown = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._shown and event.type() == QEvent.Type.UpdateRequest:  # the window paints all that changed in this one
            self._painted = True
        return super().eventFilter(watched, event)
