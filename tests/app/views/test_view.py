"""Views are found by their files, and know how to be empty."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.views import Area, View, discover


def test_every_view_is_found_once_and_in_order() -> None:
    specs = discover()
    assert "rings" in [spec.id for spec in specs]
    assert len({spec.id for spec in specs}) == len(specs)
    places = [(list(Area).index(spec.area), spec.order) for spec in specs]
    assert places == sorted(places)


def test_every_view_asks_a_question() -> None:
    for spec in discover():
        assert spec.question.endswith("?"), spec.id
        assert spec.title, spec.id


def test_a_view_is_empty_until_it_has_something_to_show(qtbot: QtBot) -> None:
    view = View(make_theme("dark"))
    qtbot.addWidget(view)
    view.set_content(QLabel("content"))
    assert view.is_empty
    view.set_empty(False)
    assert not view.is_empty
    view.set_empty(True, "Nothing is loaded.")
    assert view.is_empty
    assert view.findChild(QLabel, "emptyState").text() == "Nothing is loaded."
