"""The code keeps the house style: linted, formatted, typed, in files of a size that one reads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file
    for folder in ("app", "core", "lessons", "assets", "tests")
    for file in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in file.parts
)
LONG = 400


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")


def test_every_file_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


def test_core_and_lessons_are_typed_strictly() -> None:
    run("mypy")


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_a_file_says_what_it_is_about(file: Path) -> None:
    """Every file with code opens with a docstring; a long one says why it is one thing."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    said = ast.get_docstring(tree) or ""
    assert said or not tree.body, "no docstring at the top"
    if source.count("\n") > LONG:
        assert re.search(r"\bone (thing|file)\b", said), (
            f"over {LONG} lines: divide it, or let its docstring say why it is one thing"
        )
    assert file.stem not in {"utils", "util", "helpers", "misc", "common"}, "name it after its mechanism"
