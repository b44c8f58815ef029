"""Where things are: the picture's measures for one size, and the way of an arc.

Angles are degrees clockwise from three o'clock, as the screen's y axis points down. Words stand in the upper half of
the rings; what moves keeps to the lower half, so that neither hides the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin

from PySide6.QtCore import QPointF, QRectF, QSizeF

from app.widgets.rings.crossing import Leg
from app.widgets.rings.playback import Frame, Side
from app.widgets.rings.scene import Scene, Who
from core.events import Ring

REST_ANGLE = 56.0  # from straight down, where the running code rests
DOWN = 90.0
UNIT_RADIUS = 150.0  # outer radius at which one unit is one pixel: a 320-pixel dock
WIDE = 1.45  # width over height from which the words stand beside the rings
_UNUSED_WEIGHT = 0.5
_CORE_WEIGHT = 1.5
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
        return (self.inner + self.outer) / 2 if self.inner else self.outer * 0.56

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
    wide    do they stand beside the rings?
    """

    size: QSizeF
    centre: QPointF
    radius: float
    unit: float
    bands: tuple[Band, ...]
    words: QRectF
    wide: bool

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

    def leg_points(self, leg: Leg, start: float, end: float, upto: float = 1.0) -> list[QPointF]:
        """The leg's way from angle `start` to `end`, as far as the share `upto` (0–1), as a polyline.

        The way changes its radius like an eased fall; a leg within one ring bows inward, so that it can be seen.
        """
        first, last = self.band(leg.start).middle, self.band(leg.end).middle
        bow = self.band(leg.start).height * 0.4 if leg.start is leg.end else 0.0
        steps = max(1, round(_ARC_POINTS * upto))
        points = []
        for step in range(steps + 1):
            share = upto * step / steps
            fall = (1 - cos(pi * share)) / 2
            radius = first + (last - first) * fall - bow * sin(pi * share)
            points.append(self.at(radius, start + (end - start) * share))
        return points


def geometry_of(scene: Scene, width: float, height: float) -> Geometry:
    """The measures for a picture of that size in pixels."""
    wide = width >= WIDE * height
    margin = max(8.0, min(width, height) * 0.025)
    radius = max(20.0, min(width, height) / 2 - margin)
    unit = radius / UNIT_RADIUS
    centre = QPointF(width / 2, height / 2)
    if wide:
        centre.setX(min(width / 2, radius + margin + (width - height) * 0.18))
        left = centre.x() + radius + 4 * margin
        words = QRectF(left, height * 0.2, max(1.0, width - left - margin), height * 0.6)
    else:
        half = radius * 0.66
        words = QRectF(centre.x() - half, centre.y() + radius * 0.56, 2 * half, radius * 0.34)
    return Geometry(QSizeF(width, height), centre, radius, unit, _bands(scene, radius), words, wide)


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
    weights = [_UNUSED_WEIGHT if ring.who is Who.NOBODY else 1.0 for ring in scene.rings]
    weights[0] = _CORE_WEIGHT
    scale = radius / sum(weights)
    bands: list[Band] = []
    inner = 0.0
    for ring, weight in zip(scene.rings, weights, strict=True):
        bands.append(Band(ring.ring, inner, inner + weight * scale))
        inner += weight * scale
    return tuple(bands)
