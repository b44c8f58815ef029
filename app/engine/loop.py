"""The engine's side of the pipe: obey commands, run the guest in slices, send snapshots.

One thread does all of it. With nothing to do it sleeps on the pipe; while the guest runs it looks at the pipe between
slices of a few milliseconds. Nothing a guest or a person does ends the loop: a `UserError` goes back as `Refused`, a
`LabFault` or a mistake of ours as `Faulted`. Only `Shutdown`, or the window's end of the pipe closing, does.
It is one file of more than 400 lines, because what is under way, what is due and what has been told are one state.
"""

from __future__ import annotations

import os
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.engine import protocol
from app.engine.doze import Doze
from app.engine.futures import FuturesTeller
from app.engine.hosting import host
from app.engine.journeys import travel
from app.engine.labs import Keeper, opening
from app.engine.pace import Pace
from app.engine.shelving import CHANGES_MACHINE, Teller, shelve, vm_in
from app.engine.tasks import Task, run, run_to, run_to_new_code, step, step_by
from core import narration
from core.errors import LabFault, RequestError, UserError
from core.events import StopReason
from core.guests.catalog import name_in_catalogue
from core.guests.start import NOTHING, StartWith
from core.lab.archive import is_vm_file
from core.lab.lab import Desk, Lab
from core.layout import INSTRUCTIONS_PER_SECOND
from core.snapshot import Snapshot
from core.step_kind import StepKind
from lessons.questions import CheckLesson

if TYPE_CHECKING:
    from core.guests.image import Program
    from core.session import Session

WHILE_OPENING = (
    protocol.Shown, protocol.Stop, protocol.SetSpeed, protocol.LookAt, protocol.KeepLab, protocol.Shutdown,
    protocol.Load, protocol.OpenLab, protocol.Resume, CheckLesson,
)  # fmt: skip
SNAPSHOT_PERIOD = 1 / 30
TRAPS_AGAIN = 2_000  # the newest, after a journey
IDLE_PERIOD = 5.0  # between snapshots of a guest that does nothing but answer its timer
MADE_UP = 0.1  # seconds that a command waits at most for such a guest to have had its ticks
PUT_OFF = 0.5  # seconds that a snapshot waits for such a guest to be asleep
IDLE_INSTRUCTIONS = 500_000  # what answering a timer takes at most in that time


class WindowGone(Exception):
    """The window's end of the pipe has closed."""


class Channel(Protocol):
    """The engine's end of the pipe, as `multiprocessing.connection.Connection` has it."""

    def poll(self, timeout: float | None) -> bool: ...
    def recv(self) -> protocol.Command: ...
    def send(self, message: protocol.Message) -> None: ...


class StopLine(Protocol):
    """The window's stop requests, as `app.engine.shared_memory.SharedViews` has them."""

    @property
    def stop_wanted(self) -> bool: ...
    def serve_stops(self) -> None: ...


