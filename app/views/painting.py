"""What the delegates of several views share: the ground of a row, and a line of text in a cell."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine

WIDEST = 0.62  # of the size in pixels: no text in our faces is wider on average


def paint_ground(painter: QPainter, option: QStyleOptionViewItem, theme: Theme, tint: QColor | None = None) -> None:
    """Fill the cell: selected over `tint` over hovered over the plain surface."""
    palette = theme.palette
    if option.state & QStyle.StateFlag.State_Selected:
        painter.fillRect(option.rect, palette.selection)
    elif tint is not None:
        painter.fillRect(option.rect, tint)
    elif option.state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(option.rect, palette.hover)


def paint_text(
    painter: QPainter, rect: QRect | QRectF, text: str, font: QFont, color: QColor, flags: Qt.AlignmentFlag = LEFT
) -> None:
    """One line of text, shortened by an ellipsis where it does not fit."""
    rect = QRectF(rect)
    if len(text) * font.pixelSize() * WIDEST > rect.width():  # measuring takes as long as drawing: only if in doubt
        metrics = QFontMetricsF(font)
        if metrics.horizontalAdvance(text) > rect.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(rect, int(flags), text)
