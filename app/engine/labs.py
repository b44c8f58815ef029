"""Whole labs in the engine: opened in slices, saved when the person asks, and kept on disk as they grow.

What is kept is for the case that the window or the computer dies: a folder with the lab as it was some seconds ago. It
is written when something came from outside, or when the machine has moved on for a while; never while nothing happens.
The writer of labs, slow to import, is imported when there is something to write, so that an engine starts the sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.tasks import Task
from core.errors import LabError, UserError
from core.events import StopReason
from core.lab.archive import Folder
from core.lab.lab import Desk, Lab

if TYPE_CHECKING:
    from core.session import Session

BEING_OPENED = "The lab is still being opened."
SOON, LATER = 2.0, 10.0  # seconds from one keeping to the next: after an input, and when only time has passed


def opening(
    session: Session,
    lab: Lab,
    powered_on: Callable[[], None],
    opened: Callable[[], None],
    refused: Callable[[UserError], None],
) -> Task:
    """Bring the session to this lab. Stopped on the way, it stands there, with the rest of its past still to come."""
    under_way = session.lab.opening(lab, powered_on)
    over = False

    def slice_of_it(_: int | None) -> StopReason:
        nonlocal over
        try:
            next(under_way)
        except StopIteration:
            over = True
            opened()
        except UserError as error:
            over = True
            refused(error)
        return StopReason.BUDGET

    def abandon() -> None:
        under_way.close()
        if not over:
            opened()

    return Task(slice_of_it, is_there=lambda: over, standing=True, busy=BEING_OPENED, breaks=False, abandon=abandon)


class Keeper:
    """Saves the session's lab, and keeps it in a folder."""

    def __init__(self, session: Session, clock: Callable[[], float]) -> None:
        self._session, self._clock = session, clock
        self._folder: Folder | None = None
        self._desk = Desk()
        self._kept: tuple[object, ...] = ()
        self._next = 0.0

    def save(self, path: Path, desk: Desk) -> None:
        """To a file; a UserError if that cannot be."""
        from app.cli.version import version
        from core.lab.files import save_lab

        save_lab(self._session.lab.facts(desk), path, version())

    def keep_in(self, folder: Path, desk: Desk) -> None:
        """Keep the lab there from now on, with this desk."""
        self._folder, self._desk, self._kept = Folder(folder), desk, ()

    @property
    def due_in(self) -> float | None:
        """Seconds until there is something to keep; None: nothing is."""
        if self._folder is None or self._session.program is None:
            return None
        now = self._what()
        if now == self._kept:
            return None
        soon = now[:-1] != self._kept[:-1]
        return max(self._next + (SOON if soon else LATER) - self._clock(), 0.0)

    def keep(self) -> None:
        """Keep it, if it is time to. A LabError, once, if that cannot be."""
        if self._folder is None or self.due_in != 0.0:
            return
        from app.cli.version import version
        from core.lab.files import keep_lab

        self._kept, self._next = self._what(), self._clock()
        try:
            keep_lab(self._session.lab.facts(self._desk, proven=False), self._folder, version())
        except OSError as error:
            place, self._folder = str(self._folder.path), None
            raise LabError(
                f"The lab is not kept for the case of a crash: {error.strerror}.", "Save it now and then.", place
            ) from None

    def _what(self) -> tuple[object, ...]:
        """What there is to keep, by what changes; the time last."""
        session = self._session
        done = len(session.travel.journal), session.snapshots.shelf.changes
        return session.generation, done, session.breakpoints, session.selected, session.machine_time
