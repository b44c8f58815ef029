"""What travels between the window and the engine: commands one way, messages the other, all frozen, all pickled.

Flow control is by credit. The engine sends one `Updated` and no other until it is answered by `Shown`; what happened in
between is in the next one. So a slow window never gets a queue to work off, and no trap and no byte of the console is
sent twice or skipped (but for traps beyond the bound that `Snapshot.trap_count` tells of).
It is one file: the list of all that can be said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from core.errors import LabFault, UserError
from core.events import Trap
from core.guests.start import NOTHING, StartWith
from core.lab.lab import Desk
from core.layout import VM_MEMORY
from core.looks import Look, Space
from core.past import BackTo
from core.snapshot import Snapshot
from core.step_kind import OnTo, StepKind
from core.translations import Switch

if TYPE_CHECKING:
    from app.engine.futures import FuturesNews
    from core.guests.image import Program
    from core.lab.lab import Lab, Stand
    from core.vm_snapshots.divergence import Diverged
    from core.vm_snapshots.shelf import KeptSnapshot, SnapshotFact
    from lessons.questions import CheckLesson, LessonChecked

# -- commands: window → engine


@dataclass(frozen=True, slots=True)
class Load:
    """Power on a fresh machine with this guest (a shipped one's name, or a path) under this kind of monitor."""

    name_or_path: str
    kind: str
    start: StartWith = NOTHING


@dataclass(frozen=True, slots=True)
class Resume:
    """Have again what `loaded` tells of: the lab as it stood last, replayed."""

    loaded: Loaded
    lab: Lab


@dataclass(frozen=True, slots=True)
class OpenLab:
    """Have the lab in this file, or folder, in place of what is there: `Loaded`, then `LabOpened` when it has come to
    where it was. Refused with the former lab as it was."""

    path: str


@dataclass(frozen=True, slots=True)
class SaveLab:
    """Write the whole lab to this file, with what the person has before them; answered by `LabSaved`."""

    path: str
    desk: Desk


@dataclass(frozen=True, slots=True)
class KeepLab:
    """Keep the lab in this folder as it grows, from now on, with what the person has before them."""

    folder: str
    desk: Desk


@dataclass(frozen=True, slots=True)
class SaveDisk:
    """Write the guest's disk to this file, whose replacement the person has agreed to; answered by `DiskSaved`."""

    path: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run at the set speed until the end, a breakpoint or `Stop`; through waits for input too."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop running. `number` counts the window's requests; shared memory tells the engine of it even earlier."""

    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """Run `count` instructions, whatever the speed; `quietly`: with no snapshot on the way."""

    count: int = 1
    quietly: bool = False


@dataclass(frozen=True, slots=True)
class StepOver:
    """One instruction, but a CALL, INT or REP until it has come back."""


@dataclass(frozen=True, slots=True)
class StepBy:
    """A step by source lines, or out of a function, at full speed."""

    kind: StepKind


@dataclass(frozen=True, slots=True)
class RunTo:
    """Run at full speed until the CPU is about to execute at linear `address`."""

    address: int


@dataclass(frozen=True, slots=True)
class RunToNewCode:
    """Run at full speed until the monitor has made code for the guest (binary translation), and stop before it."""


@dataclass(frozen=True, slots=True)
class RunOn:
    """Run at full speed to the next time that this happens: a change of ring of the selected VM's, any VM's departure
    or world switch."""

    to: OnTo


@dataclass(frozen=True, slots=True)
class RunToWrite:
    """Run at full speed until the word at that address of the selected VM has been written, changed or not."""

    space: Space
    address: int


@dataclass(frozen=True, slots=True)
class Reset:
    """The same program and kind from power-on."""


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Instructions a second for `Run`; None is full speed."""

    instructions_per_second: float | None


@dataclass(frozen=True, slots=True)
class SetBreakpoints:
    """All breakpoints, as linear addresses."""

    addresses: frozenset[int]


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes for the guest's serial port."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """Scan codes (set 1) from the guest's keyboard."""

    codes: bytes


@dataclass(frozen=True, slots=True)
class LookAt:
    """What of memory the snapshots are to show from now on."""

    look: Look


@dataclass(frozen=True, slots=True)
class SetIntercept:
    """Set or clear the intercept of this exit code in the selected VM's control block (AMD-V)."""

    code: int
    on: bool


@dataclass(frozen=True, slots=True)
class SetVmcbField:
    """Write a field of the selected VM's control block (AMD-V), by its name."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class SetTranslation:
    """Switch how the selected VM's kernel is translated (binary translation)."""

    switch: Switch
    on: bool


@dataclass(frozen=True, slots=True)
class EditRegister:
    """Set a register of the selected VM's CPU, in its guest's terms: EIP, EFLAGS or a general one, by name."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class EditMemory:
    """Set bytes of the selected VM's memory, all in one page."""

    space: Space
    address: int
    data: bytes


# Several VMs: each has a letter (`Snapshot.vms`). One is selected (`Snapshot.vm`): registers, code, console,
# breakpoints, `Input`, `Keys`, `SetBreakpoints`, `Step…` and `Reset` are its own; `Run` and `Stop` are the machine's.


@dataclass(frozen=True, slots=True)
class AddVm:
    """Power on one more VM beside the others, as `Load` does the first; `memory` in bytes, `cap` in percent of the
    machine, None for no bound. Refused with words if there is no place for it."""

    name_or_path: str
    kind: str
    memory: int = VM_MEMORY
    weight: int = 1
    cap: int | None = None
    start: StartWith = NOTHING


@dataclass(frozen=True, slots=True)
class RemoveVm:
    """Power a VM off; its memory is free. If it was selected, another is."""

    letter: str


@dataclass(frozen=True, slots=True)
class SelectVm:
    """Look at this VM from now on. It has the next step, whoever has the CPU now."""

    letter: str


@dataclass(frozen=True, slots=True)
class PauseVm:
    """Let a VM run no more."""

    letter: str


@dataclass(frozen=True, slots=True)
class ResumeVm:
    """Let it run again."""

    letter: str


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A VM's part of the CPU, relative to the others' weights: 1 to 1000."""

    letter: str
    weight: int


@dataclass(frozen=True, slots=True)
class SetCap:
    """At most so many percent of the machine's time, 1 to 100; None: no bound."""

    letter: str
    cap: int | None


@dataclass(frozen=True, slots=True)
class Balloon:
    """Have `taken` bytes of a VM's memory taken back from it, from now on; 0 gives all of it back. Its guest sees no
    difference; others can have the memory (`Snapshot.free_memory`)."""

    letter: str
    taken: int


HostCommand: TypeAlias = (
    AddVm
    | RemoveVm
    | SelectVm
    | PauseVm
    | ResumeVm
    | SetWeight
    | SetCap
    | Balloon
    | SetIntercept
    | SetVmcbField
    | EditRegister
    | EditMemory
    | SetTranslation
)
"""What a person does to VMs: makes, removes, selects, pauses, weighs, caps and edits them (`app.engine.hosting`)."""

# Other moments (`Snapshot.past`). The guest stands there afterwards; a run is ended by each of these.


@dataclass(frozen=True, slots=True)
class StepBack:
    """To before the newest instruction."""


@dataclass(frozen=True, slots=True)
class StepBackOver:
    """To before the newest instruction, but what has returned by it is taken back whole, with its call."""


@dataclass(frozen=True, slots=True)
class BackToWrite:
    """To before the word at that address was last written, changed or not; if it never was, to power-on."""

    space: Space
    address: int


@dataclass(frozen=True, slots=True)
class GoToInstruction:
    """To the moment at which so many instructions of the machine had been executed."""

    executed: int


@dataclass(frozen=True, slots=True)
class RunBack:
    """To the last time that this happened; if it never did, to power-on."""

    to: BackTo


@dataclass(frozen=True, slots=True)
class GoTo:
    """To virtual time `time` of the machine; if not `exactly`, only near it, but at once."""

    time: int
    exactly: bool = True


@dataclass(frozen=True, slots=True)
class EnterFuture:
    """To the end of another future, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class DiscardFuture:
    """Throw a future away."""

    number: int


@dataclass(frozen=True, slots=True)
class Undo:
    """To before the last thing that was done from outside, in a future without it."""


Journey: TypeAlias = (
    StepBack | StepBackOver | RunBack | BackToWrite | GoToInstruction | GoTo | EnterFuture | DiscardFuture | Undo
)
"""Journeys in time (`app.engine.journeys`)."""

# Snapshots of VMs (`core.vm_snapshots`), by the names under which they are kept.


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Keep a VM, by default the selected one, as it is now; an empty name gives it one. Answered by `Shelved`, as is
    all that changes which snapshots there are."""

    name: str = ""
    letter: str = ""


@dataclass(frozen=True, slots=True)
class RenameSnapshot:
    """Give a snapshot another name."""

    name: str
    new: str


@dataclass(frozen=True, slots=True)
class DeleteSnapshot:
    """Throw a snapshot away."""

    name: str


@dataclass(frozen=True, slots=True)
class KeepAgain:
    """Have back a snapshot that was thrown away."""

    kept: KeptSnapshot


@dataclass(frozen=True, slots=True)
class RevertVm:
    """Put a VM, by default the one that it was taken of, back to the instant of a snapshot."""

    name: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class CloneVm:
    """One more VM that goes on from a snapshot, under its kind or another."""

    name: str
    kind: str = ""
    weight: int = 1
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class ExportSnapshot:
    """Write a snapshot to this file, which boots elsewhere; answered by `SnapshotSaved`."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class ExportDisk:
    """Write a snapshot's disk to this file as a raw image, whose replacement the person has agreed to; answered by
    `DiskSaved`."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class ImportSnapshot:
    """Keep the VM in this file, under its own name or another."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class PutSnapshots:
    """Keep these snapshots, which another engine told the window of."""

    kept: tuple[KeptSnapshot, ...]


@dataclass(frozen=True, slots=True)
class AskDiverged:
    """How far has a VM, by default the selected one, come from its image and from each snapshot? Answered by
    `core.vm_snapshots.divergence.Diverged`."""

    letter: str = ""


SnapshotCommand: TypeAlias = (
    TakeSnapshot
    | RenameSnapshot
    | DeleteSnapshot
    | KeepAgain
    | RevertVm
    | CloneVm
    | ExportSnapshot
    | ExportDisk
    | ImportSnapshot
    | AskDiverged
)
"""Wishes about snapshots of VMs (`app.engine.shelving`)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The window has taken the last `Updated` and may be sent the next."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the engine process."""


Act: TypeAlias = (
    HostCommand
    | Journey
    | Input
    | Keys
    | SetBreakpoints
    | TakeSnapshot
    | RenameSnapshot
    | DeleteSnapshot
    | KeepAgain
    | ImportSnapshot
    | RevertVm
    | CloneVm
)
"""What a person did to the machine: none of it may be lost when an engine dies."""

Command: TypeAlias = (
    "HostCommand | Journey | SnapshotCommand | Load | Resume | OpenLab | SaveLab | KeepLab | SaveDisk | Run | Stop"
    " | Step | StepOver | StepBy | RunTo | RunToNewCode | RunOn | RunToWrite | Reset | SetSpeed | SetBreakpoints"
    " | Input | Keys | LookAt | PutSnapshots | CheckLesson | Shown | Shutdown"
)

# -- messages: engine → window


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine has built its machine and obeys commands; `pid` is its process."""

    pid: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A fresh machine was powered on; snapshots of this `generation` follow.

    `name_or_path` and `start` are as `Load` gave them; `lab` is the file that is being opened, if one is; `begun` is
    the lab as it is now, at power-on.
    """

    program: Program
    kind: str
    generation: int
    name_or_path: str = ""
    start: StartWith = NOTHING
    lab: str = ""
    begun: Lab | None = None


@dataclass(frozen=True, slots=True)
class LabOpened:
    """The lab in this file is there, and this was before the person when it was saved."""

    path: str
    desk: Desk


@dataclass(frozen=True, slots=True)
class LabSaved:
    """The lab is in this file."""

    path: str


@dataclass(frozen=True, slots=True)
class DiskSaved:
    """The guest's disk is in this file."""

    path: str


@dataclass(frozen=True, slots=True)
class SnapshotSaved:
    """The snapshot is in this file."""

    path: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """The snapshots that are kept now, in short; `new` are those among them that were not told of before, whole, so
    that they outlive the engine."""

    facts: tuple[SnapshotFact, ...]
    new: tuple[KeptSnapshot, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """Another VM than before is selected, by the person or because the CPU went to it: what runs in it. The snapshots
    that follow are of this one, and the first holds its whole console."""

    letter: str
    program: Program
    kind: str


@dataclass(frozen=True, slots=True)
class Updated:
    """The machine as it is now; answer with `Shown`.

    acts     how many `Act` this engine has obeyed
    futures  `Session.lab.futures`, if they are not what the last one told; None: they are
    stand    as `Session.lab.stand`
    """

    snapshot: Snapshot
    acts: int = 0
    futures: FuturesNews | None = None
    stand: Stand | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """A picture brings thousands of traps, and named tuples are packed one by one by code in Python: so they cross
        the pipe as plain ones."""
        rest = replace(self.snapshot, traps=())
        return _unpacked, (rest, [tuple(trap) for trap in self.snapshot.traps], self.acts, self.futures, self.stand)


def _unpacked(
    rest: Snapshot, traps: list[tuple[Any, ...]], acts: int, futures: FuturesNews | None, stand: Stand | None
) -> Updated:
    return Updated(replace(rest, traps=tuple(map(Trap._make, traps))), acts, futures, stand)


@dataclass(frozen=True, slots=True)
class Refused:
    """The person's command cannot be obeyed; nothing has changed."""

    command: Command
    error: UserError


@dataclass(frozen=True, slots=True)
class Faulted:
    """Ringside or its CPU is wrong. The engine is still there, but the machine should be reset."""

    fault: LabFault


Message: TypeAlias = (
    "Ready | Loaded | LabOpened | LabSaved | DiskSaved | SnapshotSaved | Shelved | Diverged | Selected | Updated"
    " | Refused | Faulted | LessonChecked"
)
