"""The Compare view's workers: real processes, two at a time, with progress; cancelled at once; the window goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QSettings
from pytestqt.qtbot import QtBot

from app.controllers.compare_controller import COSTS_KEY, CompareController
from app.controllers.worker_pool import AT_ONCE, WorkerPool
from app.theme import make_theme
from app.views.compare_view import CompareView
from core.costs import Work
from core.vmm import kinds_for

PATIENCE = 120_000  # milliseconds; it takes some seconds on an idle machine


class Log:
    """Takes what an engine, a loader and a pointer would be told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def run_to(self, address: int) -> None:
        self.told.append(("run to", address))

    def step(self, count: int, *, quietly: bool) -> None:
        self.told.append(("step", count, quietly))

    def load(self, guest: str, kind: str, start: object) -> None:
        self.told.append(("load", guest, kind, start.command_line))  # type: ignore[attr-defined]

    def point(self, view: str, anchor: str | None) -> None:
        self.told.append(("point", view, anchor))

    def enlarge(self) -> None:
        self.told.append("enlarge")


class Desk:
    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.view, self.log, self.parent = CompareView(make_theme("dark")), Log(), QObject()
        qtbot.addWidget(self.view)
        self.controller = CompareController(
            self.view, self.log, self.settings, self.log.load, self.log.point, self.log.enlarge, self.parent,  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, tmp_path)
    yield made
    made.controller.close()


def choose(view: CompareView, guest: str) -> None:
    view.guests.setCurrentIndex(view.guests.findData(guest))
    view.guests.activated.emit(view.guests.currentIndex())


def test_a_guest_is_compared_under_every_kind_that_can_run_it(desk: Desk, qtbot: QtBot) -> None:
    choose(desk.view, "hole")
    desk.view.compare.click()
    assert desk.view.compare.text() == "Cancel"
    qtbot.waitUntil(lambda: desk.view.compare.text() == "Compare", timeout=PATIENCE)
    assert list(desk.view.comparison.results) == list(kinds_for())
    assert "The guest noticed a difference under Trap-and-emulate" in desk.view.status.text()


def test_cancelling_ends_all_of_it_and_keeps_what_there_is(desk: Desk, qtbot: QtBot) -> None:
    choose(desk.view, "hole")
    desk.view.compare.click()
    pool = desk.controller.findChild(WorkerPool)
    assert pool is not None
    qtbot.waitUntil(lambda: len(desk.view.comparison.results) > 0, timeout=PATIENCE)
    desk.view.compare.click()
    assert not pool.busy
    assert desk.view.compare.text() == "Compare"
    assert desk.view.status.text().startswith("You cancelled it after ")
    assert 0 < len(desk.view.comparison.results) < len(kinds_for())


def test_no_more_than_two_work_at_once(qtbot: QtBot) -> None:
    parent = QObject()
    pool = WorkerPool(parent)
    failed: list[tuple[str, str]] = []
    pool.failed.connect(lambda name, words: failed.append((name, words)))
    pool.start({str(number): ["nonsense"] for number in range(3)})
    running = [child for child in pool.children() if child.metaObject().className() == "QProcess"]
    assert len(running) == AT_ONCE
    qtbot.waitUntil(lambda: not pool.busy, timeout=PATIENCE)
    assert sorted(name for name, _ in failed) == ["0", "1", "2"]
    assert all("nonsense" in words for _, words in failed)


def test_a_place_is_gone_to(desk: Desk) -> None:
    desk.view.startWanted.emit("pebble", "hardware", "run=hello", 0x10_0000, None)
    desk.view.startWanted.emit("hole", "trap_emulate", "", None, 2)
    desk.view.enlarge.click()
    assert desk.log.told == [
        ("load", "pebble", "hardware", "run=hello"), ("run to", 0x10_0000), ("point", "code", None),
        ("load", "hole", "trap_emulate", ""), ("step", 2, True), ("point", "code", None),
        "enlarge",
    ]  # fmt: skip


def test_ones_own_costs_are_there_the_next_time(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    desk.view.book.edit(Work.EXIT, 99)
    assert COSTS_KEY in desk.settings.allKeys()
    desk.settings.sync()
    other = Desk(qtbot, tmp_path)
    assert other.view.book.price(Work.EXIT).cycles == 99
    other.controller.close()
