"""The console: what the guest wrote appears once, what the person types goes to the guest and nowhere else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.views.console_view import MOST_LINES, ConsoleView
from tests.app.builders import loaded, snapshot


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> ConsoleView:
    view = ConsoleView(theme)
    qtbot.addWidget(view)
    view.resize(400, 200)
    view.show()
    view.show_program(loaded())
    view.show_snapshot(snapshot())
    return view


def write(view: ConsoleView, data: bytes, total: int, generation: int = 1) -> None:
    view.show_snapshot(snapshot(generation=generation, console=data, console_length=total))


def test_output_appears_once_and_in_order(view: ConsoleView) -> None:
    write(view, b"hel", 3)
    write(view, b"hel", 3)
    write(view, b"lo\r\n", 7)
    assert view.text == "hello\n"


def test_output_while_hidden_is_there_afterwards(view: ConsoleView) -> None:
    view.keep(snapshot(console=b"un", console_length=2))
    view.keep(snapshot(console=b"seen", console_length=6))
    assert view.text == ""
    write(view, b"", 6)
    assert view.text == "unseen"


def test_backspace_takes_back_within_its_line_only(view: ConsoleView) -> None:
    write(view, b"a\nbc\b\b\b\bd", 9)
    assert view.text == "a\nd"


def test_power_on_empties_it(view: ConsoleView) -> None:
    write(view, b"old", 3)
    write(view, b"new", 3, generation=2)
    assert view.text == "new"


def test_another_vm_has_its_own_console(view: ConsoleView) -> None:
    write(view, b"of A", 4)
    view.show_snapshot(snapshot(vm="B", console=b"all of B", console_length=8))
    assert view.text == "all of B"
    view.show_snapshot(snapshot(vm="A", console=b"of A, and more", console_length=14))
    assert view.text == "of A, and more"


def test_scrollback_is_bounded(view: ConsoleView) -> None:
    total = 0
    for _ in range(4):
        data = b"x\n" * (MOST_LINES // 2)
        total += len(data)
        write(view, data, total)
    assert view.terminal.document().blockCount() <= MOST_LINES


@pytest.mark.parametrize(
    ("key", "sent"),
    [(Qt.Key.Key_A, b"a"), (Qt.Key.Key_Return, b"\n"), (Qt.Key.Key_Backspace, b"\b"), (Qt.Key.Key_Space, b" ")],
)
def test_keys_go_to_the_guest_and_do_not_appear(qtbot: QtBot, view: ConsoleView, key: Qt.Key, sent: bytes) -> None:
    with qtbot.waitSignal(view.inputTyped) as heard:
        qtbot.keyClick(view.terminal, key)
    assert heard.args == [sent]
    assert view.text == ""


def test_paste_goes_to_the_guest(qtbot: QtBot, view: ConsoleView) -> None:
    QGuiApplication.clipboard().setText("zwei\r\nlines é")
    with qtbot.waitSignal(view.inputTyped) as heard:
        qtbot.keyClick(view.terminal, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert heard.args == ["zwei\nlines é".encode()]


def test_it_says_what_was_sent(qtbot: QtBot, view: ConsoleView) -> None:
    qtbot.keyClick(view.terminal, Qt.Key.Key_A)
    qtbot.keyClick(view.terminal, Qt.Key.Key_Return)
    assert view.hint.text().startswith("2 bytes sent, last LF")


def test_tab_leaves_the_console_for_the_next_widget(qtbot: QtBot, view: ConsoleView) -> None:
    with qtbot.assertNotEmitted(view.inputTyped):
        qtbot.keyClick(view.terminal, Qt.Key.Key_Tab)


def test_stays_where_the_person_scrolled(view: ConsoleView) -> None:
    write(view, b"line\n" * 200, 1000)
    view.terminal.verticalScrollBar().setValue(3)
    write(view, b"more\n", 1005)
    assert view.terminal.verticalScrollBar().value() == 3
