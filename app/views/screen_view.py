"""The screen: what the guest shows on its VGA text screen, and what is typed on its own keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.models.screen_text import ScreenText
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.text_screen import TextScreenPicture
from core.looks import Look
from core.snapshot import Snapshot

HINT = "Keys typed here go to the guest's PS/2 keyboard; those typed in the Console go to its serial port."
NOTHING_YET = "The guest has put nothing on its screen yet. What it writes to its memory, at B8000, appears here."


class ScreenView(View):
    """The picture over a line that says where keys go.

    keyed        (bytes) scan codes of what the person typed
    lookChanged  never emitted: the view always looks at the same thing
    """

    keyed = Signal(bytes)
    lookChanged = Signal()

    empty_text = f"{NOTHING_YET} Choose Pebble and press Run."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.screen_text = ScreenText()
        self.picture = TextScreenPicture(self.screen_text, theme)
        self.picture.keyed.connect(self.keyed)
        self.picture.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy = self.picture.addAction("Copy the screen's text")
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.screen_text.text))
        self.hint = QLabel(HINT)
        self.hint.setProperty("role", "quiet")
        self.hint.setWordWrap(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.hint)
        self.setFocusProxy(self.picture)
        self.set_content(content)
        self.apply_theme(theme)

    @property
    def look(self) -> Look:
        """The screen, and nothing else."""
        return Look(screen=True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the screen as it is now."""
        seen = snapshot.seen.screen
        if seen is None:
            return
        if self.screen_text.show(seen):
            self.picture.update()
        if not snapshot.running:
            self.picture.setAccessibleDescription(self.screen_text.text)
        self.set_empty(not self.screen_text.text and self.screen_text.cursor is None)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine's screen is dark."""
        self.screen_text.clear()
        self.picture.update()
        self.set_empty(True)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.picture.apply_theme(theme)
        self.hint.setFont(theme.type.sans(Size.CAPTION))
        self.hint.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))


VIEW = ViewSpec(
    id="screen",
    title="Screen",
    question="What does the guest show on its screen?",
    area=Area.CENTRE,
    order=20,
    make=ScreenView,
)
