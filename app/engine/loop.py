"""The engine's side of the pipe: obey commands, have the guest run in slices, send snapshots.

One thread does all of it. With nothing to do it sleeps on the pipe; while the guest runs it looks at the pipe between
slices of a few milliseconds. Nothing a guest or a person does ends the loop: a `UserError` goes back as `Refused`, a
`LabFault` or a mistake of ours as `Faulted`. Only `Shutdown`, or the window's end of the pipe closing, does.
What is under way is a `Runner`'s to know, what the window has seen an `Audience`'s.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.engine import protocol
from app.engine.audience import Audience
from app.engine.hosting import host
from app.engine.journeys import travel
from app.engine.labs import Keeper, opening
from app.engine.runner import Runner, StopLine
from app.engine.shelving import CHANGES_MACHINE, shelve, vm_in
from app.engine.tasks import run, run_on, run_to, run_to_new_code, run_to_write, step, step_by
from core.errors import LabFault, RequestError, UserError
from core.events import StopReason
from core.guests.catalog import name_in_catalogue
from core.lab.archive import is_vm_file
from core.lab.lab import Desk, Lab
from core.step_kind import OnTo, StepKind
from lessons.questions import CheckLesson

if TYPE_CHECKING:
    from core.guests.image import Program
    from core.session import Session

WHILE_OPENING = (
    protocol.Shown, protocol.Stop, protocol.SetSpeed, protocol.LookAt, protocol.KeepLab, protocol.Shutdown,
    protocol.Load, protocol.OpenLab, protocol.Resume, CheckLesson,
)  # fmt: skip


class WindowGone(Exception):
    """The window's end of the pipe has closed."""


