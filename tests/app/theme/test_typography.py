"""The bundled faces load everywhere, align, and follow one scale."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontInfo, QFontMetricsF, QRawFont
from pytestqt.qtbot import QtBot

from app.theme.typography import FONTS, LARGEST_SCALE, SMALLEST_SCALE, Size, Typography, load_fonts


@pytest.fixture(autouse=True)
def fonts(qtbot: QtBot) -> None:
    load_fonts()


def test_qt_finds_the_bundled_faces_and_not_a_substitute() -> None:
    kind = Typography()
    assert QFontInfo(kind.mono()).family() == "IBM Plex Mono"
    assert QFontInfo(kind.mono(bold=True)).weight() == 600
    assert QFontInfo(kind.sans()).family() == "IBM Plex Sans"
    assert QFontInfo(kind.mono()).fixedPitch()


@pytest.mark.parametrize("bold", [False, True])
def test_figures_are_equally_wide_in_both_faces(bold: bool) -> None:
    for font in (Typography().mono(bold=bold), Typography().sans(bold=bold)):
        metrics = QFontMetricsF(font)
        assert len({metrics.horizontalAdvance(figure) for figure in "0123456789"}) == 1


def test_the_faces_hold_the_signs_that_the_window_writes() -> None:
    for font in (Typography().mono(), Typography().sans()):
        raw = QRawFont.fromFont(font)
        assert [sign for sign in "→−…·≠≤“”–×✓≈" if not raw.supportsCharacter(ord(sign))] == []


def test_sizes_grow_with_the_scale_and_keep_their_order() -> None:
    for scale in (SMALLEST_SCALE, 1.0, LARGEST_SCALE):
        pixels = [Typography(scale).pixels(size) for size in Size]
        assert pixels == sorted(set(pixels))


def test_larger_and_smaller_stop_at_the_ends_of_the_scale() -> None:
    kind = Typography()
    for _ in range(30):
        kind = kind.larger()
    assert kind.scale == LARGEST_SCALE
    for _ in range(30):
        kind = kind.smaller()
    assert kind.scale == SMALLEST_SCALE


def test_rows_stand_on_the_grid_and_hold_their_letters() -> None:
    for scale in (SMALLEST_SCALE, 1.0, 1.3, LARGEST_SCALE):
        kind = Typography(scale)
        assert kind.row_height() % 4 == 0
        assert kind.row_height() >= QFontMetricsF(kind.mono()).height()


def test_the_faces_come_with_their_licence_and_are_small() -> None:
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in FONTS.glob("*.ttf")) < 1_500_000
