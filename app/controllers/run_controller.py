"""Running: run, stop, step, speed, breakpoints, run to. Every button works at once or says why it cannot."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal

from app.controllers.actions import Act, Actions
from app.controllers.speed import FULL, SPEEDS, stop_of
from core.looks import Space
from core.snapshot import Snapshot
from core.step_kind import OnTo, StepKind

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.protocol import Loaded

NO_GUEST = "No guest is loaded. Choose one first."
RUNNING = "The guest is running. Stop it first."
STANDING = "The guest is not running."
AWAITED = "It runs as soon as it is loaded."
ENDED = "The guest's run has ended. Reset powers it on again."
ONE_VM = "There is one VM, so nobody to switch to. Add another in the VMs view."
NO_CURSOR = "No instruction is chosen. Click a line of code in the Code view."
SPEED_KEY = "run/speed"
BY_LINE_KEY = "run/by-line"


class RunController(QObject):
    """Turns actions into commands to the engine, and allows just those that make sense.

    speedChanged  (stop) the speed was set, by whatever means
    """

    speedChanged = Signal(int)

    def __init__(self, engine: Engine, actions: Actions, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._actions, self._settings = engine, actions, settings
        self._program = ""  # path of the guest that the breakpoints belong to
        self._has_guest = self._running = self._ended = False
        self._awaited = self._run_then = False  # is the first guest on its way? to be run as soon as it is there?
        self._cursor: int | None = None
        self._has_breakpoints = self._has_several = False
        self._stop = FULL
        for act, slot in {
            Act.RUN: self.run,
            Act.STOP: self.stop,
            Act.STEP: self.step,
            Act.STEP_OVER: self.step_over,
            Act.STEP_OUT: self.step_out,
            Act.RUN_TO_CURSOR: self.run_to_cursor,
            Act.ON_TO_DEPARTURE: lambda: self.run_on(OnTo.DEPARTURE),
            Act.ON_TO_RING: lambda: self.run_on(OnTo.RING_CHANGE),
            Act.ON_TO_SWITCH: lambda: self.run_on(OnTo.WORLD_SWITCH),
            Act.RESET: self.reset,
            Act.CLEAR_BREAKPOINTS: lambda: self.set_breakpoints(frozenset()),
            Act.SLOWER: lambda: self.set_speed(self._stop - 1),
            Act.FASTER: lambda: self.set_speed(self._stop + 1),
            Act.FULL_SPEED: lambda: self.set_speed(FULL),
        }.items():
            actions[act].triggered.connect(slot)
        actions[Act.BY_LINE].toggled.connect(self._keep_by_line)
        engine.loaded.connect(self._loaded)
        engine.updated.connect(self._updated)
        engine.lost.connect(self._lost)
        engine.refused.connect(self._refused)
        self._allow()

    # -- the person

    def run(self) -> None:
        """Run at the set speed; while the first guest is on its way, as soon as it is there."""
        if self._awaited and not self._has_guest:
            self._run_then = True
            self._allow()
            return
        self._expect_running()
        self._engine.run()

    def expect_guest(self) -> None:
        """A guest is on its way."""
        self._awaited = True
        self._allow()

    def stop(self) -> None:
        """Stop, always within a tenth of a second."""
        self._engine.stop()

    @property
    def by_line(self) -> bool:
        """Do steps go by source lines?"""
        return self._actions[Act.BY_LINE].isChecked()

    def step(self) -> None:
        """One instruction, or to the next line, into calls."""
        if self.by_line:
            self._step_by(StepKind.LINE_INTO)
        else:
            self._engine.step()

    def step_over(self) -> None:
        """One instruction or line, calls and interrupts whole."""
        if self.by_line:
            self._step_by(StepKind.LINE_OVER)
        else:
            self._expect_running()
            self._engine.step_over()

    def step_out(self) -> None:
        """Until the function has returned."""
        self._step_by(StepKind.LINE_OUT if self.by_line else StepKind.OUT)

    def _step_by(self, kind: StepKind) -> None:
        self._expect_running()
        self._engine.step_by(kind)

    def _keep_by_line(self, by_line: bool) -> None:
        self._settings.setValue(BY_LINE_KEY, by_line)

    def run_to_cursor(self) -> None:
        """Run until the chosen instruction is next."""
        if self._cursor is not None:
            self.run_to(self._cursor)

    def run_to(self, address: int) -> None:
        """Run until the instruction at `address` is next."""
        self._expect_running()
        self._engine.run_to(address)

    def run_on(self, to: OnTo) -> None:
        """Run to the next time that this happens."""
        self._expect_running()
        self._engine.run_on(to)

    def run_to_write(self, space: Space, address: int) -> None:
        """Run until the word there has been written."""
        self._expect_running()
        self._engine.run_to_write(space, address)

    def reset(self) -> None:
        """The same guest from power-on."""
        self._engine.reset()

    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        """All breakpoints; the engine keeps them for as long as the guest stays the same."""
        self._engine.set_breakpoints(addresses)

    def set_cursor(self, address: int | None) -> None:
        """The instruction that is chosen in the Code view."""
        self._cursor = address
        self._allow()

    def set_speed(self, stop: int) -> None:
        """The speed by its place on the slider; out of range is the nearest end."""
        stop = max(0, min(FULL, stop))
        if stop != self._stop:
            self._stop = stop
            self._settings.setValue(SPEED_KEY, "full" if SPEEDS[stop] is None else str(SPEEDS[stop]))
            self._engine.set_speed(SPEEDS[stop])
        self._allow()
        self.speedChanged.emit(stop)

    def restore(self) -> None:
        """Set the speed of last time, and whether steps go by line."""
        self._actions[Act.BY_LINE].setChecked(self._settings.value(BY_LINE_KEY, False, bool) is True)
        saved = str(self._settings.value(SPEED_KEY, "full"))
        try:
            speed = None if saved == "full" else float(saved)
        except ValueError:
            speed = None
        stop = FULL if speed is None or not isfinite(speed) else stop_of(speed)
        self._stop = -1  # whatever the engine has been told before
        self.set_speed(stop)

    @property
    def speed(self) -> float | None:
        """Instructions a second, None for full speed."""
        return SPEEDS[self._stop]

    # -- the engine

    def _loaded(self, loaded: Loaded) -> None:
        if loaded.program.path != self._program and self._has_breakpoints:
            self._engine.set_breakpoints(frozenset())
        self._program = loaded.program.path
        self._has_guest, self._running, self._ended = True, False, False
        run_it, self._awaited, self._run_then = self._run_then, False, False
        self._allow()
        if run_it:
            self.run()

    def _updated(self, snapshot: Snapshot) -> None:
        ended = snapshot.end is not None and all(vm.end is not None for vm in snapshot.vms)
        state = (snapshot.running, ended, bool(snapshot.breakpoints), len(snapshot.vms) > 1)
        if state != (self._running, self._ended, self._has_breakpoints, self._has_several):
            self._running, self._ended, self._has_breakpoints, self._has_several = state
            self._allow()

    def _lost(self) -> None:
        self._has_guest = self._running = self._ended = self._awaited = self._run_then = False
        self._allow()

    def _refused(self) -> None:
        latest = self._engine.latest
        self._running = latest is not None and latest.running
        self._awaited = self._run_then = False
        self._allow()

    # -- what makes sense now

    def _expect_running(self) -> None:
        """Answer the click at once; the next snapshot says what is true."""
        self._running = True
        self._allow()

    def _allow(self) -> None:
        allow, none = self._actions.allow, "" if self._has_guest else NO_GUEST
        standing = none or (RUNNING if self._running else ENDED if self._ended else "")
        for act in (Act.STEP, Act.STEP_OVER, Act.STEP_OUT, Act.ON_TO_DEPARTURE, Act.ON_TO_RING):
            allow(act, standing)
        allow(Act.ON_TO_SWITCH, standing or ("" if self._has_several else ONE_VM))
        awaited = self._awaited and not self._has_guest
        allow(Act.RUN, (AWAITED if self._run_then else "") if awaited else standing)
        allow(Act.RUN_TO_CURSOR, standing or (NO_CURSOR if self._cursor is None else ""))
        allow(Act.STOP, none or ("" if self._running else STANDING))
        allow(Act.RESET, none)
        allow(Act.BREAKPOINT, none)
        allow(Act.CLEAR_BREAKPOINTS, none or ("" if self._has_breakpoints else "There are no breakpoints."))
        allow(Act.SLOWER, "This is the lowest speed." if self._stop == 0 else "")
        allow(Act.FASTER, "This is full speed." if self._stop == FULL else "")
        allow(Act.FULL_SPEED, "This is full speed." if self._stop == FULL else "")
