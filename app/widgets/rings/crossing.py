"""Crossings between rings, read from two successive snapshots.

A trap is a crossing with a cause: to the ring where it was handled, then to the ring where execution went on. The CPU
also changes ring without trapping (IRET to an outer ring runs directly); nobody records that, but where one trap ends
in a ring and the next begins in another, it happened in between.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from core.events import Cause, Ring, Trap, vector_name
from core.snapshot import Snapshot
from core.stage import ring_name

_NAMED_BY_VECTOR = (Cause.FAULT, Cause.INTERRUPT, Cause.PAGE_FAULT_TRUE, Cause.PAGE_FAULT_HIDDEN)


class Leg(NamedTuple):
    """One way between two rings; the same ring twice means that it was handled where it happened."""

    start: Ring
    end: Ring


class Crossing(NamedTuple):
    """One or two legs, and the trap that they belong to (None: the CPU crossed without trapping)."""

    legs: tuple[Leg, ...]
    trap: Trap | None = None

    @property
    def origin(self) -> Ring:
        """The ring in which it happened."""
        return self.legs[0].start

    @property
    def end(self) -> Ring:
        """The ring in which execution went on."""
        return self.legs[-1].end

    @property
    def headline(self) -> str:
        """What happened, in a few words: the instruction, or the vector's name where no instruction asked for it."""
        if self.trap is None:
            return "returned directly" if self.end > self.origin else "called directly"
        if self.trap.cause in _NAMED_BY_VECTOR and self.trap.vector is not None:
            return vector_name(self.trap.vector)
        return self.trap.instruction or self.trap.cause.phrase

    @property
    def detail(self) -> str:
        """Why it happened: the cause's phrase, or that no trap was needed."""
        return self.trap.cause.phrase if self.trap else "no trap"

    @property
    def route(self) -> str:
        """ "ring 1 → ring 0 → ring 1"."""
        return " → ".join(ring_name(ring) for ring in (self.origin, *(leg.end for leg in self.legs)))


def crossing_of(trap: Trap) -> Crossing:
    """The crossing that a trap made. From a world switch a VM comes back, sooner or later, to where it was: the ring
    after it is another VM's."""
    after = trap.ring_from if trap.cause is Cause.WORLD_SWITCH else trap.ring_after
    return Crossing(_legs(trap.ring_from, trap.ring_to, after), trap)


@cache
def _legs(start: Ring, handled: Ring, after: Ring) -> tuple[Leg, ...]:
    """The same few for thousands of traps a second."""
    inward = Leg(start, handled)
    return (inward,) if after is handled else (inward, Leg(handled, after))


def crossings_between(previous: Snapshot | None, snapshot: Snapshot) -> tuple[Crossing, ...]:
    """Every crossing of the VM that is shown since `previous` that the snapshot can tell of, oldest first.

    Where traps are missing between the two (the snapshot's list is bounded), nothing is guessed across the gap. A
    snapshot from before `previous` brings nothing.
    """
    if previous is not None and (previous.generation, previous.vm) != (snapshot.generation, snapshot.vm):
        previous = None
    if previous is not None and previous.executed > snapshot.executed:
        return ()  # the lab went back in time: the CPU crossed nothing
    seen = previous.trap_count if previous else 0
    traps = [trap for trap in snapshot.traps if trap.number >= seen]
    gap = snapshot.trap_count - seen > len(traps)
    ring = previous.ring if previous and not gap else None
    found: list[Crossing] = []
    for trap in traps:
        if trap.vm != snapshot.vm:
            continue
        if ring is not None and ring is not trap.ring_from:
            found.append(Crossing((Leg(ring, trap.ring_from),)))
        found.append(crossing_of(trap))
        ring = found[-1].end
    if ring is not None and ring is not snapshot.ring:
        found.append(Crossing((Leg(ring, snapshot.ring),)))
    return tuple(found)
