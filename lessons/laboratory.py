"""What a lesson needs of the lab: to act on it as a person would, and to look at it as a person can.

`core.session.Session` is the real one. A lesson never asks it *how* it did something, only what can be read from the
machine afterwards; that is gathered once into an `Evidence`, on which all predicates are examined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.cpu import flags
from core.devices.disk_image import DiskImage
from core.errors import RequestError
from core.events import Cause, StopReason, Trap
from core.guests.image import Program
from core.snapshot import Register, Snapshot
from core.translations import GuestInstruction, SeenCache, Switch
from core.vm_snapshots.divergence import Divergence, between, from_image
from core.vm_snapshots.shelf import KeptSnapshot, Shelf
from core.vm_snapshots.vm_snapshot import VmSnapshot

TRAPS_KEPT = 65_536


class LaboratoryVms(Protocol):
    """The part of `core.session.vms.Vms` that lessons use."""

    def add(self, program: Program, kind: str, *, disk: DiskImage | None = None) -> str: ...

    def set_weight(self, letter: str, weight: int) -> None: ...

    def balloon(self, letter: str, taken: int) -> None: ...


class LaboratoryInputs(Protocol):
    """The part of `core.session.inputs.Inputs` that lessons use."""

    def send(self, data: bytes) -> None: ...

    def set_intercept(self, code: int, *, on: bool) -> None: ...

    def set_translation(self, switch: Switch, *, on: bool) -> None: ...


class LaboratorySnapshots(Protocol):
    """The part of `core.session.snapshots.Snapshots` that lessons use."""

    @property
    def shelf(self) -> Shelf: ...

    def now(self, letter: str = "") -> VmSnapshot: ...

    def take(self, name: str = "", letter: str = "") -> KeptSnapshot: ...

    def revert(self, name: str, letter: str = "") -> None: ...

    def clone(self, name: str, kind: str = "") -> str: ...


class Laboratory(Protocol):
    """The part of `core.session.Session` that lessons use."""

    @property
    def program(self) -> Program | None: ...

    @property
    def vms(self) -> LaboratoryVms: ...

    @property
    def inputs(self) -> LaboratoryInputs: ...

    @property
    def snapshots(self) -> LaboratorySnapshots: ...

    def load(self, program: Program, kind: str, *, disk: DiskImage | None = None) -> None: ...

    def reset(self) -> None: ...

    def run(self, limit: int | None = None) -> StopReason: ...

    def step(self, count: int = 1) -> StopReason: ...

    def step_over(self) -> StopReason: ...

    def run_to(self, address: int, limit: int | None = None) -> StopReason: ...

    def run_until(self, found: Callable[[Trap], bool], limit: int) -> StopReason: ...

    def run_to_new_code(self) -> StopReason: ...

    def translation_cache(self) -> SeenCache | None: ...

    def translated(self, linear: int) -> GuestInstruction | None: ...

    def power_on_from(self, snapshot: VmSnapshot, kind: str = "") -> None: ...

    def select(self, letter: str) -> None: ...

    def snapshot(
        self, since_trap: int = 0, since_console: int = 0, *, max_traps: int = 2000, listing: int = 48
    ) -> Snapshot: ...

    def close(self) -> None: ...


# Fields that people speak of as registers of their own: which register, from which bit, how many bits.
REGISTER_FIELDS = {
    "CF": ("EFLAGS", 0, 1),
    "ZF": ("EFLAGS", 6, 1),
    "TF": ("EFLAGS", 8, 1),
    "IOPL": ("EFLAGS", flags.IOPL_SHIFT, 2),
    "PE": ("CR0", 0, 1),
    "TS": ("CR0", flags.CR0_TS.bit_length() - 1, 1),
    "PG": ("CR0", flags.CR0_PG.bit_length() - 1, 1),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One value as the guest believes it and as the CPU holds it; `digits` in hexadecimal, 0 for decimal."""

    believed: int
    real: int
    digits: int

    def spelled(self, value: int) -> str:
        """`value` as people read it here: a flag as 0 or 1, a register in hexadecimal."""
        return f"0x{value:0{self.digits}x}" if self.digits else str(value)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The machine at one virtual time, with all its traps and its whole console, ready to be examined. `cache` is its
    translation cache, if it has one; `translated` says what the instruction at a linear address became; `diverged` how
    far the selected VM has come from its image or from the newest of the `snapshots_kept` since power-on."""

    program: Program
    snapshot: Snapshot
    console: str
    _registers: dict[str, Register] = field(repr=False)
    cache: SeenCache | None = field(default=None, repr=False)
    translated: Callable[[int], GuestInstruction | None] = field(default=lambda _linear: None, repr=False)
    snapshots_kept: int = 0
    diverged: Callable[[str], Divergence | None] = field(default=lambda _other: None, repr=False)

    def reading(self, name: str) -> Reading | None:
        """A register or one of `REGISTER_FIELDS` by name, in either case; None if this machine has none such."""
        name = name.upper()
        if name in REGISTER_FIELDS:
            whole, shift, width = REGISTER_FIELDS[name]
            register, mask = self._registers.get(whole), (1 << width) - 1
            if register is None:
                return None
            return Reading(register.believed >> shift & mask, register.real >> shift & mask, 0)
        register = self._registers.get(name)
        if register is None:
            return None
        return Reading(register.believed, register.real, register.bits // 4 if register.bits >= 8 else 0)

    def count(self, cause: Cause) -> int:
        """How often `cause` has occurred since power-on."""
        return dict(self.snapshot.causes).get(cause, 0)


def observe(laboratory: Laboratory) -> Evidence:
    """Read everything a predicate may ask about."""
    if laboratory.program is None:
        raise RequestError("No guest is loaded.", "Load one, or set the step up again.")
    snapshot = laboratory.snapshot(0, 0, max_traps=TRAPS_KEPT, listing=0)
    return Evidence(
        laboratory.program,
        snapshot,
        snapshot.console.decode(errors="replace"),
        {register.name.upper(): register for register in snapshot.registers},
        laboratory.translation_cache(),
        laboratory.translated,
        len(kept_here(laboratory)),
        lambda other: _diverged(laboratory, other),
    )


def kept_here(laboratory: Laboratory) -> tuple[KeptSnapshot, ...]:
    """The snapshots that were taken since this power-on, newest last."""
    return tuple(each for each in laboratory.snapshots.shelf.kept if each.snapshot.program is laboratory.program)


def newest_kept(laboratory: Laboratory) -> KeptSnapshot:
    """The newest of them; a RequestError if there is none."""
    kept = kept_here(laboratory)
    if not kept:
        raise RequestError("No snapshot has been taken yet.", "Take one.")
    return kept[-1]


def _diverged(laboratory: Laboratory, other: str) -> Divergence | None:
    now = laboratory.snapshots.now()
    if other == "image":
        return from_image(now)
    kept = kept_here(laboratory)
    return between(now, kept[-1].snapshot) if kept else None
