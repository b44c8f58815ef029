"""A PC's text screen, 80 by 25, painted as large as there is room; what is typed into it is told as scan codes."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.keystrokes import codes_of
from app.models.screen_text import COLUMNS, ROWS, Run, ScreenText
from app.theme import Theme

# The sixteen colours of the card's default palette (IBM VGA Technical Reference): the guest's, not the lab's.
COLOURS = tuple(
    QColor(name)
    for name in (
        "#000000", "#0000AA", "#00AA00", "#00AAAA", "#AA0000", "#AA00AA", "#AA5500", "#AAAAAA",
        "#555555", "#5555FF", "#55FF55", "#55FFFF", "#FF5555", "#FF55FF", "#FFFF55", "#FFFFFF",
    )
)  # fmt: skip
SMALLEST, LARGEST = 6, 40  # pixels of the letters
FRAME = 6
LINE = 1.15  # height of a line, in sizes of the letters: about as on a screen of 4 by 3


class TextScreenPicture(QWidget):
    """Paints a `ScreenText`.

    keyed  (bytes) the scan codes of what was typed
    """

    keyed = Signal(bytes)

    def __init__(self, screen: ScreenText, theme: Theme) -> None:
        super().__init__()
        self._screen, self._theme = screen, theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Screen of the guest")
        self._fit()

    def apply_theme(self, theme: Theme) -> None:
        """Take type and colours from `theme`."""
        self._theme = theme
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(COLUMNS * 8 + 2 * FRAME, ROWS * 16 + 2 * FRAME)

    def minimumSizeHint(self) -> QSize:
        return QSize(COLUMNS * 3, ROWS * 6)

    # -- the person

    def keyPressEvent(self, event: QKeyEvent) -> None:
        codes = codes_of(event)
        if codes and event.key() not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.keyed.emit(codes)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    # -- painting

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def _fit(self) -> None:
        """The largest letters with which the whole screen fits."""
        font, self._cell = self._theme.type.mono(), (0.0, 0.0)
        for pixels in range(LARGEST, SMALLEST - 1, -1):
            font.setPixelSize(pixels)
            metrics = QFontMetricsF(font)
            self._cell = metrics.horizontalAdvance("0"), float(ceil(LINE * pixels))
            across, down = self._cell[0] * COLUMNS, self._cell[1] * ROWS
            if across <= self.width() - 2 * FRAME and down <= self.height() - 2 * FRAME:
                break
        self._font, self._ascent = (
            QFont(font),
            QFontMetricsF(font).capHeight() + (self._cell[1] - pixels) / 2 + pixels / 6,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        width, height = self._cell[0] * COLUMNS, self._cell[1] * ROWS
        left, top = max(0.0, (self.width() - width) / 2), max(0.0, (self.height() - height) / 2)
        whole = QRectF(left, top, width, height).adjusted(-FRAME, -FRAME, FRAME, FRAME)
        painter.fillRect(whole, COLOURS[0])
        painter.setFont(self._font)
        for run in self._screen.runs:
            self._paint_run(painter, run, left, top)
        if self._screen.cursor is not None:
            row, column = self._screen.cursor
            at = QRectF(left + column * self._cell[0], top + (row + 1) * self._cell[1] - 3, self._cell[0], 2)
            painter.fillRect(at, COLOURS[15] if self.hasFocus() else COLOURS[7])
        painter.setPen(self._theme.palette.focus if self.hasFocus() else self._theme.palette.line)
        painter.drawRect(whole.adjusted(0, 0, -1, -1))

    def _paint_run(self, painter: QPainter, run: Run, left: float, top: float) -> None:
        across, down = self._cell
        at = QRectF(left + run.column * across, top + run.row * down, len(run.text) * across, down)
        if run.background:
            painter.fillRect(at, COLOURS[run.background])
        if not run.text.strip():
            return
        painter.setPen(COLOURS[run.foreground])
        baseline = at.top() + self._ascent
        if run.text.isascii():
            painter.drawText(QPointF(at.left(), baseline), run.text)
        else:  # a letter of another face may be of another width
            for index, letter in enumerate(run.text):
                painter.drawText(QPointF(at.left() + index * across, baseline), letter)
