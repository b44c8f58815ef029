"""The code view: two panes in step, breakpoints by the margin, and a scroll that stays the person's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.views.code_pane import CodePane
from app.views.code_view import CodeView
from core.snapshot import CodeLine
from tests.app.builders import BASE, listing, loaded, program, snapshot

OUT, WAIT = BASE + 0x0E, BASE + 0x0F


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> CodeView:
    view = CodeView(theme)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    view.show_program(loaded())
    view.show_snapshot(snapshot(pc=BASE))
    return view


def click_margin(qtbot: QtBot, pane: CodePane, row: int) -> None:
    rect = pane.visualRect(pane.model().index(row, 0))
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(6, rect.center().y()))


def click_line(qtbot: QtBot, pane: CodePane, row: int) -> None:
    rect = pane.visualRect(pane.model().index(row, 0))
    qtbot.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(120, rect.center().y()))


def test_both_panes_show_the_program_counter(view: CodeView) -> None:
    view.show_snapshot(snapshot(pc=OUT))
    assert view.listing_model.current_row == view.listing_model.row_of(OUT)
    assert view.source_model.current_row == 6
    assert "start+0xe" in view.caption.text()


def test_margin_of_the_disassembly_sets_and_clears(qtbot: QtBot, view: CodeView) -> None:
    row = view.listing_model.row_of(OUT)
    assert row is not None
    with qtbot.waitSignal(view.breakpointsChanged) as heard:
        click_margin(qtbot, view.listing, row)
    assert heard.args == [frozenset({OUT})]
    with qtbot.waitSignal(view.breakpointsChanged) as heard:
        click_margin(qtbot, view.listing, row)
    assert heard.args == [frozenset()]


def test_margin_of_a_source_line_without_code_means_the_next_one_with_code(qtbot: QtBot, view: CodeView) -> None:
    with qtbot.waitSignal(view.breakpointsChanged) as heard:
        click_margin(qtbot, view.source, 7)  # the empty line before "wait:"
    assert heard.args == [frozenset({WAIT})]
    assert view.source_model.has_breakpoint(8)


def test_breakpoint_shows_at_once_and_no_late_snapshot_takes_it_away(qtbot: QtBot, view: CodeView) -> None:
    view.toggle_breakpoint(OUT)
    view.show_snapshot(snapshot(pc=BASE))  # sent before the engine knew
    assert view.listing_model.breakpoints == {OUT}
    view.show_snapshot(snapshot(pc=BASE, breakpoints=frozenset({OUT})))
    view.show_snapshot(snapshot(pc=BASE))  # cleared by someone else
    assert view.listing_model.breakpoints == frozenset()


def test_choosing_a_source_line_points_at_its_instructions(qtbot: QtBot, view: CodeView) -> None:
    with qtbot.waitSignal(view.cursorMoved) as heard:
        click_line(qtbot, view.source, 6)
    assert heard.args == [OUT]
    assert view.listing_model.linked == {OUT}


def test_choosing_an_instruction_points_at_its_source_line(qtbot: QtBot, view: CodeView) -> None:
    row = view.listing_model.row_of(WAIT)
    assert row is not None
    click_line(qtbot, view.listing, row)
    assert view.cursor_address == WAIT
    assert view.source_model.linked == 8


def test_keyboard_moves_the_cursor_and_toggles(qtbot: QtBot, view: CodeView) -> None:
    view.listing.setFocus()
    qtbot.keyClick(view.listing, Qt.Key.Key_Home)
    qtbot.keyClick(view.listing, Qt.Key.Key_Down)
    assert view.cursor_address == BASE
    view.toggle_breakpoint()
    assert view.listing_model.breakpoints == {BASE}


def test_goto_shows_code_that_no_snapshot_has_listed(qtbot: QtBot, view: CodeView) -> None:
    view.show_program(loaded(generation=2))
    view.show_snapshot(snapshot(generation=2, pc=BASE, listing=listing(0, 2)))
    assert view.listing_model.row_of(WAIT) is None
    view.show_address(WAIT)
    assert view.cursor_address == WAIT
    assert view.listing.currentIndex().row() == view.listing_model.row_of(WAIT)


def long_listing(start: int, count: int) -> tuple[CodeLine, ...]:
    return tuple(CodeLine(start + at, b"\x90", "nop") for at in range(count))


def in_sight(pane: CodePane, row: int | None) -> bool:
    first, last = pane.rows_in_sight()
    return row is not None and first <= row <= last


def test_pane_follows_the_program_counter(view: CodeView) -> None:
    code = long_listing(0x20_0000, 400)
    for pc in (0x20_0000, 0x20_0100, 0x20_0010, 0x20_018F):
        view.show_snapshot(snapshot(pc=pc, listing=code))
        assert in_sight(view.listing, view.listing_model.current_row)
    assert view.listing.back.isHidden()


def test_pane_leaves_the_scroll_alone_once_the_person_scrolled_away(qtbot: QtBot, view: CodeView) -> None:
    code = long_listing(0x20_0000, 400)
    view.show_snapshot(snapshot(pc=0x20_0000, listing=code))
    view.listing.verticalScrollBar().setValue(300)
    top = view.listing_model.address_of(300)
    view.show_snapshot(snapshot(pc=0x20_0002, listing=code))
    assert view.listing.verticalScrollBar().value() == 300
    assert not view.listing.back.isHidden()
    view.show_snapshot(snapshot(pc=0x10_0000, listing=long_listing(0x10_0100, 60)))  # rows appear above
    assert view.listing_model.address_of(view.listing.verticalScrollBar().value()) == top
    view.show_snapshot(snapshot(pc=0x20_0002, listing=code))
    qtbot.mouseClick(view.listing.back, Qt.MouseButton.LeftButton)
    assert view.listing.following
    assert in_sight(view.listing, view.listing_model.current_row)
    assert view.listing.back.isHidden()


def test_cursor_survives_code_that_appears_above_it(view: CodeView) -> None:
    view.show_address(OUT)
    view.show_snapshot(snapshot(pc=BASE - 4, listing=long_listing(BASE - 64, 60)))
    assert view.listing.currentIndex().row() == view.listing_model.row_of(OUT)


def test_program_without_source_shows_only_the_disassembly(view: CodeView) -> None:
    bare = replace(loaded(2), program=replace(program("other"), sources=(), lines={}))
    view.show_program(bare)
    view.show_snapshot(snapshot(generation=2, pc=BASE, listing=listing(0, 3)))
    assert not view.source.isVisible()
    assert view.listing.isVisible()


def test_reset_of_the_same_guest_keeps_what_the_person_looks_at(view: CodeView) -> None:
    view.show_address(OUT)
    view.show_program(loaded(generation=2))
    assert view.cursor_address == OUT
    assert view.source_model.name == "small.s"


def test_without_a_program_the_view_says_what_will_come(qtbot: QtBot, theme: Theme) -> None:
    view = CodeView(theme)
    qtbot.addWidget(view)
    assert view.is_empty
