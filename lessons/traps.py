"""A pattern of traps: which of the recorded departures from direct execution a lesson means, and that in words."""

from __future__ import annotations

from collections.abc import Mapping

from core.events import Cause, Trap, vector_name
from lessons.names import CauseName, Count, Label, RingNumber, Text
from lessons.part import Part


class TrapPattern(Part):
    """Every field given must match.

    ring_from     ring the CPU was really in; `believed` the one the guest believed
    ring_to       ring in which it was handled; `ring_after` the one in which execution went on
    instruction   its mnemonic, or as many words of it as matter (``cli``, ``mov cr3``)
    at            label of the guest at which the instruction stands
    """

    cause: CauseName | None = None
    vector: Count | None = None
    error_code: Count | None = None
    ring_from: RingNumber | None = None
    believed: RingNumber | None = None
    ring_to: RingNumber | None = None
    ring_after: RingNumber | None = None
    instruction: Text | None = None
    at: Label | None = None

    def matches(self, trap: Trap, symbols: Mapping[str, int]) -> bool:
        """Is `trap` one of those meant? A label the guest does not have matches nothing."""
        return (
            (self.cause is None or trap.cause.value == self.cause)
            and (self.vector is None or trap.vector == self.vector)
            and (self.error_code is None or trap.error_code == self.error_code)
            and (self.ring_from is None or trap.ring_from == self.ring_from)
            and (self.believed is None or trap.believed == self.believed)
            and (self.ring_to is None or trap.ring_to == self.ring_to)
            and (self.ring_after is None or trap.ring_after == self.ring_after)
            and (self.at is None or trap.pc == symbols.get(self.at))
            and (self.instruction is None or _begins(trap.instruction, self.instruction))
        )

    @property
    def words(self) -> str:
        """What is meant, as the subject of a sentence: “privileged instruction CLI from ring 1”."""
        words = _PHRASES[self.cause] if self.cause is not None else "trap"
        if self.vector is not None:
            words += f" {vector_name(self.vector)}"
        if self.instruction is not None:
            words += f" {self.instruction.upper()}"
        if self.at is not None:
            words += f" at {self.at}"
        if self.ring_from is not None:
            words += f" from ring {ring_number(self.ring_from)}"
        if self.believed is not None:
            words += f" (ring {ring_number(self.believed)} to the guest)"
        if self.ring_to is not None:
            words += f" to ring {ring_number(self.ring_to)}"
        if self.ring_after is not None:
            words += f" that goes on in ring {ring_number(self.ring_after)}"
        return words


# phrases within a sentence: abbreviations keep their capitals
_PHRASES = {
    cause.value: cause.phrase if cause.phrase[1].isupper() or "/" in cause.phrase else cause.phrase.lower()
    for cause in Cause
}


def ring_number(ring: int) -> str:
    """As people write it: with a true minus sign."""
    return str(int(ring)).replace("-", "−")


def _begins(text: str, words: str) -> bool:
    """Does `text` begin with these words, letter case and spacing aside?"""
    have, wanted = text.lower().replace(",", " ").split(), words.lower().replace(",", " ").split()
    return have[: len(wanted)] == wanted
