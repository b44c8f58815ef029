"""The lesson's controller: binds the lesson view, the person's progress and the engine.

What the machine shows is asked for at most a few times a second, and only while a step that waits for it is in sight.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.controllers.lesson_performance import Engine, LessonPerformance
from app.views.lesson_view import LessonView
from app.widgets.lesson.contents import Entry
from core.errors import LessonError
from core.guests.image import Program
from core.narration import within
from core.snapshot import Snapshot
from core.vmm import kinds
from lessons import acts
from lessons.acting import Target
from lessons.attempt import Attempt, Judgement
from lessons.format import Lesson
from lessons.loader import CONTENT, lesson_folders, load_lesson
from lessons.progress import LessonProgress, Progress
from lessons.questions import LessonChecked

LOOK_MS, LOOK_RUNNING_MS = 120, 500  # least time between two looks at the machine, standing and running


class LessonController(QObject):
    """Runs one lesson at a time. `point` shows a view, and in it an anchor, to the person.

    stepDone  (words) what the present step asks for was done, just now
    goesOn    (yes) a lesson was opened, or the list of them
    """

    stepDone = Signal(str)
    goesOn = Signal(bool)

    def __init__(
        self,
        engine: Engine,
        view: LessonView,
        point: Callable[[str, str | None], None],
        progress: Progress,
    ) -> None:
        super().__init__(view)  # it ends with its view, and its timers with it
        self._engine = engine
        self._view = view
        self._point = point
        self._progress = progress
        self._lessons: dict[str, Lesson] = {}
        self.attempt: Attempt | None = None
        self._prepared = -1  # the furthest step for which the machine was brought to where it begins
        self._note = ""
        self._offer_setup = False
        self._tickets = count()
        self._look_ticket: int | None = None  # of the look that is under way
        self.performance = LessonPerformance(engine, self._tickets, self)
        self.performance.moved.connect(self._render)
        self.performance.ended.connect(self._on_performed)
        self.performance.failed.connect(lambda why: self._say(why, offer_setup=True))
        self._look_soon = QTimer(self, singleShot=True)
        self._look_soon.timeout.connect(self._look)
        view.lessonOpened.connect(self.open)
        view.contentsRequested.connect(self.show_contents)
        view.predicted.connect(self._predict)
        view.nextRequested.connect(self._next)
        view.backRequested.connect(self._back)
        view.setupRequested.connect(self._set_up_again)
        view.doRequested.connect(self._demonstrate)
        view.checkRequested.connect(self._look)
        view.pointAt.connect(self._point)
        engine.updated.connect(self._on_updated)
        engine.loaded.connect(self._on_loaded)
        engine.lost.connect(self._on_lost)
        engine.recovered.connect(self._on_recovered)
        engine.lesson_checked.connect(self._on_checked)
        self.show_contents()

    # -- the list

    def show_contents(self) -> None:
        """Show the list of lessons; the machine stays as it is."""
        self.performance.stop()
        self.attempt = None
        entries = [self._entry(folder.name) for folder in lesson_folders(CONTENT)]
        self._view.show_contents(entries, self._progress.notice)
        self.goesOn.emit(False)

    def _entry(self, name: str) -> Entry:
        try:
            lesson = self._lesson(name)
        except LessonError as error:
            return Entry(name, name, error=str(error))
        kept, count = self._progress.of(name), len(lesson.steps)
        return Entry(
            name=name,
            title=lesson.title,
            summary=lesson.summary,
            facts=_facts(lesson),
            steps=count,
            done=count if kept.finished else min(kept.furthest, count - 1),
            at=min(kept.at, count - 1),
            finished=kept.finished,
            standing=_standing(kept),
        )

    def _lesson(self, name: str) -> Lesson:
        if name not in self._lessons:
            self._lessons[name] = load_lesson(CONTENT / name)
        return self._lessons[name]

    def open(self, name: str) -> None:
        """Open a lesson where the person left it, with the machine that belongs there."""
        self.attempt = attempt = Attempt(self._lesson(name), self._progress.of(name).at)
        self._prepared = attempt.index
        program = self._engine.program
        foreign = self._is_foreign()
        self.goesOn.emit(True)
        self._arrive()
        self.performance.begin(attempt.lesson.way_to(attempt.index))
        if foreign and program is not None:
            self._say(f"The lesson has put its own guest into the machine, in place of {program.title}.")

    def take_up(self, name: str, step: int) -> None:
        """Open a lesson at a step whose machine is there already; a lesson that is not there is left out."""
        try:
            self.attempt = attempt = Attempt(self._lesson(name), step)
        except LessonError:
            return
        self.performance.stop()
        self._prepared = attempt.index
        self.goesOn.emit(True)
        self._arrive()
        self._look()

    # -- turning pages

    def _next(self) -> None:
        attempt = self.attempt
        if attempt is None or not attempt.may_go_on:
            return
        if not attempt.next():
            self._progress.finish(attempt.lesson.name)
            self.show_contents()
            return
        self.performance.stop()
        self._arrive()
        if attempt.index > self._prepared:
            self._prepared = attempt.index
            if attempt.step.setup is not None:
                self.performance.begin(attempt.step.setup.acts())
        if not self.performance.going_on:
            self._note_what_runs()
        self._look()

    def _back(self) -> None:
        if self.attempt is not None and self.attempt.back():
            self.performance.stop()
            self._arrive()
            self._note_what_runs()
            self._look()

    def _arrive(self) -> None:
        """The person is at a step now: keep that, and point at what it is about."""
        attempt = self.attempt
        assert attempt is not None
        self._look_ticket = None
        self._progress.reach(attempt.lesson.name, attempt.index)
        self._say("")
        self._point_at_show()

    def _point_at_show(self) -> None:
        """Point at what the present step is about."""
        show = self.attempt.step.show if self.attempt is not None else None
        if show is not None:
            self._point(show.view, show.anchor)

    def _predict(self, option: int) -> None:
        if self.attempt is not None:
            self.attempt.choose(option)
            self._keep_judgement()
            self._render()
            self._look()

    def _set_up_again(self) -> None:
        if self.attempt is not None:
            self.attempt.restart_step()
            self._prepared = self.attempt.index
            self._say("")
            self.performance.begin(self.attempt.lesson.way_to(self.attempt.index))

    def _demonstrate(self) -> None:
        """Do the act for the person, from where the step begins, slowly enough to be followed."""
        attempt = self.attempt
        if attempt is not None and attempt.step.act is not None:
            self._say("")
            self.performance.begin(attempt.lesson.way_to(attempt.index), watched=attempt.step.act.solution)

    def _keep_judgement(self) -> None:
        attempt = self.attempt
        if attempt is not None and attempt.judgement in (Judgement.RIGHT, Judgement.WRONG):
            self._progress.predict(attempt.lesson.name, attempt.index, attempt.judgement is Judgement.RIGHT)

    # -- looking at the machine

    def _look(self) -> None:
        """Ask what the machine shows about the present step, if it waits for that and can be seen."""
        attempt = self.attempt
        waits = attempt is not None and attempt.step.act is not None and attempt.record.done is None
        if attempt is None or not waits or self.performance.going_on or not self._view.isVisible():
            return
        if self._is_foreign():  # what another guest does answers nothing that this step asks
            return
        if self._look_ticket is None:
            self._look_ticket = next(self._tickets)
            self._engine.check_lesson(attempt.question(self._look_ticket))

    def _on_checked(self, shown: LessonChecked) -> None:
        if shown.ticket == self._look_ticket:
            self._look_ticket = None
            if self.attempt is not None and not self.performance.going_on and not self._is_foreign():
                was_done = self.attempt.record.done is not None
                self.attempt.receive(shown)
                if self.attempt.record.done is not None and not was_done:
                    self.stepDone.emit(f"step {self.attempt.index + 1} of “{self.attempt.lesson.title}”")
                self._keep_judgement()
                self._render()

    def _on_updated(self, snapshot: Snapshot) -> None:
        if self.attempt is not None and not self._look_soon.isActive():
            self._look_soon.start(LOOK_RUNNING_MS if snapshot.running else LOOK_MS)

    def _on_performed(self) -> None:
        self._point_at_show()  # again: as the step was turned to, its machine was not there yet
        self._render()
        self._look()

    # -- what else happens to the machine

    def _on_loaded(self, _loaded: object) -> None:
        if self.attempt is not None and not self.performance.going_on:
            self._note_what_runs()

    def _note_what_runs(self) -> None:
        """Say so if the machine is another than the step is about, and something is still to be done in it."""
        attempt, program = self.attempt, self._engine.program
        assert attempt is not None, "a lesson is open"
        if program is None or attempt.may_go_on or not self._is_foreign():
            self._say("")
            return
        same = any(target.guest in (program.name, program.path) for target in self._targets())
        under = f" under {within(kinds()[self._engine.kind].title)}" if same else ""
        self._say(f"The machine runs {program.title}{under} now; this step is about another.", offer_setup=True)

    def _is_foreign(self) -> bool:
        """Is another guest in the machine, or another kind under it, than the present step is about?"""
        program = self._engine.program
        return program is not None and not self._belongs(program, self._engine.kind)

    def _belongs(self, program: Program, kind: str) -> bool:
        """Does the present step have anything to do with this guest under this kind?"""
        targets = self._targets()
        # a VM's file knows its guest by name, and no kind; and a clone is under any
        if any(isinstance(act, (acts.Elsewhere, acts.Clone)) for act in self._acts()):
            return any(Path(target.guest).name in (program.name, Path(program.path).name) for target in targets)
        return any(target.kind == kind and target.guest in (program.name, program.path) for target in targets)

    def _targets(self) -> list[Target]:
        """What the present step has in the machine."""
        return [act.load for act in self._acts() if isinstance(act, acts.Load)]

    def _acts(self) -> tuple[acts.Act, ...]:
        """What leads to the present step, and is done in it."""
        attempt = self.attempt
        assert attempt is not None
        own = attempt.step.act.solution if attempt.step.act else ()
        return (*attempt.lesson.way_to(attempt.index), *own)

    def _on_lost(self, _words: str) -> None:
        self._look_ticket = None  # it will not be answered any more

    def _on_recovered(self) -> None:
        if self.attempt is not None and not self.attempt.may_go_on:
            self._say("The engine has started again, and the machine stands where this step begins.")
            self.performance.begin(self.attempt.lesson.way_to(self.attempt.index))

    # -- showing

    def _say(self, note: str, *, offer_setup: bool = False) -> None:
        self._note, self._offer_setup = note, offer_setup
        self._render()

    def _render(self) -> None:
        if self.attempt is not None:
            self._view.show_attempt(
                self.attempt, note=self._note, offer_setup=self._offer_setup, busy=self.performance.going_on
            )


def _facts(lesson: Lesson) -> str:
    """What to know before beginning, in words."""
    return f"{lesson.minutes} minute{'s' * (lesson.minutes > 1)}"


def _standing(kept: LessonProgress) -> str:
    """How the person stands with a lesson, in words."""
    foreseen, asked = sum(kept.predictions.values()), len(kept.predictions)
    words = ["Finished"] if kept.finished else []
    if asked:
        words.append(f"{foreseen} of {asked} predictions right")
    return " · ".join(words)
