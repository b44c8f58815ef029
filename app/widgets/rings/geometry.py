"""Where things are: the picture's measures for one size, and the way of an arc.

Angles are degrees clockwise from three o'clock, as the screen's y axis points down. Words stand in the upper half of
the rings; what moves keeps to the lower half, so that neither hides the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

from PySide6.QtCore import QPointF, QRectF, QSizeF

from app.widgets.rings.crossing import Leg
from app.widgets.rings.playback import Frame, Side
from app.widgets.rings.scene import Scene
from core.events import Ring
from core.stage import StageRing, Who

REST_ANGLE = 58.0  # from straight down, where the running code rests
DOWN = 90.0
UNIT_RADIUS = 150.0  # outer radius at which one unit is one pixel: a 320-pixel dock
WIDE = 1.45  # width over height from which the words stand beside the rings
TALL = 1.3  # height over width from which they stand under them
_UNUSED_WEIGHT = 0.6
_CORE_WEIGHT = 1.85
_NOTE_WEIGHT = 1.25
_BEND_SHORT, _BEND_LONG = 0.75, 0.3  # how far out an arc's bend stands between its two rings (0 inner, 1 outer)
_ARC_POINTS = 48


@dataclass(frozen=True, slots=True)
class Band:
    """One ring's place: from `inner` to `outer` radius in pixels; the innermost is a disc with inner 0."""

    ring: Ring
    inner: float
    outer: float

    @property
    def middle(self) -> float:
        """Radius on which the running code stands."""
        return (self.inner + self.outer) / 2 if self.inner else self.outer * 0.5

    @property
    def height(self) -> float:
        """Thickness in pixels."""
        return self.outer - self.inner


@dataclass(frozen=True, slots=True)
class Geometry:
    """All measures of the picture at one size.

    unit    pixels that one pixel of the smallest picture has grown to; strokes, type and distances follow it
    bands   innermost first
    words   where the words about the last crossing stand
    wide    do they stand beside the rings? (`tall`: under them; else on a plate within)
    """

    size: QSizeF
    centre: QPointF
    radius: float
    unit: float
    bands: tuple[Band, ...]
    words: QRectF
    wide: bool
    tall: bool

    @property
    def roomy(self) -> bool:
        """Is there room for words at length?"""
        return self.wide or self.tall

    def band(self, ring: Ring) -> Band:
        """The band of `ring`; of the outermost if the scene does not draw that ring."""
        for band in self.bands:
            if band.ring is ring:
                return band
        return self.bands[-1]

    def at(self, radius: float, angle: float) -> QPointF:
        """The point at `radius` pixels and `angle` degrees."""
        turn = radians(angle)
        return QPointF(self.centre.x() + radius * cos(turn), self.centre.y() + radius * sin(turn))

    def place(self, ring: Ring, angle: float) -> QPointF:
        """The middle of a ring's band at `angle`."""
        return self.at(self.band(ring).middle, angle)

    def corner_room(self, depth: float) -> float:
        """Width in pixels that the outermost ring leaves free in the upper left corner, down to `depth` pixels."""
        rise = self.centre.y() - depth
        if rise >= self.radius:
            return self.size.width() / 2
        return float(self.centre.x() - (self.radius**2 - rise**2) ** 0.5)

    def leg_points(self, leg: Leg, start: float, end: float, upto: float = 1.0) -> list[QPointF]:
        """The leg's way from angle `start` to `end`, as far as the share `upto` (0–1), as a polyline.

        The way is a parabola; one from side to side keeps to the inner of its rings, and one within a ring bows inward.
        """
        first, last = self.band(leg.start).middle, self.band(leg.end).middle
        share = _BEND_SHORT if abs(end - start) < 90 else _BEND_LONG
        bend = min(first, last) + share * abs(first - last)
        if leg.start is leg.end:
            bend -= self.band(leg.start).height * 0.8
        a, b, c = self.at(first, start), self.at(bend, (start + end) / 2), self.at(last, end)
        steps = max(1, round(_ARC_POINTS * upto))
        shares = (upto * step / steps for step in range(steps + 1))
        return [a * (1 - share) ** 2 + b * (2 * share * (1 - share)) + c * share**2 for share in shares]


def geometry_of(scene: Scene, width: float, height: float) -> Geometry:
    """The measures for a picture of that size in pixels."""
    wide, tall = width >= WIDE * height, height >= TALL * width
    margin = max(8.0, min(width, height) * 0.025)
    radius = max(20.0, min(width, height) / 2 - margin)
    unit = radius / UNIT_RADIUS
    centre = QPointF(width / 2, height / 2)
    if wide:
        centre.setX(min(width / 2, radius + margin + (width - height) * 0.18))
        left = centre.x() + radius + 4 * margin
        words = QRectF(left, margin, max(1.0, width - left - margin), height - 2 * margin)
    elif tall:
        centre.setY(radius * 1.12 + margin)
        top = centre.y() + radius + 2 * margin
        words = QRectF(2 * margin, top, width - 4 * margin, max(1.0, height - top - margin))
    else:
        half = radius * 0.8
        words = QRectF(centre.x() - half, centre.y() + radius * 0.6, 2 * half, radius * 0.36)
    return Geometry(QSizeF(width, height), centre, radius, unit, _bands(scene, radius), words, wide, tall)


def leg_angles(frame: Frame) -> list[tuple[float, float]]:
    """Start and end angle of each leg of the frame's crossing: from one side to the other, by way of straight down."""
    if frame.crossing is None:
        return []
    start, end = rest_angle(frame.side), rest_angle(frame.side.other)
    if len(frame.crossing.legs) == 1:
        return [(start, end)]
    return [(start, DOWN), (DOWN, end)]


def rest_angle(side: Side) -> float:
    """Where running code rests on that side."""
    return DOWN - side * REST_ANGLE


def _bands(scene: Scene, radius: float) -> tuple[Band, ...]:
    """Rings that nobody uses are thinner, so that the others have room for their words."""
    weights = [_weight(ring) for ring in scene.rings]
    weights[0] = _CORE_WEIGHT
    scale = radius / sum(weights)
    bands: list[Band] = []
    inner = 0.0
    for ring, weight in zip(scene.rings, weights, strict=True):
        bands.append(Band(ring.ring, inner, inner + weight * scale))
        inner += weight * scale
    return tuple(bands)


def _weight(ring: StageRing) -> float:
    if ring.who is Who.NOBODY:
        return _UNUSED_WEIGHT
    return _NOTE_WEIGHT if ring.note else 1.0
