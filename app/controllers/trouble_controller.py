"""What went wrong, in the message area: refused commands, faults of ours, an engine that died. Never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from app.report import machine_report
from app.widgets.dialogs import ReportDialog
from app.widgets.message_area import MessageArea
from core.errors import LabFault, UserError

if TYPE_CHECKING:
    from app.controllers.appearance_controller import AppearanceController
    from app.engine.client import Engine

RECOVERED = "The machine stopped working; it was started again with the same guest, and is where it was."
RECOVERED_ALL = "The machine stopped working; it was started again with the same guests, and each is where it was."
RECOVERED_EMPTY = "The machine stopped working; it was started again without a guest."


class TroubleController(QObject):
    """Keeps the message area: what it says stays until the person closes it, or another guest is loaded; a refusal,
    until what the person does next succeeds."""

    def __init__(
        self, engine: Engine, message: MessageArea, appearance: AppearanceController, window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._engine, self._message, self._appearance, self._window = engine, message, appearance, window
        self._loss = ""  # report of a death, until the engine is back
        self._same_guest = False  # after a death: the engine has the guest again
        self._refusal, self._acted = False, False  # does it tell of one? has the person done something since?
        engine.refused.connect(self.show_refusal)
        engine.asked.connect(self._act)
        engine.updated.connect(self._settle)
        engine.faulted.connect(self._show_fault)
        engine.lost.connect(self._show_loss)
        engine.recovered.connect(self._show_recovery)
        engine.loaded.connect(self._take_program)
        message.detailsRequested.connect(self.show_report)

    def show_refusal(self, error: UserError) -> None:
        """A command or a file cannot be used; nothing else has changed."""
        self._message.show_error(str(error))
        self._refusal, self._acted = True, False

    def show_report(self, report: str) -> None:
        """Open the report, to read and to save."""
        ReportDialog(report, self._appearance.theme, self._window).open()

    def _act(self) -> None:
        self._acted = True

    def _settle(self) -> None:
        """The engine is at work again: if the person had it do something and it did not refuse, it has obeyed."""
        if self._refusal and self._acted:
            self._refusal = False
            self._message.hide()

    def _show_fault(self, fault: LabFault) -> None:
        self._refusal = False
        report = machine_report(fault.problem, self._engine.latest, fault.report)
        self._message.show_error(f"{fault.problem} Reset powers the guest on again.", report)

    def _show_loss(self, words: str) -> None:
        self._refusal = False
        self._loss, self._same_guest = machine_report(words, self._engine.latest), False
        self._message.show_error(words, self._loss)

    def _show_recovery(self) -> None:
        latest = self._engine.latest
        same = RECOVERED_ALL if latest is not None and len(latest.vms) > 1 else RECOVERED
        self._message.show_note(same if self._same_guest else RECOVERED_EMPTY, self._loss)
        self._loss = ""

    def _take_program(self) -> None:
        if self._loss:
            self._same_guest = True
        else:
            self._message.no_longer_true()
