"""Playing a lesson without a screen, to see whether it is a good one.

Three kinds of student go through it on a real machine. The perfect one predicts rightly and does what the solution
says: every step must let it pass. Those who answer wrongly must be told so at every step. The idle one does nothing: no
step may let it pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from core.errors import UserError
from lessons import positions
from lessons.acts import Act
from lessons.attempt import Attempt, Judgement, Stage
from lessons.checks import answer
from lessons.format import Lesson, Step
from lessons.laboratory import Laboratory, observe
from lessons.loader import LESSON_FILE, find_lesson, load_lesson
from lessons.names import IN_VMCB, VIEWS_OF_LABELS
from lessons.prose import NO_VALUE, pointers
from lessons.questions import LessonChecked


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one step: where it stands, which student met it, and a sentence."""

    place: str
    student: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.student}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of playing one lesson."""

    name: str
    title: str
    path: Path
    steps: int
    predictions: int
    wrong_answers_caught: int
    skipped_acts_caught: int
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        """Is it a good lesson?"""
        return not self.problems

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.problems:
            return f"{self.title}: {len(self.problems)} problem{'s' * (len(self.problems) > 1)}."
        return (
            f"{self.title}: {self.steps} steps passed; caught {self.wrong_answers_caught} wrong answers to "
            f"{self.predictions} predictions and {self.skipped_acts_caught} skipped acts."
        )


def real_laboratory() -> Laboratory:
    """The lab itself. Imported here: whoever only reads lessons can do without the whole machine."""
    from core.session import Session

    return Session()


def check_lesson(name_or_path: str | Path, laboratory: Callable[[], Laboratory] = real_laboratory) -> Verdict:
    """Play a lesson as every kind of student. Raises `UserError` if it cannot even be read."""
    lesson = load_lesson(find_lesson(str(name_or_path)))
    with closing(laboratory()) as made:
        return check(lesson, made)


def check(lesson: Lesson, laboratory: Laboratory) -> Verdict:
    """Play `lesson` on `laboratory`, which every student powers on anew."""
    rehearsal = _Rehearsal(lesson, laboratory)
    rights = rehearsal.perfect_student()
    caught = skipped = 0
    if not rehearsal.problems:  # who fails perfectly says nothing more by failing in other ways
        caught = rehearsal.wrong_students(rights)
        skipped = rehearsal.idle_student()
    return Verdict(
        lesson.name,
        lesson.title,
        lesson.folder,
        len(lesson.steps),
        sum(step.predict is not None for step in lesson.steps),
        caught,
        skipped,
        tuple(rehearsal.problems),
    )


class _Stuck(Exception):
    """A student cannot go on, or could where they must not; the argument says why."""


class _Rehearsal:
    def __init__(self, lesson: Lesson, laboratory: Laboratory) -> None:
        self.problems: list[Problem] = []
        self._lesson = lesson
        self._laboratory = laboratory
        self._tickets = count()
        file = lesson.folder / LESSON_FILE
        lines = positions.lines_of(file.read_text(encoding="utf-8"))
        self._places = [f"{file}:{positions.line_of(lines, ('step', i))}" for i in range(len(lesson.steps))]

    def perfect_student(self) -> list[int]:
        """Does what the solutions say. Returns the right option of each step (0 where nothing is predicted)."""
        rights: list[int] = []
        attempt = Attempt(self._lesson)
        with self._being("perfect student", attempt):
            while len(rights) <= attempt.index:
                self._do(attempt.step.setup.acts() if attempt.step.setup else ())
                self._follow_pointers(attempt.step)
                rights.append(self._foresee(attempt) if attempt.step.act else 0)
                attempt.choose(rights[-1])
                self._look(attempt)
                if not attempt.may_go_on or attempt.judgement not in (None, Judgement.RIGHT):
                    raise _Stuck("one who predicts rightly and does everything cannot go on.")
                attempt.next()
        return rights

    def _follow_pointers(self, step: Step) -> None:
        """Whatever the step points at has to be there: registers by name, code and memory by label, fields and
        intercepts of the VMCB by theirs."""
        evidence = observe(self._laboratory)
        words = (step.text, step.act.text if step.act else "", step.explain)
        shown = [(step.show.view, step.show.anchor)] if step.show else []
        for view, anchor in (*shown, *(pointer for text in words for pointer in pointers(text))):
            known = (
                anchor is None
                or (view == "registers" and evidence.reading(anchor) is not None)
                or (view in VIEWS_OF_LABELS and anchor in evidence.program.symbols)
                or (view == "vmcb" and anchor in IN_VMCB)
            )
            if not known:
                raise _Stuck(f"it points at “{anchor}” in {view}, where that is not to be found.")

    def _foresee(self, attempt: Attempt) -> int:
        """Perform the solution, and find out which prediction it makes right."""
        step = attempt.step
        assert step.act is not None
        if self._ask(attempt).hold:
            raise _Stuck("the check holds before anything was done.")
        *before, last = step.act.solution
        for act in before:
            self._do((act,))
            if self._ask(attempt).hold:
                raise _Stuck(f"the check holds after “{act.words}”: what follows in the solution is needless.")
        self._do((last,))
        shown = self._ask(attempt)
        if not shown.hold:
            missing = " ".join(finding.said for finding in shown.checks if not finding.holds)
            raise _Stuck(f"the solution does not reach the goal. {missing}{shown.error or ''}")
        if NO_VALUE in shown.explanation:
            raise _Stuck("a value that the explanation names is not on this machine.")
        if step.predict is None:
            return 0
        rights = [i for i, finding in enumerate(shown.options) if finding.holds]
        if len(rights) != 1:
            pairs = zip(step.predict.options, shown.options, strict=True)
            said = " ".join(f"“{option.text}”: {finding.said}" for option, finding in pairs)
            raise _Stuck(f"{len(rights)} answers are right instead of one. {said}")
        return rights[0]

    def wrong_students(self, rights: Sequence[int]) -> int:
        """Each predicts wrongly wherever it can, until every wrong option was chosen. Returns how many were caught."""
        most = max((len(step.predict.options) for step in self._lesson.steps if step.predict), default=1)
        return sum(self._wrong_student(rights, which) for which in range(most - 1))

    def _wrong_student(self, rights: Sequence[int], which: int) -> int:
        caught = 0
        attempt = Attempt(self._lesson)
        with self._being(f"student with wrong answer {which + 1}", attempt):
            going = True
            while going:
                step = attempt.step
                wrong = (
                    [i for i in range(len(step.predict.options)) if i != rights[attempt.index]] if step.predict else []
                )
                self._do(step.setup.acts() if step.setup else ())
                if wrong:
                    attempt.choose(wrong[min(which, len(wrong) - 1)])
                self._do(step.act.solution if step.act else ())
                self._look(attempt)
                if wrong and attempt.judgement is not Judgement.WRONG:
                    raise _Stuck("a wrong prediction is not called wrong.")
                caught += which < len(wrong)
                going = attempt.next()
        return caught

    def idle_student(self) -> int:
        """Comes to each step, predicts something and does nothing. Returns how many steps held it back."""
        held = 0
        for index, step in enumerate(self._lesson.steps):
            attempt = Attempt(self._lesson, index)
            with self._being("idle student", attempt):
                if step.act is None:
                    continue
                self._do(self._lesson.way_to(index))
                attempt.choose(0)
                self._look(attempt)
                if attempt.stage is not Stage.ACT:
                    raise _Stuck("one who does nothing may go on.")
                held += 1
        return held

    def _do(self, acts: Sequence[Act]) -> None:
        for act in acts:
            try:
                act.perform(self._laboratory)
            except UserError as error:
                raise _Stuck(f"“{act.words}” fails. {error}") from error

    def _ask(self, attempt: Attempt) -> LessonChecked:
        return answer(attempt.question(next(self._tickets)), self._laboratory)

    def _look(self, attempt: Attempt) -> None:
        attempt.receive(self._ask(attempt))

    @contextmanager
    def _being(self, student: str, attempt: Attempt) -> Iterator[None]:
        """Report what that student gets stuck on, at the step where it happens."""
        try:
            yield
        except _Stuck as stuck:
            where = f"step {attempt.index + 1} ({attempt.step.title})"
            self.problems.append(Problem(self._places[attempt.index], student, f"{where}: {stuck}"))
