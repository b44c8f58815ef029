"""Both lessons in the real window on the real engine: predict by clicking, be shown by clicking, go on by clicking."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.views.lesson_view import LessonView
from lessons.attempt import Stage
from lessons.loader import lesson_folders
from tests.gui.conftest import Person

LESSONS = [folder.name for folder in lesson_folders()]


def click(qtbot: QtBot, button: QAbstractButton) -> None:
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("name", LESSONS)
def test_a_person_gets_through(person: Person, qtbot: QtBot, name: str) -> None:
    window, view = person.window, person.window.layout_.views["lesson"]
    assert isinstance(view, LessonView)
    assert window.lessons is not None
    window.open_lesson(name)
    attempt = window.lessons.attempt
    assert attempt is not None
    for number in range(len(attempt.lesson.steps)):
        person.wait(lambda: not window.lessons.performance.going_on)
        assert attempt.index == number
        if attempt.stage is Stage.PREDICT:
            assert view.page is not None
            assert view.page.predict is not None
            click(qtbot, view.page.predict.options[0])
            click(qtbot, view.page.predict.commit)
        if attempt.stage is Stage.ACT:
            assert view.page is not None
            assert view.page.act is not None
            click(qtbot, view.page.act.show_me)
        person.wait(lambda: attempt.may_go_on and view.next.isEnabled())
        click(qtbot, view.next)
    assert attempt.finished
    assert window.lessons.attempt is None  # back at the list


def test_opening_a_lesson_points_at_its_view_and_sets_the_machine_up(person: Person, qtbot: QtBot) -> None:
    person.window.layout_.docks["rings"].close()
    person.window.open_lesson(LESSONS[0])
    lessons = person.window.lessons
    assert lessons is not None
    assert lessons.attempt is not None
    shown = lessons.attempt.step.show
    assert shown is not None
    person.wait(lambda: not lessons.performance.going_on and person.window.layout_.docks[shown.view].isVisible())
    assert person.engine.program is not None
    assert person.engine.program.name == "rings"


def test_menu_lists_the_lessons(person: Person) -> None:
    person.window.lessons_menu.aboutToShow.emit()
    listed = [action.text() for action in person.window.lessons_menu.actions()]
    assert listed[:2] == ["Four rings", "The first trap"]
    assert len(listed) == len(lesson_folders())


def height_of_the_lesson(window: MainWindow) -> int:
    layout = window.layout()
    assert layout is not None
    layout.activate()  # docks are moved when the events have been seen to
    return window.layout_.docks["lesson"].height()


def test_a_lesson_has_more_room_than_the_list_of_them_until_it_is_left(person: Person) -> None:
    window, lessons = person.window, person.window.lessons
    assert lessons is not None
    window.resize(1280, 720)
    window.layout_.reset()
    before = height_of_the_lesson(window)
    window.open_lesson(LESSONS[0])
    assert height_of_the_lesson(window) > before * 1.2
    lessons.open(LESSONS[1])
    lessons.show_contents()
    assert height_of_the_lesson(window) == before


def test_a_border_that_was_set_during_a_lesson_stays(person: Person) -> None:
    window, lessons = person.window, person.window.lessons
    assert lessons is not None
    window.resize(1280, 720)
    window.layout_.reset()
    window.open_lesson(LESSONS[0])
    column = [window.layout_.docks[name] for name in ("lesson", "registers")]
    window.resizeDocks(column, [200, 339], Qt.Orientation.Vertical)
    chosen = height_of_the_lesson(window)
    lessons.show_contents()
    assert height_of_the_lesson(window) == chosen
