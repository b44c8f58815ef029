"""The Holes view is filled by the real command, in a process of its own, and its guests are loaded on a click."""

from __future__ import annotations

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.controllers.hole_controller import HoleController
from app.theme import make_theme
from app.views.holes_view import HolesView

PATIENCE = 120_000  # milliseconds; it takes some seconds on an idle machine


class Log:
    """Takes what an engine, a loader and a pointer would be told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def run_to(self, address: int) -> None:
        self.told.append(("run to", address))

    def load(self, guest: str, kind: str) -> None:
        self.told.append(("load", guest, kind))

    def point(self, view: str, anchor: str | None) -> None:
        self.told.append(("point", view, anchor))


def test_the_table_is_measured_and_a_row_started(qtbot: QtBot) -> None:
    view, log, parent = HolesView(make_theme("dark")), Log(), QObject()
    qtbot.addWidget(view)
    controller = HoleController(log, view, log.load, log.point, parent)  # type: ignore[arg-type]
    view.measure.click()
    qtbot.waitUntil(lambda: view.model.rowCount() > 0, timeout=PATIENCE)
    row = next(row for row in view.model.rows if row.name == "PUSHF")
    assert row.cells["trap_emulate"].seen == "IF = 1"
    view.startWanted.emit(row.guest, "bare", row.address)
    assert log.told == [("load", "holes/pushf", "bare"), ("run to", row.address), ("point", "code", None)]
    controller.close()


def test_closing_ends_a_measurement_under_way(qtbot: QtBot) -> None:
    view, log, parent = HolesView(make_theme("dark")), Log(), QObject()
    qtbot.addWidget(view)
    controller = HoleController(log, view, log.load, log.point, parent)  # type: ignore[arg-type]
    controller.measure()
    controller.close()
    assert view.model.rowCount() == 0
