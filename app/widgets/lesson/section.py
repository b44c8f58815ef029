"""A section of a step: a quiet caption over a panel."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.theme import Theme


class Section(QWidget):
    """`body` is the layout of the panel, to be filled."""

    def __init__(self, caption: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = QLabel(caption)
        self.caption.setProperty("role", "quiet")
        panel = QFrame()
        panel.setProperty("role", "panel")
        self.body = QVBoxLayout(panel)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.caption)
        self._layout.addWidget(panel)
        Section.apply_theme(self, theme)  # a subclass has parts of its own to dress, which are not there yet

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.caption.setFont(theme.type.sans(12, bold=True))
        self._layout.setSpacing(theme.space(1))
        margin = theme.space(3)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(theme.space(2))
