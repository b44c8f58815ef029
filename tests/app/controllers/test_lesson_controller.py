"""The lesson's controller: what it does to the machine, when it looks, what it keeps; both lessons on the real lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from app.controllers import lesson_controller, lesson_performance
from app.controllers.lesson_controller import LessonController
from app.engine.protocol import ExportSnapshot
from app.theme import make_theme
from app.views.lesson_view import VIEW, LessonView
from core.events import Cause
from core.guests.catalog import load_program
from core.session import Session
from lessons.attempt import Judgement, Stage
from lessons.loader import lesson_folders
from lessons.progress import Progress
from tests.app.laboratory_engine import LaboratoryEngine
from tests.lessons.fake_laboratory import BASE, EXIT, FakeLaboratory, Moment, program, trap

LESSON = """\
title = "T"
summary = "S"
claims = [8]
minutes = 1

[[step]]
title = "Out"
text = "x"
setup = { guest = "rings", kind = "bare", run_to = "start" }
show = { view = "registers", anchor = "CS" }
act = { text = "x", solution = [{ step = 2 }] }
check = [{ ring = 3 }]
explain = "In ring {ring}."
[step.predict]
question = "?"
[[step.predict.option]]
text = "Ring 3"
right = { ring = 3 }
[[step.predict.option]]
text = "Ring 0"
right = { ring = 0 }

[[step]]
title = "And in"
text = "x"
act = { text = "x", solution = [{ until = { cause = "system-call" } }] }
check = [{ traps = { cause = "system-call" } }]

[[step]]
title = "Anew"
text = "x"
setup = { guest = "rings", kind = "bare" }
act = { text = "x", solution = [{ run = true }] }
check = [{ end = "exit" }]
"""
RINGS = (Moment(), Moment(), Moment(), Moment(3, 3), Moment(3, 3), Moment(0, 0, trap=trap(Cause.SYSTEM_CALL, 3)), EXIT)
START = BASE + 1


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A controller over the lesson above and a scripted machine."""
    folder = tmp_path / "content" / "01-test"
    folder.mkdir(parents=True)
    (folder / "lesson.toml").write_text(LESSON, encoding="utf-8")
    broken = tmp_path / "content" / "02-broken"
    broken.mkdir()
    (broken / "lesson.toml").write_text("title = 3", encoding="utf-8")
    monkeypatch.setattr(lesson_controller, "CONTENT", tmp_path / "content")
    monkeypatch.setattr(lesson_performance, "BEAT_MS", 1)
    monkeypatch.setattr("lessons.names.shipped_guests", lambda: {"rings": None})
    laboratory = FakeLaboratory(
        [program("rings", start=1), program("hello")], {("rings", "bare"): RINGS, ("hello", "bare"): RINGS}
    )
    return made(qtbot, LaboratoryEngine(laboratory, laboratory.program_named), tmp_path)


def made(qtbot: QtBot, engine: LaboratoryEngine, folder: Path) -> SimpleNamespace:
    view = VIEW.make(make_theme("dark"))
    assert isinstance(view, LessonView)
    qtbot.addWidget(view)
    view.resize(380, 640)
    view.show()
    pointed: list[tuple[str, str | None]] = []
    progress = Progress(folder / "progress.json")
    controller = LessonController(engine, view, lambda name, anchor: pointed.append((name, anchor)), progress)

    def wait_for(what: Callable[[], bool]) -> None:
        def settled() -> bool:
            engine.settle()
            return what()

        qtbot.waitUntil(settled)

    return SimpleNamespace(
        controller=controller,
        view=view,
        engine=engine,
        pointed=pointed,
        progress=progress,
        folder=folder,
        wait_for=wait_for,
        stage=lambda: controller.attempt.stage,
    )


def opened(bench: SimpleNamespace) -> SimpleNamespace:
    bench.view.lessonOpened.emit("01-test")
    bench.wait_for(
        lambda: not bench.controller.performance.going_on and bench.controller.attempt.record.latest is not None
    )
    return bench


def test_the_list_shows_good_lessons_and_why_a_bad_one_is_bad(bench: SimpleNamespace) -> None:
    good, bad = bench.view.contents.cards
    assert (good.entry.title, good.entry.steps, good.entry.facts) == ("T", 3, "1 minute")
    assert "02-broken" in bad.entry.error
    assert "must be text" in bad.entry.error


def test_opening_a_lesson_sets_the_machine_up_and_points(bench: SimpleNamespace) -> None:
    opened(bench)
    assert bench.engine.commands == ["load rings bare", f"run to {START:#x}"]
    assert bench.pointed == [("registers", "CS")] * 2  # the second time when the machine is there
    assert bench.stage() is Stage.PREDICT


