"""The timeline of traps: virtual time to the right, one lane a cause (and VM), a mark a trap."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip

from app.models.trap_filter import TrapFilter
from app.models.trap_log import TrapLog
from app.models.trap_table_model import explain
from app.theme import Theme
from app.theme.typography import Size
from app.views.trap_axes import LaneAxis, TimeAxis
from app.views.trap_marks import MARK, NO_MARKS, Marks, MarksItem

NEAR = 12  # pixels within which a click means a trap


class TrapTimeline(pg.GraphicsView):
    """The plot. Rows are rows of the filtered table.

    trapChosen  (row) the person clicked a trap or moved to it by key
    """

    trapChosen = Signal(int)

    _shown_room: int | None = None  # lanes for which there was room at the last refresh; None before the first

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
        self.marks = Marks.of(self._log, rows, self._room_for_lanes())
        self._shown_room = self._room_for_lanes()
        if self._lane_axis.lanes != self.marks.lanes:
            self._lane_axis.set_lanes(self.marks.lanes)
        self.box.setYRange(-0.5, max(1, len(self.marks.lanes)) - 0.5, padding=0)
        if self._following:
            self.show_all()
        self._picture.show(self.marks, self.chosen)

    def _room_for_lanes(self) -> int:
        """How many lanes can be told apart in the height there is."""
        type_ = self._theme.type
        return max(1, (self.height() - 2 * type_.pixels(Size.CAPTION)) // (type_.pixels(Size.CAPTION) + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._shown_room is not None and self._room_for_lanes() != self._shown_room:
            self.refresh()

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
