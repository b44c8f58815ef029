"""How a VM is written down: what it is made of, and what it was at an instant. Part of `records`.

Strict on purpose, as all records are. `FORMAT.md` says what each field means.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Sha: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Piece: TypeAlias = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 62)]
Name: TypeAlias = Annotated[str, Field(max_length=255)]
Letter: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]$")]
Words: TypeAlias = Annotated[str, Field(max_length=4096)]


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


class SnapshotRecord(Record):
    """A VM at an instant: what it was made of, its virtual time, and its parts as `core.lab.plain` writes them."""

    letter: Letter
    kind: Name
    memory: Count
    command_line: Words
    program: ProgramRecord
    disk: DiskRecord | None
    modules: Annotated[tuple[ModuleRecord, ...], Field(max_length=1000)]
    executed: Count
    idle: Count
    halted: bool
    interrupted: bool
    end: JsonValue
    cpu: JsonValue
    devices: Annotated[dict[Name, JsonValue], Field(max_length=100)]
    own: JsonValue
    ram: Annotated[tuple[Piece, ...], Field(max_length=4096)]
    console: Sha
