"""Groups of bars on a logarithmic scale, as in the figure of 2006; a line across a bar is what was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil, floor, log10

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.models.figure import Bar
from app.models.numerals import scaled
from app.theme import Theme
from app.theme.typography import Size
from core.vmm import kinds

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
GROUP_SHARE = 0.84  # of a group's width that its bars take
GUTTER = 64
Groups = tuple[tuple[str, tuple[Bar, ...]], ...]
LITTLE = ("and", "with")
EMPTY = (
    "Press Run: Pebble runs the seven nanobenchmarks under every kind, a thousand rounds of each. The figure that "
    "Adams and Agesen drew in 2006 appears, drawn from what is counted here."
)


def kind_color(theme: Theme, kind: str) -> QColor:
    """The muted colour of a kind, the same in every group; bare has none."""
    order = list(kinds())
    return theme.palette.outline if kind == order[0] else theme.palette.owners[order.index(kind)]


def initials(kind: str) -> str:
    """Two letters for a kind, from the words of its title."""
    words = [word for word in re.findall("[A-Za-z]{3,}", kinds()[kind].title) if word not in LITTLE]
    return "".join(word[0] for word in words[:2]).upper()


class LogBars(QWidget):
    """The plot; `paint` draws it into any rectangle."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._groups: Groups = ()
        self._caption = ""
        self.setMinimumHeight(150)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Modelled cycles a round, logarithmic")

    def show_groups(self, groups: Groups, caption: str) -> None:
        """Show these; `caption` says what is drawn, and by which model."""
        self._groups, self._caption = groups, caption
        self.setAccessibleDescription("; ".join(bar.words.replace("\n", ", ") for _, bars in groups for bar in bars))
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.update()

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint(painter, QRectF(self.rect()))
        painter.end()

    def paint(self, painter: QPainter, whole: QRectF) -> None:
        """Draw everything into `whole`."""
        theme = self._theme
        painter.fillRect(whole, theme.palette.surface)
        if not any(bars for _, bars in self._groups):
            painter.setFont(theme.type.sans(Size.SENTENCE))
            painter.setPen(theme.palette.muted)
            painter.drawText(whole.adjusted(24, 24, -24, -24), int(CENTRE | Qt.TextFlag.TextWordWrap), EMPTY)
            return
        self._paint_legend(painter, whole)
        self._paint_scale(painter, whole)
        painter.setFont(theme.type.sans(Size.CAPTION))
        for bar, box in self._boxes(whole):
            painter.fillRect(box, kind_color(theme, bar.kind))
            letters = QRectF(box.left() - 4, self._plot(whole).bottom() + 1, box.width() + 8, self._line())
            painter.setPen(theme.palette.muted)
            if QFontMetricsF(painter.font()).horizontalAdvance(initials(bar.kind)) <= box.width() + 4:
                painter.drawText(letters, int(CENTRE), initials(bar.kind))
        self._paint_published(painter, whole)
        self._paint_names(painter, whole)

    def _line(self) -> float:
        return QFontMetricsF(self._theme.type.sans(Size.CAPTION)).height()

    def _plot(self, whole: QRectF) -> QRectF:
        line = self._line()
        return whole.adjusted(GUTTER, 3 * line + 8, -8, -2 * line - 8)

    def _decades(self) -> tuple[int, int]:
        values = [value for _, bars in self._groups for bar in bars for value in (bar.cycles, bar.published) if value]
        return floor(log10(max(min(values), 1))), ceil(log10(max(*values, 10)))

    def _height(self, value: float, plot: QRectF) -> float:
        low, high = self._decades()
        return plot.height() * max(log10(max(value, 1)) - low, 0.01) / (high - low)

    def _boxes(self, whole: QRectF) -> Iterator[tuple[Bar, QRectF]]:
        plot = self._plot(whole)
        each = plot.width() / len(self._groups)
        for at, (_, bars) in enumerate(self._groups):
            width = each * GROUP_SHARE / max(len(bars), 1)
            left = plot.left() + at * each + each * (1 - GROUP_SHARE) / 2
            for number, bar in enumerate(bars):
                height = self._height(bar.cycles, plot)
                yield bar, QRectF(left + number * width, plot.bottom() - height, width - 2, height)

    def _paint_legend(self, painter: QPainter, whole: QRectF) -> None:
        theme = self._theme
        font = theme.type.sans(Size.CAPTION)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        x, y = whole.left() + 8, whole.top() + 4 + metrics.ascent()
        painter.setPen(theme.palette.muted)
        painter.drawText(QPointF(x, y), self._caption)
        x, y = whole.left() + 8, y + metrics.height() + 2
        side = metrics.ascent() * 0.8
        for bar in self._groups[0][1]:
            words = f"{initials(bar.kind)} {kinds()[bar.kind].title}"
            if x + side + metrics.horizontalAdvance(words) > whole.right():
                return
            painter.fillRect(QRectF(x, y - side, side, side), kind_color(theme, bar.kind))
            painter.setPen(theme.palette.text)
            painter.drawText(QPointF(x + side + 4, y), words)
            x += side + metrics.horizontalAdvance(words) + 16
        painter.setPen(QPen(theme.palette.text, 2))
        painter.drawLine(QPointF(x, y - side / 2), QPointF(x + 14, y - side / 2))
        painter.drawText(QPointF(x + 18, y), "reported in 2006")

    def _paint_scale(self, painter: QPainter, whole: QRectF) -> None:
        theme, plot, line = self._theme, self._plot(whole), self._line()
        low, high = self._decades()
        painter.setFont(theme.type.mono(Size.CAPTION))
        for power in range(low, high + 1):
            y = plot.bottom() - plot.height() * (power - low) / (high - low)
            painter.setPen(theme.palette.outline if power == low else theme.palette.line)
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(theme.palette.muted)
            painter.drawText(QRectF(whole.left(), y - line / 2, GUTTER - 8, line), int(RIGHT), scaled(10.0**power))

    def _paint_published(self, painter: QPainter, whole: QRectF) -> None:
        plot = self._plot(whole)
        for bar, box in self._boxes(whole):
            if bar.published is not None:
                y = plot.bottom() - self._height(bar.published, plot)
                painter.setPen(QPen(self._theme.palette.surface, 5))  # so that it shows over a bar, too
                painter.drawLine(QPointF(box.left() - 1, y), QPointF(box.right() + 1, y))
                painter.setPen(QPen(self._theme.palette.text, 2))
                painter.drawLine(QPointF(box.left() - 2, y), QPointF(box.right() + 2, y))

    def _paint_names(self, painter: QPainter, whole: QRectF) -> None:
        plot, line = self._plot(whole), self._line()
        each = plot.width() / len(self._groups)
        painter.setFont(self._theme.type.mono(Size.CAPTION, bold=True))
        painter.setPen(self._theme.palette.text)
        for at, (name, _) in enumerate(self._groups):
            painter.drawText(QRectF(plot.left() + at * each, plot.bottom() + line + 3, each, line), int(CENTRE), name)

    # -- the pointer

    def words_at(self, point: QPointF) -> str:
        """What stands under a point, in words."""
        whole = QRectF(self.rect())
        if not any(bars for _, bars in self._groups):
            return ""
        plot = self._plot(whole)
        for bar, box in self._boxes(whole):
            if box.left() <= point.x() <= box.right() and plot.top() <= point.y() <= plot.bottom():
                return bar.words
        return ""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)
