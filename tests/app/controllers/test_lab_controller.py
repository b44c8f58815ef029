"""What a crash left belongs to the first window that finds it, until that closes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.controllers.catalogue import Catalogue
from app.main_window import MainWindow
from app.views import code_view, console_view
from core.lab.archive import MANIFEST
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where labs are kept, with one of a process that is gone."""
    root = tmp_path / "labs"
    (root / "1").mkdir(parents=True)
    (root / "1" / MANIFEST).write_text("{}")
    return root


def test_a_second_window_leaves_alone_what_the_first_has_offered(
    root: Path, engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    specs = [code_view.VIEW, console_view.VIEW]
    first, second = (
        MainWindow(each, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
        for each in (engine, FakeEngine())
    )
    for window in (first, second):
        qtbot.addWidget(window)
        window.open(keep=root)
    assert "did not close as it should" in first.message.text
    assert "did not close as it should" not in second.message.text
    second.close()
    first.message.accept_button.click()
    asked = engine.last("open_lab")
    assert asked is not None
    assert Path(str(asked[1]), MANIFEST).exists()
    first.close()
    assert not [each for each in root.iterdir() if each.is_dir()]
