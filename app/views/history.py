"""Views that must not miss anything, visible or not: what a snapshot carries only once."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from core.snapshot import Snapshot


@runtime_checkable
class KeepsHistory(Protocol):
    """A view that is given every snapshot, so that it can keep the traps and the console bytes in it."""

    def keep(self, snapshot: Snapshot) -> None:
        """Take in what is new. Called with every snapshot, before `show_snapshot` and also while hidden: be quick."""
