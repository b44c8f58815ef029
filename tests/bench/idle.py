"""What a guest that waits for a person costs: the time to Pebble's prompt, and the host's CPU from then on."""

from __future__ import annotations

import os
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from app.cli.offscreen import shown_window
from app.views.console_view import ConsoleView

from .measure import Effort, Limit, Measure

PROMPT = "$ "
SETTLED, SHORTEST, LONGEST = 1.0, 2.0, 10.0  # seconds


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
    """CPU time of a process so far; 0 on a system that does not tell it as Linux does."""
    told = Path(f"/proc/{pid}/stat")
    if not told.is_file():
        return 0.0
    user, kernel = told.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")
