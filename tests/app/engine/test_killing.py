"""A hundred engines killed at random moments; a thousand by `python -m tests.app.engine.killing 1000`."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from tests.app.engine.killing.scenes import kill_engines


def test_nothing_typed_is_lost_whenever_the_engine_is_killed(qapp: QApplication) -> None:
    kill_engines(100, seed=5)
