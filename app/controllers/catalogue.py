"""What there is to choose from: the shipped guests and the kinds of monitor, each with a sentence about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a chooser. `name` is what the engine is told, `title` and `summary` are for people; of a guest
    `kinds` names those that can run it, if that is known."""

    name: str
    title: str
    summary: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The shipped guests, and the kinds, each in the order in which they are offered."""

    guests: tuple[Choice, ...]
    kinds: tuple[Choice, ...]


def shipped() -> Catalogue:
    """What this version ships."""
    from core.guests.catalog import shipped_guests
    from core.vmm import kinds, kinds_for

    return Catalogue(
        tuple(
            Choice(guest.name, guest.title, guest.summary, tuple(kinds_for(guest.interface)))
            for guest in shipped_guests().values()
        ),
        tuple(Choice(kind.kind, kind.title, kind.summary) for kind in kinds().values()),
    )
