"""Adaptive translation: which of the guest's instructions trap so often that calling the monitor costs less.

Every instruction begins innocent, and is copied. One that traps again and again, a store to a traced page table say, is
translated once more, into a callout that does its work without the fault; one that for long would not have trapped is
taken back (Adams & Agesen, ASPLOS 2006, §4.3). Known by guest-physical addresses, so that a block that is made anew
knows what was learnt of its code.
"""

from __future__ import annotations

from core.addresses import PAGE_MASK, GuestPhysical
from core.translator.cache import CodeCache

OFTEN = 8  # traps of an instruction that make it guilty
LONG = 64  # callouts in a row, none of them needed, that make it innocent again
MOST_SUSPECTS = 4096


class Adaptation:
    """`on`: does anything become guilty? `suspects` have so many traps, the `guilty` so many needless callouts. Blocks
    of which other is known now are dropped from `cache`."""

    def __init__(self, cache: CodeCache) -> None:
        self._cache = cache
        self.on = True
        self.suspects: dict[GuestPhysical, int] = {}
        self.guilty: dict[GuestPhysical, int] = {}

    def trapped(self, place: GuestPhysical) -> None:
        """The instruction at `place`, which could be called out, trapped."""
        if not self.on or place in self.guilty:
            return
        if len(self.suspects) >= MOST_SUSPECTS:
            self.suspects.clear()
        count = self.suspects.get(place, 0) + 1
        self.suspects[place] = count
        if count == OFTEN:
            del self.suspects[place]
            self.guilty[place] = 0
            self._cache.counters.adapted += 1
            self._make_anew(place)

    def called(self, place: GuestPhysical, *, needed: bool) -> None:
        """A callout was made for the guilty instruction at `place`; `needed`: it would have trapped."""
        if place in self.guilty:  # the callout itself may have written over it
            self.guilty[place] = 0 if needed else self.guilty[place] + 1
            if self.guilty[place] == LONG:
                self._take_back(place)

    def switch(self, on: bool) -> None:
        """Begin to adapt, or stop it and take everything back."""
        self.on = on
        self.suspects.clear()
        if not on:
            for place in list(self.guilty):
                self._take_back(place)

    def _take_back(self, place: GuestPhysical) -> None:
        del self.guilty[place]
        self._cache.counters.reverted += 1
        self._make_anew(place)

    def _make_anew(self, place: GuestPhysical) -> None:
        inside = place & PAGE_MASK
        self._cache.drop(GuestPhysical(place & ~PAGE_MASK), inside, inside)

    def written(self, page: GuestPhysical, first: int, last: int) -> None:
        """Other code stands at these bytes of `page` now, of which nothing is known."""
        for known in (self.suspects, self.guilty):
            for place in [each for each in known if each & ~PAGE_MASK == page and first <= each & PAGE_MASK <= last]:
                del known[place]
