"""The real window on the real engine, driven as a person drives it: keys, clicks, and waiting for what they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.controllers import lesson_performance
from app.controllers.actions import Act
from app.engine.client import Engine
from app.main_window import MainWindow
from app.views.code_pane import CodePane
from app.views.code_view import CodeView
from app.views.console_view import ConsoleView
from app.views.registers_view import RegistersView
from app.views.traps_view import TrapsView
from core.snapshot import Snapshot

PATIENCE = 20_000  # milliseconds; a loaded machine is slow, not wrong


class Person:
    """Someone in front of the window."""

    def __init__(self, window: MainWindow, engine: Engine, qtbot: QtBot) -> None:
        self.window, self.engine, self._qtbot = window, engine, qtbot
        views = window.layout_.views
        self.code, self.console = views["code"], views["console"]
        self.registers, self.traps = views["registers"], views["traps"]
        assert isinstance(self.code, CodeView)
        assert isinstance(self.console, ConsoleView)
        assert isinstance(self.registers, RegistersView)
        assert isinstance(self.traps, TrapsView)

    @property
    def sees(self) -> Snapshot:
        """The machine as the window shows it."""
        assert self.engine.latest is not None
        return self.engine.latest

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until that has come."""
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=PATIENCE)

    def press(self, act: Act) -> None:
        """Use an action, which must be one that can be used."""
        assert self.window.actions_[act].isEnabled(), self.window.actions_.reason(act)
        self.window.actions_[act].trigger()

    def load(self, guest: str, kind: str = "bare") -> None:
        """Load that guest under that kind, and wait until it stands there at power-on."""
        before = self.engine.latest.generation if self.engine.latest is not None else 0
        self.window.program.load(guest, kind)
        self.wait(lambda: self.engine.latest is not None and self.engine.latest.generation > before)
        assert self.sees.executed == 0

    def step(self) -> None:
        """One instruction."""
        before = self.sees.executed
        self.press(Act.STEP)
        self.wait(lambda: self.sees.executed > before and not self.sees.running)

    def run(self) -> None:
        """Run until it stands still."""
        before = self.sees.executed
        self.press(Act.RUN)
        self.wait(lambda: self.sees.executed > before and not self.sees.running)

    def click_margin(self, pane: CodePane, row: int) -> None:
        """Click the margin of that row, which must be in sight."""
        rect = pane.visualRect(pane.model().index(row, 0))
        assert 0 <= rect.center().y() < pane.viewport().height()
        self._qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(6, rect.center().y()))

    def click_line(self, pane: CodePane, row: int) -> None:
        """Click the text of that row."""
        rect = pane.visualRect(pane.model().index(row, 0))
        self._qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, rect.center().y()))


@pytest.fixture(scope="module")
def engine(qapp: QApplication) -> Iterator[Engine]:
    """One engine for all tests of a module."""
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def person(engine: Engine, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Someone with a fresh window, in which the smallest guest stands at power-on; lessons do not wait."""
    monkeypatch.setattr(lesson_performance, "BEAT_MS", 1)
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(engine, settings, owns_engine=False)
    qtbot.addWidget(window)
    window.layout_.restore()
    window.run.restore()
    window.show()
    person = Person(window, engine, qtbot)
    engine.set_breakpoints(frozenset())
    person.load("hello")
    yield person
    if person.sees.running:
        engine.stop()
        person.wait(lambda: not person.sees.running)


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], str]:
    """Makes a guest of some assembly; gives its path."""

    def write(text: str) -> str:
        path = tmp_path / "guest.s"
        path.write_text(f".globl _start\n_start:\n{text}\n", encoding="utf-8")
        return str(path)

    return write
