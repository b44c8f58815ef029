"""Performing a lesson's acts: the ordinary commands of the lab, one at a time.

After each command goes a question; its answer says whether the machine is still running on that command. Only when it
stands still comes the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from PySide6.QtCore import QObject, QTemporaryDir, QTimer, Signal, SignalInstance

from app.engine import protocol
from core.errors import RequestError, UserError
from core.events import StopReason
from core.guests.image import Program
from core.guests.start import NOTHING, StartWith
from core.snapshot import Snapshot
from core.translations import Switch
from core.vm_snapshots.shelf import SnapshotFact
from lessons import acts
from lessons.questions import CheckLesson, LessonChecked

BEAT_MS = 350  # between the acts of a demonstration, so that each can be watched
WATCHED_STEPS = 12  # so many steps or fewer are demonstrated one by one
NOWHERE = 0xFFFF_FFFF  # no guest executes there: running to it is running on at full speed, whatever the person set


class Engine(Protocol):
    """What the controller needs of `app.engine.client.Engine`."""

    latest: Snapshot | None
    program: Program | None
    kind: str
    updated: SignalInstance
    loaded: SignalInstance
    refused: SignalInstance
    lost: SignalInstance
    recovered: SignalInstance
    lesson_checked: SignalInstance

    shelf: tuple[SnapshotFact, ...]

    def load(self, name_or_path: str, kind: str, start: StartWith = NOTHING) -> None: ...
    def snapshots(self, command: protocol.SnapshotCommand) -> None: ...
    def host(self, command: protocol.HostCommand) -> None: ...
    def run(self) -> None: ...
    def stop(self) -> None: ...
    def step(self, count: int = 1) -> None: ...
    def step_over(self) -> None: ...
    def run_to(self, address: int) -> None: ...
    def reset(self) -> None: ...
    def set_breakpoints(self, addresses: frozenset[int]) -> None: ...
    def send_input(self, data: bytes) -> None: ...
    def set_intercept(self, code: int, on: bool) -> None: ...
    def set_translation(self, switch: Switch, on: bool) -> None: ...
    def run_to_new_code(self) -> None: ...
    def check_lesson(self, question: CheckLesson) -> None: ...


class _Waiting(Enum):
    """What a performance waits for."""

    NOTHING = 0
    ANSWER = 1  # the engine has the command, and will answer the question behind it
    STANDSTILL = 2  # the machine is running on that command


@dataclass(frozen=True, slots=True)
class _Beat:
    """One act of a performance; `watched` leaves the person time to see it."""

    act: acts.Act
    watched: bool


class LessonPerformance(QObject):
    """Performs acts on `engine`. `tickets` numbers the questions; whoever else asks draws from the same."""

    ended = Signal()
    """Emitted when all acts are done."""
    failed = Signal(str)
    """Emitted with a sentence when an act could not be performed; the rest is dropped."""
    moved = Signal()
    """Emitted when an act has begun."""

    def __init__(self, engine: Engine, tickets: Iterator[int], parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tickets = tickets
        self._ticket: int | None = None  # of the question behind the act that is under way
        self._waiting = _Waiting.NOTHING
        self._beats: deque[_Beat] = deque()
        self._breakpoints: frozenset[int] = frozenset()  # the person's, put aside meanwhile
        self._folder: QTemporaryDir | None = None  # of a VM that goes on elsewhere
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._next)
        engine.updated.connect(self._on_updated)
        engine.refused.connect(self._on_refused)
        engine.lost.connect(self._on_lost)
        engine.lesson_checked.connect(self._on_checked)

    @property
    def going_on(self) -> bool:
        """Is there something left to do?"""
        return bool(self._beats) or self._waiting is not _Waiting.NOTHING or self._pause.isActive()

    def begin(self, to_do: Iterable[acts.Act], watched: Iterable[acts.Act] = ()) -> None:
        """Do these acts one after the other, then those to be watched; what was going on is dropped."""
        self.stop()
        self._beats = deque([*(_Beat(act, False) for act in to_do), *(_Beat(act, True) for act in slowly(watched))])
        latest = self._engine.latest
        if latest is not None and latest.running:
            self._engine.stop()
        if latest is not None and latest.breakpoints:
            self._breakpoints = latest.breakpoints
            self._engine.set_breakpoints(frozenset())
        self._next()

    def stop(self) -> None:
        """Drop what is left to do; the person has their breakpoints back."""
        self._beats.clear()
        self._pause.stop()
        self._waiting = _Waiting.NOTHING
        self._ticket = None
        if self._breakpoints:
            self._engine.set_breakpoints(self._breakpoints)
            self._breakpoints = frozenset()

    def _next(self) -> None:
        if not self._beats:
            self.stop()
            self.ended.emit()
            return
        beat = self._beats.popleft()
        try:
            until = self._command(beat)
        except UserError as error:
            self._fail(str(error))
            return
        self._waiting = _Waiting.ANSWER
        self._ticket = next(self._tickets)
        self._engine.check_lesson(CheckLesson(self._ticket, until=until))
        self.moved.emit()

    def _command(self, beat: _Beat) -> acts.Until | None:
        """Give the engine the command of this act; an `Until` goes with the question behind it."""
        engine = self._engine
        match beat.act:
            case acts.Load(load=target):
                engine.load(target.guest, target.kind, target.start)
            case acts.Reset():
                engine.reset()
            case acts.Step(step=count):
                engine.step(count)
            case acts.StepOver():
                engine.step_over()
            case acts.Run() if beat.watched:
                engine.run()
            case acts.Run():
                engine.run_to(NOWHERE)
            case acts.RunTo(run_to=label):
                engine.run_to(acts.address_of(engine.program, label))
            case acts.Type(input=text):
                engine.send_input(text.encode())
            case acts.Intercept(on=on) as act:
                engine.set_intercept(act.code, on)
            case acts.SwitchTranslator(on=on) as act:
                engine.set_translation(act.switch, on)
            case acts.NextUnit():
                engine.run_to_new_code()
            case acts.TakeSnapshot(take_snapshot=name):
                if any(fact.name == name for fact in engine.shelf):
                    engine.snapshots(protocol.DeleteSnapshot(name))
                engine.snapshots(protocol.TakeSnapshot(name))
            case acts.Revert():
                engine.snapshots(protocol.RevertVm(self._newest()))
            case acts.Clone(clone=kind):
                engine.snapshots(protocol.CloneVm(self._newest(), kind))
            case acts.LookAt(look_at=letter):
                engine.host(protocol.SelectVm(letter))
            case acts.AddVm(add_vm=target):
                engine.host(protocol.AddVm(target.guest, target.kind, start=target.start))
            case acts.Weigh(of=letter, weight=weight):
                engine.host(protocol.SetWeight(letter, weight))
            case acts.TakeBack(of=letter) as act:
                engine.host(protocol.Balloon(letter, act.taken))
            case acts.Elsewhere(elsewhere=kind):
                self._folder = QTemporaryDir()
                path = self._folder.filePath("vm.ringvm")
                engine.snapshots(protocol.ExportSnapshot(self._newest(), path))
                engine.load(path, kind)
            case acts.Until():
                return beat.act
        return None

    def _newest(self) -> str:
        """The name of the newest snapshot."""
        if not self._engine.shelf:
            raise RequestError("No snapshot has been taken yet.", "Take one.")
        return self._engine.shelf[-1].name

    def _act_is_done(self) -> None:
        self._waiting = _Waiting.NOTHING
        if self._beats and self._beats[0].watched:
            self._pause.start(BEAT_MS)
        else:
            self._next()

    def _fail(self, why: str) -> None:
        self.stop()
        self.failed.emit(why)

    def _on_checked(self, shown: LessonChecked) -> None:
        if shown.ticket != self._ticket:
            return
        self._ticket = None
        if shown.error is not None:
            self._fail(str(shown.error))
        elif shown.running:
            self._waiting = _Waiting.STANDSTILL
        else:
            self._act_is_done()

    def _on_updated(self, snapshot: Snapshot) -> None:
        if self._waiting is _Waiting.STANDSTILL:
            if not snapshot.running and snapshot.stop is StopReason.REQUESTED:
                self._fail("Stopped on the way.")
            elif not snapshot.running or snapshot.stop is StopReason.WAITING:
                self._act_is_done()

    def _on_refused(self, error: UserError) -> None:
        if self.going_on:
            self._fail(str(error))

    def _on_lost(self, _words: str) -> None:
        if self.going_on:
            self._fail("The engine died on the way.")


def slowly(watched: Iterable[acts.Act]) -> list[acts.Act]:
    """The same acts, with a few steps taken one by one."""
    slow: list[acts.Act] = []
    for act in watched:
        if isinstance(act, acts.Step) and act.step <= WATCHED_STEPS:
            slow += [acts.Step(step=1)] * act.step
        else:
            slow.append(act)
    return slow
