"""The axes of the timeline: the lanes by their marks, virtual time in round numbers."""

from __future__ import annotations

from math import floor, log10

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.models.numerals import grouped, scaled
from app.theme import Theme
from app.theme.marks import paint_mark
from app.theme.typography import Size
from app.views.painting import LEFT, paint_text
from app.views.trap_marks import Lane


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
            if lane.cause is not None:
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
