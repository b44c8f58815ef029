"""Snapshots of VMs: what the person wishes of them, in the view and the menus, becomes commands to the engine."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QWidget

from app.controllers.actions import Act, Actions
from app.controllers.program_controller import ProgramController
from app.engine import protocol
from app.views.snapshots_view import SnapshotsView
from app.views.view import View
from app.widgets.message_area import MessageArea

if TYPE_CHECKING:
    from app.engine.client import Engine

ENDING, DISK_ENDING = ".ringvm", ".img"
VM_FILES = f"VM files (*{ENDING});;All files (*)"
DISKS = f"Disk images (*{DISK_ENDING});;All files (*)"
NO_GUEST = "No guest is loaded. Choose one first."
ALONE = "bare"  # the kind that shares its machine with nobody


class SnapshotController(QObject):
    """Joins the view, the menus and the engine.

    said  (words) something was done that shows nowhere else, or takes a while
    """

    said = Signal(str)

    def __init__(
        self,
        engine: Engine,
        actions: Actions,
        view: SnapshotsView,
        program: ProgramController,
        message: MessageArea,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._engine, self._actions, self.view = engine, actions, view
        self._program, self._message, self._window = program, message, window
        self._kinds: dict[str, QAction] = {}
        self._place = ""  # where the person wrote a file last
        view.takeRequested.connect(self.take)
        view.revertRequested.connect(lambda name, letter: self._wish(protocol.RevertVm(name, letter)))
        view.renameRequested.connect(lambda name, new: self._wish(protocol.RenameSnapshot(name, new)))
        view.deleteRequested.connect(self.delete)
        view.exportRequested.connect(self.export_vm)
        view.diskExportRequested.connect(self.export_disk)
        view.importRequested.connect(self.import_vm)
        view.compareRequested.connect(lambda letter: self._wish(protocol.AskDiverged(letter)))
        view.choiceChanged.connect(self._allow)
        actions[Act.TAKE_SNAPSHOT].triggered.connect(self.take)
        actions[Act.REVERT].triggered.connect(view.revert_chosen)
        actions[Act.EXPORT_VM].triggered.connect(self._export_chosen)
        actions[Act.IMPORT_VM].triggered.connect(self.import_vm)
        engine.loaded.connect(self._allow)
        engine.shelved.connect(view.show_shelf)
        engine.diverged.connect(view.show_diverged)
        engine.snapshot_saved.connect(self._saved)
        self._offer_kinds()
        view.show_shelf(engine.shelf)

    @classmethod
    def among(
        cls,
        views: Iterable[View],
        engine: Engine,
        actions: Actions,
        program: ProgramController,
        message: MessageArea,
        window: QWidget,
    ) -> SnapshotController | None:
        """One for the Snapshots view among `views`, if it is there."""
        view = next((one for one in views if isinstance(one, SnapshotsView)), None)
        return cls(engine, actions, view, program, message, window) if view is not None else None

    # -- the person

    def take(self) -> None:
        """Keep the VM that is looked at, at once; where the person sees the list, they can then name it."""
        self.view.name_next()
        self._wish(protocol.TakeSnapshot())

    def clone(self, kind: str) -> None:
        """One more VM from the chosen snapshot, under that kind."""
        if self.view.chosen is not None:
            self._wish(protocol.CloneVm(self.view.chosen.name, kind))

    def delete(self, name: str) -> None:
        """Throw one away, and offer to bring it back."""
        kept = self._engine.kept_snapshot(name)
        self._wish(protocol.DeleteSnapshot(name))
        if kept is not None:
            again = partial(self._wish, protocol.KeepAgain(kept))
            self._message.offer(f"The snapshot “{name}” is deleted.", "Bring it back", again)

    def export_vm(self, name: str) -> None:
        """Let the person say to which file."""

        def write(path: str) -> None:
            self.said.emit(f"Writing “{name}” to {path} …")
            self._wish(protocol.ExportSnapshot(name, path))

        dialog = self._file_dialog("Export the VM", f"{_file_name(name)}{ENDING}", VM_FILES)
        dialog.setDefaultSuffix(ENDING)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(write)
        dialog.open()

    def export_disk(self, name: str) -> None:
        """Let the person say to which file."""

        def write(path: str) -> None:
            self.said.emit(f"Writing the disk of “{name}” to {path} …")
            self._wish(protocol.ExportDisk(name, path))

        dialog = self._file_dialog("Export the disk", f"{_file_name(name)}{DISK_ENDING}", DISKS)
        dialog.setDefaultSuffix(DISK_ENDING)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(write)
        dialog.open()

    def import_vm(self) -> None:
        """Let the person say which file."""

        def read(path: str) -> None:
            self.said.emit(f"Reading {path} …")
            self._wish(protocol.ImportSnapshot(path))

        dialog = self._file_dialog("Import a VM", "", VM_FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(read)
        dialog.open()

    def _export_chosen(self) -> None:
        if self.view.chosen is not None:
            self.export_vm(self.view.chosen.name)

    def _file_dialog(self, title: str, name: str, pattern: str) -> QFileDialog:
        place = self._place or QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        dialog = QFileDialog(self._window, title, str(Path(place) / name), pattern)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    # -- inside

    def _wish(self, command: protocol.SnapshotCommand) -> None:
        self._engine.snapshots(command)

    def _offer_kinds(self) -> None:
        """A clone under each kind that there is; those that cannot carry it say so."""
        for kind in self._program.catalogue.kinds:
            if kind.name != ALONE:
                action = self.view.clones.addAction(f"under {kind.title}", partial(self.clone, kind.name))
                action.setToolTip(kind.summary)
                self._kinds[kind.name] = action

    def _allow(self) -> None:
        """What can be done now."""
        view, fact = self.view, self.view.chosen
        self._actions.allow(Act.TAKE_SNAPSHOT, "" if self._engine.program is not None else NO_GUEST)
        self._actions.allow(Act.REVERT, view.why_no_revert)
        self._actions.allow(Act.EXPORT_VM, "" if fact is not None else view.why_no_revert)
        for kind, action in self._kinds.items():
            action.setEnabled(fact is not None and kind in fact.carriers)
            font = action.font()
            font.setBold(fact is not None and kind == fact.kind)
            action.setFont(font)

    def _saved(self, path: str) -> None:
        self._program.remember(path)
        self._place = str(Path(path).parent)
        self.said.emit(f"The VM is in {path}: it goes on wherever that file is opened.")


def _file_name(name: str) -> str:
    """A snapshot's name, fit for a file."""
    return "".join(letter if letter.isalnum() or letter in " -_." else "-" for letter in name).strip(" .") or "vm"
