"""Every colour can be read, and every ring told from every other, whatever a person's eyes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from app.theme.palette import DARK, PALETTES, Palette, blend, contrast
from core.events import Ring

READABLE, VISIBLE = 4.5, 3.0  # WCAG 2.2: contrast of text (1.4.3) and of shapes (1.4.11)
APART = 5.0  # distance in OKLab × 100; about 2 is just noticeable side by side

# Machado, Oliveira & Fernandes (2009), full severity, on linear RGB
EYES = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def seen(color: QColor, eyes: str) -> np.ndarray:
    """The colour in OKLab (Ottosson 2020) × 100, as those eyes see it."""
    channels = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return 100 * TO_OKLAB @ np.cbrt(TO_LMS @ np.clip(EYES[eyes] @ linear, 0, 1))


def grounds(palette: Palette) -> dict[str, QColor]:
    names = ("background", "surface", "raised", "hover", "selection")
    return {name: getattr(palette, name) for name in names}


@pytest.fixture(params=PALETTES.values(), ids=PALETTES)
def palette(request: pytest.FixtureRequest) -> Palette:
    chosen: Palette = request.param
    return chosen


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(QColor("#000"), QColor("#FFF")) == pytest.approx(21)
    assert contrast(QColor("#777"), QColor("#FFF")) == pytest.approx(4.48, abs=0.01)
    assert contrast(QColor("#123456"), QColor("#123456")) == 1


def test_words_are_readable_on_every_ground(palette: Palette) -> None:
    for name, ground in grounds(palette).items():
        assert contrast(palette.text, ground) >= 7, name
        assert contrast(palette.muted, ground) >= READABLE, name
    for ground in (palette.background, palette.surface, palette.raised, palette.error_ground):
        assert contrast(palette.error, ground) >= READABLE


def test_ring_words_are_readable_on_grounds_and_on_tints(palette: Palette) -> None:
    for ring in Ring:
        for name in ("background", "surface", "raised"):
            assert contrast(palette.ring_text(ring), grounds(palette)[name]) >= READABLE, (ring, name)
        assert contrast(palette.ring_text(ring), palette.ring_tint(ring)) >= READABLE, ring
        assert contrast(palette.text, palette.ring_tint(ring)) >= READABLE, ring
        assert contrast(palette.muted, palette.ring_tint(ring)) >= READABLE, ring


def test_shapes_are_visible(palette: Palette) -> None:
    shapes = {f"ring {ring}": palette.ring_color(ring) for ring in Ring}
    shapes |= {"outline": palette.outline, "focus": palette.focus, "error": palette.error}
    shapes |= {f"owner {index}": color for index, color in enumerate(palette.owners)}
    for name, color in shapes.items():
        for ground in (palette.background, palette.surface, palette.raised):
            assert contrast(color, ground) >= VISIBLE, name


def test_a_letter_on_a_ring_is_readable(palette: Palette) -> None:
    for ring in Ring:
        color = palette.ring_color(ring)
        assert contrast(palette.on(color), color) >= READABLE, ring


@pytest.mark.parametrize("eyes", EYES)
def test_no_two_rings_look_alike(palette: Palette, eyes: str) -> None:
    for one, other in combinations(Ring, 2):
        distance = np.linalg.norm(seen(palette.ring_color(one), eyes) - seen(palette.ring_color(other), eyes))
        assert distance >= APART, (one, other)


def test_a_ring_keeps_its_hue_in_every_theme(palette: Palette) -> None:
    """Blue, green-yellow, amber, vermilion and violet; only the lightness follows the theme."""
    hues = {Ring.USER: 202, Ring.TWO: 65, Ring.ONE: 41, Ring.KERNEL: 26, Ring.HOST: 327}
    for ring, hue in hues.items():
        for color in (palette.ring_color(ring), palette.ring_text(ring)):
            assert abs(color.hsvHue() - hue) <= 10, (ring, color.name())


def test_nothing_else_is_coloured(palette: Palette) -> None:
    for name in ("background", "surface", "raised", "hover", "selection", "line", "outline", "text", "muted", "focus"):
        color = getattr(palette, name)
        spread = max(color.red(), color.green(), color.blue()) - min(color.red(), color.green(), color.blue())
        assert spread <= 26, name


def test_blending_goes_from_the_ground_to_the_colour() -> None:
    black, white = QColor("#000"), QColor("#FFF")
    assert blend(black, white, 0.0) == black
    assert blend(black, white, 1.0) == white
    assert blend(black, white, 0.5).red() == pytest.approx(128, abs=1)


def test_the_dark_theme_has_the_very_colours_that_were_chosen() -> None:
    assert DARK.background.name().upper() == "#14161A"
    assert DARK.ring_color(3).name().upper() == "#56B4E9"
    assert DARK.ring_color(0).name().upper() == "#D55E00"