def test_what_the_person_does_is_seen_and_judged(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.view.predicted.emit(0)
    bench.engine.step(2)
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    assert bench.controller.attempt.judgement is Judgement.RIGHT
    assert bench.view.page.outcome.explanation.markdown == "In ring 3."
    assert bench.progress.of("01-test").predictions == {0: True}


def test_a_step_without_a_setup_goes_on_with_the_machine_as_it_is(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.view.predicted.emit(0)
    bench.engine.step(2)
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    done = len(bench.engine.commands)
    bench.view.nextRequested.emit()
    bench.wait_for(lambda: bench.controller.attempt.record.latest is not None)
    assert bench.engine.commands[done:] == []
    assert bench.progress.of("01-test").at == 1


def test_next_does_nothing_before_the_check_holds(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.view.nextRequested.emit()
    assert bench.controller.attempt.index == 0


def test_show_me_does_the_act_from_where_the_step_begins_one_instruction_at_a_time(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.engine.step(1)  # on a way of their own
    bench.view.predicted.emit(1)
    done = len(bench.engine.commands)
    bench.view.doRequested.emit()
    assert bench.controller.performance.going_on
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    assert bench.engine.commands[done:] == ["load rings bare", f"run to {START:#x}", "step 1", "step 1"]
    assert bench.controller.attempt.judgement is Judgement.WRONG


def test_set_up_again_takes_the_machine_and_the_step_back(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.view.predicted.emit(0)
    bench.engine.step(2)
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    bench.view.setupRequested.emit()
    bench.wait_for(lambda: not bench.controller.performance.going_on)
    assert bench.stage() is Stage.PREDICT
    assert bench.engine.laboratory.snapshot().executed == 1


def test_that_a_step_was_done_is_said_once(bench: SimpleNamespace) -> None:
    said: list[str] = []
    bench.controller.stepDone.connect(said.append)
    opened(bench)
    bench.view.predicted.emit(0)
    bench.engine.step(2)
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    bench.engine.step()
    bench.engine.settle()
    assert said == ["step 1 of “T”"]


def test_a_step_deep_in_the_lesson_is_reached_through_the_solutions_before_it(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 1)
    opened(bench)
    assert bench.controller.attempt.index == 1
    assert bench.engine.commands == ["load rings bare", f"run to {START:#x}", "step 2"]
    bench.view.doRequested.emit()
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    assert bench.controller.attempt.evidence[0].holds


def test_running_through_a_setup_is_at_full_speed_and_a_demonstration_at_the_persons(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 2)
    opened(bench)
    bench.view.doRequested.emit()
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    assert bench.engine.commands[-1] == "run"


def test_the_next_act_waits_until_the_machine_stands_still(bench: SimpleNamespace) -> None:
    bench.engine.runs_on = True
    bench.view.lessonOpened.emit("01-test")
    bench.engine.settle()
    assert bench.controller.performance.going_on
    bench.engine.halt()
    bench.wait_for(lambda: not bench.controller.performance.going_on)


def test_the_persons_breakpoints_do_not_stand_in_the_way(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.engine.latest = SimpleNamespace(running=False, breakpoints=frozenset({BASE}), executed=0, stop=None)
    bench.view.setupRequested.emit()
    bench.wait_for(lambda: not bench.controller.performance.going_on)
    breakpoints = [words for words in bench.engine.commands if words.startswith("breakpoints")]
    assert breakpoints == ["breakpoints []", f"breakpoints [{BASE}]"]


def test_a_refused_command_ends_the_performance_with_its_sentence(bench: SimpleNamespace) -> None:
    def nothing(_name: str) -> None:
        raise lesson_controller.LessonError("There is no such file.", "Put it there.")

    bench.engine.load_program = nothing
    bench.view.lessonOpened.emit("01-test")
    bench.wait_for(lambda: not bench.controller.performance.going_on)
    assert bench.view.page.note.label.text() == "There is no such file. Put it there."
    assert bench.view.page.note.button.isVisible()


def test_another_guest_in_the_machine_is_noted_until_it_is_back(bench: SimpleNamespace) -> None:
    opened(bench)
    bench.engine.load("hello", "bare")
    bench.engine.settle()
    assert "The machine runs Hello now" in bench.view.page.note.label.text()
    bench.engine.load("rings", "bare")
    bench.engine.settle()
    assert not bench.view.page.note.isVisible()


def test_another_guest_passes_no_step(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 2)
    opened(bench)
    bench.engine.load("hello", "bare")
    bench.engine.settle()
    bench.engine.run()  # to its end, which the step would take for that of its own guest
    bench.wait_for(lambda: bench.engine.latest.end is not None)
    bench.controller._look()
    bench.engine.settle()
    assert bench.stage() is Stage.ACT


def test_going_back_to_a_step_of_another_machine_says_so(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 1)
    opened(bench)
    bench.engine.load("hello", "bare")
    bench.engine.settle()
    bench.view.backRequested.emit()
    assert "The machine runs Hello now" in bench.view.page.note.label.text()
    assert not bench.view.page.note.button.isHidden()


def test_opening_a_lesson_over_another_guest_says_that_it_was_replaced(bench: SimpleNamespace) -> None:
    bench.engine.load("hello", "bare")
    bench.engine.settle()
    opened(bench)
    assert "in place of Hello" in bench.view.page.note.label.text()


def test_a_new_engine_is_brought_to_where_the_step_begins(bench: SimpleNamespace) -> None:
    opened(bench)
    done = len(bench.engine.commands)
    bench.engine.lost.emit("The engine died.")
    bench.engine.recovered.emit()
    bench.wait_for(lambda: not bench.controller.performance.going_on)
    assert bench.engine.commands[done:] == ["load rings bare", f"run to {START:#x}"]
    assert "started again" in bench.view.page.note.label.text()


def test_a_hidden_view_does_not_look(bench: SimpleNamespace, qtbot: QtBot) -> None:
    opened(bench)
    bench.view.hide()
    seen = bench.controller.attempt.record.latest
    bench.engine.step(2)
    bench.engine.settle()
    qtbot.waitUntil(lambda: not bench.controller._look_soon.isActive())
    bench.engine.settle()
    assert bench.controller.attempt.record.latest is seen
    bench.view.show()
    bench.wait_for(lambda: bench.controller.attempt.record.latest is not seen)


def test_back_leaves_the_machine_alone(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 1)
    opened(bench)
    done = len(bench.engine.commands)
    bench.view.backRequested.emit()
    bench.engine.settle()
    assert bench.controller.attempt.index == 0
    assert bench.engine.commands[done:] == []


def test_finishing_is_kept_and_leads_back_to_the_list(bench: SimpleNamespace) -> None:
    bench.progress.reach("01-test", 2)
    opened(bench)
    bench.engine.run()
    bench.wait_for(lambda: bench.stage() is Stage.DONE)
    bench.view.nextRequested.emit()
    assert bench.controller.attempt is None
    assert bench.view.contents.cards[0].entry.finished
    assert Progress(bench.folder / "progress.json").of("01-test").finished


@pytest.fixture
def real(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A controller over the lessons that ship and the real machine."""
    monkeypatch.setattr(lesson_performance, "BEAT_MS", 1)
    monkeypatch.setattr(lesson_controller, "LOOK_MS", 1)
    session = Session()
    yield made(qtbot, LaboratoryEngine(session, load_program), tmp_path)
    session.close()


@pytest.mark.parametrize("name", [folder.name for folder in lesson_folders()])
def test_a_shipped_lesson_is_gone_through_by_predicting_and_being_shown(real: SimpleNamespace, name: str) -> None:
    real.view.lessonOpened.emit(name)
    while real.controller.attempt is not None:
        attempt = real.controller.attempt
        real.wait_for(lambda: not real.controller.performance.going_on)
        if attempt.step.predict:
            real.view.page.predict.options[0].click()
            real.view.page.predict.commit.click()
        if attempt.step.act:
            real.view.page.act.show_me.click()
        real.wait_for(lambda attempt=attempt: attempt.may_go_on)
        assert attempt.judgement is not Judgement.UNDECIDED
        real.view.next.click()
    assert real.progress.of(name).finished


def test_a_vm_that_goes_on_from_its_file_is_still_the_lessons(real: SimpleNamespace, tmp_path: Path) -> None:
    name, path = "11-the-vm-is-a-file", str(tmp_path / "mine.ringvm")
    real.progress.reach(name, 7)
    real.view.lessonOpened.emit(name)
    real.wait_for(lambda: not real.controller.performance.going_on)
    real.engine.snapshots(ExportSnapshot("notebook with hi", path))
    real.engine.load(path, "hardware")
    real.wait_for(lambda: real.engine.kind == "hardware")
    assert real.view.page.note.isHidden()
    real.engine.load("rings", "hardware")
    real.wait_for(lambda: real.engine.program.name == "rings")
    assert not real.view.page.note.isHidden()
