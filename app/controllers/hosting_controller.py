"""Hosting: what the person wishes of VMs, in the VMs view, becomes commands to the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.engine import protocol

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.hosting import HostCommand


class HostingController(QObject):
    """Adds VMs as the last guest was loaded: the same guest, kind and start."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._loaded: protocol.Loaded | None = None
        engine.loaded.connect(self._take)

    def connect_views(self, views: Iterable[QWidget]) -> None:
        """Listen to every view that has such wishes."""
        for view in views:
            for name, slot in (
                ("addRequested", self.add),
                ("removeRequested", lambda letter: self._host(protocol.RemoveVm(letter))),
                ("pauseRequested", lambda letter: self._host(protocol.PauseVm(letter))),
                ("resumeRequested", lambda letter: self._host(protocol.ResumeVm(letter))),
                ("selectRequested", lambda letter: self._host(protocol.SelectVm(letter))),
                ("weightRequested", lambda letter, weight: self._host(protocol.SetWeight(letter, weight))),
                ("capRequested", lambda letter, cap: self._host(protocol.SetCap(letter, cap or None))),
                ("memoryRequested", lambda letter, taken: self._host(protocol.Balloon(letter, taken))),
            ):
                signal = getattr(view, name, None)
                if signal is not None:
                    signal.connect(slot)

    def add(self) -> None:
        """One more VM."""
        if self._loaded is not None:
            loaded = self._loaded
            self._engine.host(protocol.AddVm(loaded.name_or_path, loaded.kind, start=loaded.start))

    def _host(self, command: HostCommand) -> None:
        self._engine.host(command)

    def _take(self, loaded: protocol.Loaded) -> None:
        self._loaded = loaded
