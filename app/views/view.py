"""What every view is: a widget that answers one question about the machine.

A view shows the facts it is given and says what the person wants by signals; it never reaches for the engine. To add
one, add a module ``<name>_view.py`` to this folder with a `View` subclass and ``VIEW = ViewSpec(...)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QStackedLayout, QWidget

from app.theme import Theme
from app.widgets.empty_state import EmptyState
from core.snapshot import Snapshot

if TYPE_CHECKING:
    from core.guests.image import Program


class Loaded(Protocol):
    """What a view is told of a program that was loaded; the engine's message of that name fits."""

    @property
    def program(self) -> Program: ...

    @property
    def kind(self) -> str: ...

    @property
    def generation(self) -> int: ...


class Area(StrEnum):
    """Where a view stands until the person moves it."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """How the window finds and places a view.

    id        stable name: settings, lessons and screenshots use it ("rings")
    title     the dock's title ("Rings")
    question  the one question the view answers; the title's tooltip
    order     place among the views of its area, ascending
    make      makes the widget, given the theme
    behind    id of the view behind which it first stands as a tab; empty: it has a place of its own if there is room
    """

    id: str
    title: str
    question: str
    area: Area
    order: int
    make: Callable[[Theme], View]
    behind: str = ""


class View(QWidget):
    """Base of all views.

    A subclass builds its widgets in ``__init__``, hands the outermost one to `set_content`, and overrides
    `show_snapshot`, `show_program` and `apply_theme` as far as it needs them (calling the base for the last).
    Until it calls ``set_empty(False)`` the person sees `empty_text`.
    """

    empty_text = "Choose a guest and press Run."
    of_machine = False
    """Is what it shows the whole machine's, and stays when another VM is looked at?"""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._empty = EmptyState(self.empty_text, theme)
        self._content: QWidget = self._empty
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._empty)

    def set_content(self, content: QWidget) -> None:
        """Give the view its one outermost widget. Called once; shown by ``set_empty(False)``."""
        self._content = content
        self._stack.addWidget(content)

    def set_empty(self, empty: bool, text: str | None = None) -> None:
        """Show the empty state (with `text` in place of `empty_text`), or the content."""
        if text is not None:
            self._empty.setText(text)
        self._stack.setCurrentWidget(self._empty if empty else self._content)

    @property
    def is_empty(self) -> bool:
        """Does the person see the empty state?"""
        return self._stack.currentWidget() is self._empty

    @property
    def empty_words(self) -> str:
        """What the empty state says."""
        return self._empty.text()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the machine as it is now. Called at most 30 times a second, and only while the view is visible."""

    def show_program(self, loaded: Loaded) -> None:
        """A program was loaded under a kind: forget the former one. Called whether the view is visible or not."""

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`, now and for what is drawn later."""
        self.theme = theme
        self._empty.apply_theme(theme)
