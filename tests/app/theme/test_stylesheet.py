"""The stylesheet is whole, understood by Qt, and colourless."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.theme import THEME_NAMES, make_theme
from app.theme.stylesheet import qt_palette, stylesheet
from core.errors import UnknownName


@pytest.mark.parametrize("name", THEME_NAMES)
def test_qt_understands_it(name: str, qtbot: QtBot, qtlog: object) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = QVBoxLayout(widget)
    for part in (QPushButton("Run"), QComboBox()):
        layout.addWidget(part)
    widget.setStyleSheet(stylesheet(make_theme(name)))
    widget.grab()
    assert [record.message for record in qtlog.records] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", THEME_NAMES)
def test_it_is_whole_and_its_only_colour_is_that_of_errors(name: str) -> None:
    theme = make_theme(name)
    sheet = stylesheet(theme)
    assert "$" not in sheet
    errors = {theme.palette.error.name(), theme.palette.error_ground.name()}
    for found in set(re.findall(r"#[0-9a-f]{6}", sheet)) - errors:
        color = QColor(found)
        channels = (color.red(), color.green(), color.blue())
        assert max(channels) - min(channels) <= 26, found


def test_the_pictures_it_names_are_there() -> None:
    from pathlib import Path

    for name in THEME_NAMES:
        paths = re.findall(r'url\("([^"]+)"\)', stylesheet(make_theme(name)))
        assert paths
        assert [path for path in paths if not Path(path).is_file()] == []


def test_it_leaves_the_font_of_ordinary_widgets_alone(qtbot: QtBot) -> None:
    """A rule on every widget would win over `setFont`, and code would not stand in the code face."""
    theme = make_theme("dark")
    button = QPushButton("0010:00100042")
    qtbot.addWidget(button)
    button.setStyleSheet(stylesheet(theme))
    button.setFont(theme.type.mono())
    button.ensurePolished()
    assert button.font().family() == "IBM Plex Mono"


def test_the_focus_of_the_keyboard_is_seen(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    layout = QVBoxLayout(holder)
    button, other = QPushButton("Run"), QPushButton("Stop")
    layout.addWidget(other)
    layout.addWidget(button)
    holder.setStyleSheet(stylesheet(make_theme("dark")))
    holder.show()
    holder.activateWindow()
    other.setFocus()
    QApplication.processEvents()
    before = button.grab().toImage()
    button.setFocus()
    QApplication.processEvents()
    assert button.grab().toImage() != before


def test_what_the_sheet_does_not_reach_has_the_same_colours() -> None:
    theme = make_theme("light")
    assert qt_palette(theme).window().color() == theme.palette.background
    assert qt_palette(theme).text().color() == theme.palette.text


def test_an_unknown_theme_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownName, match="projector-light"):
        make_theme("sepia")


def test_a_projector_gets_larger_type_and_stronger_lines() -> None:
    desk, hall = make_theme("dark"), make_theme("projector-dark")
    assert hall.type.scale > desk.type.scale
    assert hall.line_width > desk.line_width
    assert hall.icon_size > desk.icon_size
