"""What the picture shows standing still: which rings there are, who lives in each, and where the CPU is.

The picture knows nothing of kinds of monitor: who runs where is the kind's own word (`core.stage`), so that the picture
differs exactly as the truth differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.events import Ring
from core.snapshot import Snapshot
from core.stage import Belt, StageRing, ring_name, unused


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture's facts.

    rings     innermost first; a HOST ring, where there is one, stands beneath ring 0
    belts     bands on rings
    vm        letter of the VM that runs
    at        the ring the CPU is really in
    believed  the ring the guest believes it is in
    """

    rings: tuple[StageRing, ...]
    vm: str
    at: Ring
    believed: Ring
    belts: tuple[Belt, ...] = ()

    def ring(self, ring: Ring) -> StageRing:
        """The scene's ring of that level; one that the scene does not draw reads as unused."""
        return next((candidate for candidate in self.rings if candidate.ring is ring), unused(ring))


def scene_of(snapshot: Snapshot) -> Scene:
    """The scene of a snapshot: its kind's stage, with what the guest believes where it is now."""
    stage = snapshot.stage
    rings = stage.rings
    if snapshot.ring is not snapshot.believed:
        note = f"believes: {ring_name(snapshot.believed)}"
        rings = tuple(replace(ring, note=note) if ring.ring is snapshot.ring else ring for ring in rings)
    return Scene(rings, snapshot.vm, snapshot.ring, snapshot.believed, stage.belts)
