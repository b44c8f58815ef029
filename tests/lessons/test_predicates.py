"""What a lesson may ask of the machine, and what the answers say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from core.errors import RequestError
from core.events import Cause
from core.narration import of_trap
from lessons.asking import Finding
from lessons.checks import answer, evaluate
from lessons.laboratory import observe
from lessons.predicates import Predicate
from lessons.questions import CheckLesson
from tests.lessons.fake_laboratory import BASE, EXIT, FakeLaboratory, Moment, program, trap

GUEST = program("guest", entry=0, after_cli=2, last=3)
UNDER_MONITOR = (
    Moment(1, 0, 1, 1, "hello\n"),
    Moment(1, 0, 0, 1, "world", trap(Cause.PRIVILEGED, 1, believed=0, vector=13, time=1, pc=BASE + 1)),
    Moment(1, 0, 0, 1, "\n", trap(Cause.PRIVILEGED, 1, believed=0, instruction="mov cr3, eax", time=2, number=1)),
    EXIT,
)


def laboratory(steps: int = 2) -> FakeLaboratory:
    made = FakeLaboratory([GUEST], {("guest", "trap_emulate"): UNDER_MONITOR})
    made.load(GUEST, "trap_emulate")
    if steps:
        made.step(steps)
    return made


def find(asked: dict[str, Any], steps: int = 2) -> Finding:
    predicate: Predicate = TypeAdapter(Predicate).validate_python(asked)
    return predicate.examine(observe(laboratory(steps)))


@pytest.mark.parametrize(
    "asked",
    [
        {"traps": {"cause": "privileged"}},
        {"traps": {"cause": "privileged", "ring_from": 1, "believed": 0, "ring_to": 0, "instruction": "CLI"}},
        {"traps": {"cause": "privileged"}, "at_least": 2},
        {"traps": {"cause": "interrupt"}, "at_most": 0},
        {"traps": {"instruction": "mov cr3"}, "at_least": 1, "at_most": 1},
        {"traps": {"vector": 13, "at": "entry"}, "at_most": 0},
        {"register": "IF", "believed": 0, "real": 1},
        {"register": "eflags", "differs": True},
        {"register": "EAX", "differs": False, "real": 42},
        {"register": "cpl", "believed": 0, "real": 1},
        {"register": "PG", "real": 1},
        {"console_contains": "hello"},
        {"ring": 1},
        {"ring": 1, "believed": 0},
        {"believed": 0},
        {"executed_at_least": 2},
        {"guest": "guest"},
        {"kind": "trap_emulate"},
        {"at": "after_cli"},
        {"all": [{"ring": 1}, {"kind": "trap_emulate"}]},
        {"any": [{"ring": 3}, {"ring": 1}]},
        {"not": {"end": "exit"}},
    ],
)
def test_it_holds_and_its_opposite_does_not(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.names.shipped_guests", lambda: {"guest": None})
    assert find(asked).holds
    assert not find({"not": asked}).holds


@pytest.mark.parametrize(
    "asked",
    [
        {"traps": {"cause": "privileged", "ring_from": 3}},
        {"traps": {"cause": "privileged"}, "at_least": 3},
        {"traps": {"cause": "privileged"}, "at_most": 1},
        {"traps": {"instruction": "mov cr"}},  # words count as wholes
        {"traps": {"at": "nowhere"}},
        {"register": "IF", "differs": False},
        {"register": "IOPL", "real": 3},
        {"register": "TR", "real": 0},  # this machine shows none
        {"console_contains": "fault"},
        {"end": "exit"},
        {"ring": 0},
        {"ring": 1, "believed": 1},
        {"executed_at_least": 3},
        {"kind": "bare"},
        {"at": "last"},
        {"at": "nowhere"},
        {"all": [{"ring": 1}, {"ring": 3}]},
        {"any": [{"ring": 3}, {"ring": 0}]},
    ],
)
def test_it_does_not_hold(asked: dict[str, Any]) -> None:
    assert not find(asked).holds


def test_an_end_is_told_by_how_and_status() -> None:
    assert find({"end": "exit", "status": 0}, steps=3).holds
    assert find({"end": "exit"}, steps=3).holds
    assert not find({"end": "exit", "status": 1}, steps=3).holds
    assert not find({"end": "halted"}, steps=3).holds


def test_what_is_missing_is_said_with_the_authors_hint() -> None:
    asked = {"traps": {"cause": "privileged", "ring_from": 1}, "hint": "Press Step until CLI has run."}
    finding = find(asked, steps=0)
    assert finding.said == "No privileged instruction from ring 1 yet. Press Step until CLI has run."
    assert "Press" not in find(asked).said


def test_what_was_found_is_said_with_the_machines_values() -> None:
    first = UNDER_MONITOR[1].trap
    assert first is not None
    assert find({"traps": {"instruction": "cli"}}).said == of_trap(first)
    assert find({"traps": {"cause": "privileged"}}).said.startswith("2 of them. The last: ")
    assert find({"register": "IF", "differs": True}).said == "IF: the guest believes 0, the CPU holds 1."
    assert find({"register": "CR0", "real": 1}).said == "CR0: the guest believes 0x00000011, the CPU holds 0x80000011."
    assert find({"register": "EAX", "real": 42}).said == "EAX is 0x0000002a, for the guest and in the CPU."
    assert find({"console_contains": "ell"}).said == "The console shows “hello”."
    assert find({"console_contains": "x"}).said == "The last line of the console is “world”."
    assert find({"ring": 0}).said == "The CPU is in ring 1; the guest believes it is in ring 0."
    assert find({"end": "exit"}, steps=3).said == "The guest ended its run with status 0."


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"traps": {"cause": "io"}, "at_least": 2}, "At least 2: I/O"),
        ({"traps": {"cause": "fault", "vector": 13, "ring_to": 0}}, "Fault #GP general protection to ring 0"),
        ({"traps": {"cause": "exit"}, "at_most": 0}, "No #VMEXIT"),
        ({"register": "IF", "believed": 0, "real": 1}, "IF is 0 to the guest and is 1 in the CPU"),
        ({"register": "IF", "believed": 1, "real": 1}, "IF is 1"),
        ({"end": "exit", "status": 0}, "The guest exits with status 0"),
        ({"ring": 3}, "The CPU is in ring 3"),
        ({"ring": 3, "label": "We are in user mode"}, "We are in user mode"),
        ({"all": [{"ring": 3}, {"at": "last"}]}, "The CPU is in ring 3; The CPU has come to last"),
    ],
)
def test_what_is_asked_is_said_in_words(asked: dict[str, Any], words: str) -> None:
    assert find(asked).asked == words


def test_an_answer_keeps_the_order_and_fills_the_explanation() -> None:
    checks = tuple(TypeAdapter(Predicate).validate_python(asked) for asked in ({"ring": 1}, {"ring": 3}))
    shown = answer(CheckLesson(7, checks, checks[1:], "In ring {ring} after {executed}."), laboratory(), running=True)
    assert (shown.ticket, shown.running, shown.hold) == (7, True, False)
    assert [finding.holds for finding in shown.checks] == [True, False]
    assert [finding.holds for finding in shown.options] == [False]
    assert shown.explanation == "In ring 1 after 2."
    assert evaluate(checks, laboratory()) == shown.checks


def test_a_lab_without_a_guest_is_an_answer_not_an_exception() -> None:
    shown = answer(CheckLesson(1), FakeLaboratory([], {}))
    assert isinstance(shown.error, RequestError)
    assert not shown.hold
