"""The questions of a lesson answered: predicates examined on the machine as it is."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import UserError
from lessons.asking import Finding
from lessons.laboratory import Laboratory, observe
from lessons.predicates import Predicate
from lessons.prose import filled
from lessons.questions import CheckLesson, LessonChecked


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
