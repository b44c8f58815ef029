"""Somebody at an engine: sees what it says, waits for it, and kills it."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from app.engine.client import Engine
from app.engine.protocol import Loaded
from core.past import Past
from core.snapshot import Snapshot

PATIENCE = 60.0  # seconds
GLANCE_MS = 4  # how often a condition is looked at, at least


class Watcher:
    """`consoles` are what the VMs' guests have written, by letter, of those that were looked at since a journey."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.consoles: defaultdict[str, bytes] = defaultdict(bytes)
        self.deaths = 0
        self._seen = (-1, "")
        self.powered_on = -1  # the generation of the newest machine
        self._generation_at_death = -1
        self._told: list[object] = []
        self._glances = QTimer(interval=GLANCE_MS)
        self._glances.start()
        engine.updated.connect(self._see)
        engine.lost.connect(self._mourn)
        engine.loaded.connect(self._note_power_on)
        engine.refused.connect(self._told.append)
        engine.faulted.connect(self._told.append)

    def close(self) -> None:
        self._glances.stop()

    def _see(self, snapshot: Snapshot) -> None:
        if (snapshot.generation, snapshot.vm) != self._seen:
            if snapshot.generation != self._seen[0]:
                self.consoles.clear()
            self._seen = snapshot.generation, snapshot.vm
            self.consoles[snapshot.vm] = b""
        self.consoles[snapshot.vm] += snapshot.console

    def _mourn(self, _words: str) -> None:
        self.deaths += 1
        self._generation_at_death = self.sees.generation

    def _note_power_on(self, loaded: Loaded) -> None:
        self.powered_on = loaded.generation

    @property
    def is_current(self) -> bool:
        """Is what is seen the newest machine, or what became of it?"""
        return self.engine.latest is not None and self.engine.latest.generation >= self.powered_on

    @property
    def sees(self) -> Snapshot:
        assert self.engine.latest is not None
        return self.engine.latest

    @property
    def past(self) -> Past:
        assert self.sees.past is not None
        return self.sees.past

    @property
    def console(self) -> bytes:
        return self.consoles[self.sees.vm]

    def wait(self, condition: Callable[[], bool], why: Callable[[], str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came: {why()}; told: {self._told}; seen: {self.engine.latest}")
            self._look()

    def pass_time(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._look()

    def _look(self) -> None:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def kill(self) -> None:
        """Whatever engine there is; returns when that is known."""
        deaths, pid = self.deaths, self.engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        self.wait(lambda: self.deaths > deaths, lambda: "the death")

    def await_recovery(self) -> None:
        """Until the successor has shown the machine."""
        self.wait(lambda: self.sees.generation > self._generation_at_death, lambda: "another engine")
