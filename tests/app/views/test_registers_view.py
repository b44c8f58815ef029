"""The registers view: what it says in words, and that narrow and wide both fit."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.models.register_table_model import RegisterColumn
from app.theme import Theme, make_theme
from app.views.registers_view import RegistersView
from core.events import Ring
from tests.app.builders import loaded, registers, snapshot


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> RegistersView:
    view = RegistersView(theme)
    qtbot.addWidget(view)
    view.resize(330, 400)
    view.show()
    view.show_program(loaded())
    view.show_snapshot(snapshot())
    return view


def test_it_says_how_wrong_the_guest_is(view: RegistersView) -> None:
    assert "believes it runs in ring 0; it runs in ring 1" in view.summary.text()
    assert "wrong about 7 registers" in view.summary.text()


def test_it_says_so_when_the_guest_is_right(view: RegistersView) -> None:
    honest = tuple(one for one in registers() if not one.differs)
    view.show_snapshot(snapshot(ring=Ring.KERNEL, registers=honest))
    assert view.summary.text() == "Ring 0. The guest is right about every register."


def test_narrow_has_the_fields_beneath_and_wide_beside(view: RegistersView) -> None:
    flags = view.model.row_of("eflags")
    assert flags is not None
    assert view.table.isColumnHidden(RegisterColumn.FIELDS)
    narrow = view.table.rowHeight(flags)
    view.resize(900, 400)
    assert not view.table.isColumnHidden(RegisterColumn.FIELDS)
    assert view.table.rowHeight(flags) < narrow


def test_columns_never_need_a_horizontal_scroll_bar(view: RegistersView) -> None:
    for width in (280, 330, 500, 900):
        view.resize(width, 400)
        used = sum(view.table.columnWidth(column) for column in RegisterColumn if not view.table.isColumnHidden(column))
        assert used <= view.table.viewport().width() + 1


def test_pointing_at_a_register_selects_it(view: RegistersView) -> None:
    view.point_at("IDTR")
    assert view.table.currentIndex().row() == view.model.row_of("IDTR")
    view.point_at("IOPL")
    assert view.table.currentIndex().row() == view.model.row_of("EFLAGS")
    view.point_at("IDTR")
    view.point_at("no such register")
    assert view.table.currentIndex().row() == view.model.row_of("IDTR")


def test_another_theme_draws_it_anew(view: RegistersView) -> None:
    dark = view.grab().toImage()
    view.apply_theme(make_theme("light"))
    assert view.grab().toImage() != dark


def test_a_fresh_machine_empties_it(view: RegistersView) -> None:
    view.show_program(loaded(generation=2))
    assert view.is_empty
