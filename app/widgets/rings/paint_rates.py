"""Paints crossings that come too fast to be seen one by one: an arrow for each way, as thick as it is busy."""

from __future__ import annotations

from math import cos, log10, radians, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.models.numerals import grouped
from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.typography import Size
from app.widgets.rings.geometry import Geometry
from app.widgets.rings.ink import arrow, plate
from app.widgets.rings.paint_rings import corner_words, type_pixels
from app.widgets.rings.rates import Flow, RateMeter
from app.widgets.rings.scene import Scene
from core.events import Ring

_INWARD = (170.0, 108.0)  # degrees within which arrows inward stand, the first to the last
_OUTWARD = (10.0, 72.0)
_WIDEST_GAP = 34.0
_LOOP = 0.17  # radius of a way within one ring, as a share of the ring's thickness


def rate_words(per_second: float) -> str:
    """ "1 234 /s"; below ten with one decimal."""
    return f"{per_second:.1f} /s" if per_second < 9.95 else f"{grouped(round(per_second))} /s"


def paint_flows(painter: QPainter, geometry: Geometry, theme: Theme, flows: tuple[Flow, ...]) -> None:
    """One arrow a way: inward ones on the left, outward ones on the right, each with its rate and its main cause."""
    inward = [flow for flow in flows if flow.end <= flow.start]
    outward = [flow for flow in flows if flow.end > flow.start]
    # the longest ways stand lowest, where there is most room
    for group, limits in ((inward, _INWARD), (outward, _OUTWARD)):
        group.sort(key=lambda flow: (abs(flow.start - flow.end), flow.start))
        for flow, angle in zip(group, _angles(len(group), limits), strict=True):
            _paint_flow(painter, geometry, theme, flow, angle)


def paint_rate_state(painter: QPainter, scene: Scene, geometry: Geometry, theme: Theme, meter: RateMeter) -> None:
    """The words while rates show: which VM runs and how often it traps; where there is room, each cause's rate."""
    ink = theme.palette.text
    traps = f"traps {rate_words(meter.traps_per_second())}"
    corner_words(painter, geometry, theme, (f"{scene.vm} runs", ink), (traps, ink))
    if not geometry.roomy:
        return
    size = type_pixels(geometry, theme, Size.BODY)
    figures, words = theme.type.mono(bold=True), theme.type.sans()
    for font in (figures, words):
        font.setPixelSize(round(size))
    causes, line = meter.causes(), size * 2
    rate_width = max((QFontMetricsF(figures).horizontalAdvance(rate_words(rate)) for _, rate in causes), default=0.0)
    left, y = geometry.words.left(), geometry.words.top()
    if geometry.wide:
        y = geometry.words.center().y() - line * len(causes) / 2
    middle = Qt.AlignmentFlag.AlignVCenter
    for cause, rate in causes[: int((geometry.size.height() - y) / line)]:
        mark = size * 1.3
        paint_mark(painter, cause, QRectF(left, y + (line - mark) / 2, mark, mark), ink)
        x = left + mark + size * 0.7
        painter.setPen(ink)
        painter.setFont(figures)
        painter.drawText(QRectF(x, y, rate_width, line), middle | Qt.AlignmentFlag.AlignRight, rate_words(rate))
        x += rate_width + size
        painter.setFont(words)
        room = geometry.words.right() - x
        phrase = QFontMetricsF(words).elidedText(cause.phrase, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(x, y, room, line), middle | Qt.AlignmentFlag.AlignLeft, phrase)
        y += line


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
    centre, radius = geometry.place(ring, angle), geometry.band(ring).height * _LOOP
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
    loop = geometry.band(flow.start).height * _LOOP if flow.start is flow.end else 0.0
    turn, distance = radians(angle), size * 0.5 + loop
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
