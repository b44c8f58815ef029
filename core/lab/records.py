"""How a lab is written down: the manifest of a lab file, field by field.

Strict on purpose: a field that is missing, unknown, of another type or out of bounds makes the file foreign. Bytes lie
in blobs beside the manifest and are named by their SHA-256. `FORMAT.md` says what each field means.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Final = "ringside lab"
VERSION: Final = 1

Sha: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 62)]
Name: TypeAlias = Annotated[str, Field(max_length=255)]
Letter: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]$")]
Words: TypeAlias = Annotated[str, Field(max_length=4096)]
Address: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 32)]
MomentRecord: TypeAlias = tuple[Count, bool, Count]  # virtual time, at the threshold?, instructions
Value: TypeAlias = bool | int | str | None


class Record(BaseModel):
    """Neither more nor less than its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceRecord(Record):
    """A source file, as it was assembled or compiled."""

    name: Name
    text: Sha


class ProgramRecord(Record):
    """A guest: its image as it was read, and the sources of it and of the programs that it carries."""

    name: Name
    title: Words
    summary: Words
    file: Name
    form: Literal["elf", "flat"]
    image: Sha
    sources: Annotated[tuple[SourceRecord, ...], Field(max_length=1000)]
    carried: Annotated[dict[Name, tuple[SourceRecord, ...]], Field(max_length=1000)]


class DiskRecord(Record):
    """A disk as it was given to a VM; what the guest wrote comes by the replay."""

    name: Name
    data: Sha


class ModuleRecord(Record):
    """A boot module."""

    name: Name
    string: Words
    data: Sha


class VmRecord(Record):
    """A VM as it was powered on."""

    kind: Name
    memory: Count
    weight: Count
    cap: Count | None
    command_line: Words
    program: ProgramRecord
    disk: DiskRecord | None
    modules: Annotated[tuple[ModuleRecord, ...], Field(max_length=1000)]


class ActRecord(Record):
    """Something that came from outside: `do` names an action; `given` are its values, or `vm` for one more VM."""

    at: MomentRecord
    do: Name
    given: Annotated[dict[Name, Value], Field(max_length=16)] = {}
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


class Manifest(Record):
    """The whole."""

    format: Literal["ringside lab"]
    version: Literal[1]
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
