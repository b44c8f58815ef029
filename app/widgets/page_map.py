"""A map of cells in rows, one a page of memory or a sector of a disk: coloured, glowing where memory is used, walked by
mouse and keys.

The whole is one picture with a pixel a cell, made by numpy and enlarged by a whole number, so that drawing it costs the
same however large memory is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.numerals import hexadecimal
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.focus_frame import paint_focus_frame
from core.addresses import PAGE_SHIFT

WIDTHS = (32, 64, 128, 256, 512)  # cells in a row: a power of two, so that every row begins at a round address
GAPS_FROM = 5  # pixels of a cell from which a gap sets it apart from its neighbours
DIMMED = 0.2  # what is left of the colours that are not in the spotlight
HOTTEST = 0.8  # share of the glow in the brightest cell: its own colour is still to be told
LABEL_LETTERS = 10

Rgb = npt.NDArray[np.float32]


class PageMap(QWidget):
    """The map; a cell stands for 2 to the power of `shift` bytes, a page unless it is said.

    hovered  (cell or -1) the pointer is over another cell
    chosen   (cell) the person chose a cell
    opened  (cell) the person wants to see into a cell: Enter, or a double click
    menuWanted (cell, QPoint) the person asked what can be done with a cell
    """

    hovered = Signal(int)
    chosen = Signal(int)
    opened = Signal(int)
    menuWanted = Signal(int, QPoint)

    def __init__(self, theme: Theme, shift: int = PAGE_SHIFT) -> None:
        super().__init__()
        self._shift = shift
        self._numbers: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._colors: Rgb = np.zeros((1, 3), np.float32)
        self._glow: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._spotlight: int | None = None
        self._hovered = -1
        self.cell = -1  # the chosen one, if there is one
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 96)
        self.setAccessibleName("Map of memory")
        self.apply_theme(theme)

    # -- what is shown

    def show_cells(self, numbers: npt.NDArray[np.uint8], colors: Sequence[QColor]) -> None:
        """`colors[n]` is the colour of the cells whose number is n."""
        self._numbers = numbers
        self._colors = np.array([color.getRgb()[:3] for color in colors] or [(0, 0, 0)], np.float32)
        self.cell = min(self.cell, len(numbers) - 1)
        self.update()

    def show_glow(self, glow: npt.NDArray[np.float32]) -> None:
        """How bright each cell is, from 0 to 1; empty: none glows."""
        self._glow = glow
        self.update()

    def set_spotlight(self, number: int | None) -> None:
        """Dim all cells but those of that number."""
        self._spotlight = number
        self.update()

    def choose(self, cell: int) -> None:
        """Move the mark to that cell, or to none (-1), without telling anyone."""
        self.cell = min(cell, len(self._numbers) - 1)
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self._font = theme.type.mono(Size.CAPTION)
        metrics = QFontMetricsF(self._font)
        self._label = round(metrics.horizontalAdvance("0") * LABEL_LETTERS)
        self._line = round(metrics.height())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 260)

    # -- where cells are

    @property
    def columns(self) -> int:
        """Cells in a row: as many as make the cells largest, and have all of them in sight."""
        return max(WIDTHS, key=lambda width: (self._room(width), -width))

    def _side(self, columns: int) -> int:
        return max(1, int(self._room(columns)))

    def _room(self, columns: int) -> float:
        """Pixels that a cell can have: whole ones, but for less than one, with which not all cells are in sight."""
        rows = max(1, -(-len(self._numbers) // columns))
        room = min((self.width() - self._label) / columns, self.height() / rows)
        return room if room < 1 else room // 1

    def rect_of(self, cell: int) -> QRect:
        """Where a cell is painted."""
        side, columns = self._side(self.columns), self.columns
        return QRect(self._label + cell % columns * side, cell // columns * side, side, side)

    def cell_at(self, at: QPoint) -> int:
        """The cell at a place, -1 if there is none."""
        side, columns = self._side(self.columns), self.columns
        column, row = (at.x() - self._label) // side, at.y() // side
        cell = row * columns + column
        return cell if 0 <= column < columns and 0 <= cell < len(self._numbers) else -1

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not len(self._numbers):
            return
        side, columns = self._side(self.columns), self.columns
        image = self._picture(columns)
        whole = QRect(self._label, 0, columns * side, image.height() * side)
        painter.drawImage(whole, image)
        if side >= GAPS_FROM:
            painter.setPen(QPen(self._theme.palette.surface, 1))
            for x in range(whole.left(), whole.right() + 2, side):
                painter.drawLine(x, whole.top(), x, whole.bottom())
            for y in range(whole.top(), whole.bottom() + 2, side):
                painter.drawLine(whole.left(), y, whole.right(), y)
        self._paint_labels(painter, columns, side)
        for cell, color in ((self._hovered, self._theme.palette.muted), (self.cell, self._theme.palette.focus)):
            if 0 <= cell < len(self._numbers):
                self._mark(painter, self.rect_of(cell), color)
        if self.hasFocus():
            paint_focus_frame(painter, self, self._theme)

    def _picture(self, columns: int) -> QImage:
        colors = self._colors
        if self._spotlight is not None:
            ground = np.array(self._theme.palette.surface.getRgb()[:3], np.float32)
            dimmed = ground + (colors - ground) * np.float32(DIMMED)
            dimmed[self._spotlight : self._spotlight + 1] = colors[self._spotlight : self._spotlight + 1]
            colors = dimmed
        pixels = colors[np.minimum(self._numbers, len(colors) - 1)]
        if len(self._glow) == len(pixels):
            hot = np.array(self._theme.palette.text.getRgb()[:3], np.float32)
            pixels = pixels + (hot - pixels) * (np.float32(HOTTEST) * self._glow[:, None])
        rows = -(-len(pixels) // columns)
        packed = np.zeros(rows * columns, np.uint32)
        red, green, blue = pixels.astype(np.uint32).T
        packed[: len(pixels)] = np.uint32(0xFF00_0000) | red << np.uint32(16) | green << np.uint32(8) | blue
        image = QImage(packed.tobytes(), columns, rows, columns * 4, QImage.Format.Format_ARGB32)
        return image.copy()  # its own pixels: those above go with this call

    def _paint_labels(self, painter: QPainter, columns: int, side: int) -> None:
        """The address at which a row begins, as often as there is room for one."""
        painter.setFont(self._font)
        painter.setPen(self._theme.palette.muted)
        every = 1
        while every * side < self._line:
            every *= 2
        for row in range(0, -(-len(self._numbers) // columns), every):
            at = QRect(0, row * side, self._label - self._theme.space(1), self._line)
            painter.drawText(
                at, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, hexadecimal(row * columns << self._shift)
            )

    def _mark(self, painter: QPainter, rect: QRect, color: QColor) -> None:
        outer = rect.adjusted(-2, -2, 1, 1)
        painter.setPen(QPen(self._theme.palette.background, 3))
        painter.drawRect(outer)
        painter.setPen(QPen(color, 1.5))
        painter.drawRect(outer)

    # -- the person

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.cell_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell >= 0:
            self._take(cell)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().toPoint())
        if cell >= 0:
            self.opened.emit(cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        cell = self.cell if by_key else self.cell_at(event.pos())
        if cell >= 0:
            at = self.mapToGlobal(self.rect_of(cell).bottomRight()) if by_key else event.globalPos()
            self.menuWanted.emit(cell, at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns, last = self.columns, len(self._numbers) - 1
        steps = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns,
            Qt.Key.Key_PageUp: -8 * columns, Qt.Key.Key_PageDown: 8 * columns,
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps and self.cell < 0:
            self._take(0)
        elif key in steps and 0 <= self.cell + steps[key] <= last:
            self._take(self.cell + steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.cell >= 0:
            self.opened.emit(self.cell)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._take(0 if key == Qt.Key.Key_Home else last)
        elif key not in steps:
            super().keyPressEvent(event)

    def _hover(self, cell: int) -> None:
        if cell != self._hovered:
            self._hovered = cell
            self.update()
            self.hovered.emit(cell)

    def _take(self, cell: int) -> None:
        self.choose(cell)
        self.chosen.emit(self.cell)
