"""The one sentence that says what just happened, at the foot of the window."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.theme.typography import Size
from core.events import Ring

_LONGEST = 190  # letters of a long sentence; a bar that cannot hold them on one line has two


class SentenceBar(QWidget):
    """One sentence on one line, or on two in a narrow window; what does not fit ends in an ellipsis.

    Its height follows its width alone, never its words, so that nothing jumps when they change. The edge on the left
    has the colour of the ring in which it happened, or of an error.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._ring: Ring | None = None
        self._is_error = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What just happened")
        self.apply_theme(theme)

    @property
    def text(self) -> str:
        """The whole sentence."""
        return self._text

    def show_sentence(self, text: str, ring: Ring | None = None, *, announce: bool = False) -> None:
        """Say what happened, with an edge in `ring`'s colour.

        `announce` reads it out to a screen reader: for what the person did, not for each of 30 snapshots a second.
        """
        self._show(text, ring, is_error=False, announce=announce)

    def show_error(self, text: str) -> None:
        """Say what went wrong; always announced."""
        self._show(text, None, is_error=True, announce=True)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room, as high as its lines."""
        return QSize(640, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A change of width may change the number of lines."""
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground, the edge, the words."""
        palette, space = self._theme.palette, self._theme.space
        painter = QPainter(self)
        painter.fillRect(self.rect(), palette.error_ground if self._is_error else palette.raised)
        painter.fillRect(QRectF(0, 0, space(1), self.height()), self._edge())
        painter.setPen(palette.error if self._is_error else palette.text)
        painter.setFont(self._theme.type.sans(Size.SENTENCE))
        lines = self.lines()
        line_height = self._line_height()
        y = (self.height() - line_height * len(lines)) / 2
        for line in lines:
            painter.drawText(QPointF(space(4), y + self._metrics().ascent()), line)
            y += line_height
        painter.end()

    def lines(self) -> list[str]:
        """The words as they are painted: broken at words, at most as many lines as the bar has, the last elided."""
        room = max(1.0, self.width() - self._theme.space(7))
        layout = QTextLayout(self._text, self._theme.type.sans(Size.SENTENCE))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        found: list[str] = []
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(room)
            start = line.textStart()
            if len(found) == self._line_count() - 1:
                rest = self._text[start:]
                found.append(self._metrics().elidedText(rest, Qt.TextElideMode.ElideRight, room))
                break
            found.append(self._text[start : start + line.textLength()].rstrip())
        layout.endLayout()
        return found

    def _show(self, text: str, ring: Ring | None, *, is_error: bool, announce: bool) -> None:
        if (text, ring, is_error) == (self._text, self._ring, self._is_error):
            return
        self._text, self._ring, self._is_error = text, ring, is_error
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        if announce:
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        self.update()

    def _edge(self) -> QColor:
        palette = self._theme.palette
        if self._is_error:
            return palette.error
        return palette.outline if self._ring is None else palette.ring_color(self._ring)

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self._theme.type.sans(Size.SENTENCE))

    def _line_height(self) -> float:
        return self._metrics().height()

    def _line_count(self) -> int:
        return 1 if self.width() >= self._metrics().averageCharWidth() * _LONGEST else 2

    def _fit(self) -> None:
        height = round(self._line_height() * self._line_count()) + self._theme.space(4)
        self.setFixedHeight(height + -height % self._theme.space(1))
