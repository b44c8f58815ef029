"""Hosting: what the person wishes of VMs, in the VMs view and the toolbar, becomes commands to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from app.controllers.actions import Act, Actions
from app.controllers.catalogue import Catalogue
from app.engine import protocol
from core.guests.start import StartWith

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.main_toolbar import MainToolBar
    from core.snapshot import Snapshot

ONE_VM = "There is but one VM. The VMs view adds others."


class HostingController(QObject):
    """`same` gives guest, kind and start for one more VM like the one that is looked at."""

    def __init__(
        self, engine: Engine, same: Callable[[], tuple[str, str, StartWith]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engine, self._same = engine, same
        self._toolbar: MainToolBar | None = None
        self._actions: Actions | None = None

    def connect_views(self, views: Iterable[QWidget]) -> None:
        """Listen to every view that has such wishes."""
        for view in views:
            for name, slot in (
                ("addRequested", self.add),
                ("removeRequested", lambda letter: self._host(protocol.RemoveVm(letter))),
                ("pauseRequested", lambda letter: self._host(protocol.PauseVm(letter))),
                ("resumeRequested", lambda letter: self._host(protocol.ResumeVm(letter))),
                ("selectRequested", self.select),
                ("weightRequested", lambda letter, weight: self._host(protocol.SetWeight(letter, weight))),
                ("capRequested", lambda letter, cap: self._host(protocol.SetCap(letter, cap or None))),
                ("memoryRequested", lambda letter, taken: self._host(protocol.Balloon(letter, taken))),
            ):
                signal = getattr(view, name, None)
                if signal is not None:
                    signal.connect(slot)

    def connect_toolbar(self, toolbar: MainToolBar, actions: Actions) -> None:
        """Let the toolbar's chooser, and the keys beside it, say which VM is looked at."""
        self._toolbar, self._actions = toolbar, actions
        self._engine.updated.connect(self._show_vms)  # a method: Qt ends it with this object, as it would no closure
        toolbar.vms.chosen.connect(self.select)
        actions[Act.NEXT_VM].triggered.connect(lambda: self.select(toolbar.vms.beside(1)))
        actions[Act.PREVIOUS_VM].triggered.connect(lambda: self.select(toolbar.vms.beside(-1)))
        for act in (Act.NEXT_VM, Act.PREVIOUS_VM):
            actions.allow(act, ONE_VM)

    def _show_vms(self, snapshot: Snapshot) -> None:
        if self._toolbar is not None and self._actions is not None:
            self._toolbar.show_vms(snapshot.vms, snapshot.vm)
            for act in (Act.NEXT_VM, Act.PREVIOUS_VM):
                self._actions.allow(act, "" if len(snapshot.vms) > 1 else ONE_VM)

    def select(self, letter: str) -> None:
        """Look at that VM."""
        self._host(protocol.SelectVm(letter))

    def add(self) -> None:
        """One more VM like the one that is looked at."""
        guest, kind, start = self._same()
        self._engine.host(protocol.AddVm(guest, kind, start=start))

    def offer(self, menu: QMenu, catalogue: Catalogue) -> None:
        """Let `menu` add any shipped guest under any kind that can run it, beside the others."""
        menu.setToolTipsVisible(True)
        for guest in catalogue.guests:
            under = menu.addMenu(guest.title)
            under.menuAction().setToolTip(guest.summary)
            under.setToolTipsVisible(True)
            for kind in catalogue.kinds:
                unable = guest.kinds and kind.name not in guest.kinds
                if unable or kind.name == "bare":  # which shares its machine with nobody
                    continue
                action = under.addAction(f"under {kind.title}")
                action.setToolTip(kind.summary)
                command = protocol.AddVm(guest.name, kind.name)
                action.triggered.connect(lambda _checked=False, command=command: self._host(command))

    def _host(self, command: protocol.HostCommand) -> None:
        self._engine.host(command)
