"""The facts of a lab: how it was powered on, what was done to it since, where it stands, what the person had set.

They are enough to have it again exactly, because a run repeats to the byte (`core.timeline`); the machine's own state
is therefore not among them, but for a fingerprint by which one sees that the replay has come to the same. What the
person looked at is theirs and no part of the machine: it is kept beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.timeline.actions import AddVm
from core.timeline.journal import Input, Moment
from core.vm_snapshots.shelf import KeptSnapshot


@dataclass(frozen=True, slots=True)
class Rhythm:
    """After how many instructions and departures a run empties its TLB for a checkpoint: a replay must do the same."""

    instructions: int
    departures: int


@dataclass(frozen=True, slots=True)
class LabFuture:
    """One future, by number; it was forked from `parent` at `forked_at` and run up to `reached`."""

    number: int
    parent: int | None
    forked_at: Moment
    reached: Moment
    journal: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class StopAt:
    """A breakpoint at a linear address; in a program of the guest's, if one is named."""

    address: int
    program: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the person had before them: the views that were open, those in front, and a step of a lesson."""

    open_views: tuple[str, ...] = ()
    in_front: tuple[str, ...] = ()
    lesson: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class Stand:
    """What of a lab changes while it runs, each as `Lab` has it; `reached` is how far the present future was run."""

    present: int
    now: Moment
    reached: Moment
    applied: int
    selected: str
    stops: Mapping[str, tuple[StopAt, ...]]


@dataclass(frozen=True, slots=True)
class Lab:
    """A whole lab.

    first        what it was powered on with
    futures      each with its journal; `present` is the number of the one that counts
    now          where it stands in that one, with the first `applied` inputs of its journal done
    selected     the letter of the VM that is looked at
    stops        breakpoints by VM
    fingerprint  of the machine at `now`; empty: not to be compared
    snapshots    VMs at an instant that the person keeps
    """

    first: AddVm
    rhythm: Rhythm
    futures: tuple[LabFuture, ...]
    present: int
    now: Moment
    applied: int
    selected: str
    stops: Mapping[str, tuple[StopAt, ...]] = field(default_factory=dict)
    fingerprint: str = ""
    desk: Desk = Desk()
    snapshots: tuple[KeptSnapshot, ...] = ()

    @classmethod
    def standing(
        cls,
        first: AddVm,
        rhythm: Rhythm,
        futures: tuple[LabFuture, ...],
        stand: Stand,
        fingerprint: str = "",
        desk: Desk = Desk(),
        snapshots: tuple[KeptSnapshot, ...] = (),
    ) -> Lab:
        """The lab that stands there."""
        reached = (replace(each, reached=stand.reached) if each.number == stand.present else each for each in futures)
        where = stand.present, stand.now, stand.applied, stand.selected, stand.stops
        return cls(first, rhythm, tuple(reached), *where, fingerprint, desk, snapshots)

    @property
    def future(self) -> LabFuture:
        """The present one."""
        return next(each for each in self.futures if each.number == self.present)
