"""A gauge that can be pressed: a headline, a meter of shares, and a line of detail."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.models.properties import Gauge
from app.theme import Theme
from app.theme.typography import Size

METER = 5  # pixels high


class GaugeButton(QAbstractButton):
    """One property of one kind; a click asks for its evidence."""

    def __init__(self, gauge: Gauge, kind: str, theme: Theme) -> None:
        super().__init__()
        self.gauge, self._theme = gauge, theme
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setAccessibleName(f"{kind}, {gauge.property.phrase}: {gauge.headline}, {gauge.detail}")
        self.setToolTip(f"{gauge.property.meaning}\nPress to see what this rests on.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """Two lines and the meter."""
        line = self._line()
        return QSize(150, round(2 * line) + METER + 12)

    def minimumSizeHint(self) -> QSize:
        """As high, but narrower."""
        return QSize(90, self.sizeHint().height())

    def _line(self) -> float:
        return QFontMetricsF(self._theme.type.sans(Size.CAPTION)).height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, palette, line = self._theme, self._theme.palette, self._line()
        ground = palette.selection if self.isChecked() else palette.hover if self.underMouse() else palette.raised
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(palette.focus if self.hasFocus() else palette.line, 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(frame, 4, 4)
        inside = frame.adjusted(8, 4, -8, -4)
        self._write(painter, QRectF(inside.left(), inside.top(), inside.width(), line), self.gauge.headline, head=True)
        meter = QRectF(inside.left(), inside.top() + line + 1, inside.width(), METER)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(meter, palette.error if self.gauge.broken else palette.line)
        x = meter.left()
        for share, color in zip(self.gauge.shares, _shades(theme), strict=False):
            width = meter.width() * share
            painter.fillRect(QRectF(x, meter.top(), width, METER), color)
            x += width
        below = QRectF(inside.left(), meter.bottom() + 1, inside.width(), line)
        self._write(painter, below, self.gauge.detail, head=False)
        painter.end()

    def _write(self, painter: QPainter, box: QRectF, words: str, *, head: bool) -> None:
        palette = self._theme.palette
        font = self._theme.type.sans(Size.CAPTION, bold=head)
        painter.setFont(font)
        quiet = palette.text if head else palette.muted
        painter.setPen(palette.error if self.gauge.broken else quiet)
        room = Qt.TextElideMode.ElideRight
        painter.drawText(
            box, int(Qt.AlignmentFlag.AlignVCenter), QFontMetricsF(font).elidedText(words, room, box.width())
        )


def _shades(theme: Theme) -> tuple[QColor, QColor, QColor]:
    """For what runs directly, as translated code, with the monitor."""
    return theme.palette.text, theme.palette.outline, theme.palette.owners[1]
