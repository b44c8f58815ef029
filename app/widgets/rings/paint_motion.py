"""Paints what moves: the arcs of a crossing, the running code, and the words that say what happened."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QRadialGradient

from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.typography import Size
from app.widgets.rings.crossing import Crossing
from app.widgets.rings.geometry import Geometry, leg_angles, rest_angle
from app.widgets.rings.ink import arrow, plate
from app.widgets.rings.paint_rings import type_pixels
from app.widgets.rings.playback import Frame
from app.widgets.rings.scene import Scene
from core.events import Cause, Ring


def ring_of_frame(frame: Frame) -> Ring:
    """The ring that counts as running now: the one a leg leaves in its first half, then the one it enters."""
    if not frame.moving or frame.crossing is None:
        return frame.ring
    leg = frame.crossing.legs[frame.leg]
    return leg.start if frame.progress < 0.5 else leg.end


def paint_arcs(painter: QPainter, geometry: Geometry, theme: Theme, frame: Frame) -> None:
    """The crossing's legs, as far as they have been travelled, each in the colour of the ring that it leaves."""
    crossing = frame.crossing
    if crossing is None:
        return
    width = theme.line_width * 2 * max(1.0, geometry.unit**0.7)
    direct = crossing.trap is None
    for index, (leg, (start, end)) in enumerate(zip(crossing.legs, leg_angles(frame), strict=True)):
        if index > frame.leg:
            break
        upto = frame.progress if index == frame.leg else 1.0
        color = theme.palette.ring_color(leg.start)
        points = geometry.leg_points(leg, start, end, upto)
        thickness = width * (0.6 if direct else 1.0)
        arrow(painter, points, color, thickness, dashed=direct, head=False)
        if upto >= 1.0 and (direct or len(crossing.legs) > 1):
            # the head stands on the way, as the ends are hidden by the mark and the running code
            arrow(painter, points[: round(len(points) * 0.64)][-6:], color, thickness, dashed=False, head=True)
        if index == 0:
            dot = width * 1.1
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(points[0], dot, dot)
    if crossing.trap and not frame.moving:
        _leave_mark(painter, geometry, theme, frame, crossing.trap.cause)


def paint_code(painter: QPainter, scene: Scene, geometry: Geometry, theme: Theme, frame: Frame) -> None:
    """The running code: a bright point with its VM's letter at rest, with the cause's mark while it crosses."""
    ring = ring_of_frame(frame)
    where = _where(geometry, frame)
    color = theme.palette.ring_color(ring)
    radius = 11.0 * geometry.unit
    carrying = frame.crossing.trap.cause if frame.moving and frame.crossing and frame.crossing.trap else None
    if carrying:
        radius *= 1.3
    if not theme.is_projector:
        _glow(painter, where, radius * 2.4, color)
    _token(painter, geometry, theme, where, radius, color)
    ink = theme.palette.on(color)
    if carrying:
        side = radius * 1.3
        paint_mark(painter, carrying, QRectF(where.x() - side / 2, where.y() - side / 2, side, side), ink)
        return
    font = theme.type.sans(bold=True)
    font.setPixelSize(max(7, round(radius * 1.25)))
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(
        QRectF(where.x() - radius, where.y() - radius, 2 * radius, 2 * radius), Qt.AlignmentFlag.AlignCenter, scene.vm
    )


def paint_words(painter: QPainter, geometry: Geometry, theme: Theme, crossing: Crossing) -> None:
    """What the crossing was: on a plate below the centre, or at length beside or under the rings if there is room."""
    if geometry.roomy:
        _words_at_length(painter, geometry, theme, crossing)
    else:
        _words_below(painter, geometry, theme, crossing)


