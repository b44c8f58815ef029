"""What tests of the window share."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.controllers.catalogue import Catalogue, Choice
from app.theme import Theme, make_theme
from app.theme.stylesheet import apply
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The dark theme, applied as in the window."""
    theme = make_theme("dark")
    apply(qapp, theme)
    return theme


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    """Settings of nobody."""
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def engine(qapp: QApplication) -> FakeEngine:
    """An engine without a machine."""
    return FakeEngine()


@pytest.fixture
def catalogue() -> Catalogue:
    """Two guests, two kinds."""
    return Catalogue(
        (Choice("small", "Small", "Eight instructions."), Choice("other", "Other", "Something else.")),
        (Choice("bare", "Bare machine", "No monitor."), Choice("trap_emulate", "Trap and emulate", "Ring 1.")),
    )
