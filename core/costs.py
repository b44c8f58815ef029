"""What departures cost: cycles for each class of work, from published measurements, for a generation of processors.

No emulated CPU can say how many cycles a real one would take; the literature can (Adams & Agesen, ASPLOS 2006; Agesen
et al., ATC 2012; and others, each row names its own). A model observes what happened and never steers it; what it says
is *modelled*, never measured. The figures stand in `assets/costs.toml`, which anyone may correct.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """What cycles go to; `value` names it in data, `short` labels it, `phrase` explains it."""

    DIRECT = ("direct", "direct", "Direct execution")
    TRAPPING = ("trapping", "trapping", "Trapping: into whoever handles it, and back")
    EMULATING = ("emulating", "emulating", "Emulating instructions")
    TRANSLATING = ("translating", "translating", "Translating code")
    PAGING = ("paging", "paging", "Keeping page tables")
    IO = ("io", "I/O", "Devices")
    SWITCHING = ("switching", "switching", "Switching between VMs")

    def __new__(cls, value: str, short: str, phrase: str) -> Part:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, short: str, phrase: str) -> None:
        self.short = short
        self.phrase = phrase

    __hash__ = object.__hash__


class Work(Enum):
    """A class of work that has a price. `value` names its row in `assets/costs.toml`; `meaning` is for people."""

    INSTRUCTION = ("instruction", Part.DIRECT, "An instruction that runs directly.")
    FAULT = ("fault", Part.TRAPPING, "An exception: through a gate into ring 0, and the return.")
    PAGE_FAULT = ("page-fault", Part.TRAPPING, "A page fault: the walk that failed, the gate, the return.")
    SYSTEM_CALL = ("system-call", Part.TRAPPING, "INT n to a kernel, and IRET back.")
    INTERRUPT = ("interrupt", Part.TRAPPING, "An interrupt: acknowledged, through a gate, and the return.")
    PORT = ("port", Part.IO, "IN or OUT of a device, over the bus.")
    DEVICE_MODEL = ("device-model", Part.IO, "A device played by software.")
    EMULATION = ("emulation", Part.EMULATING, "One instruction decoded and emulated by a monitor.")
    REFLECTION = ("reflection", Part.EMULATING, "An event pushed by a monitor into its guest, as a gate would have.")
    SHADOW_FILL = ("shadow-fill", Part.PAGING, "An entry of a shadow page table made from the guest's tables.")
    SHADOW_SWITCH = ("shadow-switch", Part.PAGING, "Another shadow page table made current.")
    TRACE = ("trace", Part.PAGING, "A write to a traced page let through, and the shadow made to follow.")
    EXIT = ("exit", Part.TRAPPING, "#VMEXIT and the VMRUN that goes back in.")
    NESTED_FILL = ("nested-fill", Part.PAGING, "An entry of a nested page table made.")
    CALLOUT = ("callout", Part.TRANSLATING, "Translated code calls its monitor, and returns.")
    ADAPTED_STORE = ("adapted-store", Part.PAGING, "A write to a traced page by a callout in place of a trap.")
    TRANSLATION = ("translation", Part.TRANSLATING, "One instruction translated.")
    HYPERCALL = ("hypercall", Part.TRAPPING, "A guest calls its hypervisor, and returns.")
    WORLD_SWITCH = ("world-switch", Part.SWITCHING, "One VM's state put aside and another's brought in.")

    def __new__(cls, value: str, part: Part, meaning: str) -> Work:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, part: Part, meaning: str) -> None:
        self.part = part
        self.meaning = meaning

    __hash__ = object.__hash__


class Known(Enum):
    """How well a figure is known; `phrase` completes "the figure is …"."""

    SEEN = ("seen", "read in the paper it comes from")
    SECOND = ("second", "read in a text about its source")
    RECALLED = ("recalled", "reported from the literature, whose text could not be opened")
    COMPUTED = ("computed", "computed from other rows, as its source says")
    ASSUMED = ("assumed", "assumed: nobody is known to have published it")
    OWN = ("own", "your own")

    def __new__(cls, value: str, phrase: str) -> Known:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, phrase: str) -> None:
        self.phrase = phrase


@dataclass(frozen=True, slots=True)
class Price:
    """One row: `cycles` of `work`, `cpu` on which it was measured, `source`, and how well it is `known`."""

    work: Work
    cycles: int
    known: Known
    cpu: str
    source: str


@dataclass(frozen=True, slots=True)
class CostModel:
    """The prices of one generation of processors: `name` for settings and data, `title` for people."""

    name: str
    title: str
    prices: Mapping[Work, Price]

    def cycles(self, work: tuple[Work, ...]) -> int:
        """Modelled cycles of a departure that is made of `work`."""
        return sum(self.prices[each].cycles for each in work)

    def by_part(self, done: Mapping[Work, int]) -> dict[Part, int]:
        """Modelled cycles for each part, of so many pieces of each class of work; parts without any are left out."""
        found: dict[Part, int] = {}
        for work, count in done.items():
            if count:
                found[work.part] = found.get(work.part, 0) + count * self.prices[work].cycles
        return found