class EngineLoop:
    """Serves one window over `channel`, running `session`.

    load       the guest of a name or path
    slices     entered while the guest runs: it interrupts the session now and then (`app.engine.metronome`)
    clock      seconds, monotonic
    first      generation of the first machine less one: generations go on counting over engines
    """

    def __init__(
        self,
        channel: Channel,
        session: Session,
        load: Callable[[str], Program],
        stops: StopLine,
        slices: AbstractContextManager[None],
        clock: Callable[[], float],
        first: int = 0,
    ) -> None:
        self._channel = channel
        self._session = session
        self._load = load
        self._stops = stops
        self._slices = slices
        self._clock = clock
        self._first = first
        self._closing = False
        self._task: Task | None = None
        self._next: deque[Task] = deque()
        self._pace = Pace(None)
        self._credit = True
        self._stale = False  # is there something that the window has not seen?
        self._next_snapshot = 0.0
        self._doze = Doze()
        self._asked = False  # has the person asked for anything since the last snapshot?
        self._seen_executed = 0
        self._stopped_by: StopReason | None = None
        self._shown_generation = 0
        self._acts = 0
        self._futures = FuturesTeller()
        self._seen_traps = 0
        self._seen_console = 0
        self._shown_vm = ""
        self._keeper = Keeper(session, clock)
        self._teller = Teller(session)

    def serve(self) -> None:
        """Obey until told to end, or until the window is gone."""
        try:
            self._send(protocol.Ready(os.getpid()))
            while not self._closing:
                command = self._receive(self._patience())
                if command is not None:
                    self._guarded(self._obey, command)
                self._guarded(self._run_slice)
                self._guarded(self._tell_shelf)
                self._guarded(self._show)
                self._guarded(self._keep)
        except WindowGone:
            return
        finally:
            if self._task is not None:
                self._task.abandon()  # a search of the past puts the guest back, which must be there for it

    def _receive(self, patience: float | None) -> protocol.Command | None:
        try:
            return self._channel.recv() if self._channel.poll(patience) else None
        except (EOFError, OSError) as broken:
            raise WindowGone from broken

    def _send(self, message: protocol.Message) -> None:
        try:
            self._channel.send(message)
        except OSError as broken:
            raise WindowGone from broken

    def _keep(self) -> None:
        if self._keeper.due_in == 0.0 and not (self._task is not None and self._task.busy):
            try:
                self._keeper.keep()
            except UserError as error:
                self._send(protocol.Refused(protocol.KeepLab("", Desk()), error))

    # -- waiting

    def _patience(self) -> float | None:
        """Seconds to wait for a command before there is something else to do; None: for ever."""
        now = self._clock()
        waits = []
        if self._stale and self._credit and not (self._task is not None and self._task.quiet) and not self._idles():
            waits.append(max(0.0, self._snapshot_due() - now))
        if self._task is not None and not self._task.waiting:
            waits.append(self._time_to_slice(self._task, now))
        due = self._keeper.due_in
        if due is not None:
            waits.append(due)
        return min(waits, default=None)

    def _time_to_slice(self, task: Task, now: float) -> float:
        if not task.paced:
            return 0.0
        if self._must_be_seen(task):
            return max(0.0, self._next_snapshot - now) if self._credit else SNAPSHOT_PERIOD
        return max(self._pace.wait(now), self._doze.wait(now))

    def _snapshot_due(self) -> float:
        """When the window may be told the news: sooner if they are more than that the guest's timer has ticked."""
        return self._next_snapshot + (IDLE_PERIOD - SNAPSHOT_PERIOD if self._idles() else 0.0)

    def _idles(self) -> bool:
        """Has the guest done no more since the last snapshot than answer its timer?"""
        session, task = self._session, self._task
        return (
            task is not None
            and task.dozes
            and not self._asked
            and session.machine_executed - self._seen_executed < IDLE_INSTRUCTIONS
            and session.console_length == self._seen_console
        )

    def _must_be_seen(self, task: Task) -> bool:
        """In slow motion every instruction is shown: must the next one wait until the window has the last?"""
        return task.paced and self._pace.slow_motion and self._stale

    # -- running

    def _run_slice(self) -> None:
        task, now = self._task, self._clock()
        if task is None or task.waiting:
            return
        if self._must_be_seen(task):
            self._show()
        if self._time_to_slice(task, now) > 0:
            return
        if self._stops.stop_wanted:
            self._finish(StopReason.REQUESTED, explain=True)
            return
        before = self._session.machine_executed
        with self._slices:
            reason = self._slice_of(task, self._pace.due(now) if task.paced else task.left)
            while reason is StopReason.IDLE and not self._sleeps() and not self._stops.stop_wanted:
                reason = self._slice_of(task, None)  # ticks that have come due since
        ran = self._session.machine_executed - before
        self._stale = self._stale or ran != 0
        if task.paced:
            self._pace.ran(ran)
        if task.left is not None:
            task.left -= ran
        self._judge(task, reason, ran != 0)

    def _slice_of(self, task: Task, due: int | None) -> StopReason:
        before = self._session.machine_time
        reason = task.slice(due)
        self._doze.passed((self._session.machine_time - before) / INSTRUCTIONS_PER_SECOND, self._clock())
        return reason

    def _catch_up(self) -> None:
        """Let a guest that dozes have its ticks that are due, before anything is done to it or seen of it."""
        begun = self._clock()
        while self._idles() and not self._doze.asleep(now := self._clock()) and now < begun + MADE_UP:
            if self._stops.stop_wanted or self._pace.wait(now) > 0:
                return
            self._doze.wake(now)
            self._guarded(self._run_slice)

    def _allowance(self) -> float:
        return self._doze.allowance(self._clock())

    def _sleeps(self) -> bool:
        return self._doze.sleep(self._session.idle_seconds, self._clock())

    def _judge(self, task: Task, reason: StopReason, moved: bool) -> None:
        """Is the task over, after a slice that stopped for `reason`?"""
        session, interrupted = self._session, reason in (StopReason.BUDGET, StopReason.REQUESTED, StopReason.IDLE)
        if reason is not StopReason.REQUESTED:  # where a slice was cut short says nothing
            task.dozes = reason is StopReason.IDLE
        waits = reason is StopReason.WAITING and task.patient
        if self._stops.stop_wanted and (interrupted or waits):
            self._finish(StopReason.REQUESTED, explain=True)
        elif waits:
            task.waiting = self._stale = True
        elif (moved or task.standing) and task.arrived() and reason is not StopReason.ENDED:
            counted = task.left == 0 or reason is StopReason.BUDGET
            self._finish(StopReason.BUDGET if counted else StopReason.BREAKPOINT, arrived=True)
        elif not interrupted:
            self._finish(reason)
        elif moved and task.breaks and session.at_breakpoint:
            # the slice ended just where the next would begin by leaving the breakpoint
            self._finish(StopReason.BREAKPOINT, explain=True)

    def _begin(self, task: Task) -> None:
        """Start on a task: after those under way that come to an end by themselves, in place of one that does not."""
        if self._session.program is None:
            raise RequestError("No guest is loaded.", "Choose one in the toolbar first.")
        if self._task is not None and not self._task.paced:
            self._next.append(task)
        else:
            self._start(task)

    def _begin_step(self, task: Task) -> None:
        """As `_begin`, for what goes by the selected VM."""
        self._session.require_steppable()
        self._begin(task)

    def _start(self, task: Task) -> None:
        self._task = task
        self._doze = Doze.begun(now := self._clock())
        self._stopped_by = None
        self._stale = True
        self._pace.start(now)

    def _finish(self, reason: StopReason, *, arrived: bool = False, explain: bool = False) -> None:
        """End the task; the next begins if this one `arrived` at what it was for. `explain` where the session cannot
        know why: it was only interrupted."""
        if self._task is not None and not arrived:
            self._task.abandon()
        self._task = None
        self._stopped_by = reason
        self._stale = True
        self._stops.serve_stops()
        if reason is StopReason.REQUESTED:  # the person waits for it
            self._next_snapshot = self._clock()
        if explain:
            self._session.explain(reason)
        if reason is StopReason.ENDED and self._session.report:  # not the guest's end, but the lab's
            sentence = self._session.end.sentence if self._session.end else "The machine cannot go on."
            self._send(protocol.Faulted(LabFault(sentence, self._session.report)))
        if arrived and self._next:
            self._start(self._next.popleft())
        else:
            self._next.clear()

    # -- commands

    def _obey(self, command: protocol.Command) -> None:
        if not isinstance(command, protocol.Shown):
            self._catch_up()
            self._doze.seen(self._clock())
            self._asked = True
        try:
            self._check_standing(command)
            self._carry_out(command)
        except UserError as error:
            self._send(protocol.Refused(command, error))
        finally:
            self._acts += isinstance(command, protocol.Act)

    def _check_standing(self, command: protocol.Command) -> None:
        """While a lab is replayed nothing may be done to its machine: that would be another past."""
        if self._task is not None and self._task.busy and not isinstance(command, WHILE_OPENING):
            raise RequestError(self._task.busy, "Wait for it, or stop it where it is.")

    def _carry_out(self, command: protocol.Command) -> None:
        session = self._session
        if isinstance(command, protocol.Act) and not (self._task is not None and self._task.busy):
            self._end_search()
        match command:
            case protocol.Load(name_or_path, kind, start):
                if is_vm_file(Path(name_or_path)):
                    snapshot = vm_in(name_or_path)[1]
                    self._end_search()
                    session.power_on_from(snapshot, kind)
                else:
                    program = self._load(name_or_path)
                    disk, modules = start.read_disk(), start.read_modules()
                    self._end_search()
                    session.load(program, kind, command_line=start.command_line, disk=disk, modules=modules)
                self._power_on()
                self._tell_loaded(name_or_path, start)
            case protocol.Resume(loaded, lab):
                session.lab.resume(lab)
                self._power_on()
                self._tell_loaded(loaded.name_or_path, loaded.start, loaded.lab)
            case protocol.OpenLab(path):
                from core.lab.files import open_lab  # with the reader of records: not at the engine's start

                self._open(command, open_lab(Path(path)))
            case protocol.SaveLab(path, desk):
                self._keeper.save(Path(path), desk)
                self._send(protocol.LabSaved(path))
            case protocol.KeepLab(folder, desk):
                self._keeper.keep_in(Path(folder), desk)
            case protocol.SaveDisk(path):
                session.save_disk(Path(path), replace=True)
                self._send(protocol.DiskSaved(path))
            case protocol.Reset():
                self._end_search()
                session.reset()
                if len(session.vms.letters) > 1:  # one was reset, the others go on
                    self._vms_changed()
                else:
                    self._power_on()
            case protocol.Run():
                self._begin(run(session, self._allowance, lambda: self._pace.watchable))
            case protocol.RunTo(address):
                self._begin_step(run_to(session, address))
            case protocol.RunToNewCode():
                self._begin_step(run_to_new_code(session))
            case protocol.Step(count, quietly):
                self._begin_step(step(session, count, quietly))
            case protocol.StepBy(kind):
                self._begin_step(step_by(session, kind))
            case protocol.StepOver():
                self._begin_step(step_by(session, StepKind.OVER))
            case CheckLesson():
                from lessons.checks import answer  # with all that lessons are made of: not at the engine's start

                if command.until is not None:  # the one question that runs the guest
                    self._stops.serve_stops()
                    self._next.clear()
                    self._task, self._stopped_by, self._stale = None, None, True
                goes_on = self._task is not None and not self._task.waiting
                self._send(answer(command, session, running=goes_on))
            case protocol.Stop():
                if self._task is not None:
                    self._finish(StopReason.REQUESTED, explain=True)
                self._stops.serve_stops()
            case protocol.SetSpeed(speed):
                self._pace = Pace(speed)
                self._pace.start(self._clock(), at_once=False)
            case protocol.SetBreakpoints(addresses):
                session.breakpoints = addresses
                self._stale = True
            case protocol.Input(data):
                session.inputs.send(data)
                self._go_on()
            case protocol.Keys(codes):
                session.inputs.press_keys(codes)
                self._go_on()
            case protocol.LookAt(look):
                session.look = look
                self._stale = True
            case protocol.Shown():
                self._credit = True
            case protocol.Shutdown():
                self._closing = True
            case _ if isinstance(command, protocol.Journey):
                self._travel(command)
            case protocol.PutSnapshots(kept):
                session.snapshots.shelf.put(kept)
                self._teller.knows()
            case _ if isinstance(command, protocol.SnapshotCommand):
                answered = shelve(session, command)
                if answered is not None:
                    self._send(answered)
                if isinstance(command, CHANGES_MACHINE):
                    self._vms_changed()
                self._stale = True
            case _:
                host(session, command, self._load)
                self._vms_changed()

    def _open(self, command: protocol.OpenLab, lab: Lab) -> None:
        """Begin to open it: what was under way ends, and the machine moves on to where the lab was saved."""

        def powered_on() -> None:
            self._fresh_machine()
            self._tell_loaded(name_in_catalogue(self._session.program), lab=command.path)

        if self._task is not None:
            self._finish(StopReason.REQUESTED)
        self._stops.serve_stops()
        opened = protocol.LabOpened(command.path, lab.desk)
        task = opening(
            self._session,
            lab,
            powered_on,
            opened=lambda: self._send(opened),
            refused=lambda error: self._send(protocol.Refused(command, error)),
        )
        task.slice(None)  # its first brings the machine that the others run
        if not task.arrived():
            self._start(task)

    def _tell_loaded(self, name_or_path: str, start: StartWith = NOTHING, lab: str = "") -> None:
        session = self._session
        begun, generation = session.lab.begun, self._generation(session.snapshot())
        first = begun.first
        self._send(protocol.Loaded(first.program, first.kind, generation, name_or_path, start, lab, begun))

    def _travel(self, journey: protocol.Journey) -> None:
        """To another moment; a run of the guest ends for it."""
        if self._session.program is None:
            raise RequestError("No guest is loaded.", "Choose one in the toolbar first.")
        if self._task is not None:
            self._finish(StopReason.REQUESTED)
        self._stops.serve_stops()
        task = travel(self._session, journey, lambda error: self._send(protocol.Refused(journey, error)))
        if task is not None:
            self._start(task)
        self._stopped_by, self._stale = None, True

    def _end_search(self) -> None:
        """Something is about to be done to the machine: a search of the past ends, standing where it began, or a lab
        that is being opened where it is; and what waited for that begins."""
        if self._task is not None and self._task.standing:
            self._task.abandon()
            self._task, self._stale = None, True
            if self._next:
                self._start(self._next.popleft())

    def _go_on(self) -> None:
        """What a run waited for may have come: go on at once. And the window must learn that it was obeyed."""
        self._stale = True
        self._doze.wake(self._clock())
        if self._task is not None:
            self._task.waiting = False

    def _vms_changed(self) -> None:
        """A step of a VM ends where another is looked at, or it may not go on; a run of the machine goes on."""
        if self._task is not None and not self._task.paced:
            self._finish(StopReason.REQUESTED)
        self._go_on()

    def _power_on(self) -> None:
        self._task = None
        self._next.clear()
        self._stopped_by = None
        self._fresh_machine()

    def _fresh_machine(self) -> None:
        self._shown_vm = self._session.selected
        self._shown_generation = self._session.generation
        self._seen_traps = self._seen_console = self._seen_executed = 0
        self._stale = True
        self._stops.serve_stops()

    # -- telling the window

    def _show(self) -> None:
        """Send a snapshot if there is news, the window can take it, and the last was not just now."""
        now = self._clock()
        if not (self._stale and self._credit) or self._session.program is None or now < self._snapshot_due():
            return
        if self._task is not None and self._task.quiet:
            return
        if not self._idles():
            self._doze.seen(now)
        elif not self._doze.rests and now < self._snapshot_due() + PUT_OFF:
            return  # it is seen asleep, and not somewhere in the middle of the ticks that it makes up for
        self._stale = False
        self._next_snapshot = now + SNAPSHOT_PERIOD
        task, stop = self._task, self._stopped_by
        if task is not None:
            stop = StopReason.WAITING if task.waiting else None
        self._tell_journey()
        self._tell_selected()
        snapshot = self._session.snapshot(self._seen_traps, self._seen_console, running=task is not None)
        self._seen_traps, self._seen_console = snapshot.trap_count, snapshot.console_length
        self._seen_executed, self._asked = self._session.machine_executed, False
        self._credit = False
        self._send(
            protocol.Updated(
                replace(snapshot, generation=self._generation(snapshot), stop=stop, sentence=self._sentence(task)),
                self._acts,
                self._futures.news(self._session.lab.futures),
                self._session.lab.stand,
            )
        )

    def _tell_journey(self) -> None:
        """After a journey in time the window forgets what it knew: the newest traps and the console are sent again."""
        if self._session.generation != self._shown_generation:
            self._shown_generation = self._session.generation
            self._seen_traps = max(self._session.traps.count - TRAPS_AGAIN, 0)
            self._seen_console = self._seen_executed = 0

    def _tell_selected(self) -> None:
        """If another VM is looked at than in the last snapshot: what runs in it, and its console from the start."""
        session = self._session
        if session.selected != self._shown_vm and session.program is not None:
            self._shown_vm, self._seen_console = session.selected, 0
            self._send(protocol.Selected(session.selected, session.program, session.kind))

    def _tell_shelf(self) -> None:
        """If there are other snapshots of VMs than the window knows of."""
        shelved = self._teller.news()
        if shelved is not None:
            self._send(shelved)

    def _sentence(self, task: Task | None) -> str:
        session = self._session
        if task is None or session.stop is StopReason.BUDGET:
            return session.sentence
        if task.waiting:
            return narration.of_stop(StopReason.WAITING, None, session.pc)
        # in the middle of a run, which was only interrupted for this picture
        last = session.traps.last_of(session.selected)
        return narration.of_trap(last) if last is not None else "Running."

    def _generation(self, snapshot: Snapshot) -> int:
        return self._first + snapshot.generation

    def _guarded(self, action: Callable[..., None], *arguments: object) -> None:
        """Do it; a mistake, ours or the CPU's, ends the present task and is told to the window."""
        try:
            action(*arguments)
        except WindowGone:
            raise
        except LabFault as fault:
            self._fault(fault)
        except Exception as mistake:  # noqa: BLE001 - told to the person with its traceback, never swallowed
            self._fault(LabFault(f"Ringside made a mistake: {mistake!r}.", traceback.format_exc()))

    def _fault(self, fault: LabFault) -> None:
        if self._task is not None:
            self._finish(StopReason.REQUESTED)
        self._send(protocol.Faulted(fault))
