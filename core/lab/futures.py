"""The futures of a timeline as facts, and as branches again.

A branch that was thrown away may still be what others were forked from; in the facts these then come from the nearest
one that is left, at the earliest fork on the way. Checkpoints stay behind: they hold the emulated CPU's own state,
which must not be believed when it comes from a file, and a replay makes them anew.
"""

from __future__ import annotations

from dataclasses import replace

from core.lab.lab import Lab, LabFuture
from core.timeline.journal import Branch, Moment
from core.timeline.timeline import Timeline


def futures_of(timeline: Timeline) -> tuple[LabFuture, ...]:
    """All of them, in the order of their numbers."""
    kept = {each.number for each in timeline.branches}
    found = []
    for branch in sorted(timeline.branches, key=lambda each: each.number):
        parent, forked_at = branch.parent, branch.forked_at
        while parent is not None and parent.number not in kept:
            forked_at = min(forked_at, parent.forked_at)
            parent = parent.parent
        start = forked_at if parent is not None else Moment(0, False, 0)
        number = parent.number if parent is not None else None
        found.append(LabFuture(branch.number, number, start, branch.reached, tuple(branch.inputs)))
    return tuple(found)


def known_futures(timeline: Timeline) -> tuple[LabFuture, ...]:
    """As `futures_of`, but for how far the present one was run: what stays the same while it runs on."""
    present = timeline.branch.number
    return tuple(
        replace(each, reached=each.forked_at) if each.number == present else each for each in futures_of(timeline)
    )


def branches_of(lab: Lab) -> tuple[list[Branch], Branch]:
    """The branches of a lab's futures, not yet run, and the present one among them."""
    made: dict[int, Branch] = {}
    for each in sorted(lab.futures, key=lambda future: future.number):
        parent = made[each.parent] if each.parent is not None else None
        made[each.number] = Branch(each.number, list(each.journal), [], each.reached, parent, each.forked_at)
    return list(made.values()), made[lab.present]
