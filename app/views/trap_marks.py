"""The marks of the timeline: which traps stand in which lane, and how the part in sight is painted.

Where traps are too many for marks, a lane shows bars: as high as there are traps in that column of pixels. Painting
takes time in proportion to the width of the picture, not to the number of traps; they are counted by numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.models.trap_log import CAUSES, TrapLog
from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.palette import blend
from core.events import Cause

MARK = 16  # pixels
BAR = 2
MOST_TALL = 48


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline: a VM's traps of one cause, or of all (None) where there is no room for each."""

    vm: str
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Marks:
    """The filtered traps as columns: virtual time (ascending), lane, ring that handled it."""

    lanes: tuple[Lane, ...]
    times: NDArray[np.int64]
    lane_of: NDArray[np.int64]
    rings: NDArray[np.int64]

    @staticmethod
    def of(log: TrapLog, rows: list[int] | None, most_lanes: int | None = None) -> Marks:
        """Those `rows` of the log (None: all), in lanes by VM, then by cause in the order of the enumeration.

        Of several VMs that would take more than `most_lanes` together, each has one lane.
        """
        times, causes, vms, rings = log.times, log.causes, log.vm_indexes, log.rings
        if rows is not None:
            chosen = np.asarray(rows, np.int64)
            times, causes, vms, rings = times[chosen], causes[chosen], vms[chosen], rings[chosen]
        keys = vms * len(CAUSES) + causes
        present, lane_of = np.unique(keys, return_inverse=True)
        lanes = tuple(Lane(log.vms[int(key) // len(CAUSES)], CAUSES[int(key) % len(CAUSES)]) for key in present)
        if most_lanes is not None and len(lanes) > most_lanes and len({lane.vm for lane in lanes}) > 1:
            present, lane_of = np.unique(vms, return_inverse=True)
            lanes = tuple(Lane(log.vms[int(vm)], None) for vm in present)
        return Marks(lanes, times.copy(), lane_of, rings.copy())

    def within(self, first: float, last: float) -> slice:
        """The marks from time `first` to `last`."""
        return slice(int(np.searchsorted(self.times, first, "left")), int(np.searchsorted(self.times, last, "right")))


NO_MARKS = Marks((), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


class MarksItem(pg.GraphicsObject):
    """Paints the marks of the part in sight, in pixels."""

    def __init__(self, box: pg.ViewBox, theme: Theme) -> None:
        super().__init__()
        self._box, self._theme = box, theme
        self._marks, self._chosen = NO_MARKS, -1

    def show(self, marks: Marks, chosen: int | None) -> None:
        """Paint these, and a ring around the chosen one."""
        self._marks, self._chosen = marks, -1 if chosen is None else chosen
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.viewRect())

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()
        self.prepareGeometryChange()
        self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        marks, lanes = self._marks, len(self._marks.lanes)
        if not lanes:
            return
        to_pixels = painter.transform()
        painter.resetTransform()
        rect = to_pixels.mapRect(self.boundingRect())
        height = rect.height() / lanes
        first, last = self._box.viewRange()[0]
        seen = marks.within(first, last)
        x = self._pixels(marks.times[seen], to_pixels)
        self._paint_ground(painter, rect, height, lanes)
        for lane in range(lanes):
            rows = np.flatnonzero(marks.lane_of[seen] == lane)
            if len(rows):
                band = QRectF(rect.left(), rect.top() + lane * height, rect.width(), height)
                self._paint_lane(painter, band, marks.lanes[lane].cause, x[rows], marks.rings[seen][rows])
        self._paint_chosen(painter, rect, height, to_pixels)
        painter.setTransform(to_pixels)

    @staticmethod
    def _pixels(times: NDArray[np.int64], to_pixels: QTransform) -> NDArray[np.float64]:
        return np.asarray(times * to_pixels.m11() + to_pixels.dx(), np.float64)

    def _paint_ground(self, painter: QPainter, rect: QRectF, height: float, lanes: int) -> None:
        painter.setPen(QPen(self._theme.palette.line, 1))
        for lane in range(1, lanes):
            y = round(rect.top() + lane * height) + 0.5
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))

    def _paint_lane(
        self, painter: QPainter, band: QRectF, cause: Cause | None, x: NDArray[np.float64], rings: NDArray[np.int64]
    ) -> None:
        side = min(MARK * self._theme.type.scale, band.height() - 4)
        crowded = len(x) * (side + 2) > band.width() or side < 8
        self._paint_bars(painter, band, x, rings, tall=crowded or cause is None)
        if crowded or cause is None:
            return
        middle = band.top() + (band.height() - 4) / 2
        taken = -np.inf
        for at, ring in zip(x.tolist(), rings.tolist(), strict=True):
            if at - taken >= 0.7 * side:  # the tick beneath still shows a mark that is left out
                taken = at
                box = QRectF(at - side / 2, middle - side / 2, side, side)
                paint_mark(painter, cause, box, self._theme.palette.ring_color(ring))

    def _paint_bars(
        self, painter: QPainter, band: QRectF, x: NDArray[np.float64], rings: NDArray[np.int64], *, tall: bool
    ) -> None:
        """One bar a column of pixels: a tick under the marks, or as high as there are traps, dim under a bright top."""
        columns = ((x - band.left()) // BAR).astype(np.int64)
        most = int(np.unique(columns, return_counts=True)[1].max())
        room, bottom = min(band.height() - 6, MOST_TALL * self._theme.type.scale), band.bottom() - 2
        painter.setPen(Qt.PenStyle.NoPen)
        for ring in np.unique(rings).tolist():
            places, counts = np.unique(columns[rings == ring], return_counts=True)
            heights = room * (0.35 + 0.65 * (counts - 1) / max(1, most - 1)) if tall else np.full(len(places), 3.0)
            lefts = (band.left() + places * BAR).tolist()
            color = self._theme.palette.ring_color(ring)
            if tall and most > 1:
                painter.setBrush(blend(self._theme.palette.surface, color, 0.35))
                painter.drawRects(
                    [QRectF(left, bottom - high, BAR, high) for left, high in zip(lefts, heights.tolist(), strict=True)]
                )
                tops = [QRectF(left, bottom - high, BAR, 2) for left, high in zip(lefts, heights.tolist(), strict=True)]
            else:
                tops = [
                    QRectF(left, bottom - high, BAR, high) for left, high in zip(lefts, heights.tolist(), strict=True)
                ]
            painter.setBrush(color)
            painter.drawRects(tops)

    def _paint_chosen(self, painter: QPainter, rect: QRectF, height: float, to_pixels: QTransform) -> None:
        marks, row = self._marks, self._chosen
        if not 0 <= row < len(marks.times):
            return
        x = float(marks.times[row]) * to_pixels.m11() + to_pixels.dx()
        palette = self._theme.palette
        painter.setPen(QPen(palette.outline, 1))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        centre = QPointF(x, rect.top() + (int(marks.lane_of[row]) + 0.5) * height - 2)
        painter.setPen(QPen(palette.text, self._theme.line_width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = min(MARK * self._theme.type.scale, height - 4) / 2 + 3
        painter.drawEllipse(centre, radius, radius)
