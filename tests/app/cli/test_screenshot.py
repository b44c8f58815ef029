"""``ringside screenshot``: a picture of the real window, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.__main__ import main
from app.cli import statuses


def shoot(output: Path, *options: str) -> QImage:
    arguments = ["screenshot", "--guest", "rings", "--vmm", "trap_emulate", "--after", "400", *options, str(output)]
    assert main(arguments) == statuses.DONE
    return QImage(str(output))


def test_the_same_command_gives_the_same_picture_and_another_theme_and_size_another(
    qtbot: QtBot, tmp_path: Path
) -> None:
    first, second = shoot(tmp_path / "a.png"), shoot(tmp_path / "b.png")
    light = shoot(tmp_path / "c.png", "--theme", "light", "--size", "1000x600")
    assert first == second
    assert (first.width(), first.height()) == (1280, 720)
    assert (light.width(), light.height()) == (1000, 600)
    assert light.pixelColor(5, 5).lightness() > first.pixelColor(5, 5).lightness()


def test_a_guest_that_is_refused_is_told(qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screenshot", "--guest", "helo", str(tmp_path / "a.png")]) == statuses.USER_ERROR
    assert "helo" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_a_place_that_cannot_be_written_is_told(
    qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["screenshot", "--guest", "hello", str(tmp_path / "none" / "a.png")]) == statuses.USER_ERROR
    assert "none" in capsys.readouterr().err
