"""What every act of a lesson is: something that a person could do to the machine, told and performed."""

from __future__ import annotations

from core.guests.start import StartWith
from lessons.laboratory import Laboratory
from lessons.names import Disk, Guest, Kind
from lessons.part import Part


class Acting(Part):
    """Base of all acts."""

    @property
    def words(self) -> str:
        """What the person would do, as an imperative."""
        raise NotImplementedError

    def perform(self, laboratory: Laboratory) -> None:
        """Do it. A `UserError` says why it cannot be done."""
        raise NotImplementedError


class Target(Part):
    """A guest under a kind of monitor, with a disk if the lesson has one for it."""

    guest: Guest
    kind: Kind
    disk: Disk | None = None

    @property
    def start(self) -> StartWith:
        """What the guest is given."""
        return StartWith(disk=self.disk or "")
