"""Whole labs: saved to a file, opened from one, and kept while one works, for the case that everything dies.

What is kept lies in a folder of this process's own, which is removed when the window closes as it should. Folders of
processes that are gone are what a crash left: the newest is offered to the person, and nothing is done unasked.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.controllers.actions import Act, Actions
from app.widgets.message_area import MessageArea
from core.lab.archive import MANIFEST
from core.lab.files import ENDING
from core.lab.lab import Desk

if TYPE_CHECKING:
    from app.controllers.layout_controller import LayoutController
    from app.controllers.lesson_controller import LessonController
    from app.controllers.program_controller import ProgramController
    from app.engine.client import Engine
    from app.engine.protocol import LabOpened, Loaded

NO_GUEST = "No guest is loaded. Choose one first."
DESK_MS = 2_000  # between two looks at what the person has before them
PATTERN = f"Labs (*{ENDING});;All files (*)"
OFFER = "Ringside did not close as it should last time. What was there is kept."
OFFERED = "Bring it back"


class LabController(QObject):
    """Saves and opens; `path` is the file that the present lab belongs to, empty for one that was never saved.

    said     (words) something was done that shows nowhere else
    renamed  the lab has another file than before
    """

    said = Signal(str)
    renamed = Signal()

    def __init__(
        self,
        engine: Engine,
        actions: Actions,
        program: ProgramController,
        layout: LayoutController,
        lessons: LessonController | None,
        settings: QSettings,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._engine, self._actions, self._program = engine, actions, program
        self._layout, self._lessons, self._window = layout, lessons, window
        self.path = ""
        self._folder: Path | None = None  # where the present lab is kept
        self._left: Path | None = None  # what a crash left
        self._locks: list[QLockFile] = []
        self._desk = Desk()
        self._look = QTimer(self, interval=DESK_MS)
        self._look.timeout.connect(self._keep)
        actions[Act.SAVE_LAB].triggered.connect(self.save)
        actions[Act.SAVE_LAB_AS].triggered.connect(self.save_as)
        program.labChosen.connect(engine.open_lab)
        engine.loaded.connect(self._loaded)
        engine.lab_opened.connect(self._opened)
        engine.lab_saved.connect(self._saved)
        self._allow(NO_GUEST)

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        return Path(self.path).name.removesuffix(ENDING)

    # -- saving

    def save(self) -> None:
        """To its file; for one that has none, ask."""
        if self.path:
            self._engine.save_lab(self.path, self.desk())
        else:
            self.save_as()

    def save_as(self) -> None:
        """Let the person say where to. The dialogue asks before a file is replaced."""
        start = self.path or str(Path(self._program.folder) / f"lab{ENDING}")
        dialog = QFileDialog(self._window, "Save the lab", start, PATTERN)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ENDING)
        dialog.fileSelected.connect(lambda path: self._engine.save_lab(path, self.desk()))
        dialog.open()

    def desk(self) -> Desk:
        """What the person has before them."""
        views, front = self._layout.open_views()
        attempt = self._lessons.attempt if self._lessons is not None else None
        if attempt is None:
            return Desk(views, front)
        return Desk(views, front, attempt.lesson.name, attempt.index)

    # -- keeping

    def keep_in(self, root: Path, message: MessageArea) -> None:
        """Keep labs under `root` from now on, and offer what a crash left there."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            left = self._left_behind(root)
        except OSError:
            return  # the engine would say so of each lab; a computer without room for data is no news
        self._offer(left, message)
        self._folder = root / str(os.getpid())
        self._lock(self._folder)
        self._keep()
        self._look.start()

    def _left_behind(self, root: Path) -> list[Path]:
        """The folders of processes that are gone, newest first."""
        kept = [each for each in root.iterdir() if each.is_dir() and (each / MANIFEST).is_file() and self._lock(each)]
        return sorted(kept, key=lambda each: (each / MANIFEST).stat().st_mtime, reverse=True)

    def _lock(self, folder: Path) -> bool:
        lock = QLockFile(f"{folder}.lock")
        lock.setStaleLockTime(0)  # only a process that is gone gives it up
        if not lock.tryLock(0):
            return False
        self._locks.append(lock)
        return True

    def _offer(self, left: list[Path], message: MessageArea) -> None:
        for old in left[1:]:
            shutil.rmtree(old, ignore_errors=True)
        if left:
            self._left = left[0].with_name(f"{left[0].name}-left")
            if self._left.exists():
                shutil.rmtree(self._left, ignore_errors=True)
            try:
                left[0].rename(self._left)  # a process of that number may come again: perhaps this one
            except OSError:
                self._left = None
                return
            self._lock(self._left)  # or another window would take it for what a crash of this one left
            message.offer(OFFER, OFFERED, lambda: self._engine.open_lab(str(self._left)))

    def _keep(self) -> None:
        desk = self.desk()
        if self._folder is not None and (desk != self._desk or not self._engine.keeps):
            self._desk = desk
            self._engine.keep_lab(str(self._folder), desk)

    def close(self) -> None:
        """The window closes as it should: nothing is left. After the engine's end, which writes there."""
        self._look.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._left is not None:
            shutil.rmtree(self._left, ignore_errors=True)
        for lock in self._locks:
            lock.unlock()

    # -- the engine

    def _loaded(self, loaded: Loaded) -> None:
        self._allow("")
        path = loaded.lab if not self._is_left(loaded.lab) else ""
        if path != self.path:
            self.path = path
            self.renamed.emit()

    def _opened(self, opened: LabOpened) -> None:
        desk = opened.desk
        self._layout.arrange(desk.open_views, desk.in_front)
        if desk.lesson and self._lessons is not None:
            self._lessons.take_up(desk.lesson, desk.step)
        if not self._is_left(opened.path):
            self._program.remember(opened.path)

    def _saved(self, path: str) -> None:
        self.path = path
        self._program.remember(path)
        self.renamed.emit()
        self.said.emit(f"The lab is saved in {path}.")

    def _is_left(self, path: str) -> bool:
        return self._left is not None and path == str(self._left)

    def _allow(self, unless: str) -> None:
        for act in (Act.SAVE_LAB, Act.SAVE_LAB_AS):
            self._actions.allow(act, unless)
