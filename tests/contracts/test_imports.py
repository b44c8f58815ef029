"""Imports run one way; the contracts that say so in pyproject.toml hold, and would catch who breaks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The smallest tree that the contracts speak of.
TREE = [
    "app/__init__.py", "app/controllers/__init__.py", "app/engine/__init__.py", "app/views/__init__.py",
    "app/views/rings_view.py", "lessons/__init__.py", "lessons/player.py", "core/__init__.py",
    "core/session/__init__.py", "core/hypervisor.py", "core/vmm/__init__.py", "core/interposer.py",
    "core/machine.py", "core/cpu/__init__.py",
    "core/cpu/unicorn_cpu.py", "core/cpu/state.py", "core/memory/__init__.py", "core/devices/__init__.py",
    "core/translator/__init__.py", "core/events.py", "core/errors.py",
]  # fmt: skip


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)


def test_imports_run_one_way() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in TREE:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "core/cpu/unicorn_cpu.py").write_text("import unicorn\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_smallest_tree_keeps_every_contract(tree: Path) -> None:
    linted = lint_imports(tree)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("core/session/session.py", "lessons.player"),
        ("lessons/player.py", "app.views"),
        ("core/cpu/state.py", "core.interposer"),
        ("core/errors.py", "core.machine"),
        ("core/machine.py", "unicorn"),
        ("app/views/rings_view.py", "unicorn"),
        ("core/session/session.py", "PySide6.QtCore"),
        ("lessons/player.py", "pyqtgraph"),
        ("app/views/rings_view.py", "app.engine"),
        ("app/views/rings_view.py", "app.controllers"),
        ("core/placed_nowhere.py", "core.events"),
    ],
)
def test_an_import_the_wrong_way_is_caught(tree: Path, module: str, imports: str) -> None:
    (tree / module).write_text(f"import {imports}\n")
    linted = lint_imports(tree)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert module.removesuffix(".py").replace("/", ".") in linted.stdout
