"""Paints crossings that come too fast to be seen one by one: an arrow for each way, as thick as it is busy."""

from __future__ import annotations

from math import cos, log10, radians, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.typography import Size
from app.widgets.rings.geometry import Geometry
from app.widgets.rings.ink import arrow, plate
from app.widgets.rings.paint_rings import corner_words, type_pixels
from app.widgets.rings.rates import Flow
from app.widgets.rings.scene import Scene
from core.events import Ring

_INWARD = (170.0, 108.0)  # degrees within which arrows inward stand, the first to the last
_OUTWARD = (10.0, 72.0)
_WIDEST_GAP = 34.0


def rate_words(per_second: float) -> str:
    """ "1,234 /s"; below ten with one decimal."""
    return f"{per_second:,.1f} /s" if per_second < 9.95 else f"{per_second:,.0f} /s"


def paint_flows(painter: QPainter, geometry: Geometry, theme: Theme, flows: tuple[Flow, ...]) -> None:
    """One arrow a way: inward ones on the left, outward ones on the right, each with its rate and its main cause."""
    inward = [flow for flow in flows if flow.end <= flow.start]
    outward = [flow for flow in flows if flow.end > flow.start]
    # the longest ways stand lowest, where there is most room
    for group, limits in ((inward, _INWARD), (outward, _OUTWARD)):
        group.sort(key=lambda flow: (abs(flow.start - flow.end), flow.start))
        for flow, angle in zip(group, _angles(len(group), limits), strict=True):
            _paint_flow(painter, geometry, theme, flow, angle)


def paint_rate_state(
    painter: QPainter, scene: Scene, geometry: Geometry, theme: Theme, traps_per_second: float
) -> None:
    """The corner's words while rates show: which VM runs, and how often it traps."""
    corner_words(painter, geometry, theme, f"{scene.vm} runs", theme.palette.text)
    corner_words(painter, geometry, theme, f"traps {rate_words(traps_per_second)}", theme.palette.text, right=True)


def _angles(count: int, limits: tuple[float, float]) -> list[float]:
    """`count` angles spread evenly within `limits`, around their middle."""
    first, last = limits
    if count < 2:
        return [(first * 0.45 + last * 0.55)] * count
    gap = min(_WIDEST_GAP, abs(last - first) / (count - 1)) * (1 if last > first else -1)
    start = (first + last - gap * (count - 1)) / 2
    return [start + gap * index for index in range(count)]


def _paint_flow(painter: QPainter, geometry: Geometry, theme: Theme, flow: Flow, angle: float) -> None:
    color = theme.palette.ring_color(flow.start)
    width = theme.line_width * (0.9 + 0.9 * log10(1 + flow.per_second)) * max(1.0, geometry.unit**0.8)
    if flow.start is flow.end:
        points = _loop(geometry, flow.start, angle)
    else:
        points = [geometry.place(flow.start, angle), geometry.place(flow.end, angle)]
    arrow(painter, points, color, width * (0.6 if flow.direct else 1.0), dashed=flow.direct, head=True)
    _paint_rate(painter, geometry, theme, flow, angle)


def _loop(geometry: Geometry, ring: Ring, angle: float) -> list[QPointF]:
    """Three quarters of a circle within the ring: handled where it happened."""
    centre, radius = geometry.place(ring, angle), geometry.band(ring).height * 0.17
    turns = (radians(angle + 30 + 300 * step / 32) for step in range(33))
    return [QPointF(centre.x() + radius * cos(turn), centre.y() + radius * sin(turn)) for turn in turns]


def _paint_rate(painter: QPainter, geometry: Geometry, theme: Theme, flow: Flow, angle: float) -> None:
    """The rate stands outside the arrow's outer end."""
    size = type_pixels(geometry, theme, Size.CAPTION)
    font = theme.type.mono(bold=True)
    font.setPixelSize(max(7, round(size)))
    metrics = QFontMetricsF(font)
    words = rate_words(flow.per_second)
    mark = size * 1.3 if flow.cause else 0.0
    gap = size * 0.35 if flow.cause else 0.0
    width = metrics.horizontalAdvance(words) + mark + gap + size * 0.7
    height = metrics.height() + size * 0.2
    at = geometry.place(max((flow.start, flow.end)), angle)
    turn, distance = radians(angle), size * 0.5
    x = at.x() + cos(turn) * (width / 2 + distance) - width / 2
    y = at.y() + sin(turn) * (height / 2 + distance) - height / 2
    x = min(max(2.0, x), geometry.size.width() - width - 2)
    y = min(max(2.0, y), geometry.size.height() - height - 2)
    box = QRectF(x, y, width, height)
    ground = theme.palette.surface
    plate(painter, box, ground, 0 if theme.is_projector else size * 0.35)
    color = theme.palette.ring_text(flow.start)
    left = box.left() + size * 0.35
    if flow.cause:
        paint_mark(painter, flow.cause, QRectF(left, box.center().y() - mark / 2, mark, mark), color)
    painter.setFont(font)
    painter.setPen(color)
    words_box = QRectF(left + mark + gap, box.top(), width, height)
    painter.drawText(words_box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
