"""What the window keeps for the next engine, should this one die: the lab as it was seen last, and all that is owed.

The engine tells of each future and input once, and with each picture where the lab stands; what a person had it do is
kept here until it says that it has obeyed. So a successor stands where the lab was seen, and is told what is left. Of a
guest that kills one engine after the other, three in a row are given it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from app.engine import protocol
from app.engine.futures import FuturesListener
from core.lab.lab import Lab
from core.looks import Look

if TYPE_CHECKING:
    from core.lab.lab import Stand
    from core.vm_snapshots.shelf import KeptSnapshot, SnapshotFact

TRIES = 3  # engines that are given the same guest again before all that was asked of it has been done

Setting: TypeAlias = protocol.SetSpeed | protocol.SetBreakpoints | protocol.LookAt | protocol.KeepLab
"""What stays as the person set it, whichever engine there is."""


class Succession:
    """Listens to what is sent to the present engine and to what comes back.

    loaded   what was powered on last; None: no guest, or one that killed its engines
    shelf    the snapshots of VMs that are kept, in short
    in_vain  have so many engines died of the same that there shall be no other with this guest?
    """

    def __init__(self) -> None:
        self.loaded: protocol.Loaded | None = None
        self.shelf: tuple[SnapshotFact, ...] = ()
        self._kept: dict[int, KeptSnapshot] = {}  # whole, by number
        self._futures = FuturesListener()
        self._stand: Stand | None = None
        self._settings: dict[type[Setting], Setting] = {}
        for each in (protocol.SetSpeed(None), protocol.SetBreakpoints(frozenset()), protocol.LookAt(Look())):
            self.set(each)
        self._acts: deque[protocol.Act] = deque()  # what the engine may not have obeyed yet
        self._acts_in_all = 0  # to this engine
        self._deaths = 0  # since all was well

    # -- what is said to the engine

    def set(self, setting: Setting) -> bool:
        """The person has set this; is it another than before?"""
        before = self._settings.get(type(setting))
        self._settings[type(setting)] = setting
        return setting != before

    def sent(self, command: protocol.Command) -> None:
        """The engine has been given this."""
        if isinstance(command, protocol.Act):
            self._acts.append(command)
            self._acts_in_all += 1

    @property
    def keeps_lab(self) -> bool:
        """Was it said where the lab is to be kept?"""
        return protocol.KeepLab in self._settings

    # -- what the engine says

    def powered_on(self, loaded: protocol.Loaded, *, again: bool) -> None:
        """A machine is on. `again`: that of a lab that is had again, so that it stands where it was."""
        self.loaded = loaded
        if not again:
            self._stand = None

    def seen(self, updated: protocol.Updated) -> None:
        """This is what the person sees now, and what was obeyed by then."""
        while len(self._acts) > self._acts_in_all - updated.acts:
            self._acts.popleft()
        if not self._acts:
            self._deaths = 0
        if updated.futures is not None:
            self._futures.hear(updated.futures)
        self._stand = updated.stand

    def shelved(self, told: protocol.Shelved) -> None:
        """There are other snapshots of VMs."""
        self.shelf = told.facts
        known = self._kept | {each.number: each for each in told.new}
        self._kept = {fact.number: replace(known[fact.number], name=fact.name) for fact in told.facts}

    def kept_snapshot(self, name: str) -> KeptSnapshot | None:
        """One of the snapshots that are kept, whole."""
        return next((kept for kept in self._kept.values() if kept.name == name), None)

    # -- when it dies

    def died(self) -> None:
        """The engine is dead."""
        self._deaths += 1

    @property
    def in_vain(self) -> bool:
        """Have so many died in a row that another would too?"""
        return self._deaths > TRIES

    def forgive(self) -> None:
        """The person may try again."""
        self._deaths = 0

    def begin(self) -> None:
        """Another engine is there; nothing has been said to it."""
        self._acts.clear()
        self._acts_in_all = 0

    def bequest(self) -> list[protocol.Command]:
        """All that the next engine is to be told, in order: what the person set and kept and, of a guest, the lab as it
        was and what was asked since."""
        told: list[protocol.Command] = [*self._settings.values()]
        if self._kept:
            told.append(protocol.PutSnapshots(tuple(self._kept.values())))
        if self.loaded is not None and self.loaded.begun is not None:
            told += [protocol.Resume(self.loaded, self._lab_as_seen(self.loaded.begun)), *self._acts]
        return told

    def _lab_as_seen(self, begun: Lab) -> Lab:
        """The lab where the person last saw it, of which `begun` was the beginning."""
        if self._stand is None:
            return begun
        return Lab.standing(begun.first, begun.rhythm, self._futures.futures, self._stand)
