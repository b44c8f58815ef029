"""What all predicates of a lesson are: a question to the machine, and a finding in words.

They are of several kinds (`lessons.predicates`, `lessons.translation_predicates`), told apart by their keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from lessons.laboratory import Evidence
from lessons.names import Text
from lessons.part import Part


@dataclass(frozen=True, slots=True)
class Finding:
    """One predicate, examined: what was asked, whether it holds, and what was found or is missing (a sentence)."""

    holds: bool
    asked: str
    said: str


class Asking(Part):
    """Base of all predicates. `label` and `hint` are the author's words in place of the predicate's own:
    what is asked, and what to do while it does not hold.
    """

    label: Text | None = None
    hint: Text | None = None

    def examine(self, evidence: Evidence) -> Finding:
        """Does it hold on this machine, and what does the machine show?"""
        holds, said = self._look(evidence)
        if not holds and self.hint:
            said = f"{said.rstrip('.')}. {self.hint}"
        return Finding(holds, self.label or self.asked, said)

    @property
    def asked(self) -> str:
        """What is asked, as a phrase."""
        raise NotImplementedError

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        """Whether it holds, and a sentence with the values found."""
        raise NotImplementedError
