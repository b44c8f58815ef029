"""How a lab is written down: the manifest of a lab file, field by field.

Strict on purpose: a field that is missing, unknown, of another type or out of bounds makes the file foreign. Bytes lie
in blobs beside the manifest and are named by their SHA-256. `FORMAT.md` says what each field means.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from core.lab.vm_records import Count, DiskRecord, Letter, ModuleRecord, Name, ProgramRecord, Record, Sha, Words

FORMAT: Final = "ringside lab"
VERSION: Final = 2

Address: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 32)]
MomentRecord: TypeAlias = tuple[Count, bool, Count]  # virtual time, at the threshold?, instructions
Value: TypeAlias = bool | int | str | None


class VmRecord(Record):
    """A VM as it was powered on, or, with a `snapshot`, as it went on from that."""

    kind: Name
    memory: Count
    weight: Count
    cap: Count | None
    command_line: Words
    program: ProgramRecord
    disk: DiskRecord | None
    modules: Annotated[tuple[ModuleRecord, ...], Field(max_length=1000)]
    snapshot: Sha | None = None


class ActRecord(Record):
    """Something that came from outside: `do` names an action; `given` are its values, or `vm` for one more VM."""

    at: MomentRecord
    do: Name
    given: Annotated[dict[Name, Value], Field(max_length=16)] = {}  # noqa: RUF012 - the model copies it
    vm: VmRecord | None = None


class FutureRecord(Record):
    """One future of the machine."""

    number: Count
    parent: Count | None
    forked_at: MomentRecord
    reached: MomentRecord
    journal: tuple[ActRecord, ...]


class StopRecord(Record):
    """A breakpoint."""

    address: Address
    program: Name


class RhythmRecord(Record):
    """How often a run empties its TLB for a checkpoint."""

    instructions: Annotated[int, Field(ge=1, lt=1 << 62)]
    departures: Annotated[int, Field(ge=1, lt=1 << 62)]


class DeskRecord(Record):
    """What the person had before them."""

    open_views: Annotated[tuple[Name, ...], Field(max_length=1000)]
    in_front: Annotated[tuple[Name, ...], Field(max_length=1000)]
    lesson: Name
    step: Count


class KeptRecord(Record):
    """A snapshot that the person keeps."""

    name: Name
    snapshot: Sha
    machine_time: Count


class Manifest(Record):
    """The whole."""

    format: Literal["ringside lab"]
    version: Literal[1, 2]
    made_by: Name
    first: VmRecord
    rhythm: RhythmRecord
    futures: Annotated[tuple[FutureRecord, ...], Field(min_length=1, max_length=10_000)]
    present: Count
    now: MomentRecord
    applied: Count
    selected: Letter
    stops: dict[Letter, tuple[StopRecord, ...]]
    fingerprint: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    desk: DeskRecord
    snapshots: Annotated[tuple[KeptRecord, ...], Field(max_length=100)] = ()
