"""Progress is kept, in one piece, and what cannot be understood is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from lessons.progress import LessonProgress, Progress


def test_progress_outlives_the_program(tmp_path: Path) -> None:
    file = tmp_path / "new" / "progress.json"
    progress = Progress(file)
    progress.reach("01", 3)
    progress.reach("01", 2)
    progress.predict("01", 1, right=False)
    progress.predict("01", 1, right=True)  # only the first counts
    progress.finish("02")
    again = Progress(file)
    assert again.of("01") == LessonProgress(at=2, furthest=3, predictions={1: False})
    assert again.of("02").finished
    assert again.of("03") == LessonProgress()
    assert again.notice == ""


def test_a_lesson_can_be_forgotten(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    progress.reach("01", 3)
    progress.forget("01")
    assert Progress(tmp_path / "progress.json").of("01") == LessonProgress()


@pytest.mark.parametrize(
    "content", [b"", b"not JSON", b'{"version": 2, "lessons": {}}', b'{"lessons": {"01": {"at": -1}}}', b"\xff\xfe"]
)
def test_a_foreign_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "progress.json"
    file.write_bytes(content)
    progress = Progress(file)
    assert "could not be understood" in progress.notice
    assert (tmp_path / "progress.json.bad").read_bytes() == content
    progress.reach("01", 1)
    assert Progress(file).of("01").at == 1


def test_a_file_that_cannot_be_written_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    progress = Progress(tmp_path / "taken" / "progress.json")
    progress.reach("01", 1)
    assert "cannot be" in progress.notice
    assert progress.of("01").at == 1


def test_a_file_that_cannot_be_read_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    file.mkdir()
    progress = Progress(file)
    assert "cannot be read" in progress.notice
    progress.reach("01", 1)
    assert file.is_dir()
    assert list(tmp_path.iterdir()) == [file]


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    Progress(tmp_path / "progress.json").reach("01", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_two_windows_keep_both_what_they_know(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    one, other = Progress(file), Progress(file)
    one.finish("first")
    other.reach("second", 2)
    one.forget("third")
    one.reach("first", 1)
    after = Progress(file)
    assert after.of("first") == LessonProgress(at=1, furthest=1, finished=True)
    assert after.of("second") == LessonProgress(at=2, furthest=2)


def test_what_was_forgotten_stays_forgotten_in_this_window(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    one, other = Progress(file), Progress(file)
    one.reach("first", 1)
    other.reach("second", 1)
    one.forget("first")
    assert Progress(file).of("first") == LessonProgress()
    assert Progress(file).of("second") == LessonProgress(at=1, furthest=1)