class Channel(Protocol):
    """The engine's end of the pipe, as `multiprocessing.connection.Connection` has it."""

    def poll(self, timeout: float | None) -> bool: ...
    def recv(self) -> protocol.Command: ...
    def send(self, message: protocol.Message) -> None: ...


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
        self._clock = clock
        self._closing = False
        self._keeper = Keeper(session, clock)
        self._audience = Audience(session, first)
        self._runner = Runner(session, self._audience, stops, slices, clock, self._tell_fault)

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
            self._runner.abandon()

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
        if self._keeper.due_in == 0.0 and not self._runner.busy:
            try:
                self._keeper.keep()
            except UserError as error:
                self._send(protocol.Refused(protocol.KeepLab("", Desk()), error))

    def _patience(self) -> float | None:
        """Seconds to wait for a command before there is something else to do; None: for ever."""
        now, audience, runner = self._clock(), self._audience, self._runner
        waits = [runner.wait(now), self._keeper.due_in]
        if audience.stale and audience.ready and not runner.quiet and not runner.idles:
            waits.append(max(0.0, audience.due(idle=False) - now))
        return min((each for each in waits if each is not None), default=None)

    def _run_slice(self) -> None:
        if self._runner.goes_on and self._runner.must_be_seen:
            self._show()
        self._runner.run_slice()

    # -- commands

    def _obey(self, command: protocol.Command) -> None:
        if not isinstance(command, protocol.Shown):
            for _ in self._runner.arrears():
                self._guarded(self._run_slice)
            self._runner.seen()
            self._audience.asked = True
        try:
            self._check_standing(command)
            self._carry_out(command)
        except UserError as error:
            self._send(protocol.Refused(command, error))
        finally:
            self._audience.acts += isinstance(command, protocol.Act)

    def _check_standing(self, command: protocol.Command) -> None:
        """While a lab is replayed nothing may be done to its machine: that would be another past."""
        if self._runner.busy and not isinstance(command, WHILE_OPENING):
            raise RequestError(self._runner.busy, "Wait for it, or stop it where it is.")

    def _carry_out(self, command: protocol.Command) -> None:
        session, runner = self._session, self._runner
        if isinstance(command, protocol.Act) and not runner.busy:
            runner.end_search()
        match command:
            case protocol.Load(name_or_path, kind, start):
                if is_vm_file(Path(name_or_path)):
                    snapshot = vm_in(name_or_path)[1]
                    runner.end_search()
                    session.power_on_from(snapshot, kind)
                else:
                    program = self._load(name_or_path)
                    disk, modules = start.read_disk(), start.read_modules()
                    runner.end_search()
                    session.load(program, kind, command_line=start.command_line, disk=disk, modules=modules)
                self._power_on()
                self._send(self._audience.loaded(name_or_path, start))
            case protocol.Resume(loaded, lab):
                session.lab.resume(lab)
                self._power_on()
                self._send(self._audience.loaded(loaded.name_or_path, loaded.start, loaded.lab))
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
                runner.end_search()
                session.reset()
                if len(session.vms.letters) > 1:  # one was reset, the others go on
                    runner.vms_changed()
                else:
                    self._power_on()
            case protocol.Run():
                runner.begin(run(session, runner.allowance, lambda: runner.watchable))
            case protocol.RunTo(address):
                runner.begin_step(run_to(session, address))
            case protocol.RunToNewCode():
                runner.begin_step(run_to_new_code(session))
            case protocol.RunOn(OnTo.RING_CHANGE):
                runner.begin_step(run_on(session, OnTo.RING_CHANGE))
            case protocol.RunOn(to):
                runner.begin(run_on(session, to))
            case protocol.RunToWrite(space, address):
                runner.begin_step(run_to_write(session, space, address))
            case protocol.Step(count, quietly):
                runner.begin_step(step(session, count, quietly))
            case protocol.StepBy(kind):
                runner.begin_step(step_by(session, kind))
            case protocol.StepOver():
                runner.begin_step(step_by(session, StepKind.OVER))
            case CheckLesson():
                from lessons.checks import answer  # with all that lessons are made of: not at the engine's start

                if command.until is not None:  # the one question that runs the guest
                    runner.forget()
                self._send(answer(command, session, running=runner.goes_on))
            case protocol.Stop():
                runner.interrupt(explain=True)
            case protocol.SetSpeed(speed):
                runner.set_speed(speed)
            case protocol.SetBreakpoints(addresses):
                session.breakpoints = addresses
                self._audience.stale = True
            case protocol.Input(data):
                session.inputs.send(data)
                runner.go_on()
            case protocol.Keys(codes):
                session.inputs.press_keys(codes)
                runner.go_on()
            case protocol.LookAt(look):
                session.look = look
                self._audience.stale = True
            case protocol.Shown():
                self._audience.ready = True
            case protocol.Shutdown():
                self._closing = True
            case _ if isinstance(command, protocol.Journey):
                self._travel(command)
            case protocol.PutSnapshots(kept):
                session.snapshots.shelf.put(kept)
                self._audience.shelf.knows()
            case _ if isinstance(command, protocol.SnapshotCommand):
                answered = shelve(session, command)
                if answered is not None:
                    self._send(answered)
                if isinstance(command, CHANGES_MACHINE):
                    runner.vms_changed()
                self._audience.stale = True
            case _:
                host(session, command, self._load)
                runner.vms_changed()

    def _open(self, command: protocol.OpenLab, lab: Lab) -> None:
        """Begin to open it: what was under way ends, and the machine moves on to where the lab was saved."""

        def powered_on() -> None:
            self._audience.fresh_machine()
            self._stops.serve_stops()
            self._send(self._audience.loaded(name_in_catalogue(self._session.program), lab=command.path))

        self._runner.interrupt()
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
            self._runner.start(task)

    def _travel(self, journey: protocol.Journey) -> None:
        """To another moment; a run of the guest ends for it."""
        if self._session.program is None:
            raise RequestError("No guest is loaded.", "Choose one in the toolbar first.")
        self._runner.interrupt()
        task = travel(self._session, journey, lambda error: self._send(protocol.Refused(journey, error)))
        if task is not None:
            self._runner.start(task)
        else:
            self._runner.forget()

    def _power_on(self) -> None:
        self._runner.forget()
        self._audience.fresh_machine()

    # -- telling the window

    def _show(self) -> None:
        """Send a snapshot if there is news, the window can take it, and the last was not just now."""
        now, audience, runner = self._clock(), self._audience, self._runner
        if not (audience.stale and audience.ready) or self._session.program is None or runner.quiet:
            return
        if now < audience.due(idle=runner.idles) or runner.not_yet_to_be_seen(now):
            return
        if not runner.idles:
            runner.seen()
        stop, sentence = runner.stop, runner.sentence
        for message in audience.news(now, running=runner.running, stop=stop, sentence=sentence):
            self._send(message)

    def _tell_shelf(self) -> None:
        """If there are other snapshots of VMs than the window knows of."""
        shelved = self._audience.shelf.news()
        if shelved is not None:
            self._send(shelved)

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
        if self._runner.running:
            self._runner.end(StopReason.REQUESTED)
        self._tell_fault(fault)

    def _tell_fault(self, fault: LabFault) -> None:
        self._send(protocol.Faulted(fault))
