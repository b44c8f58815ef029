"""A translation cache as a map: its blocks as rectangles in the order in which they lie, row under row like words.

The width of a block is that of its bytes. Brightness says its age or how often it was run; the chains of the block
under the pointer, or of the chosen one, are drawn from block to block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme import Theme
from app.theme.palette import blend
from app.widgets.focus_frame import paint_focus_frame
from core.events import Ring
from core.translations import CacheBlock, SeenCache

MOST_PIXELS = 4.0  # a byte
LEAST_BYTES = 512
FAINTEST, FULL = 0.16, 0.95  # shares of the ring's colour
ARROW = 9.0
GAP = 1.0


class Shade(Enum):
    """What brightness says; `value` is the word on its button, `tip` explains it."""

    HEAT = ("Heat", "Bright blocks were run often, faint ones seldom; an outline alone: never yet.")
    AGE = ("Age", "Bright blocks are new, faint ones old.")

    tip: str

    def __new__(cls, value: str, tip: str) -> Shade:
        member = object.__new__(cls)
        member._value_ = value
        member.tip = tip
        return member


class CacheMap(QWidget):
    """The map. `tell(block)` gives the words for a block under the pointer.

    hovered  (ordinal or None) the pointer is over another block
    chosen   (ordinal) the person chose a block
    """

    hovered = Signal(object)
    chosen = Signal(int)

    def __init__(self, theme: Theme, tell: Callable[[CacheBlock], str]) -> None:
        super().__init__()
        self._theme, self._tell = theme, tell
        self._cache: SeenCache | None = None
        self._blocks: dict[int, CacheBlock] = {}
        self.shade = Shade.HEAT
        self.selected: int | None = None
        self.running: int | None = None  # the block that EIP is in
        self._hovered: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 80)
        self.setAccessibleName("Map of the translation cache")

    # -- what is shown

    def show_cache(self, cache: SeenCache, running: int | None) -> None:
        """Show the cache; `running` is the block that the guest's next instruction is in."""
        self._cache, self.running = cache, running
        self._blocks = {each.ordinal: each for each in cache.blocks}
        if self.selected not in self._blocks:
            self.selected = None
        self.update()

    @property
    def shown(self) -> CacheBlock | None:
        """The block under the pointer, else the chosen one."""
        ordinal = self._hovered if self._hovered is not None else self.selected
        return self._blocks.get(ordinal) if ordinal is not None else None

    def set_shade(self, shade: Shade) -> None:
        """Let brightness say that."""
        self.shade = shade
        self.update()

    def select(self, ordinal: int | None) -> None:
        """Mark that block, without telling anyone."""
        self.selected = ordinal
        block = self._blocks.get(ordinal) if ordinal is not None else None
        self.setAccessibleDescription(self._tell(block) if block is not None else "")
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours from `theme`."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, 160)

    # -- where blocks are

    @property
    def _line(self) -> int:
        return max(12, self._theme.type.row_height() - 6)

    @property
    def bytes_in_row(self) -> int:
        """How many bytes lie in one row."""
        if self._cache is None:
            return LEAST_BYTES
        rows = max(1, self.height() // self._line)
        needed = -(-max(self._cache.used, LEAST_BYTES) // rows)
        return max(needed, math.ceil(self.width() / MOST_PIXELS))

    def rects_of(self, start: int, size: int) -> list[QRectF]:
        """Where the bytes from linear `start` on are painted: more than one rectangle where a row ends among them."""
        assert self._cache is not None, "only what is shown has a place"
        in_row, line = self.bytes_in_row, self._line
        scale, at = self.width() / in_row, start - self._cache.base
        rects = []
        while size > 0:
            row, column = divmod(at, in_row)
            part = min(size, in_row - column)
            rects.append(QRectF(column * scale, row * line, part * scale - GAP, line - 2 * GAP))
            at, size = at + part, size - part
        return rects

    def block_at(self, at: QPointF) -> CacheBlock | None:
        """The block painted at that place."""
        if self._cache is None or not self.width():
            return None
        in_row = self.bytes_in_row
        place = int(at.y() // self._line) * in_row + int(at.x() * in_row / self.width()) + self._cache.base
        return next((each for each in self._cache.blocks if each.start <= place < each.start + each.size), None)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        cache = self._cache
        if cache is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self._theme.palette
        painter.setPen(QPen(palette.outline, 1))
        for start, size in cache.routines:
            for rect in self.rects_of(start, size):
                painter.fillRect(rect, palette.raised)
        value = self._values(cache)
        for block in cache.blocks:
            self._paint_block(painter, block, value[block.ordinal])
        if self.shown is not None:
            self._paint_chains(painter, cache, self.shown.ordinal)
        for ordinal, color in ((self._hovered, palette.muted), (self.selected, palette.focus)):
            marked = self._blocks.get(ordinal) if ordinal is not None else None
            if marked is not None:
                self._outline(painter, marked, color)
        if self.hasFocus():
            paint_focus_frame(painter, self, self._theme)

    def _values(self, cache: SeenCache) -> dict[int, float]:
        """A number from 0 to 1 for each block; below 0: none."""
        if self.shade is Shade.AGE:
            first = cache.blocks[0].ordinal if cache.blocks else 0
            span = max(1, (cache.blocks[-1].ordinal if cache.blocks else 0) - first)
            return {each.ordinal: (each.ordinal - first) / span for each in cache.blocks}
        most = math.log1p(max((each.entered for each in cache.blocks), default=0)) or 1.0
        return {each.ordinal: math.log1p(each.entered) / most if each.entered else -1.0 for each in cache.blocks}

    def _paint_block(self, painter: QPainter, block: CacheBlock, value: float) -> None:
        palette = self._theme.palette
        color = palette.ring_color(Ring.ONE)
        for rect in self.rects_of(block.start, block.size):
            if not block.alive:
                painter.fillRect(rect, QColor(palette.line))
                painter.fillRect(rect, Qt.BrushStyle.BDiagPattern)
            elif value < 0:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(blend(palette.surface, color, 0.5), 1))
                painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
            else:
                painter.fillRect(rect, blend(palette.surface, color, FAINTEST + (FULL - FAINTEST) * value))
        if block.ordinal == self.running:
            rect = self.rects_of(block.start, block.size)[0]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.text)
            painter.drawEllipse(QPointF(rect.left() + min(5.0, rect.width() / 2), rect.center().y()), 3, 3)

    def _outline(self, painter: QPainter, block: CacheBlock, color: QColor) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rect in self.rects_of(block.start, block.size):
            outer = rect.adjusted(-1, -1, 1, 1)
            painter.setPen(QPen(self._theme.palette.background, 4))
            painter.drawRect(outer)
            painter.setPen(QPen(color, 2))
            painter.drawRect(outer)

    def _paint_chains(self, painter: QPainter, cache: SeenCache, ordinal: int) -> None:
        """Jumps that leave the block are solid, those that come to it dashed."""
        palette = self._theme.palette
        for chain in cache.chains:
            if ordinal not in (chain.source, chain.target):
                continue
            source, target = self._blocks.get(chain.source), self._blocks.get(chain.target)
            if source is None or target is None:
                continue
            leaves = chain.source == ordinal
            begin = self._point(chain.site, source)
            end = self.rects_of(target.start, target.size)[0]
            tip = QPointF(end.left() + min(4.0, end.width() / 2), end.center().y())
            style = Qt.PenStyle.SolidLine if leaves else Qt.PenStyle.DashLine
            self._paint_arrow(painter, begin, tip, palette.text, style)

    def _point(self, address: int, block: CacheBlock) -> QPointF:
        rect = self.rects_of(min(address, block.start + block.size - 1), 1)[0]
        return rect.center()

    def _paint_arrow(self, painter: QPainter, begin: QPointF, end: QPointF, color: QColor, style: Qt.PenStyle) -> None:
        across, down = end.x() - begin.x(), end.y() - begin.y()
        length = math.hypot(across, down) or 1.0
        lift = min(26.0, 8 + 0.18 * length)
        side = QPointF(down / length * lift, -across / length * lift) if length > 1 else QPointF(0, -lift)
        bend = QPointF((begin.x() + end.x()) / 2, (begin.y() + end.y()) / 2) + side
        path = QPainterPath(begin)
        path.quadTo(bend, end)
        width = self._theme.line_width
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.palette.background, width + 2.5))
        painter.drawPath(path)
        painter.setPen(QPen(color, width, style))
        painter.drawPath(path)
        angle = math.atan2(end.y() - bend.y(), end.x() - bend.x())
        wings = [
            end - QPointF(math.cos(angle + turn) * ARROW, math.sin(angle + turn) * ARROW) for turn in (0.45, -0.45)
        ]
        painter.setPen(QPen(self._theme.palette.background, 1.5))
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([end, *wings]))

    # -- the person

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        block = self.block_at(event.position())
        self._hover(None if block is None else block.ordinal)
        if block is not None:
            QToolTip.showText(event.globalPosition().toPoint(), self._tell(block), self)
        else:
            QToolTip.hideText()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        block = self.block_at(event.position())
        if block is not None and block.alive:
            self._take(block)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        living = [each for each in self._blocks.values() if each.alive]
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        rows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        ends = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}.get(Qt.Key(event.key()))
        if not living or (by is None and rows is None and ends is None):
            super().keyPressEvent(event)
            return
        at = next((n for n, each in enumerate(living) if each.ordinal == self.selected), None)
        if ends is not None or at is None:
            self._take(living[ends or 0])
        elif by is not None and 0 <= at + by < len(living):
            self._take(living[at + by])
        elif rows is not None:
            above = self.block_at(self.rects_of(living[at].start, 1)[0].center() + QPointF(0, rows * self._line))
            if above is not None and above.alive:
                self._take(above)

    def _hover(self, ordinal: int | None) -> None:
        if ordinal != self._hovered:
            self._hovered = ordinal
            self.update()
            self.hovered.emit(ordinal)

    def _take(self, block: CacheBlock) -> None:
        self.select(block.ordinal)
        self.chosen.emit(block.ordinal)
