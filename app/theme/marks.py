"""The marks of trap causes: one family, the same in picture, table and timeline.

Each is drawn on a 24-unit grid with a stroke two units wide and, where it helps at small sizes, one solid part. The
arrow that crosses one line is a call into the kernel; crossing two, into the hypervisor; leaving a box, an exit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen

from app.theme.icons import build_icon
from core.events import Cause

GRID = 24.0
STROKE = 2.0


@dataclass(slots=True)
class Mark:
    """What a mark is made of: `lines` are stroked, `solid` is filled; both in units of the grid."""

    lines: QPainterPath = field(default_factory=QPainterPath)
    solid: QPainterPath = field(default_factory=QPainterPath)
    dashed: bool = False

    def line(self, *points: tuple[float, float], closed: bool = False) -> None:
        """Add a stroked line through `points`."""
        _trace(self.lines, points, closed)

    def fill(self, *points: tuple[float, float]) -> None:
        """Add a filled polygon."""
        _trace(self.solid, points, closed=True)

    def dot(self, x: float, y: float, radius: float) -> None:
        """Add a filled circle."""
        self.solid.addEllipse(QPointF(x, y), radius, radius)


def paint_mark(painter: QPainter, cause: Cause, rect: QRectF, color: QColor) -> None:
    """Paint the cause's mark, centred in the largest square of `rect`, in `color`."""
    side = min(rect.width(), rect.height())
    mark = _MARKS[cause]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.center().x() - side / 2, rect.center().y() - side / 2)
    painter.scale(side / GRID, side / GRID)
    pen = QPen(color, STROKE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    if mark.dashed:
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([1.6, 1.1])  # in stroke widths
    painter.strokePath(mark.lines, pen)
    painter.fillPath(mark.solid, color)
    painter.restore()


def mark_icon(cause: Cause, color: QColor) -> QIcon:
    """The cause's mark as an icon for tables and menus; a disabled one is drawn half transparent."""
    faint = QColor(color)
    faint.setAlphaF(0.45)
    return build_icon(lambda painter, rect, ink: paint_mark(painter, cause, rect, ink), color, faint)


def _trace(path: QPainterPath, points: tuple[tuple[float, float], ...], closed: bool) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if closed:
        path.closeSubpath()


def _fault() -> Mark:
    mark = Mark()  # a warning triangle
    mark.line((12, 3.5), (21.5, 20), (2.5, 20), closed=True)
    mark.line((12, 9.5), (12, 13.5))
    mark.dot(12, 16.9, 1.4)
    return mark


def _privileged() -> Mark:
    mark = Mark()  # a padlock
    mark.solid.addRoundedRect(QRectF(4.5, 11, 15, 10), 1.5, 1.5)
    mark.lines.moveTo(7.5, 11)
    mark.lines.lineTo(7.5, 8)
    mark.lines.arcTo(QRectF(7.5, 3.5, 9, 9), 180, -180)
    mark.lines.lineTo(16.5, 11)
    return mark


def _system_call() -> Mark:
    mark = Mark()  # an arrow crosses one line
    mark.line((12, 3), (12, 20))
    mark.line((6.5, 15), (12, 20.5), (17.5, 15))
    mark.line((3, 8), (8.5, 8))
    mark.line((15.5, 8), (21, 8))
    return mark


def _interrupt() -> Mark:
    mark = Mark()  # a bolt
    mark.fill((14, 2), (4.5, 13.5), (11, 13.5), (9.5, 22), (19.5, 9.8), (12.8, 9.8))
    return mark


def _io() -> Mark:
    mark = Mark()  # a plug
    mark.line((8.5, 3), (8.5, 8))
    mark.line((15.5, 3), (15.5, 8))
    mark.solid.moveTo(5, 8)
    mark.solid.lineTo(19, 8)
    mark.solid.lineTo(19, 11)
    mark.solid.arcTo(QRectF(5, 4, 14, 14), 0, -180)
    mark.solid.closeSubpath()
    mark.line((12, 17), (12, 21.5))
    return mark


def _page(mark: Mark) -> None:
    mark.line((5, 3), (14, 3), (19, 8), (19, 21), (5, 21), closed=True)


def _page_fault_true() -> Mark:
    mark = Mark()  # a page crossed out
    _page(mark)
    mark.line((9, 10.5), (15, 16.5))
    mark.line((15, 10.5), (9, 16.5))
    return mark


def _page_fault_hidden() -> Mark:
    mark = Mark(dashed=True)  # a page that is not there, and a hand that puts it there
    _page(mark)
    mark.dot(12, 13.5, 2.8)
    return mark


def _trace_write() -> Mark:
    mark = Mark()  # a sheet and the shadow that follows it
    mark.solid.addRoundedRect(QRectF(9, 9, 12.5, 12.5), 1, 1)
    mark.line((5.5, 15.5), (3.5, 15.5), (3.5, 3.5), (15.5, 3.5), (15.5, 5.5))
    return mark


def _halt() -> Mark:
    mark = Mark()  # a crescent: asleep until something wakes it
    disc, bite = QPainterPath(), QPainterPath()
    disc.addEllipse(QPointF(11.5, 12), 9, 9)
    bite.addEllipse(QPointF(16, 9.5), 7.5, 7.5)
    mark.solid = disc.subtracted(bite)
    return mark


def _exit() -> Mark:
    mark = Mark()  # an arrow leaves a box
    mark.line((12, 4), (4, 4), (4, 20), (12, 20))
    mark.line((9.5, 12), (20.5, 12))
    mark.line((16, 7), (21, 12), (16, 17))
    return mark


def _callout() -> Mark:
    mark = Mark()  # a word put in to the monitor
    mark.line((3, 4), (21, 4), (21, 16.5), (12, 16.5), (7, 21), (7, 16.5), (3, 16.5), closed=True)
    for x in (8, 12, 16):
        mark.dot(x, 10.25, 1.5)
    return mark


def _hypercall() -> Mark:
    mark = Mark()  # an arrow crosses two lines
    mark.line((12, 2.5), (12, 21))
    mark.line((6.5, 16), (12, 21.5), (17.5, 16))
    for y in (5.5, 10.5):
        mark.line((3, y), (8.5, y))
        mark.line((15.5, y), (21, y))
    return mark


def _world_switch() -> Mark:
    mark = Mark()  # one goes, another comes
    mark.line((3, 8), (20, 8))
    mark.line((15.5, 3.5), (20.5, 8), (15.5, 12.5))
    mark.line((21, 16.5), (4, 16.5))
    mark.line((8.5, 12), (3.5, 16.5), (8.5, 21))
    return mark


_DRAW: dict[Cause, Callable[[], Mark]] = {
    Cause.FAULT: _fault,
    Cause.PRIVILEGED: _privileged,
    Cause.SYSTEM_CALL: _system_call,
    Cause.INTERRUPT: _interrupt,
    Cause.IO: _io,
    Cause.PAGE_FAULT_TRUE: _page_fault_true,
    Cause.PAGE_FAULT_HIDDEN: _page_fault_hidden,
    Cause.TRACE: _trace_write,
    Cause.HALT: _halt,
    Cause.EXIT: _exit,
    Cause.CALLOUT: _callout,
    Cause.HYPERCALL: _hypercall,
    Cause.WORLD_SWITCH: _world_switch,
}
_MARKS = {cause: draw() for cause, draw in _DRAW.items()}
