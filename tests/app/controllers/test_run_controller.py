"""Running: each action reaches the engine, and only those that make sense can be used, at once and with a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings

from app.controllers.actions import Act, Actions
from app.controllers.run_controller import ENDED, NO_CURSOR, NO_GUEST, RUNNING, STANDING, RunController
from app.controllers.speed import FULL, SPEEDS
from core.errors import RequestError
from core.events import End, EndHow
from core.step_kind import StepKind
from tests.app.builders import BASE, loaded, program, snapshot
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def actions(engine: FakeEngine) -> Actions:
    return Actions()


@pytest.fixture
def control(engine: FakeEngine, actions: Actions, settings: QSettings) -> RunController:
    return RunController(engine, actions, settings)  # type: ignore[arg-type]


def test_nothing_can_be_run_before_a_guest_is_loaded(control: RunController, actions: Actions) -> None:
    for act in (Act.RUN, Act.STOP, Act.STEP, Act.STEP_OVER, Act.RUN_TO_CURSOR, Act.RESET, Act.BREAKPOINT):
        assert actions.reason(act) == NO_GUEST


@pytest.mark.parametrize(
    ("act", "command"),
    [
        (Act.RUN, ("run",)),
        (Act.STEP, ("step", 1)),
        (Act.STEP_OVER, ("step_over",)),
        (Act.STEP_OUT, ("step_by", StepKind.OUT)),
        (Act.RUN_TO_CURSOR, ("run_to", BASE)),
        (Act.RESET, ("reset",)),
    ],
)
def test_each_action_is_one_command(
    control: RunController, engine: FakeEngine, actions: Actions, act: Act, command: tuple[object, ...]
) -> None:
    engine.say_loaded(loaded())
    engine.say(snapshot())
    control.set_cursor(BASE)
    actions[act].trigger()
    assert engine.told[-1] == command


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act.STEP, StepKind.LINE_INTO),
        (Act.STEP_OVER, StepKind.LINE_OVER),
        (Act.STEP_OUT, StepKind.LINE_OUT),
    ],
)
def test_by_line_the_same_keys_step_by_source_lines(
    control: RunController, engine: FakeEngine, actions: Actions, settings: QSettings, act: Act, kind: StepKind
) -> None:
    engine.say_loaded(loaded())
    engine.say(snapshot())
    actions[Act.BY_LINE].trigger()
    actions[act].trigger()
    assert engine.told[-1] == ("step_by", kind)
    again = Actions()
    RunController(engine, again, settings).restore()  # type: ignore[arg-type]
    assert again[Act.BY_LINE].isChecked()


def test_stop_can_be_used_the_moment_run_is_pressed(
    control: RunController, engine: FakeEngine, actions: Actions
) -> None:
    engine.say_loaded(loaded())
    assert actions.reason(Act.STOP) == STANDING
    actions[Act.RUN].trigger()
    assert actions[Act.STOP].isEnabled()
    assert actions.reason(Act.RUN) == RUNNING
    actions[Act.STOP].trigger()
    assert engine.told[-1] == ("stop",)


def test_snapshots_say_what_makes_sense(control: RunController, engine: FakeEngine, actions: Actions) -> None:
    engine.say_loaded(loaded())
    engine.say(snapshot(running=True))
    assert actions.reason(Act.STEP) == RUNNING
    engine.say(snapshot())
    assert actions.reason(Act.STEP) == ""
    engine.say(snapshot(end=End(EndHow.EXIT, 0, "The guest exited.")))
    assert actions.reason(Act.STEP) == ENDED
    assert actions.reason(Act.RESET) == ""


def test_refused_run_gives_the_buttons_back(control: RunController, engine: FakeEngine, actions: Actions) -> None:
    engine.say_loaded(loaded())
    engine.say(snapshot())
    actions[Act.RUN].trigger()
    engine.refuse(RequestError("The guest has ended.", "Reset it."))
    assert actions[Act.RUN].isEnabled()


def test_run_to_cursor_needs_a_cursor(control: RunController, engine: FakeEngine, actions: Actions) -> None:
    engine.say_loaded(loaded())
    assert actions.reason(Act.RUN_TO_CURSOR) == NO_CURSOR
    control.set_cursor(BASE)
    assert actions[Act.RUN_TO_CURSOR].isEnabled()


def test_breakpoints_of_another_guest_are_cleared(control: RunController, engine: FakeEngine) -> None:
    engine.say_loaded(loaded())
    engine.say(snapshot(breakpoints=frozenset({BASE})))
    engine.say_loaded(loaded(generation=2))
    assert engine.last("set_breakpoints") is None  # the engine has kept them
    engine.say_loaded(replace(loaded(generation=3), program=program("other")))
    assert engine.told[-1] == ("set_breakpoints", frozenset())


def test_clear_all_breakpoints(control: RunController, engine: FakeEngine, actions: Actions) -> None:
    engine.say_loaded(loaded())
    assert not actions[Act.CLEAR_BREAKPOINTS].isEnabled()
    engine.say(snapshot(breakpoints=frozenset({BASE})))
    actions[Act.CLEAR_BREAKPOINTS].trigger()
    assert engine.told[-1] == ("set_breakpoints", frozenset())


def test_a_lost_engine_leaves_nothing_to_run(control: RunController, engine: FakeEngine, actions: Actions) -> None:
    engine.say_loaded(loaded())
    engine.lost.emit("It died.")
    assert actions.reason(Act.RUN) == NO_GUEST


def test_speed_goes_by_steps_and_ends_at_both_ends(
    control: RunController, engine: FakeEngine, actions: Actions
) -> None:
    assert not actions[Act.FASTER].isEnabled()
    actions[Act.SLOWER].trigger()
    assert engine.told[-1] == ("set_speed", SPEEDS[FULL - 1])
    control.set_speed(-3)
    assert control.speed == 1
    assert not actions[Act.SLOWER].isEnabled()
    actions[Act.FULL_SPEED].trigger()
    assert control.speed is None


def test_speed_is_kept(control: RunController, engine: FakeEngine, actions: Actions, settings: QSettings) -> None:
    control.set_speed(4)
    again = RunController(engine, Actions(), settings)  # type: ignore[arg-type]
    again.restore()
    assert again.speed == SPEEDS[4]


@pytest.mark.parametrize("saved", ["fast", "nan", ""])
def test_nonsense_for_a_speed_is_full_speed(
    control: RunController, settings: QSettings, engine: FakeEngine, saved: str
) -> None:
    settings.setValue("run/speed", saved)
    control.restore()
    assert control.speed is None
