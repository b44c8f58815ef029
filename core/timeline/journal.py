"""What came from outside, and when: the only thing about a run that cannot be worked out again.

A moment is the machine's virtual time, and whether what precedes the next instruction (an interrupt's delivery, a
hidden fault of its fetch, a world switch) has been done already: at a breakpoint it has. Replaying the inputs of a
branch at their moments, from power-on or any checkpoint, gives the same machine to the byte. (Dunlap et al., ReVirt,
OSDI 2002.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.timeline.actions import Action
    from core.timeline.checkpoint import Checkpoint


class Moment(NamedTuple):
    """A moment of the machine. `executed` instructions of all VMs; `at_threshold`: the next is just about to run."""

    time: int
    at_threshold: bool
    executed: int


@dataclass(frozen=True, slots=True)
class Input:
    """Something from outside."""

    moment: Moment
    action: Action


@dataclass(slots=True, eq=False)
class Branch:
    """One history of the machine, from power-on on; it shares its past with the branch that it was forked from.

    inputs   all of them, those before the fork included
    path     its checkpoints, oldest first
    reached  how far it has been run
    """

    number: int
    inputs: list[Input]
    path: list[Checkpoint]
    reached: Moment
    parent: Branch | None = None
    forked_at: Moment = field(default=Moment(0, False, 0))
