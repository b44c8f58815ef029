"""Where is the CPU, and how did it get there? The rings picture as a view."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.rings_picture import RingsPicture
from core.snapshot import Snapshot


class RingsView(View):
    """Shows the rings, the running code and each crossing."""

    empty_text = "Choose a guest and press Run. Here you will see in which ring the CPU runs, and each crossing."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.picture = RingsPicture(theme)
        self.set_content(self.picture)
        self.setAccessibleName("Rings")
        self.setAccessibleDescription(self.empty_text)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing has crossed yet."""
        self.picture.clear()
        self.set_empty(True, "Press Run or Step. Here you will see in which ring the CPU runs, and each crossing.")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where the CPU is now and what crossed since the last snapshot."""
        self.picture.show_snapshot(snapshot)
        self.set_empty(False)
        if self.accessibleDescription() != self.picture.accessibleDescription():
            self.setAccessibleDescription(self.picture.accessibleDescription())

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`."""
        super().apply_theme(theme)
        self.picture.apply_theme(theme)


VIEW = ViewSpec(
    id="rings",
    title="Rings",
    question="Where is the CPU, and how did it get there?",
    area=Area.LEFT,
    order=0,
    make=RingsView,
)
