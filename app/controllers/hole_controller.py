"""Measuring the holes for the Holes view, in a process of its own: neither the window nor its machine waits for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess

from app.models.hole_table_model import rows_from_json
from app.views.holes_view import HolesView
from app.views.view import View

if TYPE_CHECKING:
    from app.engine.client import Engine

COMMAND = ["-m", "app", "holes", "--json"]


class HoleController(QObject):
    """Joins the Holes view to the command ``ringside holes`` and to the engine. `load(guest, kind)` powers a guest on,
    `point(view, anchor)` brings a view into sight."""

    def __init__(
        self,
        engine: Engine,
        view: HolesView,
        load: Callable[[str, str], None],
        point: Callable[[str, str | None], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine, self._view, self._load, self._point = engine, view, load, point
        self._process: QProcess | None = None
        view.measureWanted.connect(self.measure)
        view.startWanted.connect(self.start)

    @classmethod
    def among(
        cls,
        views: Iterable[View],
        engine: Engine,
        load: Callable[[str, str], None],
        point: Callable[[str, str | None], None],
        parent: QObject,
    ) -> HoleController | None:
        """One for the Holes view among `views`, if it is there."""
        view = next((one for one in views if isinstance(one, HolesView)), None)
        return cls(engine, view, load, point, parent) if view is not None else None

    def measure(self) -> None:
        """Measure the table anew, unless that is being done."""
        if self._process is not None:
            return
        self._view.show_measuring()
        process = self._process = QProcess(self)
        process.finished.connect(self._take)
        process.errorOccurred.connect(self._failed)
        process.setWorkingDirectory(str(Path(__file__).resolve().parents[2]))  # where the package is found
        process.start(sys.executable, COMMAND)

    def start(self, guest: str, kind: str, address: int) -> None:
        """Load the tiny guest under `kind`, let it come to its instruction, and show that."""
        self._load(guest, kind)
        self._engine.run_to(address)
        self._point("code", None)

    def close(self) -> None:
        """End a measurement that is still going on."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._take)
            process.errorOccurred.disconnect(self._failed)
            process.kill()
            process.waitForFinished()

    def _take(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.exitCode() != 0:
            self._view.show_failure(process.readAllStandardError().data().decode(errors="replace").strip())
        else:
            self._view.show_table(rows_from_json(json.loads(process.readAllStandardOutput().data())))
        process.deleteLater()

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._process = None
            self._view.show_failure("The measurement could not be started. Run 'ringside holes' in a terminal.")
