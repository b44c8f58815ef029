"""What the guest is given on its way, asked for in a dialogue; and its disk, written to a file when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.controllers.actions import Act, Actions
from app.controllers.appearance_controller import AppearanceController
from app.controllers.program_controller import ProgramController
from app.widgets.start_dialog import StartDialog
from core.errors import UserError
from core.guests.start import StartWith

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.protocol import Loaded

NO_DISK = "the guest was started without a disk."


class StartController(QObject):
    """Opens the dialogue, which stays until the guest is on, so that a refusal stands beside what caused it.

    said  (words) something was done that shows nowhere else
    """

    said = Signal(str)

    def __init__(
        self,
        engine: Engine,
        actions: Actions,
        program: ProgramController,
        appearance: AppearanceController,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._engine, self._actions, self._program = engine, actions, program
        self._appearance, self._window = appearance, window
        self.dialog: StartDialog | None = None
        self._disk = ""
        actions[Act.START_WITH].triggered.connect(self.open)
        actions[Act.SAVE_DISK].triggered.connect(self.save_disk)
        actions.allow(Act.SAVE_DISK, unless=NO_DISK)
        engine.loaded.connect(self._take)
        engine.refused.connect(self._refuse)
        engine.disk_saved.connect(lambda path: self.said.emit(f"The guest's disk is saved in {path}."))

    def open(self) -> None:
        """The dialogue for the guest that is chosen; there is one at a time."""
        if self.dialog is None:
            guest, _kind = self._program.chosen
            self.dialog = StartDialog(
                self._program.guests.currentText(),
                self._program.starts.of(guest),
                self._appearance.theme,
                self._window,
            )
            self.dialog.startWanted.connect(self._start)
            self.dialog.finished.connect(self._forget_dialog)
        if self.dialog.isVisible():
            self.dialog.raise_()
        self.dialog.show()
        self.dialog.activateWindow()

    def save_disk(self) -> None:
        """Let the person say where to."""
        dialog = QFileDialog(self._window, "Save the guest's disk", self._disk, "Disk images (*.img);;All files (*)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(self._disk)
        dialog.fileSelected.connect(self._engine.save_disk)
        dialog.open()

    def _start(self, start: StartWith) -> None:
        self._program.load_chosen(start)

    def _take(self, loaded: Loaded) -> None:
        self._disk = loaded.start.disk
        self._actions.allow(Act.SAVE_DISK, unless="" if self._disk else NO_DISK)
        if self.dialog is not None and self.dialog.asked == loaded.start:
            self._program.starts.remember(loaded.name_or_path, loaded.start)
            self.dialog.accept()

    def _refuse(self, error: UserError) -> None:
        if self.dialog is not None and self.dialog.asked is not None:
            self.dialog.refuse(str(error))

    def _forget_dialog(self) -> None:
        self.dialog = None
