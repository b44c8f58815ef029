"""The headless students: a good lesson passes, and each way in which one can be bad is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.events import Cause
from lessons.loader import load_lesson
from lessons.player import Verdict, check
from tests.lessons.fake_laboratory import EXIT, FakeLaboratory, Moment, program, trap

GOOD = """\
title = "T"
summary = "S"
claims = [8]
minutes = 1

[[step]]
title = "Into ring 3"
text = "x"
setup = { guest = "rings", kind = "bare" }
act = { text = "x", solution = [{ step = 1 }, { run_to = "user" }] }
check = [{ ring = 3 }, { kind = "bare" }]
explain = "Now in ring {ring}."
[step.predict]
question = "?"
[[step.predict.option]]
text = "Ring 0"
right = { ring = 0 }
[[step.predict.option]]
text = "Ring 3"
right = { ring = 3 }
[[step.predict.option]]
text = "Ring 2"
right = { ring = 2 }

[[step]]
title = "Look around"
text = "x"

[[step]]
title = "And out"
text = "x"
act = { text = "x", solution = [{ run = true }] }
check = [{ end = "exit" }, { traps = { cause = "system-call", ring_from = 3 } }]
explain = "{trap:system-call.handler}"
[step.predict]
question = "?"
[[step.predict.option]]
text = "One call"
right = { traps = { cause = "system-call" }, at_most = 1 }
[[step.predict.option]]
text = "More"
right = { traps = { cause = "system-call" }, at_least = 2 }
"""
RINGS = (
    Moment(),
    Moment(),
    Moment(3, 3),
    Moment(3, 3),
    Moment(0, 0, trap=trap(Cause.SYSTEM_CALL, 3, instruction="int 0x80")),
    EXIT,
)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    laboratory = FakeLaboratory([program("rings", start=0, user=2, user_2=3)], {("rings", "bare"): RINGS})
    monkeypatch.setattr("lessons.names.shipped_guests", lambda: {"rings": None})
    monkeypatch.setattr("lessons.acts.load_program", laboratory.program_named)

    def play(text: str) -> Verdict:
        (tmp_path / "lesson.toml").write_text(text, encoding="utf-8")
        return check(load_lesson(tmp_path), laboratory)

    return play


def test_a_good_lesson_passes_and_every_wrong_student_is_caught(play) -> None:
    verdict = play(GOOD)
    assert verdict.problems == ()
    assert verdict.passed
    assert (verdict.steps, verdict.predictions) == (3, 2)
    assert verdict.wrong_answers_caught == 3
    assert verdict.skipped_acts_caught == 2
    assert verdict.sentence == "T: 3 steps passed; caught 3 wrong answers to 2 predictions and 2 skipped acts."


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ("{ ring = 3 }, {", "{", 6, "step 1 (Into ring 3): the check holds before anything was done."),
        ('{ run_to = "user" }', '{ run_to = "user" }, { step = 1 }', 6, "the check holds after “Run to user”"),
        ('{ run_to = "user" }', "{ step = 1 }, { step = 1 }", 6, "the check holds after “Step”"),
        (', { run_to = "user" }', "", 6, "the solution does not reach the goal. The CPU is in ring 0."),
        ('"user"', '"usr"', 6, "“Run to usr” fails. The lesson names the label “usr”, which rings does not have."),
        ("right = { ring = 2 }", 'right = { kind = "bare" }', 6, "2 answers are right instead of one."),
        ("right = { ring = 3 }", "right = { ring = 1 }", 6, "0 answers are right instead of one."),
        ('text = "x"', 'text = "x"\nshow = { view = "registers", anchor = "CR4" }', 6, "points at “CR4” in registers"),
        ('text = "x"', 'text = "[x](view:code/usr)"', 6, "points at “usr” in code, where that is not to be found."),
        ("trap:system-call", "trap:interrupt", 29, "a value that the explanation names is not on this machine."),
    ],
)
def test_a_bad_lesson_is_found_out(play, old: str, new: str, line: int, sentence: str) -> None:
    assert old in GOOD
    verdict = play(GOOD.replace(old, new, 1))
    assert not verdict.passed
    problem = verdict.problems[0]
    assert sentence in problem.sentence
    assert problem.student == "perfect student"
    assert problem.place.endswith(f"lesson.toml:{line}")
    assert verdict.sentence == "T: 1 problem."


def test_a_solution_that_never_stops_is_found_out(play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.acts.LIMIT", 2)
    verdict = play(GOOD.replace('{ step = 1 }, { run_to = "user" }', "{ run = true }"))
    assert "did not come to its end within 2 instructions" in verdict.problems[0].sentence
