"""``ringside lesson check``: verdicts, and a status that a script can act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import statuses

LESSON = """
title = "A lesson"
summary = "For a test."
claims = [1]
minutes = 1

[[step]]
title = "One"
text = "Step."
setup = {{ guest = "hello", kind = "bare" }}
check = [{{ executed_at_least = {needed} }}]
[step.act]
text = "Step once."
solution = [{{ step = 1 }}]
"""


def test_the_shipped_lessons_are_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "check"]) == statuses.DONE
    assert len(capsys.readouterr().out.splitlines()) >= 2


@pytest.mark.parametrize(("needed", "status"), [(1, statuses.DONE), (2, statuses.PROBLEMS)])
def test_one_s_own_lesson_is_judged(
    needed: int, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lesson.toml"
    file.write_text(LESSON.format(needed=needed))
    assert main(["lesson", "check", str(tmp_path)]) == status
    *problems, verdict = capsys.readouterr().out.splitlines()
    assert verdict.startswith("A lesson: ")
    assert bool(problems) == (status == statuses.PROBLEMS)
    assert all(str(file) in problem for problem in problems)
