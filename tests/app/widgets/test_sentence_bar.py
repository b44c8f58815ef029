"""The sentence fits its bar, keeps its height, and can be heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QAccessible, QFontMetricsF
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.theme.typography import Size, load_fonts
from app.widgets.sentence_bar import SentenceBar
from core.events import Ring

THEME = make_theme("dark")
SENTENCE = (
    "CLI in guest ring 0 is really ring 1: #GP, the monitor cleared the virtual IF of A and went on at 0010:00100042."
)


@pytest.fixture
def bar(qtbot: QtBot) -> SentenceBar:
    load_fonts()
    made = SentenceBar(THEME)
    qtbot.addWidget(made)
    made.resize(1700, made.height())
    made.show()
    return made


def test_a_wide_bar_says_it_on_one_line(bar: SentenceBar) -> None:
    bar.show_sentence(SENTENCE, Ring.ONE)
    assert bar.lines() == [SENTENCE]


def test_a_narrow_bar_breaks_it_at_a_word(bar: SentenceBar) -> None:
    low = bar.height()
    bar.resize(640, low)
    bar.show_sentence(SENTENCE, Ring.ONE)
    first, second = bar.lines()
    assert f"{first} {second}" == SENTENCE
    assert bar.height() > low


def test_what_does_not_fit_ends_in_an_ellipsis_and_stays_in_the_tooltip(bar: SentenceBar) -> None:
    bar.resize(240, bar.height())
    bar.show_sentence(SENTENCE)
    assert len(bar.lines()) == 2
    assert bar.lines()[1].endswith("…")
    assert bar.toolTip() == SENTENCE


def test_the_height_follows_the_width_and_never_the_words(bar: SentenceBar) -> None:
    bar.resize(640, bar.height())
    heights = set()
    for words in ("", "Short.", SENTENCE, SENTENCE * 4):
        bar.show_sentence(words)
        heights.add(bar.height())
    assert len(heights) == 1
    assert heights.pop() % 4 == 0


def test_its_edge_has_the_ring_s_colour(bar: SentenceBar) -> None:
    bar.show_sentence(SENTENCE, Ring.USER)
    assert bar.grab().toImage().pixelColor(1, 5) == THEME.palette.ring_color(Ring.USER)
    bar.show_error("There is no guest named “foo”.")
    assert bar.grab().toImage().pixelColor(1, 5) == THEME.palette.error
    bar.show_sentence("Ready.")
    assert bar.grab().toImage().pixelColor(1, 5) == THEME.palette.outline


def test_a_screen_reader_finds_the_words(bar: SentenceBar) -> None:
    bar.show_sentence(SENTENCE, Ring.ONE, announce=True)
    read = QAccessible.queryAccessibleInterface(bar)
    assert read.text(QAccessible.Text.Name) == "What just happened"
    assert read.text(QAccessible.Text.Description) == SENTENCE


def test_larger_type_gives_a_higher_bar(bar: SentenceBar) -> None:
    low = bar.height()
    bar.apply_theme(THEME.with_type(THEME.type.larger().larger()))
    assert bar.height() > low


@given(
    words=st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\n") | st.just(" "), max_size=200)
)
def test_no_line_is_wider_than_the_bar(words: str) -> None:
    load_fonts()
    bar = SentenceBar(THEME)
    bar.resize(300, bar.height())
    bar.show_sentence(words)
    metrics = QFontMetricsF(THEME.type.sans(Size.SENTENCE))
    assert all(metrics.horizontalAdvance(line) <= bar.width() for line in bar.lines())
    assert len(bar.lines()) <= 2
