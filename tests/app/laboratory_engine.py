"""An engine without a process: obeys commands on a laboratory at once, and says what came of it when told to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.engine.hosting import host
from app.engine.protocol import HostCommand, Loaded, SelectVm, SnapshotCommand
from app.engine.shelving import shelve, vm_in
from core.errors import RequestError, UserError
from core.guests.image import Program
from core.guests.start import NOTHING, StartWith
from core.lab.archive import is_vm_file
from core.snapshot import Snapshot
from core.translations import Switch
from core.vm_snapshots.shelf import SnapshotFact
from lessons.checks import answer
from lessons.laboratory import Laboratory
from lessons.questions import CheckLesson


class LaboratoryEngine(QObject):
    """`app.engine.client.Engine` as far as lessons use it. `commands` is what it was told, in words, in order."""

    updated = Signal(object)
    loaded = Signal(object)
    refused = Signal(object)
    lost = Signal(str)
    recovered = Signal()
    lesson_checked = Signal(object)

    def __init__(self, laboratory: Laboratory, load_program: Callable[[str], Program]) -> None:
        super().__init__()
        self.laboratory = laboratory
        self.load_program = load_program
        self.latest: Snapshot | None = None
        self.program: Program | None = None
        self.kind = ""
        self.commands: list[str] = []
        self.runs_on = False  # a machine that keeps running after a command, until `halt`
        self._running = False
        self._outbox: deque[Callable[[], None]] = deque()

    def load(self, name_or_path: str, kind: str, start: StartWith = NOTHING) -> None:
        def do() -> None:
            if is_vm_file(Path(name_or_path)):
                snapshot = vm_in(name_or_path)[1]
                self.laboratory.power_on_from(snapshot, kind)
                program = snapshot.program
            else:
                program = self.load_program(name_or_path)
                self.laboratory.load(program, kind, disk=start.read_disk())

            def tell() -> None:
                self.program, self.kind = program, kind
                self.loaded.emit(Loaded(program, kind, 1, name_or_path))

            self._outbox.append(tell)

        self._obey(f"load {name_or_path.rsplit('/', 1)[-1]} {kind}", do)

    def run(self) -> None:
        self._obey("run", self.laboratory.run)

    def stop(self) -> None:
        self._running = False
        self.commands.append("stop")

    def step(self, count: int = 1) -> None:
        self._obey(f"step {count}", lambda: self.laboratory.step(count))

    def step_over(self) -> None:
        self._obey("step over", self.laboratory.step_over)

    def run_to(self, address: int) -> None:
        self._obey(f"run to {address:#x}", lambda: self.laboratory.run_to(address))

    def reset(self) -> None:
        self._obey("reset", self.laboratory.reset)

    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        self.commands.append(f"breakpoints {sorted(addresses)}")

    def send_input(self, data: bytes) -> None:
        self._obey("input", lambda: self.laboratory.inputs.send(data))

    def set_intercept(self, code: int, on: bool) -> None:
        self._obey(f"intercept {code:#x} {on}", lambda: self.laboratory.inputs.set_intercept(code, on=on))

    def set_translation(self, switch: Switch, on: bool) -> None:
        self._obey(f"translator {switch.value} {on}", lambda: self.laboratory.inputs.set_translation(switch, on=on))

    def run_to_new_code(self) -> None:
        self._obey("next unit", self.laboratory.run_to_new_code)

    @property
    def shelf(self) -> tuple[SnapshotFact, ...]:
        return self.laboratory.snapshots.shelf.facts()

    def snapshots(self, command: SnapshotCommand) -> None:
        self._obey(type(command).__name__, lambda: shelve(self.laboratory, command))  # type: ignore[arg-type]

    def host(self, command: HostCommand) -> None:
        words = f"look at {command.letter}" if isinstance(command, SelectVm) else type(command).__name__
        self._obey(words, lambda: host(self.laboratory, command, self.load_program))  # type: ignore[arg-type]

    def check_lesson(self, question: CheckLesson) -> None:
        shown = answer(question, self.laboratory, running=self._running)
        self._outbox.append(lambda: self.lesson_checked.emit(shown))

    def deliver(self) -> None:
        """Say what has happened so far; what that leads to is not said yet."""
        for _ in range(len(self._outbox)):
            self._outbox.popleft()()

    def settle(self) -> None:
        """Say everything, until nothing new comes of it."""
        while self._outbox:
            self._outbox.popleft()()

    def halt(self) -> None:
        """The machine that ran on stands still now."""
        self._running = False
        self._tell_snapshot()

    def _obey(self, words: str, do: Callable[[], object]) -> None:
        self.commands.append(words)
        try:
            do()
        except UserError as error:
            refusal: UserError = error
            self._outbox.append(lambda: self.refused.emit(refusal))
            return
        self._running = self.runs_on and not words.startswith("load")
        self._tell_snapshot()

    def _tell_snapshot(self) -> None:
        if self.laboratory.program is None:
            raise RequestError("No guest is loaded.", "Load one.")
        snapshot = replace(self.laboratory.snapshot(), running=self._running)

        def tell() -> None:
            self.latest = snapshot
            self.updated.emit(snapshot)

        self._outbox.append(tell)
