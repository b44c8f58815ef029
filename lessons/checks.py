"""Asking the machine about a lesson, across the border of processes.

The window sends a `CheckLesson` between its ordinary commands; whoever holds the laboratory answers it by `answer`. The
answer also says whether the machine is still running, so that the window knows when the commands before it are done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import UserError
from lessons.acts import Until
from lessons.asking import Finding
from lessons.laboratory import Laboratory, observe
from lessons.predicates import Predicate
from lessons.prose import filled


@dataclass(frozen=True, slots=True)
class CheckLesson:
    """Examine `checks` and `options` on the machine as it is now, and fill `explain` with its values.

    `ticket` comes back with the answer. `until` is performed first, bounded in instructions: the one act of a lesson
    that no other command can carry out. Only with it does a `CheckLesson` change the machine.
    """

    ticket: int
    checks: tuple[Predicate, ...] = ()
    options: tuple[Predicate, ...] = ()
    explain: str = ""
    until: Until | None = None


@dataclass(frozen=True, slots=True)
class LessonChecked:
    """The answer, in the order asked.

    running  the machine was still running on its own when it was looked at
    error    why nothing could be examined; the findings are then empty
    """

    ticket: int
    checks: tuple[Finding, ...] = ()
    options: tuple[Finding, ...] = ()
    explanation: str = ""
    running: bool = False
    error: UserError | None = None

    @property
    def hold(self) -> bool:
        """Do all checks hold?"""
        return self.error is None and all(finding.holds for finding in self.checks)


def evaluate(predicates: Sequence[Predicate], laboratory: Laboratory) -> tuple[Finding, ...]:
    """Each predicate, examined on the machine as it is now."""
    evidence = observe(laboratory)
    return tuple(predicate.examine(evidence) for predicate in predicates)


def answer(command: CheckLesson, laboratory: Laboratory, *, running: bool = False) -> LessonChecked:
    """Do what `command` asks. Never raises for what the person or the lesson did wrong: that is in the answer."""
    try:
        if command.until is not None:
            command.until.perform(laboratory)
        evidence = observe(laboratory)
        return LessonChecked(
            command.ticket,
            tuple(predicate.examine(evidence) for predicate in command.checks),
            tuple(predicate.examine(evidence) for predicate in command.options),
            filled(command.explain, evidence),
            running,
        )
    except UserError as error:
        return LessonChecked(command.ticket, running=running, error=error)
