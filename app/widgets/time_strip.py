"""The timeline under the window: the machine's whole recorded past in virtual time, and where in it the machine stands.

Bars show where departures were dense; ticks under the line are checkpoints, ticks on it world switches, triangles what
came from outside, flags over it the steps of a lesson. What lies after the present moment is the recorded future. Other
futures have a line of their own below, from where they begin. Dragging shows the machine near that moment; letting go
takes it there exactly.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from app.models.numerals import grouped
from app.theme import Theme
from app.theme.palette import blend
from app.theme.typography import Size
from core.layout import INSTRUCTIONS_PER_SECOND
from core.past import Future, Past

BARS, LINE, TICKS, LANE = 14, 4, 6, 9  # pixels of height, before the person's text size
PERIOD_MS = 40  # of looks while dragging
MOST_LANES = 3
SHARE = 0.01  # of the whole, by one press of an arrow key
CAPTION = "Time"
WIDEST = "000 000 000 000 of 000 000 000 000"  # what the words at the right may be
EMPTY = "The timeline of the machine. It fills as the guest runs: then drag on it to go back."


class TimeStrip(QWidget):
    """Shows a `Past`.

    looked    (time) show the machine near that virtual time, at once
    chosen    (time) take it there
    entered   (number) take it to the end of another future
    discarded (number) throw another future away
    """

    looked = Signal(object)
    chosen = Signal(object)
    entered = Signal(int)
    discarded = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.past: Past | None = None
        self._span = 1  # virtual time from one end to the other
        self._dragged_to: int | None = None
        self._looked_at: int | None = None
        self._steps: dict[int, str] = {}  # of a lesson: virtual time at which it was done, and which
        self._looking = QTimer(self, interval=PERIOD_MS)
        self._looking.timeout.connect(self._look)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Timeline")
        self.apply_theme(theme)

    # -- what it is given

    def show_past(self, past: Past | None) -> None:
        """Show it; None: nothing is recorded."""
        if past != self.past:
            lanes = len(self._others)
            self.past = past
            self._span = max([past.reached, *(future.reaches for future in past.futures), 1]) if past is not None else 1
            if len(self._others) != lanes:
                self._fit()
            self.setAccessibleDescription(self.words)
            self.update()

    def mark_step(self, time: int, words: str) -> None:
        """Mark the moment at which a step of a lesson was done; `words` say which."""
        self._steps[time] = words
        self.update()

    def clear_steps(self) -> None:
        """Another machine: no step was done on it."""
        self._steps.clear()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and measures from `theme`."""
        self._theme = theme
        self._fit()
        self.update()

    @property
    def words(self) -> str:
        """Where the machine stands, for people."""
        if self.past is None:
            return ""
        if self.past.now >= self.past.reached:
            return grouped(self.past.now)
        return f"{grouped(self.past.now)} of {grouped(self.past.reached)}"

    @property
    def _others(self) -> list[Future]:
        if self.past is None:
            return []
        return [future for future in self.past.futures if future.number != self.past.present][-MOST_LANES:]

    # -- measures

    def _fit(self) -> None:
        self._track = self._measured_track()
        self.setFixedHeight(round(self._y(BARS + LINE + TICKS + LANE * len(self._others)) + self._theme.space(1)))

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(400, self.height())

    def _y(self, pixels: float) -> float:
        return pixels * self._theme.type.scale

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The track takes the room there is."""
        super().resizeEvent(event)
        self._track = self._measured_track()

    def _measured_track(self) -> QRectF:
        metrics, gap = QFontMetricsF(self._theme.type.sans(Size.CAPTION)), self._theme.space(3)
        left = metrics.horizontalAdvance(CAPTION) + 2 * gap
        right = min(metrics.horizontalAdvance(WIDEST), self.width() / 4) + 2 * gap
        return QRectF(left, self._y(BARS), max(self.width() - left - right, 1), self._y(LINE))

    def x_of(self, time: int) -> float:
        """Where virtual time `time` is, in pixels."""
        return self._track.left() + self._track.width() * min(time / self._span, 1.0)

    def time_at(self, x: float) -> int:
        """The virtual time at pixel `x`, within what this future has reached."""
        part = (x - self._track.left()) / max(self._track.width(), 1.0)
        return round(min(max(part, 0.0) * self._span, self.past.reached if self.past is not None else 0))

    def _lane_of(self, index: int) -> QRectF:
        return QRectF(0, self._y(BARS + LINE + TICKS + LANE * index), self.width(), self._y(LANE))

    def _future_at(self, point: QPointF) -> Future | None:
        for index, future in enumerate(self._others):
            if self._lane_of(index).contains(point):
                return future
        return None

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars, line, ticks, triangles, lanes, and the present moment."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, track = self._theme.palette, self._track
        past = self.past
        self._paint_words(painter)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.line)
        painter.drawRoundedRect(track, 2, 2)
        if past is not None:
            self._paint_bars(painter, past)
            self._paint_lived(painter, past)
            self._paint_ticks(painter, past)
            for index, future in enumerate(self._others):
                self._paint_lane(painter, self._lane_of(index), future)
            self._paint_steps(painter)
            self._paint_now(painter, past)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(palette.focus, 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        font, track, gap = self._theme.type.sans(Size.CAPTION), self._track, self._theme.space(3)
        height = QFontMetricsF(font).height()
        top = track.center().y() - height / 2
        painter.setFont(font)
        painter.setPen(self._theme.palette.muted)
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.drawText(QRectF(gap, top, track.left() - gap, height), middle, CAPTION)
        room = QRectF(track.right() + gap, top, self.width() - track.right() - 2 * gap, height)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.drawText(room, right, self.words)

    def _paint_bars(self, painter: QPainter, past: Past) -> None:
        """Departures a unit of time, between checkpoints; the highest bar is the densest stretch."""
        palette = self._theme.palette
        stretches = past.stretches
        rates = [(later.traps - each.traps) / max(later.time - each.time, 1) for each, later in pairwise(stretches)]
        densest = max(rates, default=0.0)
        if not densest:
            return
        for each, later, rate in zip(stretches, stretches[1:], rates, strict=False):
            left, right = self.x_of(each.time), self.x_of(later.time)
            height = (self._y(BARS) - 2) * (rate / densest) ** 0.5
            ahead = each.time >= self._shown_time(past)
            painter.setBrush(blend(palette.background, palette.muted, 0.3 if ahead else 0.6))
            painter.drawRect(QRectF(left, self._y(BARS) - 1 - height, max(right - left - 1, 1), height))

    def _paint_lived(self, painter: QPainter, past: Past) -> None:
        palette, track = self._theme.palette, self._track
        for until, color in ((past.reached, palette.outline), (self._shown_time(past), palette.text)):
            painter.setBrush(color)
            lived = QRectF(track.left(), track.top(), self.x_of(until) - track.left(), track.height())
            painter.drawRoundedRect(lived, 2, 2)

    def _paint_ticks(self, painter: QPainter, past: Past) -> None:
        palette, track = self._theme.palette, self._track
        low, high = track.bottom() + 1, track.bottom() + self._y(TICKS) - 1
        painter.setPen(QPen(palette.outline, 1))
        for each in past.stretches:
            painter.drawLine(QPointF(self.x_of(each.time), low), QPointF(self.x_of(each.time), low + self._y(3)))
        painter.setPen(QPen(palette.background, self._theme.line_width))
        for each, later in pairwise(past.stretches):
            if later.switches > each.switches:
                x = self.x_of((each.time + later.time) // 2)
                painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.text)
        for time in past.inputs:
            x, half = self.x_of(time), self._y(3)
            painter.drawPolygon(QPolygonF([QPointF(x - half, high), QPointF(x + half, high), QPointF(x, low)]))

    def _paint_steps(self, painter: QPainter) -> None:
        """Flags over the line."""
        palette, track, side = self._theme.palette, self._track, self._y(7)
        for time in self._steps:
            x = self.x_of(time)
            painter.setPen(QPen(palette.text, 1))
            painter.drawLine(QPointF(x, track.top()), QPointF(x, 1))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.text)
            flag = [QPointF(x, 1), QPointF(x + side, 1 + side / 2), QPointF(x, 1 + side)]
            painter.drawPolygon(QPolygonF(flag))

    def _paint_lane(self, painter: QPainter, lane: QRectF, future: Future) -> None:
        palette = self._theme.palette
        left, right, y = self.x_of(future.begins), self.x_of(future.reaches), lane.center().y()
        painter.setPen(QPen(palette.outline, self._theme.line_width))
        painter.drawLine(QPointF(left, self._track.bottom()), QPointF(left, y))
        painter.drawLine(QPointF(left, y), QPointF(max(right, left + 4), y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.outline)
        painter.drawEllipse(QPointF(max(right, left + 4), y), self._y(2.5), self._y(2.5))

    def _paint_now(self, painter: QPainter, past: Past) -> None:
        palette, track = self._theme.palette, self._track
        x = self.x_of(self._shown_time(past))
        painter.setPen(QPen(palette.background, self._theme.line_width))
        painter.setBrush(palette.text)
        painter.drawEllipse(QPointF(x, track.center().y()), self._y(6), self._y(6))

    def _shown_time(self, past: Past) -> int:
        return past.now if self._dragged_to is None else self._dragged_to

    # -- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag, or take another future."""
        if event.button() is not Qt.MouseButton.LeftButton or self.past is None:
            return
        future = self._future_at(event.position())
        if future is not None:
            self.entered.emit(future.number)
            return
        self._drag_to(self.time_at(event.position().x()))
        self._looking.start()
        self._look()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on dragging."""
        if self._dragged_to is not None:
            self._drag_to(self.time_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Be there."""
        if self._dragged_to is not None and event.button() is Qt.MouseButton.LeftButton:
            time = self._dragged_to
            self._looking.stop()
            self._dragged_to = self._looked_at = None
            self.update()
            self.chosen.emit(time)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go a hundredth of the whole, Home and End to the ends."""
        past = self.past
        if past is None:
            super().keyPressEvent(event)
            return
        step = max(round(self._span * SHARE), 1)
        targets = {
            Qt.Key.Key_Left: max(past.now - step, 0),
            Qt.Key.Key_Right: min(past.now + step, past.reached),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: past.reached,
        }
        target = targets.get(Qt.Key(event.key()))
        if target is None:
            super().keyPressEvent(event)
        elif target != past.now:
            self.chosen.emit(target)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with other futures: with the one under the pointer, or by key with each."""
        here = self._future_at(QPointF(event.pos())) if event.reason() is QContextMenuEvent.Reason.Mouse else None
        self.menu_of(self._others if here is None else [here]).popup(event.globalPos())

    def menu_of(self, futures: list[Future]) -> QMenu:
        """The menu of these."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for future in futures:
            which = f"the future begun at {grouped(future.begins)}, run up to {grouped(future.reaches)}"
            number = future.number
            menu.addAction(f"Go to the end of {which}").triggered.connect(
                lambda _checked=False, number=number: self.entered.emit(number)
            )
            menu.addAction(f"Throw away {which}").triggered.connect(
                lambda _checked=False, number=number: self.discarded.emit(number)
            )
        if not futures:
            menu.addAction("There is no other future. What you do in the past begins one.").setEnabled(False)
        return menu

    def _drag_to(self, time: int) -> None:
        self._dragged_to = time
        self.update()

    def _look(self) -> None:
        if self._dragged_to is not None and self._dragged_to != self._looked_at:
            self._looked_at = self._dragged_to
            self.looked.emit(self._dragged_to)

    def event(self, event: QEvent) -> bool:
        """The tooltip says what is under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, point: QPointF) -> str:
        """What is at `point`, and what one can do there."""
        past = self.past
        if past is None or not past.reached:
            return EMPTY
        future = self._future_at(point)
        if future is not None:
            return (
                f"Another future, begun at {grouped(future.begins)} and run up to {grouped(future.reaches)}. "
                "Click to go to its end; the right button throws it away."
            )
        step = next((words for at, words in self._steps.items() if abs(self.x_of(at) - point.x()) < self._y(7)), "")
        if step and point.y() < self._track.top():
            return f"Here you did {step}."
        time = self.time_at(point.x())
        milliseconds = time / INSTRUCTIONS_PER_SECOND * 1000
        departures = max((each.traps for each in past.stretches if each.time <= time), default=0)
        return (
            f"Virtual time {grouped(time)}: {milliseconds:,.1f} ms on the machine's clock, after {grouped(departures)} "
            "departures or a few more. Drag to look around in time, let go to be there.\n"
            "Bars: how dense departures were. Ticks below: checkpoints. Notches: world switches. Triangles: what you "
            "typed or changed. Flags: steps of a lesson."
        )