def _leave_mark(painter: QPainter, geometry: Geometry, theme: Theme, frame: Frame, cause: Cause) -> None:
    """When all is at rest, the cause's mark stays: where it was handled, or on the way if execution stayed there."""
    crossing = frame.crossing
    assert crossing is not None
    start, end = leg_angles(frame)[0]
    way = geometry.leg_points(crossing.legs[0], start, end)
    at = way[-1] if len(crossing.legs) > 1 else way[len(way) // 2]
    color = theme.palette.ring_color(crossing.origin)
    _token(painter, geometry, theme, at, 8.5 * geometry.unit, color)
    side = 11.5 * geometry.unit
    paint_mark(painter, cause, QRectF(at.x() - side / 2, at.y() - side / 2, side, side), theme.palette.on(color))


def _token(painter: QPainter, geometry: Geometry, theme: Theme, at: QPointF, radius: float, color: QColor) -> None:
    painter.setPen(QPen(theme.palette.background, max(1.5, geometry.unit)))
    painter.setBrush(color)
    painter.drawEllipse(at, radius, radius)


def _where(geometry: Geometry, frame: Frame) -> QPointF:
    if frame.crossing is None:
        return geometry.place(frame.ring, rest_angle(frame.side))
    start, end = leg_angles(frame)[frame.leg]
    return geometry.leg_points(frame.crossing.legs[frame.leg], start, end, frame.progress)[-1]


def _glow(painter: QPainter, where: QPointF, radius: float, color: QColor) -> None:
    light = QRadialGradient(where, radius)
    for stop, alpha in ((0.0, 150), (0.4, 90), (1.0, 0)):
        shade = QColor(color)
        shade.setAlpha(alpha)
        light.setColorAt(stop, shade)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(light)
    painter.drawEllipse(where, radius, radius)


def _words_below(painter: QPainter, geometry: Geometry, theme: Theme, crossing: Crossing) -> None:
    size = type_pixels(geometry, theme, Size.BODY)
    strong, plain = _sized(theme.type.mono(bold=True), size), _sized(theme.type.sans(), size * 0.86)
    strong_metrics, plain_metrics = QFontMetricsF(strong), QFontMetricsF(plain)
    mark = size * 1.35 if crossing.trap else 0.0
    gap = size * 0.5 if crossing.trap else 0.0
    room = geometry.words.width() - 2 * size * 0.6
    head = strong_metrics.elidedText(crossing.headline, Qt.TextElideMode.ElideRight, room - mark - gap)
    detail = plain_metrics.elidedText(crossing.detail, Qt.TextElideMode.ElideRight, room)
    head_width = strong_metrics.horizontalAdvance(head) + mark + gap
    width = max(head_width, plain_metrics.horizontalAdvance(detail)) + 2 * size * 0.6
    height = strong_metrics.height() + plain_metrics.height() + size * 0.5
    middle = geometry.words.center()
    box = QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)
    edge = QPen(theme.palette.ring_color(crossing.origin), theme.line_width * 0.7)
    plate(painter, box, theme.palette.surface, 0 if theme.is_projector else size * 0.4, edge)
    left, top = middle.x() - head_width / 2, box.top() + size * 0.25
    if crossing.trap:
        at = QRectF(left, top + (strong_metrics.height() - mark) / 2, mark, mark)
        paint_mark(painter, crossing.trap.cause, at, theme.palette.ring_text(crossing.origin))
    painter.setFont(strong)
    painter.setPen(theme.palette.ring_text(crossing.origin))
    painter.drawText(QPointF(left + mark + gap, top + strong_metrics.ascent()), head)
    painter.setFont(plain)
    painter.setPen(theme.palette.text)
    second = QRectF(box.left(), top + strong_metrics.height(), width, plain_metrics.height())
    painter.drawText(second, Qt.AlignmentFlag.AlignCenter, detail)


def _words_at_length(painter: QPainter, geometry: Geometry, theme: Theme, crossing: Crossing) -> None:
    size = type_pixels(geometry, theme, Size.BODY)
    words, color = geometry.words, theme.palette.ring_text(crossing.origin)
    rows = [
        (crossing.headline, _sized(theme.type.mono(bold=True), size * 1.25), color),
        (crossing.detail, _sized(theme.type.sans(bold=True), size), theme.palette.text),
        (crossing.route, _sized(theme.type.sans(), size), theme.palette.muted),
    ]
    if crossing.trap:
        rows.append((crossing.trap.outcome, _sized(theme.type.sans(), size), theme.palette.text))
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
    gap, mark = size * 0.4, size * 3 if crossing.trap else 0.0
    heights = [QFontMetricsF(font).boundingRect(words, wrap, text).height() for text, font, _ in rows]
    y = words.top()
    if geometry.wide:
        y = max(y, words.center().y() - (mark + sum(heights) + gap * len(rows)) / 2)
    if crossing.trap:
        paint_mark(painter, crossing.trap.cause, QRectF(words.left() - mark * 0.12, y, mark, mark), color)
        y += mark + gap
    for (text, font, ink), height in zip(rows, heights, strict=True):
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(QRectF(words.left(), y, words.width(), height + 1), wrap, text)
        y += height + gap


def _sized(font: QFont, pixels: float) -> QFont:
    font.setPixelSize(max(7, round(pixels)))
    return font
