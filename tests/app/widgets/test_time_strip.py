"""The timeline strip: what it shows of a past, and how one moves along it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.widgets.time_strip import EMPTY, TimeStrip
from core.past import Future, Past, Stretch

PAST = Past(
    now=600,
    reached=1000,
    stretches=(Stretch(0, 0, 0), Stretch(500, 40, 0), Stretch(900, 50, 2)),
    inputs=(450,),
    futures=(Future(0, 0, 800), Future(1, 450, 1000)),
    present=1,
    can_undo=True,
)


@pytest.fixture
def strip(qtbot: QtBot) -> TimeStrip:
    made = TimeStrip(make_theme())
    qtbot.addWidget(made)
    made.resize(1000, made.height())
    made.show_past(PAST)
    made.show()
    return made


def at(strip: TimeStrip, time: int) -> QPoint:
    return QPoint(round(strip.x_of(time)), round(strip._track.center().y()))


def test_times_and_places_belong_to_one_another(strip: TimeStrip) -> None:
    for time in (0, 123, 600, 1000):
        assert strip.time_at(strip.x_of(time)) == time
    assert strip.time_at(-50) == 0
    assert strip.time_at(5000) == 1000


def test_dragging_looks_and_letting_go_chooses(strip: TimeStrip, qtbot: QtBot) -> None:
    looked: list[int] = []
    strip.looked.connect(looked.append)
    with qtbot.waitSignal(strip.chosen) as chosen:
        QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=at(strip, 200))
        QTest.mouseMove(strip, at(strip, 300))
        QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=at(strip, 300))
    assert looked[0] == pytest.approx(200, abs=2)
    assert chosen.args[0] == pytest.approx(300, abs=2)


def test_the_future_that_was_left_has_a_line_that_leads_to_its_end(strip: TimeStrip, qtbot: QtBot) -> None:
    lane = strip._lane_of(0).center()
    with qtbot.waitSignal(strip.entered) as entered:
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=lane.toPoint())
    assert entered.args == [0]
    assert "Another future" in strip.tip_at(QPointF(lane))


def test_another_future_is_entered_or_thrown_away_from_its_menu(strip: TimeStrip, qtbot: QtBot) -> None:
    enter, discard = strip.menu_of(strip._others).actions()
    with qtbot.waitSignal(strip.discarded) as discarded:
        discard.trigger()
    with qtbot.waitSignal(strip.entered) as entered:
        enter.trigger()
    assert (discarded.args, entered.args) == ([0], [0])
    assert "begun at" in discard.text()


def test_without_another_future_the_menu_says_how_one_begins(strip: TimeStrip) -> None:
    (only,) = strip.menu_of([]).actions()
    assert not only.isEnabled()
    assert "begins one" in only.text()


def test_a_step_of_a_lesson_has_a_flag_until_there_is_another_machine(strip: TimeStrip) -> None:
    before, flag = strip.grab().toImage(), QPointF(strip.x_of(300) + 2, 3)
    strip.mark_step(300, "step 2 of “Four rings”")
    assert strip.grab().toImage() != before
    assert strip.tip_at(flag) == "Here you did step 2 of “Four rings”."
    strip.clear_steps()
    assert strip.grab().toImage() == before
    assert strip.tip_at(flag).startswith("Virtual time")


def test_the_keyboard_reaches_every_moment(strip: TimeStrip) -> None:
    chosen: list[int] = []
    strip.chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
        QTest.keyClick(strip, key)
    assert chosen == [590, 610, 0, 1000]


def test_it_says_where_the_machine_stands(strip: TimeStrip) -> None:
    assert strip.accessibleDescription() == "600 of 1\u202f000"
    assert strip.tip_at(QPointF(strip.x_of(500), 5)).startswith("Virtual time 500")


def test_without_a_past_it_says_what_to_do(strip: TimeStrip) -> None:
    strip.show_past(None)
    assert strip.tip_at(QPointF(10, 10)) == EMPTY
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(100, 10))
    QTest.keyClick(strip, Qt.Key.Key_Left)


@pytest.mark.parametrize("name", ["dark", "light", "projector-light"])
def test_it_is_painted_in_every_theme(strip: TimeStrip, name: str) -> None:
    before = strip.grab().toImage()
    strip.apply_theme(make_theme(name, text_scale=1.5))
    assert strip.grab().toImage() != before
