"""Stacked bars of modelled cycles, a column for each kind of monitor, and what the guest found different there."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.models.comparison import Column
from app.models.numerals import grouped, scaled
from app.theme import Theme
from app.theme.typography import Size
from core.costs import Part

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
WRAPPED = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
BAR_SHARE = 0.62  # of a column's width
TICKS = 4
EMPTY = (
    "Press Compare: the guest runs under every kind of monitor, beside the machine that you see. Here appears where "
    "its cycles go, and how often it left direct execution."
)


def part_color(theme: Theme, part: Part) -> QColor:
    """The muted colour of a part, the same in every bar; what runs directly has none."""
    return theme.palette.outline if part is Part.DIRECT else theme.palette.owners[list(Part).index(part)]


class CycleBars(QWidget):
    """Drawn by hand, so that its columns stand over those of the table below: `gutter` is the width before the first.

    `paint` draws the same into any rectangle, for pictures that are saved.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._columns: tuple[Column, ...] = ()
        self._caption = ""
        self.gutter, self._right = 120, 0
        self.setMouseTracking(True)
        self.setMinimumHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Modelled cycles by kind of monitor")

    def show_columns(self, columns: tuple[Column, ...], caption: str) -> None:
        """Show these; `caption` says what is drawn, and by which model."""
        self._columns, self._caption = columns, caption
        self.setAccessibleDescription("; ".join(_words(column) for column in columns))
        self.update()

    def set_gutter(self, width: int, right: int) -> None:
        """Begin the columns there, and leave `right` pixels free behind them."""
        self.gutter, self._right = width, right
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
        painter.fillRect(whole, self._theme.palette.surface)
        if not self._columns:
            painter.setFont(self._theme.type.sans(Size.SENTENCE))
            painter.setPen(self._theme.palette.muted)
            painter.drawText(whole.adjusted(24, 24, -24, -24), int(CENTRE | Qt.TextFlag.TextWordWrap), EMPTY)
            return
        plot = self._plot(whole)
        self._paint_legend(painter, QRectF(whole.left() + 8, whole.top() + 2, whole.width() - 16, self._line() + 2))
        most = max(column.total for column in self._columns) or 1
        self._paint_scale(painter, whole, plot, most)
        for column, place in zip(self._columns, self._places(plot), strict=True):
            for part, cycles, box in _segments(column, place, most):
                color = part_color(self._theme, part)
                painter.fillRect(box, color)
                self._label_segment(painter, box, color, f"{part.short} {100 * cycles / column.total:.0f} %")
            self._label_column(painter, column, place, plot, whole, most)

    def _line(self) -> float:
        return QFontMetricsF(self._theme.type.sans(Size.CAPTION)).height()

    def _plot(self, whole: QRectF) -> QRectF:
        """Where the bars are: legend and totals above, names and verdicts below."""
        line = self._line()
        above, below = 3 * line + 6, (2 if whole.height() < 260 else 5) * line + 6
        width = whole.width() - self.gutter - self._right
        return QRectF(whole.left() + self.gutter, whole.top() + above, width, whole.height() - above - below)

    def _places(self, plot: QRectF) -> Iterator[QRectF]:
        each = plot.width() / len(self._columns)
        for at in range(len(self._columns)):
            yield QRectF(plot.left() + at * each, plot.top(), each, plot.height())

    def _paint_legend(self, painter: QPainter, line: QRectF) -> None:
        theme, x = self._theme, line.left()
        font = theme.type.sans(Size.CAPTION)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        shown = {part for column in self._columns for part, _ in column.parts}
        painter.setPen(theme.palette.muted)
        painter.drawText(QPointF(x, line.top() + metrics.ascent()), self._caption)
        x += metrics.horizontalAdvance(self._caption) + 16
        for part in Part:
            if part not in shown:
                continue
            wide = metrics.horizontalAdvance(part.short)
            if x + wide + 16 > line.right():
                break
            side = metrics.ascent() * 0.8
            painter.fillRect(QRectF(x, line.top() + metrics.ascent() - side, side, side), part_color(theme, part))
            painter.setPen(theme.palette.text)
            painter.drawText(QPointF(x + side + 5, line.top() + metrics.ascent()), part.short)
            x += side + wide + 18

    def _paint_scale(self, painter: QPainter, whole: QRectF, plot: QRectF, most: int) -> None:
        palette, line = self._theme.palette, self._line()
        for tick in range(TICKS + 1):
            y = plot.bottom() - plot.height() * tick / TICKS
            painter.setPen(palette.outline if tick == 0 else palette.line)
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            if tick and plot.height() / TICKS < line:
                continue
            box = QRectF(whole.left(), y - line / 2, self.gutter - 8, line)
            self._write(painter, box, scaled(most * tick / TICKS), palette.muted, RIGHT)

    def _write(self, painter: QPainter, box: QRectF, words: str, color: QColor, flags: Qt.AlignmentFlag) -> None:
        font = self._theme.type.mono(Size.CAPTION)
        painter.setFont(font)
        painter.setPen(color)
        room = Qt.TextElideMode.ElideRight
        painter.drawText(box, int(flags), QFontMetricsF(font).elidedText(words, room, box.width()))

    def _label_segment(self, painter: QPainter, box: QRectF, color: QColor, words: str) -> None:
        font = self._theme.type.sans(Size.CAPTION)
        metrics = QFontMetricsF(font)
        if box.height() < metrics.height() or metrics.horizontalAdvance(words) > box.width() - 4:
            words = words.split(" ", 1)[1]
            if box.height() < metrics.height() or metrics.horizontalAdvance(words) > box.width() - 4:
                return
        painter.setFont(font)
        painter.setPen(self._theme.palette.on(color))
        painter.drawText(box, int(CENTRE), words)

    def _label_column(
        self, painter: QPainter, column: Column, place: QRectF, plot: QRectF, whole: QRectF, most: int
    ) -> None:
        theme, palette, line = self._theme, self._theme.palette, self._line()
        top = plot.bottom() - plot.height() * column.total / most
        words = scaled(column.total)
        ratio = "another run" if column.differs else f"{column.ratio:.2f} × bare" if column.ratio is not None else ""
        if (
            ratio
            and QFontMetricsF(theme.type.mono(Size.CAPTION)).horizontalAdvance(f"{words} · {ratio}") < place.width()
        ):
            words = f"{words} · {ratio}"
        box = QRectF(place.left() + 2, top - line - 2, place.width() - 4, line)
        self._write(painter, box, words, palette.text, CENTRE)
        below = QRectF(place.left() + 4, plot.bottom() + 4, place.width() - 8, 2 * line)
        rest = QRectF(below.left(), below.bottom(), below.width(), whole.bottom() - below.bottom() - 2)
        room = rest.height() >= line
        painter.setPen(palette.error if column.differs and not room else palette.text)
        painter.setFont(theme.type.sans(Size.CAPTION, bold=True))
        painter.drawText(below, int(WRAPPED), _fitting(column.title, QFontMetricsF(painter.font()), below.width()))
        if room:
            painter.setFont(theme.type.sans(Size.CAPTION))
            painter.setPen(palette.error if column.differs else palette.muted)
            painter.drawText(rest, int(WRAPPED), column.verdict)

    # -- the pointer

    def words_at(self, point: QPointF) -> str:
        """What stands under a point, in words."""
        if not self._columns:
            return ""
        plot = self._plot(QRectF(self.rect()))
        most = max(column.total for column in self._columns) or 1
        for column, place in zip(self._columns, self._places(plot), strict=True):
            for part, cycles, box in _segments(column, place, most):
                if box.contains(point):
                    share = 100 * cycles / column.total
                    return f"{column.title}\n{part.phrase}: {grouped(cycles)} modelled cycles, {share:.1f} %"
            if place.left() <= point.x() < place.right():
                return _words(column)
        return ""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)


def _segments(column: Column, place: QRectF, most: int) -> Iterator[tuple[Part, int, QRectF]]:
    width, bottom = place.width() * BAR_SHARE, place.bottom()
    for part, cycles in column.parts:
        height = place.height() * cycles / most
        yield part, cycles, QRectF(place.center().x() - width / 2, bottom - height, width, max(height - 1, 0.5))
        bottom -= height


def _fitting(words: str, metrics: QFontMetricsF, width: float) -> str:
    """`words`, each of them shortened where it alone is wider than that."""
    return " ".join(metrics.elidedText(word, Qt.TextElideMode.ElideRight, width) for word in words.split(" "))


def _words(column: Column) -> str:
    return f"{column.title}: {grouped(column.total)} modelled cycles; {column.verdict}"
