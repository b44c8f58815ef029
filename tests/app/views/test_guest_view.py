"""The Guest view and its table of processes."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.process_table_model import COLUMNS, ProcessTableModel
from app.theme import make_theme
from app.views.guest_view import NOT_KNOWN, NOT_YET, GuestView
from core.guest_system import GuestProcess, GuestSystem
from tests.app.builders import loaded, snapshot

INIT = GuestProcess(1, "init", "sleeping", 0, 0x147000, 3, current=False, in_cr3=False)
SHELL = GuestProcess(2, "shell", "running", 1, 0x14D000, 1234, current=True, in_cr3=True)


@pytest.fixture
def view(qtbot: QtBot) -> GuestView:
    made = GuestView(make_theme("dark"))
    qtbot.addWidget(made)
    made.show_program(loaded())
    return made


def cells(view: GuestView, row: int) -> list[str]:
    return [view.model.index(row, column).data() for column in range(len(COLUMNS))]


def test_each_process_is_a_row_and_the_running_one_is_marked(view: GuestView) -> None:
    view.show_snapshot(snapshot(guest_system=GuestSystem((INIT, SHELL), 1024, 3700)))
    assert not view.is_empty
    assert cells(view, 0)[:5] == ["", "1", "init", "sleeping", "—"]
    assert cells(view, 1)[:5] == ["▶", "2", "shell", "running", "1"]
    assert "2 processes, shell (2) runs" in view.headline.text()


def test_an_idle_guest_is_said_to_be_idle(view: GuestView) -> None:
    view.show_snapshot(snapshot(guest_system=GuestSystem((INIT,), 5, 9)))
    assert "1 process, nobody runs: the guest is idle" in view.headline.text()


def test_a_guest_that_cannot_be_read_says_why_nothing_is_there(view: GuestView) -> None:
    view.show_snapshot(snapshot())
    assert view.is_empty
    assert view.empty_words == NOT_KNOWN


def test_before_the_first_process_the_view_says_so(view: GuestView) -> None:
    view.show_snapshot(snapshot(guest_system=GuestSystem((), 0, 9)))
    assert view.empty_words == NOT_YET


def test_another_program_empties_the_table(view: GuestView) -> None:
    view.show_snapshot(snapshot(guest_system=GuestSystem((INIT,), 5, 9)))
    view.show_program(loaded(2))
    assert view.is_empty
    assert view.model.rowCount() == 0


def test_every_heading_explains_itself(view: GuestView) -> None:
    assert all(column.meaning.endswith(".") for column in COLUMNS)


def test_the_model_is_a_good_model(qtmodeltester: ModelTester) -> None:
    model = ProcessTableModel(make_theme("dark").type.mono())
    model.show((INIT, SHELL))
    qtmodeltester.check(model)
