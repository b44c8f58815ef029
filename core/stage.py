"""Who runs in which ring: the stage on which a kind of monitor lets its guest play.

Rings guard instructions, memory and ports (Intel SDM vol. 3 §5.5); kinds of monitor differ in whom they put where. Each
kind says it of itself (`core.vmm.vmm.Vmm.stage`), so that whoever draws or tells of rings needs to know no kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.events import Ring


class Who(Enum):
    """Who runs in a ring."""

    NOBODY = "nobody"
    PROGRAMS = "programs"
    KERNEL = "kernel"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class StageRing:
    """One ring: who is in it, the occupant's name for people, and a note ("believes: ring 0")."""

    ring: Ring
    who: Who
    occupant: str
    note: str = ""

    @property
    def name(self) -> str:
        """ "ring 3 · user"; ring −1 is written with a true minus sign."""
        return f"{ring_name(self.ring)} · {self.occupant}"


@dataclass(frozen=True, slots=True)
class Belt:
    """A band laid on a ring that something passes through, such as a translation cache; `filled` from 0 to 1."""

    ring: Ring
    label: str
    filled: float


@dataclass(frozen=True, slots=True)
class Stage:
    """The rings there are, innermost first (HOST, where there is one, before ring 0), and the belts on them."""

    rings: tuple[StageRing, ...]
    belts: tuple[Belt, ...] = ()


def ring_name(ring: Ring) -> str:
    """ "ring 3", "ring −1"."""
    return f"ring {ring.value}".replace("-", "−")


def unused(ring: Ring) -> StageRing:
    """A ring in which nobody runs."""
    return StageRing(ring, Who.NOBODY, "unused")


USER = StageRing(Ring.USER, Who.PROGRAMS, "user")
BARE = Stage((StageRing(Ring.KERNEL, Who.KERNEL, "kernel"), unused(Ring.ONE), unused(Ring.TWO), USER))
DEPRIVILEGED = Stage(
    (
        StageRing(Ring.KERNEL, Who.MONITOR, "monitor"),
        StageRing(Ring.ONE, Who.KERNEL, "guest kernel", "believes: ring 0"),
        unused(Ring.TWO),
        USER,
    )
)
PARAVIRTUALIZED = Stage(
    (
        StageRing(Ring.KERNEL, Who.MONITOR, "hypervisor"),
        StageRing(Ring.ONE, Who.KERNEL, "guest kernel", "knows: ring 1"),
        unused(Ring.TWO),
        USER,
    )
)
HARDWARE = Stage((StageRing(Ring.HOST, Who.MONITOR, "hypervisor"), *BARE.rings))
