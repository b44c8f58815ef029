"""What a person can do to the machine, as data: the buttons of the lab, in the order a lesson wants them pressed.

Setups and solutions are written in these, so that "show me" and a perfect student do nothing a person could not do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from core.errors import LessonError
from core.events import StopReason
from core.guests.catalog import load_program
from core.guests.image import Program
from core.translations import Switch
from core.vmm.intercepts import INTERCEPTS
from lessons.acting import Acting, Target
from lessons.hosting_acts import AddVm, TakeBack, Weigh
from lessons.laboratory import Laboratory, newest_kept
from lessons.names import AtLeastOne, Disk, Guest, Kind, Label, Letter, SwitchName, Text, switch_named
from lessons.part import Part, broken_rule, one_of
from lessons.traps import TrapPattern

LIMIT = 5_000_000  # instructions: a lesson that runs longer for one act keeps its student waiting


def _intercept(name: str) -> str:
    offered = [each.name for each in INTERCEPTS if not each.inert]
    if name not in offered:
        raise broken_rule(f"names no intercept that works here: “{name}”", one_of(offered))
    return name


class Load(Acting):
    """Power on a fresh machine."""

    load: Target

    @property
    def words(self) -> str:
        return f"Load {Path(self.load.guest).stem} under {self.load.kind}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.load(load_program(self.load.guest), self.load.kind, disk=self.load.start.read_disk())


class Reset(Acting):
    """The same guest and kind from power-on."""

    reset: Literal[True]

    @property
    def words(self) -> str:
        return "Reset"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.reset()


class Step(Acting):
    """So many instructions."""

    step: AtLeastOne

    @property
    def words(self) -> str:
        return "Step" if self.step == 1 else f"Step {self.step} times"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.step(self.step)


class StepOver(Acting):
    """One instruction, but a CALL, INT or REP until it has come back."""

    step_over: Literal[True]

    @property
    def words(self) -> str:
        return "Step over"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.step_over()


class Run(Acting):
    """Until the guest ends or waits."""

    run: Literal[True]

    @property
    def words(self) -> str:
        return "Run"

    def perform(self, laboratory: Laboratory) -> None:
        _refuse_endless(laboratory.run(LIMIT), self.words)


class RunTo(Acting):
    """Until the CPU is about to execute what stands at a label."""

    run_to: Label

    @property
    def words(self) -> str:
        return f"Run to {self.run_to}"

    def perform(self, laboratory: Laboratory) -> None:
        _refuse_endless(laboratory.run_to(address_of(laboratory.program, self.run_to), LIMIT), self.words)


class Until(Acting):
    """Until right after the first trap of that pattern."""

    until: TrapPattern

    @property
    def words(self) -> str:
        return f"Run until {self.until.words}"

    def perform(self, laboratory: Laboratory) -> None:
        symbols = laboratory.program.symbols if laboratory.program else {}
        if self.until.at is not None:
            address_of(laboratory.program, self.until.at)
        _refuse_endless(laboratory.run_until(lambda trap: self.until.matches(trap, symbols), LIMIT), self.words)


class Type(Acting):
    """Type into the console: bytes for the guest's serial port."""

    input: Text

    @property
    def words(self) -> str:
        return f"Type {self.input.strip()}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.inputs.send(self.input.encode())


class Intercept(Acting):
    """Set or clear an intercept in the control block of AMD-V: the same switch as in the VMCB view."""

    intercept: Annotated[str, AfterValidator(_intercept)]
    on: bool

    @property
    def words(self) -> str:
        return f"Switch the intercept of {self.intercept} {'on' if self.on else 'off'}"

    @property
    def code(self) -> int:
        """Its exit code."""
        return next(each.code for each in INTERCEPTS if each.name == self.intercept)

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.inputs.set_intercept(self.code, on=self.on)


class SwitchTranslator(Acting):
    """Set or clear a switch of the translator: the same as in the view of the translation cache."""

    translator: SwitchName
    on: bool

    @property
    def words(self) -> str:
        return f"Switch {self.switch.phrase} {'on' if self.on else 'off'}"

    @property
    def switch(self) -> Switch:
        """Which."""
        return switch_named(self.translator)

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.inputs.set_translation(self.switch, on=self.on)


class NextUnit(Acting):
    """Until the translator has made another unit, which has not run yet."""

    next_unit: Literal[True]

    @property
    def words(self) -> str:
        return "Run to the translator's next unit"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.run_to_new_code()


class TakeSnapshot(Acting):
    """Keep the VM as it is now under that name, in place of what a former look at the lesson has kept so."""

    take_snapshot: Text

    @property
    def words(self) -> str:
        return "Take a snapshot"

    def perform(self, laboratory: Laboratory) -> None:
        if any(each.name == self.take_snapshot for each in laboratory.snapshots.shelf.kept):
            laboratory.snapshots.shelf.delete(self.take_snapshot)
        laboratory.snapshots.take(self.take_snapshot)


