"""The list of lessons: what each is about, how long it takes, how far the person has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.lesson.steps_bar import StepsBar


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson of the list.

    name      as progress and the loader know it
    facts     how long it takes, in words
    steps     how many; `done` of them lie behind the person, who would go on at `at` (from 0)
    standing  how the person stands with it, in words; empty if never opened
    error     why it cannot be read; the rest is then empty
    """

    name: str
    title: str
    summary: str = ""
    facts: str = ""
    steps: int = 0
    done: int = 0
    at: int = 0
    finished: bool = False
    standing: str = ""
    error: str = ""


class Contents(QScrollArea):
    """A card a lesson, in order."""

    opened = Signal(str)
    """Emitted with the name of the lesson that the person opens."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.cards: list[LessonCard] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QWidget()
        page.setMinimumSize(1, 1)  # or the height of the words in the narrowest column would count
        self._layout = QVBoxLayout(page)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.notice.setProperty("role", "quiet")
        self.notice.hide()
        self._layout.addWidget(self.notice)
        self._layout.addStretch()
        self.setWidget(page)
        self.apply_theme(theme)

    def show_entries(self, entries: Sequence[Entry], notice: str = "") -> None:
        """Show these lessons, and a notice above them."""
        for card in self.cards:
            self._layout.removeWidget(card)
            card.deleteLater()
        next_up = next((entry for entry in entries if not entry.finished and not entry.error), None)
        self.cards = [LessonCard(entry, self._theme, next_up=entry is next_up) for entry in entries]
        for index, card in enumerate(self.cards):
            card.opened.connect(self.opened)
            self._layout.insertWidget(1 + index, card)
            card.apply_theme(self._theme)  # a widget that moves to another parent forgets the fonts set before
        self.notice.setText(notice)
        self.notice.setVisible(bool(notice))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        margin = theme.space(4)
        self._layout.setContentsMargins(margin, theme.space(3), margin, margin)
        self._layout.setSpacing(theme.space(3))
        self.notice.setFont(theme.type.sans(Size.BODY))
        for card in self.cards:
            card.apply_theme(theme)


class LessonCard(QWidget):
    """One lesson: title, summary, facts, progress and the one button."""

    opened = Signal(str)
    """Emitted with the lesson's name."""

    def __init__(self, entry: Entry, theme: Theme, *, next_up: bool = False) -> None:
        super().__init__()
        self.entry = entry
        panel = QFrame()
        panel.setProperty("role", "error" if entry.error else "panel")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(panel)
        self.title = QLabel(entry.title)
        self.summary = QLabel(entry.error or entry.summary)
        self.facts = QLabel(entry.facts)
        self.standing = QLabel(entry.standing)
        self.facts.setProperty("role", "quiet")
        self.standing.setProperty("role", "quiet")
        for label in (self.title, self.summary, self.facts, self.standing):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.progress = StepsBar(theme)
        self.progress.show_progress(entry.steps, entry.done)
        words = "Again" if entry.finished else f"Go on with step {entry.at + 1}" if entry.at else "Begin"
        self.button = QPushButton(words)
        self.button.setProperty("role", "primary" if next_up else "")
        self.button.setAccessibleName(f"{words}: {entry.title}")
        self.button.clicked.connect(lambda: self.opened.emit(entry.name))
        self._layout = QVBoxLayout(panel)
        self._layout.addWidget(self.title)
        self._layout.addWidget(self.summary)
        self._layout.addWidget(self.facts)
        self._layout.addWidget(self.progress)
        row = QHBoxLayout()
        row.addWidget(self.standing, 1)
        row.addWidget(self.button)
        self._layout.addLayout(row)
        if entry.error:
            for part in (self.facts, self.progress, self.standing, self.button):
                part.hide()
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        margin = theme.space(4)
        self._layout.setContentsMargins(margin, theme.space(3), margin, theme.space(3))
        self._layout.setSpacing(theme.space(2))
        self.title.setFont(theme.type.sans(Size.HEADING, bold=True))
        self.summary.setFont(theme.type.sans(Size.SENTENCE))
        self.facts.setFont(theme.type.sans(12))
        self.standing.setFont(theme.type.sans(12))
        self.progress.apply_theme(theme)
