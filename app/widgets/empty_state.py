"""The words in an empty view: what will appear here, and how to make it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.theme import Theme
from app.theme.typography import Size


class EmptyState(QLabel):
    """A quiet, centred, wrapping sentence."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName("emptyState")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.setFont(theme.type.sans(Size.SENTENCE))
        margin = theme.space(6)
        self.setContentsMargins(margin, margin, margin, margin)
