"""How long a person waits in the window for the comparison of Pebble's boot under every kind."""

from __future__ import annotations

import os
import time

from PySide6.QtCore import QEventLoop, QTimer

from app.cli.window import make_application
from app.controllers.worker_pool import WorkerPool
from core.compare import Setting
from core.guests.catalog import load_program
from core.vmm import kinds

from .measure import Effort, Measure

MOST = 10.0  # seconds
LIMIT = 120_000  # milliseconds after which something is wrong


def comparison_time(effort: Effort) -> dict[str, Measure]:
    """From the press of the button to the last kind, as the Compare view does it; the best of the repeats."""
    kinds_there = [kind for kind in kinds() if Setting(load_program("pebble"), "", 1).under(kind) is not None]
    jobs = {kind: ["compare", "pebble", "--append", "run=hello", "--only", kind] for kind in kinds_there}
    if effort.instructions < 1_000_000:
        jobs = {"bare": ["compare", "hello", "--only", "bare"]}
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = make_application()
    best = float("inf")
    for _ in range(min(effort.repeats, 2)):
        loop, delivered = QEventLoop(), list[str]()
        pool = WorkerPool(application)
        pool.delivered.connect(lambda name, _printed, delivered=delivered: delivered.append(name))
        pool.idle.connect(loop.quit)
        QTimer.singleShot(LIMIT, loop, loop.quit)
        start = time.perf_counter()
        pool.start(jobs)
        loop.exec()
        pool.cancel()
        assert set(delivered) == set(jobs), "a kind was not measured"
        best = min(best, time.perf_counter() - start)
    return {"compare.pebble": Measure(best * 1e3, "ms", best / MOST, f"at most {MOST:g} s on two cores")}
