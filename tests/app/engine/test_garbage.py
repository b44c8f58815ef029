"""Cycles are collected by the GUI thread's timer, and by nobody else."""

from __future__ import annotations

import gc
import weakref

from pytestqt.qtbot import QtBot

from app.engine.garbage import GuiGarbage


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_cycles_wait_for_the_timer_and_then_go(qtbot: QtBot) -> None:
    garbage = GuiGarbage()
    first = weakref.ref(Cycle())
    kept = [Cycle() for _ in range(2 * gc.get_threshold()[0])]
    assert first() is not None
    qtbot.waitUntil(lambda: first() is None)
    garbage.stop()
    assert gc.isenabled()
    del kept
