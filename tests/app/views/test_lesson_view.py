"""The lesson view: one step at a time, what is due in sight, everything by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.theme.stylesheet import apply
from app.theme.typography import Size
from app.views import discover
from app.views.lesson_view import VIEW, LessonView
from app.widgets.lesson.contents import Entry
from app.widgets.lesson.marks import Mark
from app.widgets.lesson.prose import styled_html
from core.events import Ring
from lessons.asking import Finding
from lessons.attempt import Attempt
from lessons.format import Lesson
from lessons.names import VIEWS
from lessons.questions import LessonChecked

LESSON = Lesson.model_validate(
    {
        "title": "The first trap",
        "summary": "S",
        "claims": [8],
        "minutes": 1,
        "step": [
            {
                "title": "Go",
                "text": "It stands in ring 1. See [IF](view:registers/IF).",
                "setup": {"guest": "rings", "kind": "bare"},
                "show": {"view": "registers", "anchor": "IF"},
                "act": {"text": "Press Step.", "solution": [{"step": 1}]},
                "check": [{"ring": 3, "label": "In ring 3"}, {"kind": "bare"}],
                "predict": {
                    "question": "Where?",
                    "option": [
                        {"text": "Ring 3", "right": {"ring": 3}},
                        {"text": "Ring 0", "right": {"ring": 0}, "reply": "Nobody led it inward."},
                    ],
                },
            },
            {"title": "Read", "text": "Only words."},
        ],
    }
)


def shown(first: bool, second: bool = True) -> LessonChecked:
    said = "The CPU is in ring 3." if first else "The CPU is in ring 0."
    checks = Finding(first, "In ring 3", said), Finding(second, "Under bare", "It runs rings.")
    options = Finding(first, "Ring 3", said), Finding(not first, "Ring 0", said)
    return LessonChecked(0, checks, options, "Because of **IRET**.")


@pytest.fixture
def view(qtbot: QtBot) -> LessonView:
    made = VIEW.make(make_theme("dark"))
    assert isinstance(made, LessonView)
    qtbot.addWidget(made)
    made.resize(380, 640)
    made.show()
    return made


@pytest.fixture
def attempt(view: LessonView) -> Attempt:
    made = Attempt(LESSON)
    view.show_attempt(made)
    return made


def test_the_list_shows_each_lesson_and_opens_it(view: LessonView, qtbot: QtBot) -> None:
    entries = [
        Entry("01", "Four rings", "About rings.", "25 minutes", 11, 11, finished=True, standing="Finished"),
        Entry("02", "The first trap", "About traps.", "20 minutes", 8, 3, at=3),
        Entry("03", "Broken", error="03/lesson.toml:3: The field x is unknown. Remove it."),
    ]
    view.show_contents(entries)
    first, second, broken = view.contents.cards
    assert (first.button.text(), second.button.text()) == ("Again", "Go on with step 4")
    assert (first.button.property("role"), second.button.property("role")) == ("", "primary")
    assert "lesson.toml:3" in broken.summary.text()
    with qtbot.waitSignal(view.lessonOpened) as opened:
        second.button.click()
    assert opened.args == ["02"]


def test_without_lessons_it_says_so(view: LessonView) -> None:
    view.show_contents([])
    assert view.is_empty


def test_the_act_comes_after_the_prediction_and_the_explanation_last(view: LessonView, attempt: Attempt) -> None:
    page = view.page
    assert page is not None
    assert page.predict is not None
    assert page.act is not None
    assert page.predict.isVisible()
    assert not page.act.isVisible()
    assert not page.outcome.isVisible()
    attempt.choose(0)
    attempt.receive(shown(False))
    view.show_attempt(attempt)
    assert page.act.isVisible()
    assert [line.mark.mark for line in page.act.lines] == [Mark.PENDING, Mark.DONE]
    assert page.act.lines[0].said.text() == "The CPU is in ring\u00a00."
    assert not view.next.isEnabled()
    attempt.receive(shown(True))
    view.show_attempt(attempt)
    assert page.outcome.isVisible()
    assert "Because of" in page.outcome.explanation.markdown
    assert view.next.isEnabled()


def test_a_prediction_is_committed_once_and_then_locked(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    assert view.page is not None
    predict = view.page.predict
    assert predict is not None
    assert not predict.commit.isEnabled()
    qtbot.mouseClick(predict.options[1], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(view.predicted) as committed:
        predict.commit.click()
    assert committed.args == [1]
    attempt.choose(1)
    view.show_attempt(attempt)
    assert not any(option.isEnabled() for option in predict.options)
    assert [option.isChecked() for option in predict.options] == [False, True]
    assert not predict.commit.isVisible()


def test_a_wrong_prediction_is_told_kindly_with_the_machines_evidence(view: LessonView, attempt: Attempt) -> None:
    attempt.choose(1)
    attempt.receive(shown(True))
    view.show_attempt(attempt)
    assert view.page is not None
    assert view.page.predict is not None
    assert [option.mark for option in view.page.predict.options] == [Mark.RIGHT, Mark.WRONG]
    words = view.page.outcome.verdict.markdown
    assert "Not this time" in words
    assert "Nobody led it inward." in words
    assert "The CPU is in ring 3." in words


def test_one_who_acted_too_early_may_still_choose(view: LessonView, attempt: Attempt) -> None:
    attempt.receive(shown(True))
    view.show_attempt(attempt)
    assert view.page is not None
    assert view.page.predict is not None
    assert view.page.predict.early.isVisible()
    attempt.choose(0)
    view.show_attempt(attempt)
    assert "already done it" in view.page.outcome.verdict.markdown


def test_enter_commits_and_then_goes_on(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    assert view.page is not None
    assert view.page.predict is not None
    view.page.predict.options[0].setFocus()
    with qtbot.waitSignal(view.predicted) as committed:
        qtbot.keyClick(view.page.predict.options[0], Qt.Key.Key_Return)
    assert committed.args == [0]
    attempt.choose(0)
    view.show_attempt(attempt)
    with qtbot.assertNotEmitted(view.nextRequested):
        qtbot.keyClick(view.page, Qt.Key.Key_Return)
    attempt.receive(shown(True))
    view.show_attempt(attempt)
    with qtbot.waitSignal(view.nextRequested):
        qtbot.keyClick(view.page, Qt.Key.Key_Return)


def test_enter_on_a_button_presses_that_button(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    view.again.setFocus()
    with qtbot.waitSignal(view.setupRequested), qtbot.assertNotEmitted(view.nextRequested):
        qtbot.keyClick(view.again, Qt.Key.Key_Return)


def test_alt_and_arrows_turn_pages(view: LessonView, qtbot: QtBot) -> None:
    attempt = Attempt(LESSON, 1)
    view.activateWindow()
    view.show_attempt(attempt)
    view.setFocus()
    with qtbot.waitSignal(view.backRequested):
        qtbot.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    with qtbot.waitSignal(view.nextRequested):
        qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)


def test_the_last_step_finishes_and_the_first_has_no_back(view: LessonView, attempt: Attempt) -> None:
    assert not view.back.isEnabled()
    assert view.next.text() == "Next"
    last = Attempt(LESSON, 1)
    view.show_attempt(last)
    assert view.back.isEnabled()
    assert (view.next.text(), view.next.isEnabled()) == ("Finish", True)
    assert view.count.text() == "2 of 2"


def test_a_link_in_the_words_points_at_a_view(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    assert view.page is not None
    with qtbot.waitSignal(view.pointAt) as pointed:
        view.page.text.linkActivated.emit("view:registers/IF")
    assert pointed.args == ["registers", "IF"]


def test_show_me_asks_for_it_and_waits_while_it_is_done(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    attempt.choose(0)
    view.show_attempt(attempt)
    assert view.page is not None
    assert view.page.act is not None
    with qtbot.waitSignal(view.doRequested):
        view.page.act.show_me.click()
    view.show_attempt(attempt, busy=True)
    assert not view.page.act.show_me.isEnabled()
    assert not view.again.isEnabled()


def test_a_note_offers_to_set_the_machine_right(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    assert view.page is not None
    assert not view.page.note.isVisible()
    view.show_attempt(attempt, note="The machine runs Hello now.", offer_setup=True)
    assert view.page.note.label.text() == "The machine runs Hello now."
    with qtbot.waitSignal(view.setupRequested):
        view.page.note.button.click()


def test_coming_into_sight_asks_for_a_look(view: LessonView, attempt: Attempt, qtbot: QtBot) -> None:
    view.hide()
    with qtbot.waitSignal(view.checkRequested):
        view.show()


@pytest.mark.parametrize("width", [300, 380, 520])
def test_nothing_is_cut_off_sideways(view: LessonView, attempt: Attempt, width: int, qtbot: QtBot) -> None:
    view.resize(width, 640)
    attempt.choose(1)
    attempt.receive(shown(True))
    view.show_attempt(attempt)
    assert view.page is not None
    qtbot.waitUntil(lambda: _content_width(view.page) <= _viewport_width(view.page))


def _content_width(page: QScrollArea | None) -> int:
    return page.widget().width() if page else 0


def _viewport_width(page: QScrollArea | None) -> int:
    return page.viewport().width() if page else 0


def test_another_theme_dresses_everything_anew(view: LessonView, attempt: Attempt) -> None:
    assert view.page is not None
    before = view.page.text.text()
    view.apply_theme(make_theme("light", text_scale=1.5))
    assert view.page.text.text() != before
    assert view.page.title.font().pixelSize() == 27


def test_a_page_keeps_its_faces_when_it_is_put_into_the_window(view: LessonView, attempt: Attempt, qapp) -> None:
    apply(qapp, view.theme)
    view.show_attempt(Attempt(LESSON, 1))
    assert view.page is not None
    assert view.page.title.font().pixelSize() == Size.HEADING
    qapp.setStyleSheet("")


def test_rings_are_named_in_their_own_colours() -> None:
    theme = make_theme("dark")
    html = styled_html("From ring 3 to ring 0, through `int 0x80`.", theme, Size.SENTENCE)
    assert theme.palette.ring_text(Ring.USER).name() in html
    assert theme.palette.ring_text(Ring.KERNEL).name() in html
    assert theme.palette.ring_text(Ring.ONE).name() not in html
    assert "IBM Plex Mono" in html


def test_lessons_can_point_only_at_views_that_there_are() -> None:
    assert set(VIEWS) <= {spec.id for spec in discover()}
