"""What a guest has told its own kind of monitor: the part of a VM that another kind could not go on with.

Most of a VM is the same whoever monitors it: its memory, its devices, its processor. A guest that knows of its monitor
has made arrangements with it beside: a page that is a ring for a driver, a table of handlers (Barham et al., SOSP 2003,
§3; Russell, "virtio", OSR 2008). These are kept as plain values, and whoever takes them up judges them as it judged the
guest's calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class RingPages:
    """Under hardware assistance: pages that the guest's own drivers use as rings, as (ring, page)."""

    what: ClassVar = "rings for the drivers"
    where: ClassVar = "a hardware-assisted kind"

    pages: tuple[tuple[int, int], ...]


OwnState = RingPages
