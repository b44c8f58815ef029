"""What the window has seen, and so what it is to be told next, and when.

It is told by pictures, at most thirty a second, each only when it has taken the last; what has happened since that is
in the next. After a journey in time it is told anew, since what it knew is no past of what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from app.engine import protocol
from app.engine.futures import FuturesTeller
from app.engine.shelving import ShelfTeller
from core.guests.start import NOTHING, StartWith

if TYPE_CHECKING:
    from core.events import StopReason
    from core.session import Session

SNAPSHOT_PERIOD = 1 / 30
IDLE_PERIOD = 5.0  # between snapshots of a guest that does nothing but answer its timer
IDLE_INSTRUCTIONS = 500_000  # what answering a timer takes at most in that time
TRAPS_AGAIN = 2_000  # the newest, after a journey


class Audience:
    """The window, as the engine's loop knows it.

    stale  is there something that the window has not seen?
    ready  can it take a snapshot?
    asked  has the person asked for anything since the last?
    acts   how many `protocol.Act` have been obeyed
    first  generation of the first machine less one: generations go on counting over engines
    """

    def __init__(self, session: Session, first: int) -> None:
        self.stale = False
        self.ready = True
        self.asked = False
        self.acts = 0
        self.shelf = ShelfTeller(session)
        self._session = session
        self._first = first
        self._futures = FuturesTeller()
        self._next_at = 0.0
        self._vm = ""
        self._generation = 0
        self._traps = self._console = self._executed = 0

    def fresh_machine(self) -> None:
        """Nothing of this machine has been seen."""
        self._vm, self._generation = self._session.selected, self._session.generation
        self._traps = self._console = self._executed = 0
        self.stale = True

    # -- when

    @property
    def saw_nearly_all(self) -> bool:
        """Has no more happened since than that the guest's timer was answered?"""
        session = self._session
        return (
            not self.asked
            and session.machine_executed - self._executed < IDLE_INSTRUCTIONS
            and session.console_length == self._console
        )

    def due(self, *, idle: bool) -> float:
        """The clock time at which it may be told the news: sooner if they are more than that the timer has ticked."""
        return self._next_at + (IDLE_PERIOD - SNAPSHOT_PERIOD if idle else 0.0)

    def hurry(self, now: float) -> None:
        """The person waits for the next picture."""
        self._next_at = now

    # -- what

    def news(self, now: float, *, running: bool, stop: StopReason | None, sentence: str) -> Iterator[protocol.Message]:
        """A picture of the machine, and before it, if another VM is looked at, what runs in that."""
        session = self._session
        self.stale = False
        self._next_at = now + SNAPSHOT_PERIOD
        if session.generation != self._generation:
            self._generation = session.generation
            self._traps = max(session.traps.count - TRAPS_AGAIN, 0)
            self._console = self._executed = 0
        if session.selected != self._vm and session.program is not None:
            self._vm, self._console = session.selected, 0
            yield protocol.Selected(session.selected, session.program, session.kind)
        snapshot = session.snapshot(self._traps, self._console, running=running)
        self._traps, self._console = snapshot.trap_count, snapshot.console_length
        self._executed, self.asked = session.machine_executed, False
        self.ready = False
        generation = self._first + snapshot.generation
        yield protocol.Updated(
            replace(snapshot, generation=generation, stop=stop, sentence=sentence),
            self.acts,
            self._futures.news(session.lab.futures),
            session.lab.stand,
        )

    def loaded(self, name_or_path: str, start: StartWith = NOTHING, lab: str = "") -> protocol.Loaded:
        """What was powered on."""
        begun, generation = self._session.lab.begun, self._first + self._session.snapshot().generation
        first = begun.first
        return protocol.Loaded(first.program, first.kind, generation, name_or_path, start, lab, begun)
