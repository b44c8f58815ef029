"""The engine as the window knows it: a QObject whose slots send commands and whose signals bring what came of them.

It lives in the GUI thread and never blocks it. Snapshots are passed on at most thirty times a second, the newest only,
in order with everything else. If the engine dies, this starts another and tells it what `Succession` kept for it.
It is one file of more than 400 lines, since half of them only name what can be asked and what is told.
"""

from __future__ import annotations

import atexit
import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.engine import protocol
from app.engine.garbage import GuiGarbage
from app.engine.host import EngineHost
from app.engine.process import COULD_NOT_START
from app.engine.shared_memory import SharedViews
from app.engine.succession import Succession
from core.errors import LabFault, RequestError
from core.events import StopReason
from core.guests.start import NOTHING, StartWith
from core.lab.lab import Desk
from core.looks import Look, Space
from core.snapshot import Snapshot
from core.step_kind import OnTo, StepKind
from core.translations import Switch
from core.vm_snapshots.divergence import Diverged
from lessons.questions import CheckLesson, LessonChecked

if TYPE_CHECKING:
    from core.guests.image import Program
    from core.vm_snapshots.shelf import KeptSnapshot, SnapshotFact

FRAME = 1 / 30 - 0.003  # the engine keeps the rate; this only holds back what the pipe bunched up
NUDGE_MS = 30


@dataclass(frozen=True, slots=True)
class _Ended:
    """The engine process is gone; `code` as multiprocessing gives it."""

    code: int


