"""One person's way through one lesson: a state machine that knows no screen and no machine.

It is told what the person chose and what the machine showed, and says what may come next. The lesson view and the
headless students of `lessons.player` drive the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lessons.asking import Finding
from lessons.format import Lesson, Step
from lessons.questions import CheckLesson, LessonChecked


class Stage(Enum):
    """How far the person is within a step."""

    READ = "read"  # nothing to do but read
    PREDICT = "predict"  # a prediction is asked for and not yet given
    ACT = "act"  # something is to be done, and the check does not hold yet
    DONE = "done"  # the check has held: evidence and explanation are there


class Judgement(Enum):
    """What the machine made of a prediction."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"  # none or several of the answers hold: the person took another way


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one step.

    chosen   the option the person committed to
    late     the person had already acted when choosing, so the machine may have been looked at
    latest   what the machine last showed
    done     what it showed when the check held; kept, so that a later look cannot undo it
    """

    chosen: int | None = None
    late: bool = False
    latest: LessonChecked | None = None
    done: LessonChecked | None = None


class Attempt:
    """The state machine. `index` is the present step; records of all steps are kept until they are restarted."""

    def __init__(self, lesson: Lesson, index: int = 0) -> None:
        self.lesson = lesson
        self.index = min(max(index, 0), len(lesson.steps) - 1)
        self._records = [Record() for _ in lesson.steps]

    @property
    def step(self) -> Step:
        """The present step."""
        return self.lesson.steps[self.index]

    @property
    def record(self) -> Record:
        """What is known of the present step."""
        return self._records[self.index]

    @property
    def stage(self) -> Stage:
        """How far the person is within the present step."""
        if self.step.act is None:
            return Stage.READ
        if self.record.done:
            return Stage.DONE
        return Stage.PREDICT if self.step.predict and self.record.chosen is None else Stage.ACT

    @property
    def may_go_on(self) -> bool:
        """Is there nothing left to do in this step?"""
        return self.stage in (Stage.READ, Stage.DONE)

    @property
    def is_last(self) -> bool:
        """Is this the last step?"""
        return self.index == len(self.lesson.steps) - 1

    @property
    def finished(self) -> bool:
        """Is the last step done, and all before it?"""
        pairs = zip(self._records, self.lesson.steps, strict=True)
        return all(record.done or step.act is None for record, step in pairs)

    @property
    def acted_early(self) -> bool:
        """Does the check hold already, although the person has not predicted yet?"""
        return self.stage is Stage.PREDICT and self.record.latest is not None and self.record.latest.hold

    def question(self, ticket: int) -> CheckLesson:
        """What to ask the machine about the present step."""
        options = self.step.predict.options if self.step.predict else ()
        rights = tuple(option.right for option in options)
        return CheckLesson(ticket, self.step.check, rights, self.step.explain)

    def choose(self, option: int) -> None:
        """Commit to a prediction. It cannot be changed until the step is restarted."""
        if self.stage is not Stage.PREDICT:
            return
        early = self.acted_early
        latest = self.record.latest
        self._records[self.index] = Record(option, early, latest, latest if early else None)

    def receive(self, shown: LessonChecked) -> None:
        """Take what the machine showed about the present step. Once the check has held, later looks change nothing."""
        if shown.error is not None or self.step.act is None or self.record.done:
            return
        record = self.record
        done = shown if shown.hold and self.stage is Stage.ACT else None
        self._records[self.index] = Record(record.chosen, record.late, shown, done)

    @property
    def judgement(self) -> Judgement | None:
        """What the machine made of the prediction; None before it is known, or where none was asked."""
        if self.record.done is None or self.record.chosen is None:
            return None
        holding = self.right_options
        if len(holding) != 1:
            return Judgement.UNDECIDED
        return Judgement.RIGHT if self.record.chosen in holding else Judgement.WRONG

    @property
    def right_options(self) -> tuple[int, ...]:
        """The options that hold on the machine, once the step is done."""
        shown = self.record.done
        return tuple(i for i, finding in enumerate(shown.options) if finding.holds) if shown else ()

    @property
    def evidence(self) -> tuple[Finding, ...]:
        """The checks with what the machine showed: when the step was done, or last."""
        shown = self.record.done or self.record.latest
        return shown.checks if shown else ()

    def next(self) -> bool:
        """Go to the next step, if this one allows it and there is one."""
        if not self.may_go_on or self.is_last:
            return False
        self.index += 1
        return True

    def back(self) -> bool:
        """Go to the step before, if there is one."""
        if self.index == 0:
            return False
        self.index -= 1
        return True

    def restart_step(self) -> None:
        """Forget what is known of the present step."""
        self._records[self.index] = Record()

    def restart(self) -> None:
        """Forget everything and begin anew."""
        self.index = 0
        self._records = [Record() for _ in self.lesson.steps]
