"""Saving what is shown: a picture of points (PNG), a drawing of lines (SVG), or the figures themselves (CSV)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from core.errors import RequestError

SHARPNESS = 2.0  # pixels of a picture for one on the screen
Paint = Callable[[QPainter, QRectF], None]
Table = Iterable[Sequence[object]]


class Form(Enum):
    """What can be saved as; `value` is the ending."""

    PNG = ".png"
    SVG = ".svg"
    CSV = ".csv"


def save(path: Path, form: Form, paint: Paint | None, size: QSize, table: Table, title: str) -> None:
    """Write it; a RequestError if it cannot be written, or there is no picture of it."""
    try:
        if form is Form.CSV:
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(table)
            return
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from None
    if paint is None:
        raise RequestError("This page is a table, not a picture.", "Save it as CSV.")
    if not (_save_png if form is Form.PNG else _save_svg)(path, paint, size, title):
        raise RequestError(f"{path} cannot be written.", "Choose another folder.")


def _save_png(path: Path, paint: Paint, size: QSize, _title: str) -> bool:
    image = QImage(size * SHARPNESS, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARPNESS)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter, QRectF(0, 0, size.width(), size.height()))
    painter.end()
    return image.save(str(path))


def _save_svg(path: Path, paint: Paint, size: QSize, title: str) -> bool:
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(size)
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    painter = QPainter(generator)
    if not painter.isActive():
        return False
    paint(painter, QRectF(0, 0, size.width(), size.height()))
    painter.end()
    return True
