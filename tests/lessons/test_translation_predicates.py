"""What a lesson may ask about translation: what an instruction became, what was counted, what ran how, what is set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from core.errors import RequestError
from core.guests.catalog import load_program
from core.session import Session
from lessons.acts import Act
from lessons.asking import Finding
from lessons.laboratory import observe
from lessons.predicates import Predicate
from lessons.prose import NO_VALUE, filled
from lessons.translation_predicates import NO_CACHE


@pytest.fixture(scope="module")
def lab() -> Iterator[Session]:
    session = Session()
    session.load(load_program("rings"), "translation")
    session.run()
    yield session
    session.close()


def find(lab: Session, asked: dict[str, Any]) -> Finding:
    predicate: Predicate = TypeAdapter(Predicate).validate_python(asked)
    return predicate.examine(observe(lab))


@pytest.mark.parametrize(
    "asked",
    [
        {"translated": "in_new_segments"},
        {"translated": "in_new_segments", "into": "identical"},
        {"translated": "timer_interrupt", "into": "identical"},
        {"counter": "units", "at_least": 5},
        {"counter": "flushes", "at_most": 0},
        {"counter": "callouts", "at_least": 1, "at_most": 1000},
        {"ran": "direct", "at_least": 50, "at_most": 95.5},
        {"ran": "callouts", "at_most": 0.5},
        {"translator": "adaptive", "on": True},
        {"translator": "ahead", "on": False},
    ],
)
def test_holds(lab: Session, asked: dict[str, Any]) -> None:
    found = find(lab, asked)
    assert found.holds, found.said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"translated": "program"}, "has not been translated"),  # in ring 3: it ran as it stands
        ({"translated": "timer_interrupt", "into": "callout"}, "is identical"),
        ({"translated": "nowhere"}, "has no label nowhere"),
        ({"counter": "units", "at_least": 100_000}, "The translator counts"),
        ({"counter": "units", "at_most": 1}, "The translator counts"),
        ({"ran": "direct", "at_most": 10}, "% of the instructions ran as: direct"),
        ({"ran": "replaced", "at_least": 10}, "% of the instructions ran as: replaced"),
        ({"translator": "ahead", "on": True}, "is switched off"),
    ],
)
def test_does_not_hold_and_says_what_is(lab: Session, asked: dict[str, Any], said: str) -> None:
    found = find(lab, asked)
    assert not found.holds
    assert said in found.said


@pytest.mark.parametrize(
    "asked",
    [{"counter": "units"}, {"counter": "nothing", "at_least": 1}, {"ran": "direct"}, {"translator": "x", "on": True}],
)
def test_what_asks_nothing_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Predicate).validate_python(asked)


def test_other_kinds_translate_nothing_and_refuse_its_switches() -> None:
    session = Session()
    session.load(load_program("hello"), "trap_emulate")
    for asked in (
        {"counter": "units", "at_most": 9},
        {"ran": "direct", "at_least": 0},
        {"translator": "ahead", "on": False},
    ):
        assert (find(session, asked).holds, find(session, asked).said) == (False, NO_CACHE)
    assert filled("{ran:direct} {counter:units}", observe(session)) == f"{NO_VALUE} {NO_VALUE}"
    act: Act = TypeAdapter(Act).validate_python({"translator": "ahead", "on": True})
    with pytest.raises(RequestError):
        act.perform(session)
    session.close()


def test_values_of_the_translator_can_stand_in_explanations(lab: Session) -> None:
    ran = lab.translation_cache().ran
    assert filled("{counter:units}", observe(lab)) == str(lab.translation_cache().counters.units)
    assert filled("{ran:direct}", observe(lab)) == f"{100 * ran.direct / ran.total:.0f}%"


def test_acts_switch_the_translator_and_run_to_its_next_unit() -> None:
    session = Session()
    session.load(load_program("hello"), "translation")
    for asked in ({"next_unit": True}, {"translator": "ahead", "on": True}):
        act: Act = TypeAdapter(Act).validate_python(asked)
        act.perform(session)
        assert act.words
        assert find(session, {"counter": "units", "at_least": 1}).holds
        assert session.executed == 0
    assert find(session, {"translator": "ahead", "on": True}).holds
    session.close()