class Engine(QObject):
    """The engine. Commands given before it is ready are obeyed when it is.

    latest   the newest snapshot, None before the first
    program  the guest that is loaded, `kind` the kind of monitor under it
    memory   RAM, heat counters and ring of program counters, live
    """

    ready = Signal()
    """Emitted when the engine process has built its machine, after each start."""
    updated = Signal(object)
    """Emitted with a `Snapshot`, at most 30 a second; one more at once when the person stops the guest."""
    loaded = Signal(object)
    """Emitted with a `protocol.Loaded` when a guest has been powered on."""
    selected = Signal(object)
    """Emitted with a `protocol.Selected` when another VM is looked at: `program` and `kind` are what runs in it."""
    asked = Signal()
    """Emitted when the person has the engine do something: for every command but those that only look."""
    refused = Signal(object)
    """Emitted with a `UserError` when a command cannot be obeyed; nothing else changes."""
    faulted = Signal(object)
    """Emitted with a `LabFault` whose report can be saved."""
    lost = Signal(str)
    """Emitted when the engine has died, with words for the person."""
    recovered = Signal()
    """Emitted when a new engine has the lab where it was seen last; or no guest, if it could not be had again."""

    lab_opened = Signal(object)
    """Emitted with a `protocol.LabOpened` when a lab has come to where it was saved."""
    lab_saved = Signal(str)
    """Emitted with the path when the lab has been written to a file."""
    disk_saved = Signal(str)
    """Emitted with the path when the guest's disk has been written to a file."""
    snapshot_saved = Signal(str)
    """Emitted with the path when a snapshot of a VM has been written to a file."""
    shelved = Signal(object)
    """Emitted with the `SnapshotFact`s of all snapshots that are kept, when these have changed."""
    diverged = Signal(object)
    """Emitted with a `Diverged` for each `AskDiverged`."""
    lesson_checked = Signal(object)
    """Emitted with a `lessons.questions.LessonChecked` for each `check_lesson`."""

    _arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.latest: Snapshot | None = None
        self.program: Program | None = None
        self.kind = ""
        self.memory = SharedViews.create()
        self._succession = Succession()
        self._was_ever_ready = False
        self._generation = 0
        self._is_ready = False
        self._recovering = False
        self._why_faulted: LabFault | None = None
        self._inbox: deque[protocol.Message | _Ended] = deque()
        self._last_shown = 0.0
        self._host: EngineHost | None = None
        self._closed = False
        atexit.register(self._release)
        self._garbage = GuiGarbage(self)
        self._arrived.connect(self._drain, Qt.ConnectionType.QueuedConnection)
        self._drain_later = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._drain_later.timeout.connect(self._drain)
        self._nudging = QTimer(self, interval=NUDGE_MS)
        self._nudging.timeout.connect(self._nudge)
        self._start()

    # -- commands

    @Slot(str, str)
    def load(self, name_or_path: str, kind: str, start: StartWith = NOTHING) -> None:
        """Power on a fresh machine with this guest under this kind; also starts an engine if there is none."""
        if self._host is None and not self._closed:
            self._start()
        self._send(protocol.Load(name_or_path, kind, start))

    @Slot(str)
    def open_lab(self, path: str) -> None:
        """Have the lab in this file, or folder; also starts an engine if there is none."""
        if self._host is None and not self._closed:
            self._start()
        self._send(protocol.OpenLab(path))

    def save_lab(self, path: str, desk: Desk) -> None:
        """Write the lab to this file, with what the person has before them."""
        self._send(protocol.SaveLab(path, desk))

    @property
    def keeps(self) -> bool:
        """Has it been told where to keep the lab?"""
        return self._succession.keeps_lab

    def keep_lab(self, folder: str, desk: Desk) -> None:
        """Keep the lab in this folder as it grows, for the case of a crash."""
        self._succession.set(keep := protocol.KeepLab(folder, desk))
        if self._host is not None:
            self._send(keep)

    @Slot(str)
    def save_disk(self, path: str) -> None:
        """Write the guest's disk to this file, also over one that is there."""
        self._send(protocol.SaveDisk(path))

    @Slot()
    def run(self) -> None:
        """Run at the set speed."""
        self._send(protocol.Run())

    @Slot()
    def stop(self) -> None:
        """Stop, within an instruction, whatever the guest does."""
        if not self._closed:
            self._send(protocol.Stop(self.memory.ask_stop()))
            self._nudging.start()

    @Slot()
    @Slot(int)
    def step(self, count: int = 1, *, quietly: bool = False) -> None:
        """Run `count` instructions; `quietly`: with no snapshot on the way."""
        self._send(protocol.Step(count, quietly))

    @Slot(object)
    def step_by(self, kind: StepKind) -> None:
        """Step by source lines, or out of a function."""
        self._send(protocol.StepBy(kind))

    @Slot()
    def step_over(self) -> None:
        """One instruction; a CALL, INT or REP until it comes back."""
        self._send(protocol.StepOver())

    @Slot(object)
    def run_to(self, address: int) -> None:
        """Run until the CPU is about to execute at linear `address`."""
        self._send(protocol.RunTo(address))

    @Slot()
    def run_to_new_code(self) -> None:
        """Run until the monitor has translated another unit of the guest's code."""
        self._send(protocol.RunToNewCode())

    @Slot(object)
    def run_on(self, to: OnTo) -> None:
        """Run to the next time that this happens."""
        self._send(protocol.RunOn(to))

    @Slot(object, object)
    def run_to_write(self, space: Space, address: int) -> None:
        """Run until the word there has been written."""
        self._send(protocol.RunToWrite(space, address))

    @Slot()
    def reset(self) -> None:
        """The same program from power-on."""
        self._send(protocol.Reset())

    @Slot(object)
    def set_speed(self, instructions_per_second: float | None) -> None:
        """The speed of `run`; None is full speed."""
        self._succession.set(speed := protocol.SetSpeed(instructions_per_second))
        self._send(speed)

    @Slot(object)
    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        """All breakpoints, as linear addresses."""
        self._succession.set(breakpoints := protocol.SetBreakpoints(frozenset(addresses)))
        self._send(breakpoints)

    @Slot(object)
    def send_input(self, data: bytes) -> None:
        """Bytes for the guest's serial port."""
        self._send(protocol.Input(bytes(data)))

    @Slot(object)
    def press_keys(self, codes: bytes) -> None:
        """Scan codes (set 1) from the guest's keyboard."""
        self._send(protocol.Keys(bytes(codes)))

    @Slot(object)
    def look_at(self, look: Look) -> None:
        """What of memory the snapshots are to show from now on."""
        changed = self._succession.set(wanted := protocol.LookAt(look))
        if changed and self._host is not None:
            self._send(wanted)

    @Slot(int, bool)
    def set_intercept(self, code: int, on: bool) -> None:
        """Set or clear an intercept bit of the selected VM's control block."""
        self._send(protocol.SetIntercept(code, on))

    @Slot(object, bool)
    def set_translation(self, switch: Switch, on: bool) -> None:
        """Switch how the selected VM's kernel is translated."""
        self._send(protocol.SetTranslation(switch, on))

    @Slot(str, object)
    def edit_register(self, name: str, value: int) -> None:
        """Set a register of the selected VM, in its guest's terms."""
        self._send(protocol.EditRegister(name, value))

    @Slot(object, object, object)
    def edit_memory(self, space: Space, address: int, data: bytes) -> None:
        """Set bytes of the selected VM's memory, all in one page."""
        self._send(protocol.EditMemory(space, address, data))

    @Slot(str, object)
    def set_vmcb_field(self, name: str, value: int) -> None:
        """Write a field of the selected VM's control block."""
        self._send(protocol.SetVmcbField(name, value))

    def host(self, command: protocol.HostCommand) -> None:
        """Add, remove, select, pause, resume, weigh or cap a VM."""
        self._send(command)

    def snapshots(self, command: protocol.SnapshotCommand) -> None:
        """Take, rename, delete, revert to, clone, export or import a snapshot of a VM, or ask how far one has come."""
        self._send(command)

    def kept_snapshot(self, name: str) -> KeptSnapshot | None:
        """One of the snapshots that are kept, whole."""
        return self._succession.kept_snapshot(name)

    @Slot(object)
    def travel(self, journey: protocol.Journey) -> None:
        """Go to another moment of the recorded past, or another future."""
        self._send(journey)

    @Slot(object)
    def check_lesson(self, question: CheckLesson) -> None:
        """Ask the machine about a lesson."""
        self._send(question)

    @Slot()
    def close(self) -> None:
        """End the engine and remove the shared memory. Nothing is emitted any more."""
        if not self._closed:
            self._nudging.stop()
            self._drain_later.stop()
            self._garbage.stop()
            atexit.unregister(self._release)
            self._release()

    @property
    def shelf(self) -> tuple[SnapshotFact, ...]:
        """The snapshots of VMs that are kept, in short."""
        return self._succession.shelf

    @property
    def is_ready(self) -> bool:
        """Has the engine built its machine?"""
        return self._is_ready

    @property
    def pid(self) -> int | None:
        """The engine's process, if there is one."""
        return self._host.pid if self._host is not None else None

    # -- the process

    def _release(self) -> None:
        """What must not outlive the window, without any help of Qt, which may be gone by now."""
        self._closed = True
        host, self._host = self._host, None
        if host is not None:
            host.close()
        self.memory.close()

    def _start(self) -> None:
        inbox, arrived = self._inbox, self._arrived

        def put(message: protocol.Message | _Ended) -> None:
            inbox.append(message)
            try:
                arrived.emit()
            except RuntimeError:  # the window was torn down first
                return

        self._is_ready = False
        self._succession.begin()
        self._host = EngineHost(self.memory.name, self._generation, put, lambda code: put(_Ended(code)))

    def _send(self, command: protocol.Command) -> None:
        if not isinstance(command, (protocol.LookAt, CheckLesson)):
            self.asked.emit()
        if self._host is not None:
            self._post(command)
        elif not self._closed:
            self.refused.emit(RequestError("The engine is not running.", "Load a guest to start it again."))

    def _post(self, command: protocol.Command) -> None:
        assert self._host is not None, "only to an engine"
        self._succession.sent(command)
        self._host.send(command)

    def _nudge(self) -> None:
        if self.memory.stop_wanted:
            self.memory.nudge()
        else:
            self._nudging.stop()

    # -- what arrives

    def _drain(self) -> None:
        """Pass on what has arrived, in order; a snapshot that comes too early waits, and lets all behind it wait."""
        while self._inbox and not self._closed:  # closing cannot call back an event that is already on its way
            early = self._last_shown + FRAME - time.monotonic()
            if early > 0 and _can_wait(self._inbox[0]):
                self._drain_later.start(round(early * 1000) + 1)
                return
            self._take(self._inbox.popleft())

    def _take(self, message: protocol.Message | _Ended) -> None:
        match message:
            case protocol.Updated(snapshot):
                self._last_shown = time.monotonic()
                self._succession.seen(message)
                self.latest = snapshot
                self._generation = snapshot.generation
                self.updated.emit(snapshot)
                if self._host is not None:
                    self._host.send(protocol.Shown())
            case protocol.Loaded(program, kind, generation):
                self.program, self.kind, self._generation = program, kind, generation
                self._succession.powered_on(message, again=self._recovering)
                self.loaded.emit(message)
                self._recover()
            case protocol.LabOpened():
                self.lab_opened.emit(message)
            case protocol.LabSaved(path):
                self.lab_saved.emit(path)
            case protocol.DiskSaved(path):
                self.disk_saved.emit(path)
            case protocol.SnapshotSaved(path):
                self.snapshot_saved.emit(path)
            case protocol.Shelved(facts):
                self._succession.shelved(message)
                self.shelved.emit(facts)
            case Diverged():
                self.diverged.emit(message)
            case protocol.Selected(_, program, kind):
                self.program, self.kind = program, kind
                self.selected.emit(message)
            case protocol.Refused(command, error):
                self.refused.emit(error)
                if isinstance(command, (protocol.Load, protocol.Resume)):
                    self._recover()
            case protocol.Faulted(fault):
                self._why_faulted = fault
                self.faulted.emit(fault)
            case LessonChecked():
                self.lesson_checked.emit(message)
            case protocol.Ready():
                self._is_ready = self._was_ever_ready = True
                self.ready.emit()
                if self._succession.loaded is None:
                    self._recover()
            case _Ended(code):
                self._mourn(code)

    def _recover(self) -> None:
        if self._recovering:
            self._recovering = False
            self.recovered.emit()

    def _mourn(self, code: int) -> None:
        """The engine died: say so, and start another at the same program unless that is what kills it."""
        was_ready, self._is_ready = self._is_ready, False
        self._host = None
        self._nudging.stop()
        self.memory.serve_stops()
        succession, how = self._succession, _how_it_ended(code)
        succession.died()
        if not was_ready and (not self._was_ever_ready or code == COULD_NOT_START or succession.in_vain):
            self._recovering = False
            succession.forgive()
            why = f" {self._why_faulted}" if self._why_faulted else ""
            self.lost.emit(f"The engine could not start ({how}).{why} Load a guest to try again.")
            return
        self._recovering = True
        if self.program is not None and succession.loaded is not None and not succession.in_vain:
            vms = self.latest.vms if self.latest is not None else ()
            title = f"VMs {', '.join(vm.letter for vm in vms)}" if len(vms) > 1 else self.program.title
            self.lost.emit(f"The engine died ({how}). It starts again with {title}, and goes on from where it was.")
        else:
            succession.loaded = None
            self.lost.emit(f"The engine died ({how}). It starts again, with no guest: choose one to go on.")
        bequest = succession.bequest()
        self._start()
        for command in bequest:
            self._post(command)


def _can_wait(message: protocol.Message | _Ended) -> bool:
    """A snapshot can, but not one that the person waits for, having pressed Stop."""
    return isinstance(message, protocol.Updated) and message.snapshot.stop is not StopReason.REQUESTED


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
