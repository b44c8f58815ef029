"""The words for what became of an instruction, everywhere in the window: its kind, in one word and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import Ring
from core.translations import KINDS, Fate


@dataclass(frozen=True, slots=True)
class FateWords:
    """`name` is one word, `mark` one letter, `meaning` a sentence; `ring` is the one in whose colour it is shown,
    None: in none, since nothing about it is sensitive."""

    name: str
    mark: str
    meaning: str
    ring: Ring | None = None


FATES = {
    Fate.COPIED: FateWords(
        KINDS[Fate.COPIED], "=", "The same bytes as the guest's: they do in ring 1 what they would do in ring 0."
    ),
    Fate.BRANCH: FateWords(
        KINDS[Fate.BRANCH],
        "→",
        "A jump, call or return: it leads where the guest's leads, but to the translation of that.",
    ),
    Fate.IN_LINE: FateWords(
        KINDS[Fate.IN_LINE],
        "≠",
        "Sensitive, and short enough to be done in line, in ring 1, on variables of the monitor's.",
        Ring.ONE,
    ),
    Fate.CALLOUT: FateWords(
        KINDS[Fate.CALLOUT],
        "!",
        "Sensitive, and too much for a few instructions: it calls the monitor, in ring 0.",
        Ring.KERNEL,
    ),
}
