"""How far two instants of a VM lie apart, for the eye: a number for each page and sector, and the whole in words.

Where the VM is there to be looked at, a page that differs has the number of what its guest uses it for, so that one
sees not only how much has changed but what.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

from app.models.memory_map import LegendLine
from app.models.numerals import grouped
from core.looks import PhysicalMap
from core.vm_snapshots.divergence import Diverged, Divergence
from core.vm_snapshots.shelf import SnapshotFact

Numbers = npt.NDArray[np.uint8]
FEWEST = 512  # cells of a map, which is longer only if something beyond differs
SAME, DIFFERS = "as it was", "differs"


class Sides(Enum):
    """Which two instants are compared; `value` says it."""

    KEPT_AND_IMAGE = "Snapshot vs image"
    NOW_AND_IMAGE = "VM vs image"
    NOW_AND_KEPT = "VM vs snapshot"


def found_between(sides: Sides, kept: SnapshotFact | None, now: Diverged | None) -> Divergence | None:
    """What is known of that pair; None: nothing."""
    if sides is Sides.KEPT_AND_IMAGE:
        return kept.diverged if kept is not None else None
    if now is None:
        return None
    if sides is Sides.NOW_AND_IMAGE:
        return now.from_image
    return dict(now.from_snapshots).get(kept.name) if kept is not None else None


def sentence(sides: Sides, kept: SnapshotFact | None, now: Diverged | None) -> str:
    """All of it in a sentence; empty if nothing is known."""
    found = found_between(sides, kept, now)
    if found is None:
        return ""
    if sides is Sides.KEPT_AND_IMAGE or now is None:
        who, what = f"“{kept.name}”" if kept is not None else "", "its image"
    else:
        who = f"VM {now.letter} at {grouped(now.time)}"
        what = "its image" if sides is Sides.NOW_AND_IMAGE or kept is None else f"“{kept.name}”"
    if not found.pages and not found.sectors:
        return f"{who} has the memory and disk of {what}, byte for byte."
    return f"{who} differs from {what} in {words(found)}: {size(found.bytes)}."


def words(found: Divergence) -> str:
    """How many of how many."""
    pages = f"{grouped(found.pages)} of {grouped(found.of_pages)} pages"
    if not found.of_sectors:
        return pages
    return f"{pages} and {grouped(found.sectors)} of {grouped(found.of_sectors)} sectors"


def short(found: Divergence) -> str:
    """For a cell of a table."""
    pages = f"{grouped(found.pages)} page{'s' * (found.pages != 1)}"
    return f"{pages}, {grouped(found.sectors)} sector{'s' * (found.sectors != 1)}" if found.sectors else pages


def size(count: int) -> str:
    """So many bytes, in a unit that suits them."""
    if count < 1 << 20:
        return f"{count / 1024:.0f} KiB" if count >= 1024 else f"{count} bytes"
    return f"{count / (1 << 20):.1f} MiB"


def cells(bits: bytes, count: int, uses: Numbers | None = None) -> Numbers:
    """A number for each page or sector as far as any differs, and for `FEWEST` at least: 0 where it is the same, else
    1, or with `uses` one more than the number of its use."""
    differs = np.unpackbits(np.frombuffer(bits, np.uint8), count=count, bitorder="little")
    shown, last = FEWEST, np.flatnonzero(differs)
    while last.size and shown <= last[-1]:
        shown *= 2
    numbers = differs[:shown].astype(np.uint8)
    if uses is None or len(uses) < len(numbers):
        return numbers
    return numbers * (uses[: len(numbers)] + np.uint8(1))


def legend(numbers: Numbers, seen: PhysicalMap | None) -> tuple[LegendLine, ...]:
    """The uses of the pages that differ, those of most pages first."""
    if seen is None:
        return ()
    counts = np.bincount(numbers, minlength=1)
    lines = [
        LegendLine(code, seen.legend[code - 1].name, f"{seen.legend[code - 1].meaning} So many of them differ.", int(n))
        for code, n in enumerate(counts)
        if code and n
    ]
    return tuple(sorted(lines, key=lambda line: -line.count))


def uses_of(seen: PhysicalMap) -> Numbers:
    """The number of each page's use."""
    return np.frombuffer(seen.uses, np.uint8)
