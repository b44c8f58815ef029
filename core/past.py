"""What an onlooker gets to see of the recorded past: where the machine stands in it, and which futures there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class BackTo(Enum):
    """What running back looks for; `value` is for people."""

    BREAKPOINT = "breakpoint"
    DEPARTURE = "departure"
    WORLD_SWITCH = "world switch"
    RING_CHANGE = "change of ring"
    CALL = "call of this function"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A checkpoint: at virtual time `time` of the machine there had been so many departures and world switches."""

    time: int
    traps: int
    switches: int


@dataclass(frozen=True, slots=True)
class Future:
    """One future, by its number: it parts from the present one at `begins` and was run up to `reaches`, in virtual
    time; of the present one `begins` is 0."""

    number: int
    begins: int
    reaches: int


@dataclass(frozen=True, slots=True)
class Past:
    """The recorded past of the machine, in its virtual time.

    now         where it stands
    reached     how far this future has been run
    stretches   its checkpoints, oldest first, the dense ones left out
    inputs      when something came from outside
    futures     all of them, `present` being this one's number
    can_undo    was anything done before now that could be undone?
    """

    now: int
    reached: int
    stretches: tuple[Stretch, ...]
    inputs: tuple[int, ...]
    futures: tuple[Future, ...]
    present: int
    can_undo: bool
