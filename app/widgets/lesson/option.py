"""One answer to a prediction: a radio button as wide as the page, whose words wrap."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.lesson.marks import Mark, paint_lesson_mark
from app.widgets.lesson.prose import rings_whole

_WRAP = int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft) | int(Qt.AlignmentFlag.AlignVCenter)


class OptionButton(QAbstractButton):
    """Checkable, exclusive among its siblings. Locked after the choice; then it may carry a mark."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mark: Mark | None = None
        self._locked = False
        self.setText(rings_whole(text))
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.apply_theme(theme)

    @property
    def mark(self) -> Mark | None:
        """What the machine made of this answer, once known."""
        return self._mark

    def show_state(self, *, locked: bool, mark: Mark | None) -> None:
        """Lock the answer, and say what the machine made of it."""
        self._locked, self._mark = locked, mark
        self.setEnabled(not locked)
        chosen = ", your prediction" if locked and self.isChecked() else ""
        self.setAccessibleDescription(f"{mark.value if mark else ''}{chosen}")
        self.setCursor(Qt.CursorShape.ArrowCursor if locked else Qt.CursorShape.PointingHandCursor)
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.setFont(theme.type.sans(Size.SENTENCE))
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """The words wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Room for all the words, and for a finger."""
        words = QFontMetrics(self.font()).boundingRect(self._words(width), _WRAP, self.text())
        return max(words.height() + 2 * self._theme.space(2), self._theme.space(9))

    def sizeHint(self) -> QSize:
        """At a usual width."""
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(120, self._theme.space(9))

    def _words(self, width: int) -> QRect:
        """Where the words stand, in a button of that width and boundless height."""
        left = self._theme.space(3) + self._indicator() + self._theme.space(2)
        return QRect(left, 0, max(width - left - self._theme.space(3), 1), 10_000)

    def _indicator(self) -> int:
        return self._theme.type.pixels(16)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the frame, the indicator (or the mark) and the words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, palette = self._theme, self._theme.palette
        chosen = self.isChecked()
        plain = self._locked and not chosen and self._mark is not Mark.RIGHT
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        open_edge = not self._locked or self._mark is Mark.RIGHT
        edge = palette.text if chosen else palette.outline if open_edge else palette.line
        hover = self.underMouse() and not self._locked
        ground = palette.selection if chosen else palette.hover if hover else palette.surface
        painter.setPen(QPen(palette.focus, 2) if self.hasFocus() else QPen(edge, 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(frame, theme.space(1), theme.space(1))
        side = float(self._indicator())
        spot = QRectF(theme.space(3), (self.height() - side) / 2, side, side)
        if self._mark is not None:
            paint_lesson_mark(painter, self._mark, spot, theme)
        else:
            painter.setPen(QPen(palette.text if chosen else palette.outline, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(spot.adjusted(1, 1, -1, -1))
            if chosen:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(palette.text)
                painter.drawEllipse(spot.adjusted(side / 4, side / 4, -side / 4, -side / 4))
        painter.setPen(palette.muted if plain else palette.text)
        painter.setFont(self.font())
        words = self._words(self.width())
        words.setHeight(self.height())
        painter.drawText(words, _WRAP, self.text())
        painter.end()
