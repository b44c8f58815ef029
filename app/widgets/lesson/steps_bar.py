"""How far a lesson has come: one segment a step."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.theme.palette import blend

_GAP = 3


class StepsBar(QWidget):
    """Segments: those behind filled, the present one tall, those ahead faint."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._count = 1
        self._behind = 0
        self._present: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_progress(self, count: int, behind: int, present: int | None = None) -> None:
        """`count` steps, of which `behind` lie behind the person, who is at `present` (from 0; None: nowhere)."""
        self._count, self._behind, self._present = max(count, 1), behind, present
        self.setAccessibleName(f"{behind} of {count} steps done")
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A thin line."""
        return QSize(120, self._theme.space(2))

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(40, self._theme.space(2))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the segments."""
        painter = QPainter(self)
        palette = self._theme.palette
        faint = blend(palette.line, palette.outline, 0.4)
        width = (self.width() - _GAP * (self._count - 1)) / self._count
        for index in range(self._count):
            tall = index == self._present
            height = self._theme.space(1.5 if tall else 0.75)
            color = palette.text if tall or index < self._behind else faint
            left = index * (width + _GAP)
            painter.fillRect(QRectF(left, (self.height() - height) / 2, width, height), color)
        painter.end()
