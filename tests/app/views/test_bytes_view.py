"""The Bytes view on a real machine: what stands where, followed, scrolled, chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.byte_window import ByteWindow
from app.theme import Theme, make_theme
from app.views.byte_pane import BytePane
from app.views.bytes_view import BytesView
from core.looks import Follow, Look, Seen, Space
from core.session import Session
from tests.app.builders import loaded, snapshot
from tests.core.paged_guest import READ_ONLY, TARGET, USER_PAGE, paged


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> BytesView:
    view = BytesView(theme)
    qtbot.addWidget(view)
    view.resize(760, 300)
    view.show()
    view.show_program(loaded())
    return view


@pytest.fixture(scope="module")
def session() -> Session:
    return paged("trap_emulate", "written")


def answer(view: BytesView, session: Session, executed: int = 1) -> None:
    """What the engine would send for what the view looks at."""
    found = session.seen(view.look, None).bytes
    view.show_snapshot(snapshot(seen=Seen(bytes=found), executed=executed))


def test_at_first_it_follows_the_program_counter(view: BytesView, session: Session) -> None:
    assert view.look.span is not None
    assert (view.look.span.space, view.look.span.follow) == (Space.LINEAR, Follow.EIP)
    answer(view, session)
    assert not view.is_empty
    assert not view.pane.rect_of(session.pc).isNull()
    assert view.window_.byte(session.pc) == session.read_memory(session.pc, 1)[0]


def test_a_typed_address_is_gone_to_and_its_byte_is_chosen(view: BytesView, session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.lookChanged):
        view.address.line.setText(f"{USER_PAGE + 4:x}")
        qtbot.keyClick(view.address.line, Qt.Key.Key_Return)
    answer(view, session)
    assert view.pane.top == USER_PAGE
    assert view.pane.cursor_address == USER_PAGE + 4
    assert f"guest-physical {TARGET + 4:08X}" in view.words.text().replace("\u202f", "")


def test_what_is_not_mapped_is_said_and_not_invented(view: BytesView, session: Session) -> None:
    view.show_bytes(Space.LINEAR, READ_ONLY + 0x1000)
    answer(view, session)
    assert view.window_.byte(READ_ONLY + 0x1000) is None
    assert "not mapped" in view.pane.describe(READ_ONLY + 0x1000)


def test_scrolling_away_ends_the_following_and_looks_there(view: BytesView, session: Session) -> None:
    answer(view, session)
    bar = view.pane.verticalScrollBar()
    bar.setValue(bar.value() + 1000)
    assert view.address.where == view.pane.top
    assert view.look.span is not None
    assert view.look.span.follow is None
    assert view.look.span.address <= view.pane.top
    assert view.look.span.address + view.look.span.size >= view.pane.top + view.pane.size_in_sight


def test_scrolling_a_little_asks_nothing_new(view: BytesView, session: Session, qtbot: QtBot) -> None:
    view.show_bytes(Space.LINEAR, USER_PAGE)
    answer(view, session)
    with qtbot.assertNotEmitted(view.lookChanged):
        view.pane.verticalScrollBar().setValue(view.pane.verticalScrollBar().value() + 3)


def test_a_byte_that_is_chosen_is_told_by_its_linear_address(view: BytesView, session: Session, qtbot: QtBot) -> None:
    answer(view, session)
    with qtbot.waitSignal(view.addressPicked) as picked:
        at = view.pane.rect_of(session.pc).center()
        qtbot.mouseClick(view.pane.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert picked.args == [session.pc]
    with qtbot.waitSignal(view.addressPicked) as picked:
        qtbot.keyClick(view.pane, Qt.Key.Key_Right)
    assert picked.args == [session.pc + 1]


def test_the_menu_leads_to_the_walk_and_to_the_address_that_stands_there(
    view: BytesView, session: Session, qtbot: QtBot
) -> None:
    view.show_bytes(Space.LINEAR, USER_PAGE)
    answer(view, session)
    walk, code, there = view.menu_of(USER_PAGE).actions()[:3]
    with qtbot.waitSignal(view.walkRequested) as asked:
        walk.trigger()
    assert asked.args == [USER_PAGE]
    with qtbot.waitSignal(view.gotoRequested):
        code.trigger()
    there.trigger()
    assert view.address.where == view.window_.word(USER_PAGE)


def test_the_machines_own_memory_can_be_looked_at(view: BytesView, session: Session) -> None:
    view.show_bytes(Space.HOST, 0x10_0000)
    answer(view, session)
    assert view.look.span is not None
    assert view.look.span.space is Space.HOST
    assert view.window_.byte(0x10_0000) == session.machine.ram.array[0x10_0000]
    assert Look(span=view.look.span) == view.look


@given(st.integers(0, 0xFFFF_FFFF), st.integers(300, 1000), st.integers(60, 500))
def test_every_byte_is_found_where_it_is_painted(qapp: object, address: int, width: int, height: int) -> None:
    pane = BytePane(ByteWindow(), make_theme())
    pane.resize(width, height)
    pane.show_from(address)
    assert pane.address_at(pane.rect_of(address).center()) == address


def test_a_lesson_can_point_at_a_label(view: BytesView) -> None:
    view.point_at("wait")
    assert view.look.span is not None
    assert view.address.where == 0x0010_000F


def test_two_digits_typed_over_a_byte_ask_for_another(view: BytesView, session: Session, qtbot: QtBot) -> None:
    view.show_bytes(Space.LINEAR, USER_PAGE)
    answer(view, session)
    qtbot.keyClick(view.pane, Qt.Key.Key_A)
    qtbot.keyClick(view.pane, Qt.Key.Key_Escape)  # the first digit is taken back
    with qtbot.waitSignal(view.bytesEdited) as asked:
        qtbot.keyClicks(view.pane, "5c")
    assert asked.args == [Space.LINEAR, USER_PAGE, b"\x5c"]
    assert view.pane.cursor_address == USER_PAGE + 1


def test_the_focus_is_to_be_seen(view: BytesView, session: Session, qtbot: QtBot) -> None:
    answer(view, session)
    view.pane.clearFocus()
    without = view.pane.grab().toImage()
    view.pane.setFocus()
    qtbot.waitUntil(view.pane.hasFocus)
    assert view.pane.grab().toImage() != without
