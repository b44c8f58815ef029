"""Work in processes of their own, a few at a time: neither the window nor its machine waits, and all can be cancelled.

A job is a command of Ringside's own command line; what it prints at last is its result, and each line on standard error
before is progress.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

AT_ONCE = 2
HOME = Path(__file__).resolve().parents[2]  # where the package is found


class WorkerPool(QObject):
    """Runs named jobs in their order.

    progressed  (name, line) a job said how far it is
    delivered   (name, bytes) a job is done, and printed this
    failed      (name, words) a job ended otherwise, and said this
    idle        () nothing is left to do
    """

    progressed = Signal(str, str)
    delivered = Signal(str, bytes)
    failed = Signal(str, str)
    idle = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: deque[tuple[str, list[str]]] = deque()
        self._running: dict[str, QProcess] = {}
        self._said: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Is anything left to do?"""
        return bool(self._waiting or self._running)

    def start(self, jobs: Mapping[str, list[str]]) -> None:
        """Do these, each the arguments of a command, after what is still to be done."""
        self._waiting.extend(jobs.items())
        self._fill()

    def cancel(self) -> None:
        """End what runs, and forget the rest; nothing of it is delivered."""
        self._waiting.clear()
        running, self._running = self._running, {}
        for process in running.values():
            process.kill()
            process.waitForFinished()
            process.deleteLater()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            name, arguments = self._waiting.popleft()
            process = QProcess(self)
            self._running[name] = process
            self._said[name] = ""
            process.setWorkingDirectory(str(HOME))
            process.readyReadStandardError.connect(lambda name=name: self._hear(name))
            process.finished.connect(lambda *_, name=name: self._end(name))
            process.errorOccurred.connect(lambda error, name=name: self._not_started(name, error))
            process.start(sys.executable, ["-m", "app", *arguments])

    def _hear(self, name: str) -> None:
        process = self._running.get(name)
        if process is None:
            return
        text = process.readAllStandardError().data().decode(errors="replace")
        self._said[name] += text
        lines = text.strip().splitlines()
        if lines:
            self.progressed.emit(name, lines[-1])

    def _end(self, name: str) -> None:
        self._hear(name)
        process = self._running.pop(name, None)
        if process is None:
            return
        if process.exitStatus() is QProcess.ExitStatus.NormalExit and process.exitCode() == 0:
            self.delivered.emit(name, process.readAllStandardOutput().data())
        else:
            last = self._said[name].strip().splitlines()
            self.failed.emit(name, last[-1] if last else "It ended without a word.")
        process.deleteLater()
        self._fill()
        if not self.busy:
            self.idle.emit()

    def _not_started(self, name: str, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._said[name] = "Python could not be started."
            self._end(name)
