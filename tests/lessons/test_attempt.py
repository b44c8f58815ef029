"""One person's way through a lesson: what may come next, and what the machine made of a prediction."""

from __future__ import annotations

import pytest

from core.errors import RequestError
from lessons.asking import Finding
from lessons.attempt import Attempt, Judgement, Stage
from lessons.format import Lesson
from lessons.questions import LessonChecked

LESSON = Lesson.model_validate(
    {
        "title": "T",
        "summary": "S",
        "claims": [8],
        "minutes": 1,
        "step": [
            {
                "title": "Go",
                "text": "x",
                "setup": {"guest": "rings", "kind": "bare"},
                "act": {"text": "x", "solution": [{"run": True}]},
                "check": [{"ring": 3}],
                "predict": {
                    "question": "?",
                    "option": [{"text": "a", "right": {"ring": 3}}, {"text": "b", "right": {"ring": 0}}],
                },
            },
            {"title": "Read", "text": "x"},
            {
                "title": "Again",
                "text": "x",
                "act": {"text": "x", "solution": [{"run": True}]},
                "check": [{"ring": 0}],
            },
        ],
    }
)


def shown(check: bool, *options: bool) -> LessonChecked:
    return LessonChecked(
        0, (Finding(check, "asked", "said"),), tuple(Finding(holds, "option", "why") for holds in options), "because"
    )


def test_a_step_goes_from_predicting_over_acting_to_done() -> None:
    attempt = Attempt(LESSON)
    assert attempt.stage is Stage.PREDICT
    assert not attempt.next()
    attempt.choose(0)
    assert attempt.stage is Stage.ACT
    attempt.receive(shown(False, False, True))
    assert attempt.stage is Stage.ACT
    assert not attempt.next()
    attempt.receive(shown(True, True, False))
    assert attempt.stage is Stage.DONE
    assert attempt.judgement is Judgement.RIGHT
    assert attempt.next()
    assert attempt.stage is Stage.READ


@pytest.mark.parametrize(
    ("options", "judgement"),
    [
        ((True, False), Judgement.WRONG),
        ((False, True), Judgement.RIGHT),
        ((False, False), Judgement.UNDECIDED),
        ((True, True), Judgement.UNDECIDED),
    ],
)
def test_the_machine_judges_the_prediction(options: tuple[bool, bool], judgement: Judgement) -> None:
    attempt = Attempt(LESSON)
    attempt.choose(1)
    attempt.receive(shown(True, *options))
    assert attempt.judgement is judgement


def test_what_was_reached_stays_reached() -> None:
    attempt = Attempt(LESSON)
    attempt.choose(0)
    attempt.receive(shown(True, True, False))
    attempt.receive(shown(False, False, True))
    assert attempt.stage is Stage.DONE
    assert attempt.judgement is Judgement.RIGHT
    assert attempt.evidence[0].holds


def test_a_prediction_cannot_be_changed_until_the_step_is_restarted() -> None:
    attempt = Attempt(LESSON)
    attempt.choose(0)
    attempt.choose(1)
    assert attempt.record.chosen == 0
    attempt.restart_step()
    attempt.choose(1)
    assert attempt.record.chosen == 1


def test_one_who_acted_before_predicting_is_judged_late() -> None:
    attempt = Attempt(LESSON)
    attempt.receive(shown(True, True, False))
    assert attempt.acted_early
    assert not attempt.may_go_on
    attempt.choose(0)
    assert attempt.stage is Stage.DONE
    assert attempt.record.late


def test_an_answer_that_is_an_error_changes_nothing() -> None:
    attempt = Attempt(LESSON)
    attempt.choose(0)
    attempt.receive(LessonChecked(0, error=RequestError("No guest.", "Load one.")))
    assert attempt.stage is Stage.ACT
    assert attempt.record.latest is None


def test_back_is_always_possible_but_from_the_first_step() -> None:
    attempt = Attempt(LESSON, 1)
    assert attempt.back()
    assert not attempt.back()
    assert attempt.index == 0


def test_a_lesson_is_finished_when_every_act_is_done() -> None:
    attempt = Attempt(LESSON)
    attempt.choose(0)
    attempt.receive(shown(True, True, False))
    attempt.next()
    attempt.next()
    assert attempt.is_last
    assert not attempt.finished
    attempt.receive(shown(True))
    assert attempt.finished
    assert not attempt.next()
    attempt.restart()
    assert (attempt.index, attempt.finished, attempt.stage) == (0, False, Stage.PREDICT)


def test_the_question_carries_what_the_step_asks() -> None:
    question = Attempt(LESSON).question(5)
    assert (question.ticket, len(question.checks), len(question.options)) == (5, 1, 2)


def test_a_step_out_of_range_is_brought_into_it() -> None:
    assert Attempt(LESSON, 99).index == 2
    assert Attempt(LESSON, -3).index == 0
