"""What some views can do beyond what every view can; the window asks a view whether it can."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance

from app.models.heat import Counters
from core.looks import Look
from core.snapshot import Snapshot


@runtime_checkable
class KeepsHistory(Protocol):
    """A view that must not miss what a snapshot carries only once: the traps, the bytes of the console."""

    def keep(self, snapshot: Snapshot) -> None:
        """Take in what is new. Called with every snapshot, before `show_snapshot` and also while hidden: be quick."""


@runtime_checkable
class HasAnchors(Protocol):
    """A view in which a lesson can point at something: a register by its name, a label of the guest."""

    def point_at(self, anchor: str) -> None:
        """Bring it into sight and mark it; what is unknown is passed over."""


@runtime_checkable
class LooksAtMemory(Protocol):
    """A view that shows something of memory; while it is in sight, snapshots carry what it looks at.

    lookChanged is emitted when `look` gives something else than before.
    """

    lookChanged: SignalInstance

    @property
    def look(self) -> Look:
        """What it looks at."""


@runtime_checkable
class WatchesCounters(Protocol):
    """A view that shows how often memory is used, from the probes' own counters."""

    def watch_counters(self, counters: Counters) -> None:
        """Read these from now on, while in sight."""
