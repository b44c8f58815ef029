"""Values a lesson may name, each checked where it is read: guests, kinds of monitor, causes, registers, labels."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from core.events import Cause
from core.guests.catalog import hole_guests, shipped_guests
from core.translations import CacheCounters, Ran, Switch
from core.vmm import kinds
from core.vmm.intercepts import INTERCEPTS
from core.vmm.vmcb import FIELD
from lessons.laboratory import REGISTER_FIELDS
from lessons.part import broken_rule, one_of

# The views that a lesson may point at.
VIEWS = (
    *("rings", "code", "registers", "traps", "console", "memory", "bytes", "walk", "screen", "holes", "vmcb"),
    *("translation", "cache", "compare", "snapshots", "vms"),
)
VIEWS_OF_LABELS = ("code", "bytes", "walk", "translation")  # in these, a label of the guest can be pointed at
IN_VMCB = frozenset(FIELD) | {each.name for each in INTERCEPTS}  # what the VMCB view can be pointed at

COUNTERS = tuple(each.name for each in fields(CacheCounters))
WAYS = tuple(each.name for each in fields(Ran))  # in which an instruction can have run under binary translation

# The registers of the lab by name, beside their fields; under every kind they are the same.
REGISTER_NAMES = (
    *("EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"),
    *("EIP", "EFLAGS", "IF", "CPL"),
    *("CS", "DS", "ES", "FS", "GS", "SS"),
    *("CR0", "CR2", "CR3", "CR4", "GDTR", "IDTR", "LDTR", "TR"),
    *REGISTER_FIELDS,
)


def lesson_folder(info: ValidationInfo) -> Path:
    """The folder of the lesson being read, which the loader hands to validation."""
    folder = (info.context or {}).get("folder")
    return folder if isinstance(folder, Path) else Path()


def _guest(name: str, info: ValidationInfo) -> str:
    if name.endswith((".s", ".S")):
        source = lesson_folder(info) / name
        if not source.is_file():
            raise broken_rule(f"names a guest “{name}” that is not in the lesson's folder", "Put its source there.")
        return str(source)
    if name not in (shipped := shipped_guests()) and name not in hole_guests():
        raise broken_rule(f"names an unknown guest “{name}”", one_of([*shipped, "a .s file in the lesson's folder"]))
    return name


def _kind(name: str) -> str:
    if name not in (known := kinds()):
        raise broken_rule(f"names an unknown kind of monitor “{name}”", one_of(known))
    return name


def _cause(name: str) -> str:
    known = [cause.value for cause in Cause]
    if name not in known:
        raise broken_rule(f"names an unknown cause “{name}”", one_of(known))
    return name


def _register(name: str) -> str:
    if name.upper() not in REGISTER_NAMES:
        raise broken_rule(f"names an unknown register “{name}”", one_of(REGISTER_NAMES))
    return name.upper()


def view_name(name: str) -> str:
    """`name`, if a view is called so."""
    if name not in VIEWS:
        raise broken_rule(f"names an unknown view “{name}”", one_of(VIEWS))
    return name


def switch_named(name: str) -> Switch:
    """The translator's switch of that name, which there must be."""
    return next(each for each in Switch if each.value == name)


def _switch(name: str) -> str:
    if name not in (known := [each.value for each in Switch]):
        raise broken_rule(f"names an unknown switch of the translator “{name}”", one_of(known))
    return name


def counter_name(name: str) -> str:
    """`name`, if the translator has such a counter."""
    if name not in COUNTERS:
        raise broken_rule(f"names an unknown counter of the translator “{name}”", one_of(COUNTERS))
    return name


def _disk(name: str, info: ValidationInfo) -> str:
    image = lesson_folder(info) / name
    if not image.is_file():
        raise broken_rule(f"names a disk “{name}” that is not in the lesson's folder", "Put its image there.")
    return str(image)


Text = Annotated[str, Field(min_length=1)]
Label = Text  # of the guest; whether the guest has it is known once it is assembled
Guest = Annotated[str, AfterValidator(_guest)]  # a shipped guest's name, or the path of the lesson's own source
Disk = Annotated[str, AfterValidator(_disk)]  # the path of the lesson's own image
Letter = Annotated[str, Field(pattern="^[A-Z]$")]  # of a VM
Kind = Annotated[str, AfterValidator(_kind)]
CauseName = Annotated[str, AfterValidator(_cause)]
RegisterName = Annotated[str, AfterValidator(_register)]
SwitchName = Annotated[str, AfterValidator(_switch)]
CounterName = Annotated[str, AfterValidator(counter_name)]
ViewName = Annotated[str, AfterValidator(view_name)]
RingNumber = Annotated[int, Field(ge=-1, le=3)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
