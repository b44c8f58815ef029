"""Other moments: step back, run back, the timeline, other futures, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.controllers.actions import Act, Actions
from app.engine import protocol
from app.widgets.time_strip import TimeStrip
from core.past import BackTo, Past
from core.snapshot import Snapshot

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.journeys import Journey

NO_GUEST = "No guest is loaded. Choose one first."
AT_POWER_ON = "This is power-on: there is nothing before it."
NOT_RECORDED = "This run is not recorded."
NOTHING_DONE = "Nothing was typed or changed before this moment."


class TimeController(QObject):
    """Turns the strip and the actions into journeys, and allows those for which there is a past."""

    def __init__(self, engine: Engine, actions: Actions, strip: TimeStrip, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._actions, self._strip = engine, actions, strip
        self._known: tuple[bool, bool, bool] | None = None
        journeys: dict[Act, Journey] = {
            Act.STEP_BACK: protocol.StepBack(),
            Act.RUN_BACK: protocol.RunBack(BackTo.BREAKPOINT),
            Act.BACK_TO_DEPARTURE: protocol.RunBack(BackTo.DEPARTURE),
            Act.BACK_TO_SWITCH: protocol.RunBack(BackTo.WORLD_SWITCH),
            Act.UNDO: protocol.Undo(),
        }
        for act, journey in journeys.items():
            actions[act].triggered.connect(lambda _checked=False, journey=journey: engine.travel(journey))
        strip.looked.connect(lambda time: engine.travel(protocol.GoTo(time, exactly=False)))
        strip.chosen.connect(lambda time: engine.travel(protocol.GoTo(time)))
        strip.entered.connect(lambda number: engine.travel(protocol.EnterFuture(number)))
        engine.updated.connect(self._updated)
        engine.lost.connect(lambda: self._show(None))
        self._allow(NO_GUEST, NO_GUEST, NO_GUEST)

    def _updated(self, snapshot: Snapshot) -> None:
        self._show(snapshot.past)

    def _show(self, past: Past | None) -> None:
        self._strip.show_past(past)
        known = (past is None, past is not None and past.now == 0, past is not None and past.can_undo)
        if known == self._known:
            return
        self._known = known
        if past is None:
            self._allow(NOT_RECORDED, NOT_RECORDED, NOT_RECORDED)
            return
        before = "" if past.now else AT_POWER_ON
        switches = any(each.switches for each in past.stretches)
        self._allow(before, before if switches or before else "", "" if past.can_undo else NOTHING_DONE)

    def _allow(self, back: str, switch: str, undo: str) -> None:
        for act in (Act.STEP_BACK, Act.RUN_BACK, Act.BACK_TO_DEPARTURE):
            self._actions.allow(act, back)
        self._actions.allow(Act.BACK_TO_SWITCH, switch)
        self._actions.allow(Act.UNDO, undo)
