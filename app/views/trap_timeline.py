"""The timeline of traps: virtual time to the right, one lane a cause (and VM), a mark a trap.

Where traps are too many for marks, a lane shows bars: as high as there are traps in that column of pixels. Painting
takes time in proportion to the width of the picture, not to the number of traps; they are counted by numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QToolTip, QWidget

from app.models.numerals import grouped, scaled
from app.models.trap_filter import TrapFilter
from app.models.trap_log import CAUSES, TrapLog
from app.models.trap_table_model import explain
from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.palette import blend
from app.theme.typography import Size
from app.views.painting import LEFT, paint_text
from core.events import Cause

MARK = 16  # pixels
BAR = 2
MOST_TALL = 48
NEAR = 12  # pixels within which a click means a trap


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline."""

    vm: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Marks:
    """The filtered traps as columns: virtual time (ascending), lane, ring that handled it."""

    lanes: tuple[Lane, ...]
    times: NDArray[np.int64]
    lane_of: NDArray[np.int64]
    rings: NDArray[np.int64]

    @staticmethod
    def of(log: TrapLog, rows: list[int] | None) -> Marks:
        """Those `rows` of the log (None: all), in lanes by VM, then by cause in the order of the enumeration."""
        times, causes, vms, rings = log.times, log.causes, log.vm_indexes, log.rings
        if rows is not None:
            chosen = np.asarray(rows, np.int64)
            times, causes, vms, rings = times[chosen], causes[chosen], vms[chosen], rings[chosen]
        keys = vms * len(CAUSES) + causes
        present, lane_of = np.unique(keys, return_inverse=True)
        lanes = tuple(Lane(log.vms[int(key) // len(CAUSES)], CAUSES[int(key) % len(CAUSES)]) for key in present)
        return Marks(lanes, times.copy(), lane_of, rings.copy())

    def within(self, first: float, last: float) -> slice:
        """The marks from time `first` to `last`."""
        return slice(int(np.searchsorted(self.times, first, "left")), int(np.searchsorted(self.times, last, "right")))


NO_MARKS = Marks((), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


class TrapTimeline(pg.GraphicsView):
    """The plot. Rows are rows of the filtered table.

    trapChosen  (row) the person clicked a trap or moved to it by key
    """

    trapChosen = Signal(int)

    def __init__(self, rows: TrapFilter, log: TrapLog, theme: Theme) -> None:
        super().__init__()
        self._rows, self._log, self._theme = rows, log, theme
        self._following = True
        self.marks = NO_MARKS
        self.chosen: int | None = None
        self.setAccessibleName("Timeline of traps")
        self.setAccessibleDescription("Left and right arrows go from trap to trap, plus and minus zoom, 0 shows all.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        viewport = self.viewport()  # what is inside must not be another stop of the Tab key
        viewport.setFocusProxy(None)
        viewport.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        viewport.setFocusProxy(self)
        self.setMouseTracking(True)
        self.box = pg.ViewBox(enableMenu=False, invertY=True)
        self.box.setMouseEnabled(x=True, y=False)
        self.box.disableAutoRange()
        self.box.sigRangeChangedManually.connect(self._stop_following)
        self._picture = MarksItem(self.box, theme)
        self.box.addItem(self._picture, ignoreBounds=True)
        self._lane_axis, self._time_axis = LaneAxis(theme), TimeAxis(orientation="bottom")
        layout = pg.GraphicsLayout()
        layout.setSpacing(0)
        layout.addItem(self._lane_axis, 0, 0)
        layout.addItem(self.box, 0, 1)
        layout.addItem(self._time_axis, 1, 1)
        self._lane_axis.linkToView(self.box)
        self._time_axis.linkToView(self.box)
        self.setCentralItem(layout)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.apply_theme(theme)

    # -- what is shown

    def refresh(self) -> None:
        """Take the filtered traps anew."""
        rows = None if self._rows.criteria.is_open else self._rows.source_rows()
        self.marks = Marks.of(self._log, rows)
        if self._lane_axis.lanes != self.marks.lanes:
            self._lane_axis.set_lanes(self.marks.lanes)
        self.box.setYRange(-0.5, max(1, len(self.marks.lanes)) - 0.5, padding=0)
        if self._following:
            self.show_all()
        self._picture.show(self.marks, self.chosen)

    def show_all(self) -> None:
        """The whole of what is kept, and from now on as it grows."""
        self._following = True
        times = self.marks.times
        if len(times):
            first, last = float(times[0]), float(times[-1])
            room = max(4.0, (last - first) * (0.7 * MARK) / max(10 * MARK, self.box.width()))
            self.box.setXRange(first - room, last + room, padding=0)

    def choose(self, row: int | None) -> None:
        """Mark this trap, and bring it into sight if the person has zoomed."""
        self.chosen = row if row is not None and row < len(self.marks.times) else None
        if self.chosen is not None:
            time = float(self.marks.times[self.chosen])
            first, last = self.box.viewRange()[0]
            if not first <= time <= last:
                self.box.setXRange(time - (last - first) / 2, time + (last - first) / 2, padding=0)
        self._picture.show(self.marks, self.chosen)

    def row_at(self, point: QPointF) -> int | None:
        """The trap nearest to a point of the widget, if one is near."""
        if not self.marks.lanes:
            return None
        inside = self.box.mapSceneToView(self.mapToScene(point.toPoint()))
        lane = round(inside.y())
        reach = NEAR * self.box.viewPixelSize()[0]
        near = self.marks.within(inside.x() - reach, inside.x() + reach)
        rows = np.flatnonzero(self.marks.lane_of[near] == lane) + near.start
        if not len(rows):
            return None
        return int(rows[np.argmin(np.abs(self.marks.times[rows] - inside.x()))])

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        palette = theme.palette
        self.setBackground(QColor(palette.surface))
        axis = self._time_axis
        axis.setPen(QColor(palette.line))
        axis.setTextPen(QColor(palette.muted))
        axis.room = 5 * theme.type.pixels(Size.CAPTION)
        axis.setTickFont(theme.type.mono(Size.CAPTION))
        axis.setStyle(tickLength=-theme.space(1), tickTextOffset=theme.space(1))
        self._lane_axis.apply_theme(theme)
        self._picture.apply_theme(theme)

    # -- the person

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = event.key(), len(self.marks.times) - 1
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if last >= 0 and key in moves:
            start = self.chosen if self.chosen is not None else last + 1
            self.trapChosen.emit(min(last, max(0, start + moves[Qt.Key(key)])))
        elif last >= 0 and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.trapChosen.emit(0 if key == Qt.Key.Key_Home else last)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(2.0 if key == Qt.Key.Key_Minus else 0.5)
        elif key == Qt.Key.Key_0:
            self.show_all()
        else:
            event.ignore()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.row_at(QPointF(event.pos()))
            if row is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), explain(self._rows.trap(row)), self)
            return True
        return bool(super().viewportEvent(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(self._theme.palette.outline)
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.show_all()
        event.accept()

    def _clicked(self, event: object) -> None:
        point = QPointF(self.mapFromScene(event.scenePos()))  # type: ignore[attr-defined]
        row = self.row_at(point)
        if row is not None:
            self.trapChosen.emit(row)

    def _zoom(self, factor: float) -> None:
        first, last = self.box.viewRange()[0]
        centre = (first + last) / 2
        if self.chosen is not None:
            centre = float(self.marks.times[self.chosen])
        half = max(2.0, (last - first) / 2 * factor)
        self._following = False
        self.box.setXRange(centre - half, centre + half, padding=0)

    def _stop_following(self) -> None:
        self._following = False


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
        self, painter: QPainter, band: QRectF, cause: Cause, x: NDArray[np.float64], rings: NDArray[np.int64]
    ) -> None:
        side = min(MARK * self._theme.type.scale, band.height() - 4)
        crowded = len(x) * (side + 2) > band.width() or side < 8
        self._paint_bars(painter, band, x, rings, tall=crowded)
        if crowded:
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


class LaneAxis(pg.AxisItem):
    """What the lanes are: the mark of the cause, and the VM's letter if there are several."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(orientation="left")
        self.lanes: tuple[Lane, ...] = ()
        self._theme = theme

    def set_lanes(self, lanes: tuple[Lane, ...]) -> None:
        """Name these lanes, from the top."""
        self.lanes = lanes
        self.apply_theme(self._theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.setWidth(round(theme.type.pixels(Size.CAPTION) * (4.2 if self._several else 2.4)))
        self.picture = None
        self.update()

    @property
    def _several(self) -> bool:
        return len({lane.vm for lane in self.lanes}) > 1

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None) -> None:
        if not self.lanes:
            return
        palette, bounds = self._theme.palette, self.mapRectFromParent(self.geometry())
        height = bounds.height() / len(self.lanes)
        side = min(self._theme.type.pixels(Size.SENTENCE), height - 2)
        for at, lane in enumerate(self.lanes):
            middle = bounds.top() + (at + 0.5) * height
            box = QRectF(bounds.right() - side - 6, middle - side / 2, side, side)
            paint_mark(painter, lane.cause, box, palette.muted)
            if self._several:
                letter = QRectF(bounds.left() + 4, middle - height / 2, box.left() - bounds.left() - 6, height)
                paint_text(painter, letter, lane.vm, self._theme.type.mono(Size.CAPTION), palette.text, LEFT)


class TimeAxis(pg.AxisItem):
    """Virtual time, with k and M, at round numbers far enough apart for their words; `room` is that in pixels."""

    room = 60

    def tickSpacing(self, first: float, last: float, size: float) -> list[tuple[float, float]]:
        wanted = max(1.0, (last - first) * self.room / max(1.0, size))
        power = 10 ** floor(log10(wanted))
        return [(next(power * digit for digit in (1, 2, 5, 10) if power * digit >= wanted * 0.999), 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        exact = spacing < 1000 and len(values) and abs(values[-1]) >= 1000
        words = [grouped(round(value)) if exact else scaled(value) for value in values]
        return [word if value >= 0 else "" for word, value in zip(words, values, strict=True)]
