"""Paints what stands still: the rings, their words, and the line that says where the CPU is."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.theme import Theme
from app.theme.palette import blend
from app.theme.typography import Size
from app.widgets.rings.geometry import Band, Geometry
from app.widgets.rings.ink import curved_words
from app.widgets.rings.scene import Scene
from core.events import Ring
from core.stage import Belt, StageRing, Who, ring_name

_BELT = 0.26  # thickness of a belt, as a share of its ring's
_LEGIBLE = 9  # pixels of type under which a ring has its name alone
_STROKES = 1.5  # strokes of the theme's width that a ring's line takes of it, about: more where it is lit
_QUIET, _LIT = 0.06, 0.26  # shares of a ring's colour in its ground: at rest, and where the CPU is


def paint_rings(painter: QPainter, scene: Scene, geometry: Geometry, theme: Theme, lit: Mapping[Ring, float]) -> None:
    """The rings from the outermost in, each lit by its share in `lit` (0–1), and the belts on them."""
    for ring in reversed(scene.rings):
        _paint_band(painter, ring, geometry, theme, lit.get(ring.ring, 0.0))
    for belt in scene.belts:
        _paint_belt(painter, belt, geometry, theme)
    belted = {belt.ring for belt in scene.belts}
    for ring in scene.rings:
        _paint_words(painter, ring, geometry, theme, belted=ring.ring in belted)


def paint_state(painter: QPainter, scene: Scene, geometry: Geometry, theme: Theme, where: Ring) -> None:
    """The corners' words: on the left who is in which ring, on the right what the guest believes if that differs."""
    ring, palette = scene.ring(where), theme.palette
    who = ring.occupant if ring.who is Who.MONITOR else scene.vm
    belief = f"believes {ring_name(scene.believed)}" if where is scene.at and scene.believed is not where else ""
    truth = (f"{who} in {ring_name(where)}", palette.ring_text(where))
    corner_words(painter, geometry, theme, truth, (belief, palette.ring_text(scene.believed)))


def corner_words(
    painter: QPainter, geometry: Geometry, theme: Theme, left: tuple[str, QColor], right: tuple[str, QColor]
) -> None:
    """Words in the two upper corners, which the rings leave free, in one size that fits both."""
    font = _font(theme.type.sans(bold=True), type_pixels(geometry, theme, Size.CAPTION) * 1.1)
    margin = 6 + geometry.unit * 2
    room = geometry.corner_room(margin * 0.7 + QFontMetricsF(font).height()) - 2 * margin
    wanted = max(QFontMetricsF(font).horizontalAdvance(words) for words, _ in (left, right))
    if wanted > room > 0:
        font = _font(font, max(9.0, font.pixelSize() * room / wanted))
    box = QRectF(margin, margin * 0.7, geometry.size.width() - 2 * margin, QFontMetricsF(font).height())
    painter.setFont(font)
    for (words, color), side in ((left, Qt.AlignmentFlag.AlignLeft), (right, Qt.AlignmentFlag.AlignRight)):
        painter.setPen(color)
        painter.drawText(box, side, words)


def type_pixels(geometry: Geometry, theme: Theme, size: Size) -> float:
    """A size of the type scale, grown with the picture, a little less than the picture itself."""
    return theme.type.pixels(size) * max(1.0, float(geometry.unit**0.85))


def _paint_band(painter: QPainter, ring: StageRing, geometry: Geometry, theme: Theme, lit: float) -> None:
    band, palette = geometry.band(ring.ring), theme.palette
    color = palette.ring_color(ring.ring)
    used = ring.who is not Who.NOBODY
    ground = blend(palette.surface, color, _QUIET + (_LIT - _QUIET) * lit) if used or lit else palette.surface
    width = theme.line_width * max(1.0, geometry.unit**0.5) * (1 + lit)
    pen = QPen(color if used or lit else palette.outline, width)
    if not used and not lit:
        pen.setWidthF(width * 0.6)
        pen.setDashPattern([3.0, 4.0])
    painter.setPen(pen)
    painter.setBrush(ground)
    radius = band.outer - width / 2
    painter.drawEllipse(geometry.centre, radius, radius)


def _paint_words(painter: QPainter, ring: StageRing, geometry: Geometry, theme: Theme, *, belted: bool) -> None:
    band, palette = geometry.band(ring.ring), theme.palette
    used, core = ring.who is not Who.NOBODY, band.inner == 0
    inner = band.inner + band.height * _BELT * 1.3 if belted else band.inner
    outer = band.outer - (_STROKES * theme.line_width if used and not core else 0)
    largest, height = type_pixels(geometry, theme, Size.CAPTION), outer - inner
    size = min(largest, height * (0.32 if core else 0.38 if ring.note else 0.7))
    noted = bool(ring.note) and (core or size >= _LEGIBLE)
    if not noted and not core:  # a corner of the picture says what it believes, too
        size = min(largest, height * 0.7)
    if size < 7:
        return
    name, note = _font(theme.type.sans(bold=used), size), _font(theme.type.sans(), size)
    if core:
        _core_words(painter, ring, band, geometry, name, note, theme)
        return
    color = palette.ring_text(ring.ring) if used else palette.muted
    capital = QFontMetricsF(name).capHeight()
    middle = (inner + outer) / 2
    if not noted:
        curved_words(painter, ring.name, name, geometry.centre, middle - capital / 2, color)
        return
    gap = size * 0.5
    curved_words(painter, ring.name, name, geometry.centre, middle + gap / 2, color)
    curved_words(painter, ring.note, note, geometry.centre, middle - gap / 2 - capital, palette.text)


def _core_words(
    painter: QPainter, ring: StageRing, band: Band, geometry: Geometry, name: QFont, plain: QFont, theme: Theme
) -> None:
    """The innermost ring's words, on straight lines above its centre."""
    line = QFontMetricsF(name).height()
    y = geometry.centre.y() - band.outer * 0.4 - line
    rows: list[tuple[str, QFont, QColor]] = [
        (ring_name(ring.ring), name, theme.palette.ring_text(ring.ring)),
        (ring.occupant, plain, theme.palette.text),
    ]
    if ring.note:
        rows.append((ring.note, plain, theme.palette.text))
        y -= line / 2
    for words, font, color in rows:
        painter.setFont(font)
        painter.setPen(color)
        box = QRectF(geometry.centre.x() - band.outer, y, 2 * band.outer, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        y += line


def _paint_belt(painter: QPainter, belt: Belt, geometry: Geometry, theme: Theme) -> None:
    """A belt lies along its ring's inner edge: an open track, filled as far as it is full, with its words."""
    band = geometry.band(belt.ring)
    width = band.height * _BELT
    radius = band.inner + width * 0.75
    box = QRectF(geometry.centre.x() - radius, geometry.centre.y() - radius, 2 * radius, 2 * radius)
    for share, color in (
        (1.0, blend(theme.palette.surface, theme.palette.muted, 0.3)),
        (belt.filled, theme.palette.muted),
    ):
        pen = QPen(color, width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawArc(box, -90 * 16, round(-360 * 16 * min(1.0, max(0.0, share))))
    font = _font(theme.type.sans(bold=True), width * 0.8)
    if font.pixelSize() >= 7:
        # it fills from below, and the words stand above: on the fill or on the open track
        ink = theme.palette.background if belt.filled > 0.5 else theme.palette.text
        curved_words(painter, belt.label, font, geometry.centre, radius - width * 0.28, ink)


def _font(font: QFont, pixels: float) -> QFont:
    font.setPixelSize(max(1, round(pixels)))
    return font
