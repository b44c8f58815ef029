"""Each cause has a mark of its own, visible at every size; each action an icon."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from pytestqt.qtbot import QtBot

from app.theme import make_theme
from app.theme.icons import Icon, icon
from app.theme.marks import mark_icon, paint_mark
from core.events import Cause

WHITE = QColor("#FFFFFF")


def ink(cause: Cause, side: int) -> np.ndarray:
    """The mark painted white on black: coverage of each pixel, 0–1."""
    picture = QImage(side, side, QImage.Format.Format_Grayscale8)
    picture.fill(0)
    painter = QPainter(picture)
    paint_mark(painter, cause, QRectF(0, 0, side, side), WHITE)
    painter.end()
    return coverage(picture)


def coverage(picture: QImage) -> np.ndarray:
    grey = picture.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return rows[:, : grey.width()] / 255


@pytest.mark.parametrize("side", [14, 64])
@pytest.mark.parametrize("cause", Cause)
def test_a_mark_fills_its_square_without_clogging_it(qtbot: QtBot, cause: Cause, side: int) -> None:
    painted = ink(cause, side)
    assert 0.1 < painted.mean() < 0.6
    rows, columns = np.nonzero(painted > 0.2)
    assert max(np.ptp(rows), np.ptp(columns)) >= 0.6 * side


def test_no_two_marks_look_alike_at_the_smallest_size(qtbot: QtBot) -> None:
    for one, other in combinations(Cause, 2):
        assert np.abs(ink(one, 14) - ink(other, 14)).mean() > 0.06, (one, other)


def test_a_mark_stays_within_its_square(qtbot: QtBot) -> None:
    for cause in Cause:
        picture = QImage(96, 96, QImage.Format.Format_Grayscale8)
        picture.fill(0)
        painter = QPainter(picture)
        paint_mark(painter, cause, QRectF(32, 32, 32, 32), WHITE)
        painter.end()
        painted = coverage(picture)
        painted[31:65, 31:65] = 0
        assert painted.max() == 0, cause


def test_a_mark_has_the_colour_it_is_given(qtbot: QtBot) -> None:
    picture = mark_icon(Cause.PRIVILEGED, QColor("#D55E00")).pixmap(QSize(32, 32)).toImage()
    assert picture.pixelColor(16, 22).name().upper() == "#D55E00"


@pytest.mark.parametrize("name", Icon)
def test_an_icon_shows_what_cannot_be_used_now(qtbot: QtBot, name: Icon) -> None:
    theme = make_theme("dark")
    made = icon(name, theme)
    usual = made.pixmap(QSize(20, 20), QIcon.Mode.Normal).toImage()
    disabled = made.pixmap(QSize(20, 20), QIcon.Mode.Disabled).toImage()
    assert coverage(usual).mean() > 0.04
    assert usual != disabled
