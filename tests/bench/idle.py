"""What a guest that waits for a person costs: the time to Pebble's prompt, and the host's CPU from then on."""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import QEventLoop, QTimer

from app.cli.offscreen import shown_window
from app.views.console_view import ConsoleView

from .measure import Effort, Limit, Measure

PROMPT = "$ "
SETTLED, SHORTEST, LONGEST = 1.0, 2.0, 10.0  # seconds
CPU_CLOCK = 2  # of what a process has run, in the number of its clock


def waiting_pebble(effort: Effort) -> dict[str, Measure]:
    """prompt.max, in milliseconds: from `Engine.run` until the console in the window has the prompt, the slowest of
    several boots. idle.engine, idle.window: CPU time of each process in percent of one core while the shell waits."""
    times = []
    with shown_window((1280, 720), {}) as stage:
        console = stage.window.layout_.views["console"]
        assert isinstance(console, ConsoleView)
        for _ in range(effort.repeats):
            stage.engine.load("pebble", "bare")
            stage.watcher.wait_until(lambda: not console.text and stage.engine.program is not None)
            start = time.perf_counter()
            stage.engine.run()
            stage.watcher.wait_until(lambda: console.text.endswith(PROMPT))
            times.append((time.perf_counter() - start) * 1000)
        stage.watcher.wait(SETTLED)
        assert stage.engine.pid is not None
        pids = {"idle.engine": stage.engine.pid, "idle.window": os.getpid()}
        before, start = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
        rest(LONGEST if effort.repeats > 2 else SHORTEST)
        passed = time.perf_counter() - start
        used = {name: 100 * (cpu_seconds(pid) - before[name]) / passed for name, pid in pids.items()}
    return {
        "prompt.max": Limit(1500, "ms").measure(max(times)),
        **{name: Limit(1.5, "%").measure(share) for name, share in used.items()},
    }


def rest(seconds: float) -> None:
    """Let Qt work for so long, with no timer of ours but the last."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, by its own clock: /proc counts whole hundredths, and an idle window uses less. 0 on
    a system that is not Linux."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(~pid << 3 | CPU_CLOCK)
