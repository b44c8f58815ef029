"""The words of an empty view: whole in a small one too."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.empty_state import EmptyState

WORDS = "A snapshot is a whole VM at one instant: its virtual CPU, memory, devices, and what it has written. " * 2


def test_words_are_smaller_rather_than_cut(qtbot: QtBot, theme: Theme) -> None:
    words = EmptyState(WORDS, theme)
    qtbot.addWidget(words)
    words.resize(600, 400)
    words.show()
    assert words.font().pixelSize() == theme.type.pixels(Size.SENTENCE)
    words.resize(560, 70)
    assert words.font().pixelSize() < theme.type.pixels(Size.SENTENCE)
    assert words.heightForWidth(560) <= 70
    words.resize(600, 400)
    assert words.font().pixelSize() == theme.type.pixels(Size.SENTENCE)
