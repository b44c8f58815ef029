"""A bar in parts that make up a whole, with a word and a percentage for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.theme.typography import Size
from core.translations import percent


@dataclass(frozen=True, slots=True)
class Share:
    """One part: its word, how much of the whole it is (0 to 1), its colour."""

    word: str
    share: float
    color: QColor


class ShareBar(QWidget):
    """The bar, and its legend under it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: tuple[Share, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.apply_theme(theme)

    def show_parts(self, parts: Sequence[Share]) -> None:
        """Show these parts."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.setAccessibleDescription(self.words)
            self.update()

    @property
    def words(self) -> str:
        """All of it as words."""
        return ", ".join(f"{part.word} {percent(part.share)}" for part in self._parts)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._font = theme.type.sans(Size.CAPTION)
        self._text = QFontMetricsF(self._font).height()
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, round(self._theme.space(2) + self._theme.space(1) + self._text))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette, high = self._theme.palette, self._theme.space(2)
        at = 0.0
        for part in self._parts:
            width = part.share * self.width()
            if part.share > 0:
                width = max(width, 2.0)
            painter.fillRect(QRectF(at, 0, max(width - 1, 1.0), high) if part.share > 0 else QRectF(), part.color)
            at += width
        at, gap = 0.0, self._theme.space(1)
        swatch = self._text * 0.6
        legend = [f"{part.word} {percent(part.share)}" for part in self._parts]
        font = self._fitting(legend, self.width() - len(legend) * (swatch + 2 + gap))
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        for part, words in zip(self._parts, legend, strict=True):
            top = high + gap
            painter.fillRect(QRectF(at, top + (self._text - swatch) / 2, swatch, swatch), part.color)
            painter.setPen(palette.text)
            painter.drawText(
                QRectF(at + swatch + 2, top, self.width(), self._text), int(Qt.AlignmentFlag.AlignVCenter), words
            )
            at += swatch + 2 + metrics.horizontalAdvance(words) + gap

    def _fitting(self, legend: Sequence[str], room: float) -> QFont:
        """The legend's font, smaller by a little where there is little room."""
        font = QFont(self._font)
        smallest = min(font.pixelSize() - 2, int(Size.CAPTION))
        while font.pixelSize() > smallest and sum(map(QFontMetricsF(font).horizontalAdvance, legend)) > room:
            font.setPixelSize(font.pixelSize() - 1)
        return font
