"""An engine without a machine: it notes what it was told, and says what a test lets it say."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.engine.protocol import HostCommand, Journey, Loaded, Selected, SnapshotCommand
from core.cpu.probes import ProbeBuffers
from core.errors import LabFault, UserError
from core.guests.image import Program
from core.guests.start import NOTHING, StartWith
from core.lab.lab import Desk
from core.layout import VM_MEMORY
from core.looks import Look, Space
from core.snapshot import Snapshot
from core.step_kind import OnTo, StepKind
from core.translations import Switch
from core.vm_snapshots.shelf import KeptSnapshot, SnapshotFact


class FakeEngine(QObject):
    """The signals and slots of `app.engine.client.Engine`. `told` lists the commands, oldest first."""

    ready = Signal()
    updated = Signal(object)
    loaded = Signal(object)
    selected = Signal(object)
    asked = Signal()
    refused = Signal(object)
    faulted = Signal(object)
    lost = Signal(str)
    recovered = Signal()
    lab_opened = Signal(object)
    lab_saved = Signal(str)
    disk_saved = Signal(str)
    shelved = Signal(object)
    diverged = Signal(object)
    snapshot_saved = Signal(str)
    lesson_checked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[object, ...]] = []
        self.latest: Snapshot | None = None
        self.program: Program | None = None
        self.kind = ""
        self.closed = False
        self.kept: tuple[str, Desk] | None = None
        self.shelf: tuple[SnapshotFact, ...] = ()
        self.whole: dict[str, KeptSnapshot] = {}
        self.memory = ProbeBuffers.private(VM_MEMORY)

    # -- what a test lets it say

    def say_loaded(self, loaded: Loaded) -> None:
        self.program, self.kind = loaded.program, loaded.kind
        self.loaded.emit(loaded)

    def say(self, snapshot: Snapshot) -> None:
        self.latest = snapshot
        self.updated.emit(snapshot)

    def refuse(self, error: UserError) -> None:
        self.refused.emit(error)

    def fail(self, fault: LabFault) -> None:
        self.faulted.emit(fault)

    def last(self, command: str) -> tuple[object, ...] | None:
        """The newest command of that name."""
        return next((one for one in reversed(self.told) if one[0] == command), None)

    # -- commands

    def load(self, name_or_path: str, kind: str, start: StartWith = NOTHING) -> None:
        self.told.append(("load", name_or_path, kind, *([] if start == NOTHING else [start])))

    def open_lab(self, path: str) -> None:
        self.told.append(("open_lab", path))

    def save_lab(self, path: str, desk: Desk) -> None:
        self.told.append(("save_lab", path, desk))

    @property
    def keeps(self) -> bool:
        return self.kept is not None

    def keep_lab(self, folder: str, desk: Desk) -> None:
        self.kept = folder, desk

    def save_disk(self, path: str) -> None:
        self.told.append(("save_disk", path))

    def run(self) -> None:
        self.told.append(("run",))

    def stop(self) -> None:
        self.told.append(("stop",))

    def step(self, count: int = 1) -> None:
        self.told.append(("step", count))

    def step_by(self, kind: StepKind) -> None:
        self.told.append(("step_by", kind))

    def step_over(self) -> None:
        self.told.append(("step_over",))

    def run_to(self, address: int) -> None:
        self.told.append(("run_to", address))

    def run_on(self, to: OnTo) -> None:
        self.told.append(("run_on", to))

    def run_to_write(self, space: Space, address: int) -> None:
        self.told.append(("run_to_write", space, address))

    def run_to_new_code(self) -> None:
        self.told.append(("run_to_new_code",))

    def reset(self) -> None:
        self.told.append(("reset",))

    def set_speed(self, speed: float | None) -> None:
        self.told.append(("set_speed", speed))

    def set_breakpoints(self, addresses: frozenset[int]) -> None:
        self.told.append(("set_breakpoints", addresses))

    def send_input(self, data: bytes) -> None:
        self.told.append(("send_input", data))

    def press_keys(self, codes: bytes) -> None:
        self.told.append(("press_keys", codes))

    def set_intercept(self, code: int, on: bool) -> None:
        self.told.append(("set_intercept", code, on))

    def set_translation(self, switch: Switch, on: bool) -> None:
        self.told.append(("set_translation", switch, on))

    def edit_register(self, name: str, value: int) -> None:
        self.told.append(("edit_register", name, value))

    def edit_memory(self, space: Space, address: int, data: bytes) -> None:
        self.told.append(("edit_memory", space, address, data))

    def set_vmcb_field(self, name: str, value: int) -> None:
        self.told.append(("set_vmcb_field", name, value))

    def look_at(self, look: Look) -> None:
        self.told.append(("look_at", look))

    def host(self, command: HostCommand) -> None:
        self.told.append(("host", command))

    def snapshots(self, command: SnapshotCommand) -> None:
        self.told.append(("snapshots", command))

    def kept_snapshot(self, name: str) -> KeptSnapshot | None:
        return self.whole.get(name)

    def say_shelved(self, facts: tuple[SnapshotFact, ...]) -> None:
        self.shelf = facts
        self.shelved.emit(facts)

    def say_selected(self, selected: Selected) -> None:
        self.program, self.kind = selected.program, selected.kind
        self.selected.emit(selected)

    def travel(self, journey: Journey) -> None:
        self.told.append(("travel", journey))

    def check_lesson(self, question: object) -> None:
        self.told.append(("check_lesson", question))

    def close(self) -> None:
        self.closed = True
