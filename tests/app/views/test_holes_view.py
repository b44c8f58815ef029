"""The Holes view: its table, what it says was found, and what a click asks for."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.hole_table_model import HoleCell, HoleRow, HoleTableModel, rows_from_json
from app.theme import make_theme
from app.views.holes_view import NOT_MEASURED, WHAT_WILL_BE, HolesView
from app.widgets.empty_state import EmptyState
from core.hole_table import Verdict

PUSHF = HoleRow(
    "holes/pushf",
    "PUSHF",
    "pushf",
    0x10_0001,
    "Pushes EFLAGS.",
    {"bare": HoleCell(Verdict.SAME, "IF = 0"), "trap_emulate": HoleCell(Verdict.DIFFERS, "IF = 1")},
)
INT = HoleRow(
    "holes/int",
    "INT",
    "int 0x30",
    0x10_0040,
    "Calls a handler.",
    {"bare": HoleCell(Verdict.TRAPS, "CS = 8"), "trap_emulate": HoleCell(Verdict.TRAPS, "CS = 8")},
)


@pytest.fixture
def view(qtbot: QtBot) -> HolesView:
    made = HolesView(make_theme("dark"))
    qtbot.addWidget(made)
    return made


def texts(model: HoleTableModel, row: int) -> list[str]:
    return [model.index(row, column).data() for column in range(model.columnCount())]


def test_it_says_what_to_do_before_anything_is_measured(view: HolesView) -> None:
    assert view.findings.text() == NOT_MEASURED
    assert any(label.text() == WHAT_WILL_BE and not label.isHidden() for label in view.findChildren(EmptyState))
    assert view.table.isHidden()


def test_what_differs_is_marked_and_counted(view: HolesView) -> None:
    view.show_table((PUSHF, INT))
    assert texts(view.model, 0) == ["PUSHF", "IF = 0", "≠ IF = 1"]
    assert texts(view.model, 1) == ["INT", "CS = 8", "traps · CS = 8"]
    assert view.findings.text().startswith("1 of 2 silently differ (≠) under trap-emulate.")
    assert not view.table.isHidden()


def test_a_click_asks_for_that_guest_under_that_kind_up_to_the_instruction(view: HolesView, qtbot: QtBot) -> None:
    view.show_table((PUSHF, INT))
    with qtbot.waitSignal(view.startWanted) as wanted:
        view.table.clicked.emit(view.model.index(0, 2))
    assert wanted.args == ["holes/pushf", "trap_emulate", 0x10_0001]


def test_the_button_asks_for_a_measurement_and_waits_for_it(view: HolesView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.measureWanted):
        view.measure.click()
    view.show_measuring()
    assert not view.measure.isEnabled()
    view.show_failure("It went wrong.")
    assert view.measure.isEnabled()
    assert view.findings.text() == "It went wrong."


def test_the_model_keeps_the_rules_of_models(qtmodeltester: ModelTester) -> None:
    model = HoleTableModel(make_theme("dark").type.mono())
    model.show((PUSHF, INT))
    qtmodeltester.check(model)


def test_the_command_s_table_is_understood() -> None:
    cell = {"verdict": "silently-differs", "words": ["IF = 1"], "seen": {"IF": 1}, "cause": None}
    row = {"name": "PUSHF", "instruction": "pushf", "address": 7, "summary": "Pushes.", "kinds": {"trap_emulate": cell}}
    assert rows_from_json({"holes/pushf": row}) == (
        HoleRow("holes/pushf", "PUSHF", "pushf", 7, "Pushes.", {"trap_emulate": HoleCell(Verdict.DIFFERS, "IF = 1")}),
    )
