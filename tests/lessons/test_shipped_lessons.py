"""The lessons that ship, played on the real machine by every kind of student."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.loader import lesson_folders, load_lesson
from lessons.player import check_lesson

FOLDERS = lesson_folders()


def test_the_lessons_are_there_in_order() -> None:
    names = [folder.name for folder in FOLDERS]
    assert names[:3] == ["01-four-rings", "02-the-first-trap", "03-why-x86-could-not-be-virtualized"]
    assert [int(name.split("-")[0]) for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_perfect_student_passes_and_all_others_are_caught(folder: Path) -> None:
    verdict = check_lesson(folder)
    assert [str(problem) for problem in verdict.problems] == []
    wrong = sum(len(step.predict.options) - 1 for step in load_lesson(folder).steps if step.predict)
    acts = sum(step.act is not None for step in load_lesson(folder).steps)
    assert (verdict.wrong_answers_caught, verdict.skipped_acts_caught) == (wrong, acts)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_step_is_short_enough_to_read_at_a_stretch(folder: Path) -> None:
    for step in load_lesson(folder).steps:
        assert len(step.text.split()) <= 180, step.title
        assert len(step.explain.split()) <= 120, step.title


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_file_of_a_lesson_lies_unused(folder: Path) -> None:
    text = (folder / "lesson.toml").read_text(encoding="utf-8")
    for file in folder.iterdir():
        assert file.name == "lesson.toml" or f'"{file.name}"' in text, file.name
