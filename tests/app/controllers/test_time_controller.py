"""Other moments: which journeys there are, and when each makes sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act, Actions
from app.controllers.time_controller import AT_POWER_ON, NO_GUEST, NOT_RECORDED, NOTHING_DONE, TimeController
from app.engine import protocol
from app.theme import make_theme
from app.widgets.time_strip import TimeStrip
from core.past import BackTo
from tests.app.builders import loaded, snapshot
from tests.app.fake_engine import FakeEngine
from tests.app.widgets.test_time_strip import PAST


@pytest.fixture
def actions(engine: FakeEngine) -> Actions:
    return Actions()


@pytest.fixture
def strip(qtbot: QtBot) -> TimeStrip:
    made = TimeStrip(make_theme())
    qtbot.addWidget(made)
    return made


@pytest.fixture
def control(engine: FakeEngine, actions: Actions, strip: TimeStrip) -> TimeController:
    return TimeController(engine, actions, strip)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("act", "journey"),
    [
        (Act.STEP_BACK, protocol.StepBack()),
        (Act.RUN_BACK, protocol.RunBack(BackTo.BREAKPOINT)),
        (Act.BACK_TO_DEPARTURE, protocol.RunBack(BackTo.DEPARTURE)),
        (Act.BACK_OVER, protocol.StepBackOver()),
        (Act.BACK_OUT, protocol.RunBack(BackTo.CALL)),
        (Act.BACK_TO_RING, protocol.RunBack(BackTo.RING_CHANGE)),
        (Act.BACK_TO_SWITCH, protocol.RunBack(BackTo.WORLD_SWITCH)),
        (Act.UNDO, protocol.Undo()),
    ],
)
def test_each_action_is_one_journey(
    control: TimeController, engine: FakeEngine, actions: Actions, act: Act, journey: object
) -> None:
    assert actions.reason(act) == NO_GUEST
    engine.say_loaded(loaded())
    engine.say(replace(snapshot(), past=PAST))
    actions[act].trigger()
    assert engine.told[-1] == ("travel", journey)


def test_the_strip_goes_near_while_dragging_and_exactly_at_its_end(
    control: TimeController, engine: FakeEngine, strip: TimeStrip
) -> None:
    strip.looked.emit(5)
    strip.chosen.emit(7)
    strip.entered.emit(2)
    travelled = [journey for _, journey in engine.told]
    assert travelled == [protocol.GoTo(5, exactly=False), protocol.GoTo(7), protocol.EnterFuture(2)]


def test_what_makes_no_sense_says_why(control: TimeController, engine: FakeEngine, actions: Actions) -> None:
    engine.say(replace(snapshot(), past=None))
    assert actions.reason(Act.STEP_BACK) == NOT_RECORDED
    engine.say(replace(snapshot(), past=replace(PAST, now=0, can_undo=False)))
    assert actions.reason(Act.STEP_BACK) == AT_POWER_ON
    assert actions.reason(Act.UNDO) == NOTHING_DONE
    engine.say(replace(snapshot(), past=PAST))
    assert actions.reason(Act.STEP_BACK) == ""


def test_when_the_engine_is_lost_there_is_no_past(
    control: TimeController, engine: FakeEngine, strip: TimeStrip
) -> None:
    engine.say(replace(snapshot(), past=PAST))
    engine.lost.emit("gone")
    assert strip.past is None
