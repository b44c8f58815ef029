"""The marks of a lesson: pending, done, right, wrong. Shape says it; colour stays with the rings."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.theme import Theme


class Mark(Enum):
    """What a mark says; `value` is read to those who cannot see it."""

    PENDING = "not yet"
    DONE = "done"
    RIGHT = "right"
    WRONG = "not so"


def paint_lesson_mark(painter: QPainter, mark: Mark, rect: QRectF, theme: Theme) -> None:
    """Paint `mark` into the square `rect`: an open ring, a filled disc with a tick, a tick, a cross."""
    palette = theme.palette
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 16, rect.height() / 16)
    cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    tick = QPolygonF([QPointF(4.4, 8.4), QPointF(7, 11), QPointF(11.8, 5.4)])
    match mark:
        case Mark.PENDING:
            painter.setPen(QPen(palette.outline, 1.5))
            painter.drawEllipse(QRectF(1.75, 1.75, 12.5, 12.5))
        case Mark.DONE:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.text)
            painter.drawEllipse(QRectF(1, 1, 14, 14))
            painter.setPen(QPen(palette.surface, 1.8, Qt.PenStyle.SolidLine, cap, join))
            painter.drawPolyline(tick)
        case Mark.RIGHT:
            painter.setPen(QPen(palette.text, 2.2, Qt.PenStyle.SolidLine, cap, join))
            painter.drawPolyline(QPolygonF([QPointF(2.5, 8.6), QPointF(6.4, 12.4), QPointF(13.5, 3.8)]))
        case Mark.WRONG:
            painter.setPen(QPen(palette.muted, 2, Qt.PenStyle.SolidLine, cap, join))
            painter.drawLine(QPointF(4, 4), QPointF(12, 12))
            painter.drawLine(QPointF(12, 4), QPointF(4, 12))
    painter.restore()


class StateMark(QWidget):
    """A mark that stands before a line of words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.mark = Mark.PENDING
        self.setFixedSize(self.sizeHint())

    def show_mark(self, mark: Mark) -> None:
        """Show `mark`."""
        self.mark = mark
        self.setAccessibleName(mark.value)
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        """As large as the words beside it."""
        side = self._theme.type.pixels(16)
        return QSize(side, side + self._theme.space(1))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the mark, level with the first line of the words."""
        painter = QPainter(self)
        side = float(self.width())
        paint_lesson_mark(painter, self.mark, QRectF(0, self._theme.space(0.5), side, side), self._theme)
        painter.end()
