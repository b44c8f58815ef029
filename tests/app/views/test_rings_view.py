"""The rings as a view: empty, then the picture, in the theme it is given."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.views.rings_view import VIEW, RingsView
from core.events import Ring
from tests.app.builders import loaded, snapshot, trap


@pytest.fixture
def view(qtbot: QtBot) -> RingsView:
    made = VIEW.make(make_theme("dark"))
    assert isinstance(made, RingsView)
    qtbot.addWidget(made)
    made.resize(360, 360)
    return made


def test_an_empty_view_says_what_will_appear_and_how(view: RingsView) -> None:
    assert view.is_empty
    assert "Choose a guest and press Run" in view.accessibleDescription()


def test_the_first_snapshot_brings_the_picture(view: RingsView) -> None:
    view.show_program(loaded())
    assert view.is_empty
    view.show_snapshot(snapshot())
    assert not view.is_empty
    assert view.picture.scene is not None
    assert view.picture.scene.at is Ring.ONE


def test_a_screen_reader_hears_where_the_cpu_is(view: RingsView) -> None:
    view.show_snapshot(snapshot(traps=(trap(),)))
    assert view.accessibleName() == "Rings"
    assert view.accessibleDescription().startswith("VM A runs in ring 1 · guest kernel.")


def test_another_program_empties_it(view: RingsView) -> None:
    view.show_snapshot(snapshot())
    view.show_program(loaded(generation=2))
    assert view.is_empty
    assert view.picture.scene is None


def test_a_change_of_theme_repaints_it(view: RingsView) -> None:
    view.show_snapshot(snapshot())
    dark = view.grab().toImage()
    view.apply_theme(make_theme("light"))
    assert view.grab().toImage() != dark
    assert view.theme.palette.name == "light"


def test_its_question_is_there_for_the_title(view: RingsView) -> None:
    assert (VIEW.id, VIEW.title) == ("rings", "Rings")
    assert VIEW.question.endswith("?")