class Revert(Acting):
    """Put the VM back to the newest snapshot."""

    revert: Literal[True]

    @property
    def words(self) -> str:
        return "Revert to the newest snapshot"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.snapshots.revert(newest_kept(laboratory).name)


class Clone(Acting):
    """One more VM from the newest snapshot."""

    clone: Kind

    @property
    def words(self) -> str:
        return f"Clone the newest snapshot under {self.clone}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.snapshots.clone(newest_kept(laboratory).name, self.clone)


class LookAt(Acting):
    """Look at another VM."""

    look_at: Letter

    @property
    def words(self) -> str:
        return f"Look at VM {self.look_at}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.select(self.look_at)


class Elsewhere(Acting):
    """Power a fresh machine on from the newest snapshot: by a file of its own, in the window."""

    elsewhere: Kind

    @property
    def words(self) -> str:
        return f"Export the newest snapshot, and open the file under {self.elsewhere}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.power_on_from(newest_kept(laboratory).snapshot, self.elsewhere)


class Setup(Part):
    """The machine a step begins with: a guest under a kind, from power-on or from some way into its run."""

    guest: Guest
    kind: Kind
    disk: Disk | None = None
    run_to: Label | None = None
    after: AtLeastOne | None = None
    until: TrapPattern | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Setup:
        if sum(given is not None for given in (self.run_to, self.after, self.until)) > 1:
            raise broken_rule("goes into the run in two ways", "Keep one of run_to, after and until.")
        return self

    def acts(self) -> tuple[Act, ...]:
        """The same as acts."""
        load = Load(load=Target(guest=self.guest, kind=self.kind, disk=self.disk))
        if self.run_to is not None:
            return load, RunTo(run_to=self.run_to)
        if self.after is not None:
            return load, Step(step=self.after)
        if self.until is not None:
            return load, Until(until=self.until)
        return (load,)


_BY_KEY: dict[str, type[Acting]] = {
    "load": Load,
    "reset": Reset,
    "step": Step,
    "step_over": StepOver,
    "run": Run,
    "run_to": RunTo,
    "until": Until,
    "input": Type,
    "intercept": Intercept,
    "translator": SwitchTranslator,
    "next_unit": NextUnit,
    "take_snapshot": TakeSnapshot,
    "revert": Revert,
    "clone": Clone,
    "look_at": LookAt,
    "elsewhere": Elsewhere,
    "add_vm": AddVm,
    "weight": Weigh,
    "take_back": TakeBack,
}
ACT_KEYS = tuple(_BY_KEY)


def _which(data: Any) -> str | None:
    if isinstance(data, Acting):
        return type(data).__name__
    if isinstance(data, dict):
        return next((kind.__name__ for key, kind in _BY_KEY.items() if key in data), None)
    return None


Act = Annotated[
    Annotated[Load, Tag("Load")]
    | Annotated[Reset, Tag("Reset")]
    | Annotated[Step, Tag("Step")]
    | Annotated[StepOver, Tag("StepOver")]
    | Annotated[Run, Tag("Run")]
    | Annotated[RunTo, Tag("RunTo")]
    | Annotated[Until, Tag("Until")]
    | Annotated[Type, Tag("Type")]
    | Annotated[Intercept, Tag("Intercept")]
    | Annotated[SwitchTranslator, Tag("SwitchTranslator")]
    | Annotated[NextUnit, Tag("NextUnit")]
    | Annotated[TakeSnapshot, Tag("TakeSnapshot")]
    | Annotated[Revert, Tag("Revert")]
    | Annotated[Clone, Tag("Clone")]
    | Annotated[LookAt, Tag("LookAt")]
    | Annotated[Elsewhere, Tag("Elsewhere")]
    | Annotated[AddVm, Tag("AddVm")]
    | Annotated[Weigh, Tag("Weigh")]
    | Annotated[TakeBack, Tag("TakeBack")],
    Discriminator(_which),
]
Acts = Annotated[tuple[Act, ...], Field(min_length=1, strict=False)]


def address_of(program: Program | None, label: str) -> int:
    """Linear address of a label of the loaded guest."""
    address = program.symbols.get(label) if program else None
    if address is None:
        raise LessonError(
            f"The lesson names the label “{label}”, which {program.name if program else 'no guest'} does not have.",
            "Correct the lesson or the guest.",
        )
    return address


def _refuse_endless(reason: StopReason, words: str) -> None:
    if reason is StopReason.BUDGET:
        raise LessonError(
            f"“{words}” did not come to its end within {LIMIT:,} instructions.", "Give the lesson a nearer goal."
        )
