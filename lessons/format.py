"""The lesson format: what stands in a ``lesson.toml``, rule by rule.

A lesson is a list of steps. In each the person reads, predicts, acts on the machine, and the machine itself then shows
whether the goal was reached and which prediction was right; no answer is written down anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from lessons.acts import Act, Acts, Setup
from lessons.names import AtLeastOne, Text, ViewName
from lessons.part import Part, broken_rule
from lessons.predicates import Predicate
from lessons.prose import Explanation, Prose

ClaimNumber = Annotated[int, Field(ge=1, le=25)]
ExerciseName = Annotated[str, Field(pattern=r"^E[1-8]$")]


class Show(Part):
    """A view to point at, and in it a place: a register's name, a label of the guest."""

    view: ViewName
    anchor: Text | None = None


class Option(Part):
    """One answer to a prediction: right if `right` holds on the machine after the act.

    `reply` is said to a person who chose it and was wrong.
    """

    text: Text
    right: Predicate
    reply: Text | None = None


class Predict(Part):
    """A question that the machine will answer."""

    question: Text
    options: Annotated[tuple[Option, ...], Field(alias="option", min_length=2, max_length=5, strict=False)]


class Doing(Part):
    """What the person is asked to do, in words, and what a perfect student would do."""

    text: Prose
    solution: Acts


class Step(Part):
    """One page of a lesson, with one idea.

    text     Markdown: what to look at and think about
    setup    the machine it begins with; without one it goes on with the machine of the step before
    check    what must hold of the machine before the person may go on
    explain  Markdown shown once the check holds, with values of the machine in braces
    """

    title: Text
    text: Prose
    setup: Setup | None = None
    show: Show | None = None
    predict: Predict | None = None
    act: Doing | None = None
    check: Annotated[tuple[Predicate, ...], Field(strict=False)] = ()
    explain: Explanation = ""

    @model_validator(mode="after")
    def _act_and_check_go_together(self) -> Step:
        if self.act and not self.check:
            raise broken_rule("asks for an act and never looks whether it was done", "Add a check.")
        if self.check and not self.act:
            raise broken_rule("checks what nobody was asked to do", "Add an act, or remove the check.")
        if self.predict and not self.act:
            raise broken_rule("asks for a prediction that nothing will decide", "Add an act and a check.")
        return self


class Lesson(Part):
    """A whole lesson.

    claims     numbers of the chapter's claims that it lets a person see; `exercises` those it lets them answer
    minutes    how long it takes with thinking
    name       its folder's name, `folder` where it lies: set by the loader
    """

    title: Text
    summary: Text
    claims: Annotated[tuple[ClaimNumber, ...], Field(min_length=1, strict=False)]
    exercises: Annotated[tuple[ExerciseName, ...], Field(strict=False)] = ()
    minutes: AtLeastOne
    steps: Annotated[tuple[Step, ...], Field(alias="step", min_length=1, strict=False)]
    name: str = Field(default="", exclude=True)
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _begins_with_a_machine(self) -> Lesson:
        if self.steps[0].setup is None:
            raise broken_rule("begins without a machine", "Give its first step a setup.")
        return self

    def way_to(self, index: int) -> tuple[Act, ...]:
        """What brings any machine to where step `index` begins: the nearest setup, and the solutions since."""
        first = max(i for i in range(index + 1) if self.steps[i].setup is not None)
        acts: list[Act] = []
        for step in self.steps[first:index]:
            acts += step.setup.acts() if step.setup else ()
            acts += step.act.solution if step.act else ()
        last = self.steps[index].setup
        return (*acts, *(last.acts() if last else ()))
