"""The toolbar's icons: SVG files of one hand, coloured when they are loaded.

The files stand in `assets/icons`, drawn on a 24-unit grid with round strokes two units wide in ``currentColor``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.theme.theme import Theme

ICON_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "icons"
_SIZES = (16, 20, 24, 32, 48)
_RATIOS = (1, 2, 3)


class Icon(StrEnum):
    """The icons there are; the value is the file's name."""

    OPEN = "open"
    START_WITH = "start-with"
    RUN = "run"
    STOP = "stop"
    STEP = "step"
    STEP_OVER = "step-over"
    STEP_OUT = "step-out"
    BY_LINE = "by-line"
    RUN_TO_CURSOR = "run-to-cursor"
    STEP_BACK = "step-back"
    RUN_BACK = "run-back"
    RESET = "reset"
    SPEED = "speed"
    THEME = "theme"
    LESSON = "lesson"
    TEXT_LARGER = "text-larger"
    TEXT_SMALLER = "text-smaller"
    FIND = "find"


def icon(name: Icon, theme: Theme) -> QIcon:
    """The icon in the theme's text colour, and in its disabled colour for what cannot be used now."""
    source = (ICON_FOLDER / f"{name.value}.svg").read_text(encoding="utf-8")

    def paint(painter: QPainter, rect: QRectF, color: QColor) -> None:
        colored = source.replace("currentColor", color.name())
        QSvgRenderer(QByteArray(colored.encode())).render(painter, rect)

    return build_icon(paint, theme.palette.text, theme.palette.disabled)


def build_icon(paint: Callable[[QPainter, QRectF, QColor], None], color: QColor, disabled: QColor) -> QIcon:
    """A `QIcon` from a function that paints into a square, sharp at every usual size and pixel ratio."""
    made = QIcon()
    for mode, ink in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        for pixels in sorted({size * ratio for size in _SIZES for ratio in _RATIOS}):
            picture = QPixmap(pixels, pixels)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint(painter, QRectF(0, 0, pixels, pixels), ink)
            painter.end()
            made.addPixmap(picture, mode)
    return made
