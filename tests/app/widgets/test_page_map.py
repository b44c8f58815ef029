"""The map of pages: where cells are, what colour they have, how one walks over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.theme import THEME_NAMES, Theme, make_theme
from app.theme.palette import contrast
from app.widgets.map_colors import holder_colors, use_colors
from app.widgets.page_map import PageMap
from core.looks import Holder, Use, UseKind
from core.page_use import BASIC

COLORS = [QColor("#203040"), QColor("#A04030")]


@pytest.fixture
def page_map(qtbot: QtBot, theme: Theme) -> PageMap:
    made = PageMap(theme)
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    made.show_cells(np.array([0, 1] * 256, np.uint8), COLORS)
    return made


def color_of(page_map: PageMap, cell: int) -> QColor:
    return page_map.grab().toImage().pixelColor(page_map.rect_of(cell).center())


@given(st.integers(1, 5000), st.integers(170, 1400), st.integers(96, 900), st.data())
def test_every_cell_is_found_where_it_is_painted(
    qapp: object, cells: int, width: int, height: int, data: st.DataObject
) -> None:
    page_map = PageMap(make_theme())
    page_map.resize(width, height)
    page_map.show_cells(np.zeros(cells, np.uint8), COLORS)
    cell = data.draw(st.integers(0, cells - 1))
    assert page_map.cell_at(page_map.rect_of(cell).center()) == cell
    assert page_map.cell_at(QPoint(0, 0)) == -1


def test_cells_have_the_colours_of_their_numbers(page_map: PageMap) -> None:
    assert [color_of(page_map, cell) for cell in (10, 11)] == COLORS


def test_what_glows_is_nearer_to_the_text(page_map: PageMap, theme: Theme) -> None:
    glow = np.zeros(512, np.float32)
    glow[10] = 1
    page_map.show_glow(glow)
    assert contrast(color_of(page_map, 10), theme.palette.text) < contrast(COLORS[0], theme.palette.text)
    assert color_of(page_map, 12) == COLORS[0]


def test_the_spotlight_dims_the_others(page_map: PageMap) -> None:
    page_map.set_spotlight(1)
    assert color_of(page_map, 11) == COLORS[1]
    assert color_of(page_map, 10) != COLORS[0]


def test_keys_walk_over_the_map_and_stop_at_its_edges(page_map: PageMap, qtbot: QtBot) -> None:
    chosen: list[int] = []
    page_map.chosen.connect(chosen.append)
    keys = (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Right, Qt.Key.Key_Home)
    for key in keys:
        qtbot.keyClick(page_map, key)
    assert chosen == [0, 1, 1 + page_map.columns, 511, 0]


def test_the_mouse_points_and_chooses(page_map: PageMap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page_map.chosen) as chosen:
        qtbot.mouseClick(page_map, Qt.MouseButton.LeftButton, pos=page_map.rect_of(77).center())
    assert chosen.args == [77]
    with qtbot.waitSignal(page_map.hovered) as hovered:
        qtbot.mouseMove(page_map, page_map.rect_of(33).center())
    assert hovered.args == [33]


@pytest.mark.parametrize("name", THEME_NAMES)
def test_uses_and_owners_that_stand_beside_each_other_have_different_colours(name: str) -> None:
    palette = make_theme(name).palette
    legend = (*BASIC, *(Use(UseKind.PROCESS, f"p ({n})", "") for n in range(6)))
    uses = [color.name() for color in use_colors(legend, palette)]
    kinds = [use.kind for use in legend]
    apart = [color for color, kind in zip(uses, kinds, strict=True) if kind is not UseKind.USER]
    assert len(set(apart)) == len(apart)
    owners = (
        Holder("host"),
        Holder("VM A"),
        Holder("monitor of A"),
        Holder("monitor of A", "x"),
        Holder("VM B"),
        Holder(""),
    )
    assert len({color.name() for color in holder_colors(owners, palette)}) == len(owners)


@pytest.mark.parametrize("size", [(370, 230), (500, 300), (900, 500)])
def test_all_of_a_machines_frames_are_in_sight_where_a_pixel_each_is_enough(
    page_map: PageMap, size: tuple[int, int]
) -> None:
    page_map.resize(*size)
    page_map.show_cells(np.zeros(1 << 15, np.uint8), COLORS)
    assert page_map.rect().contains(page_map.rect_of((1 << 15) - 1))


def test_the_focus_is_to_be_seen(page_map: PageMap, qtbot: QtBot) -> None:
    page_map.clearFocus()
    without = page_map.grab().toImage()
    page_map.setFocus()
    qtbot.waitUntil(page_map.hasFocus)
    assert page_map.grab().toImage() != without
