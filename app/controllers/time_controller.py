"""Other moments: step back, run back, the timeline, other futures, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QInputDialog, QWidget

from app.controllers.actions import Act, Actions
from app.engine import protocol
from app.widgets.time_strip import TimeStrip
from core.errors import RequestError
from core.looks import Space
from core.past import BackTo, Past
from core.snapshot import Snapshot

if TYPE_CHECKING:
    from app.engine.client import Engine

BACKWARD = (
    Act.STEP_BACK, Act.BACK_OVER, Act.BACK_OUT, Act.RUN_BACK, Act.BACK_TO_DEPARTURE, Act.BACK_TO_RING
)  # fmt: skip
NO_GUEST = "No guest is loaded. Choose one first."
AT_POWER_ON = "This is power-on: there is nothing before it."
NOT_RECORDED = "This run is not recorded."
NOTHING_DONE = "Nothing was typed or changed before this moment."


class TimeController(QObject):
    """Turns the strip and the actions into journeys, and allows those for which there is a past.

    wrong  (UserError) what was typed cannot be gone to
    """

    wrong = Signal(object)

    def __init__(self, engine: Engine, actions: Actions, strip: TimeStrip, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._actions, self._strip = engine, actions, strip
        self._window = parent if isinstance(parent, QWidget) else None
        self._executed = 0
        self._known: tuple[bool, bool, bool] | None = None
        journeys: dict[Act, protocol.Journey] = {
            Act.STEP_BACK: protocol.StepBack(),
            Act.RUN_BACK: protocol.RunBack(BackTo.BREAKPOINT),
            Act.BACK_TO_DEPARTURE: protocol.RunBack(BackTo.DEPARTURE),
            Act.BACK_OVER: protocol.StepBackOver(),
            Act.BACK_OUT: protocol.RunBack(BackTo.CALL),
            Act.BACK_TO_RING: protocol.RunBack(BackTo.RING_CHANGE),
            Act.BACK_TO_SWITCH: protocol.RunBack(BackTo.WORLD_SWITCH),
            Act.UNDO: protocol.Undo(),
        }
        for act, journey in journeys.items():
            actions[act].triggered.connect(lambda _checked=False, journey=journey: engine.travel(journey))
        actions[Act.GO_TO_INSTRUCTION].triggered.connect(self.ask_instruction)
        strip.looked.connect(lambda time: engine.travel(protocol.GoTo(time, exactly=False)))
        strip.chosen.connect(lambda time: engine.travel(protocol.GoTo(time)))
        strip.entered.connect(lambda number: engine.travel(protocol.EnterFuture(number)))
        strip.discarded.connect(lambda number: engine.travel(protocol.DiscardFuture(number)))
        engine.updated.connect(self._updated)
        engine.loaded.connect(self._loaded)
        engine.lost.connect(self._lost)
        self._allow(NO_GUEST, NO_GUEST, NO_GUEST)

    def seek_write(self, space: Space, address: int) -> None:
        """Go back to before the word there was last written."""
        self._engine.travel(protocol.BackToWrite(space, address))

    def mark_step(self, words: str) -> None:
        """A step of a lesson has been done, now."""
        latest = self._engine.latest
        if latest is not None:
            self._strip.mark_step(latest.machine_time, words)

    def ask_instruction(self) -> None:
        """Let the person say which; the machine goes on meanwhile."""
        dialog = QInputDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Go to instruction")
        dialog.setLabelText("After how many instructions of the machine?")
        dialog.setInputMode(QInputDialog.InputMode.TextInput)
        dialog.setTextValue(str(self._executed))
        dialog.textValueSelected.connect(self.go_to_instruction)
        dialog.open()

    def go_to_instruction(self, text: str) -> None:
        """Go to the instruction of that number, as it was typed."""
        digits = "".join(each for each in text if not each.isspace() and each not in ",._")
        if digits.isascii() and digits.isdigit():
            self._engine.travel(protocol.GoToInstruction(int(digits)))
        else:
            self.wrong.emit(RequestError(f"“{text}” is no number of instructions.", "Type digits."))

    def _loaded(self, _: protocol.Loaded) -> None:
        self._strip.clear_steps()

    def _lost(self, _: str) -> None:
        self._show(None)

    def _updated(self, snapshot: Snapshot) -> None:
        self._executed = sum(vm.executed for vm in snapshot.vms) or snapshot.executed
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
        for act in BACKWARD:
            self._actions.allow(act, back)
        self._actions.allow(Act.GO_TO_INSTRUCTION, "" if self._known is not None and not self._known[0] else back)
        self._actions.allow(Act.BACK_TO_SWITCH, switch)
        self._actions.allow(Act.UNDO, undo)
