"""The frame around a picture that has the focus, for those that paint themselves and that no stylesheet reaches."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme import Theme


def paint_focus_frame(painter: QPainter, widget: QWidget, theme: Theme) -> None:
    """A line just within the edge of `widget`; the pen and brush of `painter` are others afterwards."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.palette.outline, 1))
    painter.drawRect(QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
