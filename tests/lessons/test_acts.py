"""What a lesson can do to the machine is what a person can do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from core.errors import LessonError
from core.events import Cause
from lessons.acts import Act, Setup
from tests.lessons.fake_laboratory import EXIT, FakeLaboratory, Moment, program, trap

SCRIPT = (Moment(), Moment(), Moment(trap=trap(Cause.IO, 0, instruction="out dx, al")), Moment(), EXIT)


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch) -> FakeLaboratory:
    guest = program("rings", start=0, there=3)
    made = FakeLaboratory([guest], {("rings", "bare"): SCRIPT})
    monkeypatch.setattr("lessons.names.shipped_guests", lambda: {"rings": None})
    monkeypatch.setattr("lessons.acts.load_program", made.program_named)
    made.load(guest, "bare")
    return made


@pytest.mark.parametrize(
    ("written", "words", "executed"),
    [
        ({"step": 1}, "Step", 1),
        ({"step": 2}, "Step 2 times", 2),
        ({"step_over": True}, "Step over", 1),
        ({"run": True}, "Run", 4),
        ({"run_to": "there"}, "Run to there", 3),
        ({"until": {"cause": "io"}}, "Run until I/O", 2),
        ({"reset": True}, "Reset", 0),
        ({"load": {"guest": "rings", "kind": "bare"}}, "Load rings under bare", 0),
        ({"input": "hi\n"}, "Type hi", 0),
    ],
)
def test_an_act_does_what_it_says(
    laboratory: FakeLaboratory, written: dict[str, Any], words: str, executed: int
) -> None:
    act: Act = TypeAdapter(Act).validate_python(written)
    act.perform(laboratory)
    assert act.words == words
    assert laboratory.snapshot().executed == executed
    assert laboratory.typed == (b"hi\n" if "input" in written else b"")


@pytest.mark.parametrize(
    ("more", "executed"),
    [({}, 0), ({"run_to": "there"}, 3), ({"after": 2}, 2), ({"until": {"instruction": "out"}}, 2)],
)
def test_a_setup_goes_as_far_into_the_run_as_it_says(
    laboratory: FakeLaboratory, more: dict[str, Any], executed: int
) -> None:
    for act in Setup.model_validate({"guest": "rings", "kind": "bare", **more}).acts():
        act.perform(laboratory)
    assert laboratory.snapshot().executed == executed


@pytest.mark.parametrize("written", [{"run_to": "nowhere"}, {"until": {"at": "nowhere"}}])
def test_a_label_that_the_guest_has_not_is_told(laboratory: FakeLaboratory, written: dict[str, Any]) -> None:
    act: Act = TypeAdapter(Act).validate_python(written)
    with pytest.raises(LessonError, match="the label “nowhere”, which rings does not have"):
        act.perform(laboratory)
