"""The picture's smallest strokes: words on a curve, words on a plate, arrowheads."""

from __future__ import annotations

from functools import lru_cache
from math import atan2, cos, degrees, hypot, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF, QTransform

_OUTLINE_SIZE = 128  # pixels at which curved letters are outlined: hinted to no pixel grid, they sit on the curve


def curved_words(
    painter: QPainter, text: str, font: QFont, centre: QPointF, radius: float, color: QColor, widest: float = 168.0
) -> None:
    """Write `text` along a circle, its baseline at `radius` pixels, centred on twelve o'clock.

    Text that would take more than `widest` degrees ends in an ellipsis.
    """
    if radius < font.pixelSize():
        return
    scale = font.pixelSize() / _OUTLINE_SIZE
    large = QFont(font)
    large.setPixelSize(_OUTLINE_SIZE)
    large.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    painter.save()
    painter.translate(centre)
    painter.scale(scale, scale)
    painter.fillPath(_along_circle(text, large.toString(), radius / scale, widest), color)
    painter.restore()


@lru_cache(maxsize=256)
def _along_circle(text: str, font: str, around: float, widest: float) -> QPainterPath:
    """The letters' outlines on a circle of radius `around` about the origin; `font` as `QFont.toString` writes it."""
    large = QFont()
    large.fromString(font)
    metrics = QFontMetricsF(large)
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, widest / 180 * pi * around)
    total = metrics.horizontalAdvance(text)
    words = QPainterPath()
    words.setFillRule(Qt.FillRule.WindingFill)
    for index, letter in enumerate(text):
        # the middle of a letter, measured in its word, so that kerning stays
        width = metrics.horizontalAdvance(letter)
        middle = metrics.horizontalAdvance(text[:index]) + width / 2
        outline = QPainterPath()
        outline.addText(QPointF(-width / 2, -around), large, letter)
        words.addPath(QTransform().rotate(degrees((middle - total / 2) / around)).map(outline))
    return words


def plate(painter: QPainter, rect: QRectF, ground: QColor, corner: float, edge: QPen | None = None) -> None:
    """A ground that keeps words readable over lines, with an edge if `edge` is given."""
    painter.save()
    painter.setPen(edge or QPen(Qt.PenStyle.NoPen))
    painter.setBrush(ground)
    painter.drawRoundedRect(rect, corner, corner)
    painter.restore()


def arrow(painter: QPainter, points: list[QPointF], color: QColor, width: float, *, dashed: bool, head: bool) -> None:
    """A line through `points` of that width, with a head at its end."""
    if len(points) < 2:
        return
    line = points
    size = width * 2.2 + 3
    if head:
        line = _shortened(points, size * 0.8)
    pen = QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    if dashed:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([4.0, 3.0])
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF(line))
    if head:
        tip = points[-1]
        back = line[-1]
        turn = atan2(tip.y() - back.y(), tip.x() - back.x())
        corners = [tip] + [
            QPointF(tip.x() - size * cos(turn + spread), tip.y() - size * sin(turn + spread)) for spread in (0.5, -0.5)
        ]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF(corners))
    painter.restore()


def _shortened(points: list[QPointF], by: float) -> list[QPointF]:
    """The polyline without its last `by` pixels."""
    kept = list(points)
    while len(kept) > 2 and hypot(kept[-2].x() - points[-1].x(), kept[-2].y() - points[-1].y()) < by:
        kept.pop()
    last, before = kept[-1], kept[-2]
    length = hypot(last.x() - before.x(), last.y() - before.y())
    gone = hypot(last.x() - points[-1].x(), last.y() - points[-1].y())
    share = max(0.0, (length - max(0.0, by - gone)) / length) if length else 0.0
    kept[-1] = QPointF(before.x() + (last.x() - before.x()) * share, before.y() + (last.y() - before.y()) * share)
    return kept
