"""Engines killed at random moments while the guest runs and somebody types: nothing typed may be lost.

    python -m tests.app.engine.killing 1000 [SEED]

A guest echoes what it is sent, now under this kind, now under that. Letters are typed all the time; at a random moment
the engine process is killed, and its successor must come to where the guest was seen last, or later, and echo every
letter in its order.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QCoreApplication, QEventLoop

from app.engine.client import Engine
from core.snapshot import Snapshot
from tests.gui.test_running import ECHO

KINDS = ("bare", "trap_emulate", "translation", "hardware", "hardware_shadow")
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
PATIENCE = 60.0  # seconds
LONGEST = 0.25  # seconds that an engine lives at most after the first letter


@dataclass
class Watcher:
    """Somebody who sees what the engine says; `console` is the guest's."""

    engine: Engine
    console: bytes = b""
    generation: int = -1

    def __post_init__(self) -> None:
        self.engine.updated.connect(self.see)

    def see(self, snapshot: Snapshot) -> None:
        if snapshot.generation != self.generation:
            self.generation, self.console = snapshot.generation, b""
        self.console += snapshot.console

    def wait(self, condition: Callable[[], bool], why: str, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"it never came: {why}")
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)

    def pass_time(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def kill_engines(count: int, seed: int, told: Callable[[int], None] = lambda _: None) -> None:
    """Kill so many engines; an AssertionError at the first whose successor has lost something."""
    chance = random.Random(seed)
    with TemporaryDirectory() as folder:
        guest = Path(folder) / "echo.s"
        guest.write_text(f".globl _start\n_start:\n{ECHO}\n", encoding="utf-8")
        engine = Engine()
        watcher = Watcher(engine)
        recovered: list[int] = []
        engine.recovered.connect(lambda: recovered.append(1))
        try:
            for done in range(count):
                _kill(engine, watcher, recovered, str(guest), chance)
                told(done + 1)
        finally:
            engine.close()


def _kill(engine: Engine, watcher: Watcher, recovered: list[int], guest: str, chance: random.Random) -> None:
    before = watcher.generation
    engine.load(guest, chance.choice(KINDS))
    watcher.wait(lambda: watcher.generation > before, "the guest")
    engine.run()
    typed = b""
    end = time.monotonic() + chance.uniform(0, LONGEST)
    while time.monotonic() < end or not typed:
        typed += bytes([chance.choice(LETTERS)])
        engine.send_input(typed[-1:])
        watcher.pass_time(chance.uniform(0, 0.03))
    seen, deaths = engine.latest.executed if engine.latest is not None else 0, len(recovered)
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    late = bytes([chance.choice(LETTERS)])
    engine.send_input(late)  # perhaps to the dead one
    watcher.wait(lambda: len(recovered) > deaths, "another engine")
    watcher.wait(lambda: engine.latest is not None and engine.latest.executed >= seen, "the moment of the death")
    engine.run()
    watcher.wait(lambda: watcher.console == typed + late, f"{typed + late!r}, not {watcher.console!r}")


def main() -> None:
    application = QCoreApplication.instance() or QCoreApplication([])
    assert application is not None
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    kill_engines(count, seed, lambda done: _say(f"\r{done:,} killed"))
    _say(f"\r{count:,} engines killed, nothing typed was lost\n")


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
