"""The words in an empty view: what will appear here, and how to make it."""

from __future__ import annotations

from itertools import product

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.theme import Theme
from app.theme.typography import Size

SIZES = (Size.SENTENCE, Size.BODY, Size.CAPTION)
MARGINS = 6, 2  # grid steps around the words, in a view of the usual size and in a small one


class EmptyState(QLabel):
    """A quiet, centred, wrapping sentence, as large as there is room for all of it."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName("emptyState")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._fit()

    def setText(self, text: str) -> None:
        super().setText(text)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The usual margin and size of type; of both less, in this order, where the words would be cut."""
        for size, units in product(SIZES, MARGINS):
            font, margin = self._theme.type.sans(size), self._theme.space(units)
            room = self.size().shrunkBy(QMargins(margin, margin, margin, margin))
            if not self.isVisible() or _height(self.text(), font, room.width()) <= room.height():
                break
        self.setFont(font)
        if self.contentsMargins().left() != margin:  # setting them is a resize too
            self.setContentsMargins(margin, margin, margin, margin)


def _height(text: str, font: QFont, width: int) -> int:
    return QFontMetrics(font).boundingRect(QRect(0, 0, width, 0), int(Qt.TextFlag.TextWordWrap), text).height()
