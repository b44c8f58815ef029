"""Reading a lesson: every fault is told with its file, its line, its field and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import LessonError, UnknownName
from lessons.acts import Load, RunTo
from lessons.loader import find_lesson, lesson_folders, load_lesson

LESSON = """\
title = "Rings"
summary = "Where the CPU is."
claims = [8, 12]
exercises = ["E3"]
minutes = 10

[[step]]
title = "Begin"
text = "begin.md"
setup = { guest = "rings", kind = "bare", run_to = "user" }
show = { view = "registers", anchor = "CS" }

[[step]]
title = "Go"
text = "Look, then go."
check = [
    { ring = 3 },
    { traps = { cause = "system-call", ring_from = 3 }, at_least = 1 },
]
explain = "In ring {ring} after {register:IF.real}."
act = { text = "Press **Run**.", solution = [{ run = true }] }

[step.predict]
question = "Where will it be?"
[[step.predict.option]]
text = "Ring 3"
right = { ring = 3 }
[[step.predict.option]]
text = "Ring 0"
right = { ring = 0 }
"""


@pytest.fixture(autouse=True)
def _guests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lessons.names.shipped_guests", lambda: {"rings": None, "hello": None})


def write(folder: Path, text: str = LESSON) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "lesson.toml").write_text(text, encoding="utf-8")
    (folder / "begin.md").write_text("# Begin\n\nLook at CS.\n", encoding="utf-8")
    return folder


def fault(folder: Path, text: str) -> LessonError:
    with pytest.raises(LessonError) as caught:
        load_lesson(write(folder, text))
    return caught.value


def test_a_whole_lesson_is_read(tmp_path: Path) -> None:
    lesson = load_lesson(write(tmp_path / "07-rings"))
    assert (lesson.name, lesson.title, lesson.claims) == ("07-rings", "Rings", (8, 12))
    assert lesson.folder == (tmp_path / "07-rings").resolve()
    begin, go = lesson.steps
    assert begin.text.startswith("# Begin")
    assert begin.show is not None
    assert begin.show.anchor == "CS"
    assert go.predict is not None
    assert [option.text for option in go.predict.options] == ["Ring 3", "Ring 0"]


def test_the_way_to_a_step_is_its_setup_and_the_solutions_since(tmp_path: Path) -> None:
    third = '\n[[step]]\ntitle = "Third"\ntext = "x"\n'
    fresh = third + 'setup = { guest = "hello", kind = "bare" }\n'
    lesson = load_lesson(write(tmp_path / "a", LESSON + third + fresh))
    words = [[act.words for act in lesson.way_to(index)] for index in range(4)]
    setup = ["Load rings under bare", "Run to user"]
    assert words == [setup, setup, [*setup, "Run"], ["Load hello under bare"]]
    assert isinstance(lesson.way_to(0)[0], Load)
    assert isinstance(lesson.way_to(0)[1], RunTo)


def test_a_lessons_own_guest_is_found_in_its_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", LESSON.replace('guest = "rings"', 'guest = "own.s"'))
    (folder / "own.s").write_text("cli\n")
    setup = load_lesson(folder).steps[0].setup
    assert setup is not None
    assert Path(setup.guest) == (folder / "own.s").resolve()


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "mend"),
    [
        ("minutes", "minuts", 5, "The field minuts is unknown.", "Remove it, or use one of: title, summary, claims"),
        ("claims = [8, 12]\n", "", 1, "The field claims is missing.", "Add it."),
        ("claims = [8, 12]", "claims = [8, 26]", 3, "The field claims[2] is too large.", "The greatest is 25."),
        ("claims = [8, 12]", 'claims = [8, "12"]', 3, "The field claims[2] must be a whole number.", "digits"),
        ("minutes = 10", "minutes = true", 5, "The field minutes must be a whole number.", "digits"),
        ('"E3"', '"E9"', 4, "The field exercises[1] is not of the right form.", "E[1-8]"),
        ('title = "Begin"', "title = 3", 8, "The field step[1].title must be text.", "quotes"),
        ('title = "Begin"', 'title = ""', 8, "The field step[1].title is empty.", "Write something."),
        ("begin.md", "gone.md", 9, "The field step[1].text names a text “gone.md” that is not", "Put it there."),
        ('"rings"', '"ring"', 10, "The field step[1].setup.guest names an unknown guest “ring”.", "rings, hello"),
        ('"rings"', '"own.s"', 10, "The field step[1].setup.guest names a guest “own.s”", "Put its source there."),
        ('"bare"', '"naked"', 10, "step[1].setup.kind names an unknown kind of monitor “naked”.", "bare, trap_emulate"),
        ('run_to = "user"', 'run_to = "user", after = 3', 10, "goes into the run in two ways.", "Keep one"),
        ("setup = {", "setup = 5 #", 10, "The field step[1].setup must be a table.", "{ key = value }"),
        ('setup = { guest = "rings", kind = "bare", run_to = "user" }', "", 1, "begins without a machine", "setup"),
        (
            'view = "registers"',
            'view = "register"',
            11,
            "step[1].show.view names an unknown view “register”.",
            "rings, code",
        ),
        (
            "{ ring = 3 },",
            "{ rong = 3 },",
            17,
            "step[2].check[1] is not a predicate (rong).",
            "one of: order, traps, register",
        ),
        ("{ ring = 3 },", "{ ring = 4 },", 17, "The field step[2].check[1].ring is too large.", "3"),
        ("{ ring = 3 },", "{ ring = 3, at = 'a' },", 17, "step[2].check[1].at is unknown.", "ring, believed"),
        ("{ ring = 3 },", "{ not = { rong = 3 } },", 17, "step[2].check[1].not is not a predicate (rong).", "traps"),
        ("{ ring = 3 },", "{ any = [{ ring = 1 }, { ring = 9 }] },", 17, "step[2].check[1].any[2].ring is too", "3"),
        ("{ ring = 3 },", "{ register = 'IF' },", 17, "step[2].check[1] asks nothing of the register.", "Add believed"),
        ("{ ring = 3 },", "{ register = 'IFF', real = 1 },", 17, "names an unknown register “IFF”.", "EFLAGS"),
        (
            'cause = "system-call"',
            'cause = "syscall"',
            18,
            "check[2].traps.cause names an unknown cause",
            "system-call",
        ),
        ("ring_from", "ring_form", 18, "The field step[2].check[2].traps.ring_form is unknown.", "ring_from"),
        ("at_least = 1", "at_least = 3, at_most = 2", 18, "asks for at least more traps than at most.", "Exchange"),
        ("{ring}", "{rung}", 20, "explain has a placeholder {rung} that cannot be filled.", "Double the braces"),
        (
            "Look, then go.",
            "See [x](view:moon/0).",
            15,
            "step[2].text names an unknown view “moon”.",
            "rings, code",
        ),
        ("IF.real", "IF.true", 20, "placeholder {register:IF.true} that cannot be filled.", "believed or .real"),
        ("{ run = true }", "{ runn = true }", 21, "step[2].act.solution[1] is not an act (runn).", "run_to"),
        ("[{ run = true }]", "[]", 21, "The field step[2].act.solution has too few entries.", "1 or more"),
        ("{ run = true }", "{ run = false }", 21, "step[2].act.solution[1].run has a value it cannot have.", "True"),
        ("right = { ring = 0 }", "wrong = 1", 30, "The field step[2].predict.option[2].wrong is unknown.", "reply"),
        ("right = { ring = 0 }", "", 28, "The field step[2].predict.option[2].right is missing.", "Add it."),
    ],
)
def test_a_fault_is_told_at_its_line(tmp_path: Path, old: str, new: str, line: int, problem: str, mend: str) -> None:
    assert LESSON.count(old) >= 1
    error = fault(tmp_path / "a", LESSON.replace(old, new, 1))
    assert problem in error.problem
    assert mend in error.mend
    assert error.place == f"{tmp_path / 'a' / 'lesson.toml'}:{line}"


@pytest.mark.parametrize(
    ("removed", "problem"),
    [
        ("check", "asks for an act and never looks whether it was done"),
        ("act", "checks what nobody was asked to do"),
    ],
)
def test_an_act_and_its_check_stand_together(tmp_path: Path, removed: str, problem: str) -> None:
    kept = {"check": "check = [{ ring = 3 }]\n", "act": 'act = { text = "Go.", solution = [{ step = 1 }] }\n'}
    text = LESSON[: LESSON.index("check = [")] + "".join(line for key, line in kept.items() if key != removed)
    error = fault(tmp_path / "a", text)
    assert problem in error.problem
    assert error.place.endswith("lesson.toml:13")


def test_of_several_faults_the_first_in_the_file_is_told(tmp_path: Path) -> None:
    text = LESSON.replace("ring = 3 }", "ring = 5 }").replace('summary = "Where', 'sumary = "Where')
    assert fault(tmp_path / "a", text).place.endswith(":2")


def test_a_bad_placeholder_in_a_text_file_is_told_in_that_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    (folder / "after.md").write_text("Fine {executed}.\n\nBad {traps:often}.\n")
    error = fault(folder, LESSON.replace('"In ring {ring} after {register:IF.real}."', '"after.md"'))
    assert error.place == f"{folder.resolve() / 'after.md'}:3"
    assert "{traps:often}" in error.problem


def test_what_is_not_toml_is_told_at_its_line(tmp_path: Path) -> None:
    error = fault(tmp_path / "a", LESSON.replace("minutes = 10", "minutes ="))
    assert error.problem.startswith("This is not TOML: invalid value")
    assert error.place.endswith("lesson.toml:5:10")
    assert fault(tmp_path / "a", 'title = "Rings').place.endswith("lesson.toml:1")


def test_a_lesson_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"cannot be read"):
        load_lesson(tmp_path / "nowhere")
    folder = write(tmp_path / "a")
    (folder / "lesson.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(LessonError, match=r"not UTF-8"):
        load_lesson(folder)


def test_lessons_are_found_by_name_folder_and_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "a")
    assert find_lesson(str(folder)) == folder
    assert find_lesson(str(folder / "lesson.toml")) == folder
    first = lesson_folders()[0]
    assert find_lesson(first.name) == first
    with pytest.raises(UnknownName, match=first.name):
        find_lesson("no-such-lesson")
