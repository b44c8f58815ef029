"""What the picture shows standing still: which rings there are, who lives in each, and where the CPU is.

The picture knows nothing of kinds of monitor; a kind is only another row of `_STAGES`, so that it differs exactly as
the truth differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from core.events import Ring
from core.snapshot import Snapshot


class Who(Enum):
    """Who runs in a ring."""

    NOBODY = "nobody"
    PROGRAMS = "programs"
    KERNEL = "kernel"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class SceneRing:
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
class Scene:
    """The picture's facts.

    rings     innermost first; a HOST ring, where there is one, stands beneath ring 0
    belts     bands on rings
    vm        letter of the VM that runs
    at        the ring the CPU is really in
    believed  the ring the guest believes it is in
    """

    rings: tuple[SceneRing, ...]
    vm: str
    at: Ring
    believed: Ring
    belts: tuple[Belt, ...] = ()

    def ring(self, ring: Ring) -> SceneRing:
        """The scene's ring of that level; one that the scene does not draw reads as unused."""
        for candidate in self.rings:
            if candidate.ring is ring:
                return candidate
        return _unused(ring)


def ring_name(ring: Ring) -> str:
    """ "ring 3", "ring −1"."""
    return f"ring {ring.value}".replace("-", "−")


def scene_of(snapshot: Snapshot) -> Scene:
    """The scene of a snapshot. A kind without a stage of its own gets plain rings, which claim nothing."""
    rings: tuple[SceneRing, ...] = _STAGES.get(snapshot.kind, _PLAIN)
    if snapshot.ring is not snapshot.believed:
        note = f"believes: {ring_name(snapshot.believed)}"
        rings = tuple(replace(ring, note=note) if ring.ring is snapshot.ring else ring for ring in rings)
    return Scene(rings, snapshot.vm, snapshot.ring, snapshot.believed)


def _unused(ring: Ring) -> SceneRing:
    return SceneRing(ring, Who.NOBODY, "unused")


_USER = SceneRing(Ring.USER, Who.PROGRAMS, "user")
_PLAIN = (
    SceneRing(Ring.KERNEL, Who.KERNEL, "kernel"),
    SceneRing(Ring.ONE, Who.KERNEL, "kernel"),
    SceneRing(Ring.TWO, Who.KERNEL, "kernel"),
    _USER,
)
_STAGES = MappingProxyType(
    {
        "bare": (
            SceneRing(Ring.KERNEL, Who.KERNEL, "kernel"),
            _unused(Ring.ONE),
            _unused(Ring.TWO),
            _USER,
        ),
        "trap_emulate": (
            SceneRing(Ring.KERNEL, Who.MONITOR, "monitor"),
            SceneRing(Ring.ONE, Who.KERNEL, "guest kernel", "believes: ring 0"),
            _unused(Ring.TWO),
            _USER,
        ),
    }
)
