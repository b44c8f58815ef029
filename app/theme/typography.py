"""The type: one monospaced face for code and values, one quiet sans for words, sizes from one scale.

IBM Plex Mono and IBM Plex Sans (SIL Open Font License, `assets/fonts/OFL.txt`) are loaded from the checkout, so the
window looks the same on every system. Both draw all figures equally wide, so numbers align in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF

MONO_FAMILY = "IBM Plex Mono"
SANS_FAMILY = "IBM Plex Sans"
FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"

SMALLEST_SCALE, LARGEST_SCALE = 0.75, 2.5
SCALE_STEP = 1.125


class Size(IntEnum):
    """The type scale, in pixels at text scale 1: each about 1.2 times the one before."""

    CAPTION = 11  # axis ticks, column headings
    BODY = 13  # nearly everything
    SENTENCE = 15  # the one sentence, lesson text
    HEADING = 18
    TITLE = 22
    DISPLAY = 28


def load_fonts() -> None:
    """Make the bundled faces known to Qt. Needs a QGuiApplication; doing it twice does no harm."""
    known = set(QFontDatabase.families())
    if {MONO_FAMILY, SANS_FAMILY} <= known:
        return
    for file in sorted(FONTS.glob("*.ttf")):
        QFontDatabase.addApplicationFont(str(file))


@dataclass(frozen=True, slots=True)
class Typography:
    """The two faces at the person's text size; `scale` multiplies every size (Ctrl + and Ctrl −)."""

    scale: float = 1.0

    def pixels(self, size: Size | int) -> int:
        """A size of the scale in device-independent pixels."""
        return max(8, round(size * self.scale))

    def mono(self, size: Size | int = Size.BODY, *, bold: bool = False) -> QFont:
        """The face of code and values."""
        font = self._font(MONO_FAMILY, size, bold)
        font.setStyleHint(QFont.StyleHint.Monospace)
        font.setFixedPitch(True)
        return font

    def sans(self, size: Size | int = Size.BODY, *, bold: bool = False) -> QFont:
        """The face of words."""
        font = self._font(SANS_FAMILY, size, bold)
        font.setStyleHint(QFont.StyleHint.SansSerif)
        return font

    def row_height(self, size: Size | int = Size.BODY) -> int:
        """Height in pixels of a table row holding that size, on the 4-pixel grid."""
        height = QFontMetricsF(self.mono(size)).height()
        return 4 * round((height + 4) / 4 + 0.25)

    def larger(self) -> Typography:
        """One step up, as far as the scale goes."""
        return Typography(min(LARGEST_SCALE, self.scale * SCALE_STEP))

    def smaller(self) -> Typography:
        """One step down, as far as the scale goes."""
        return Typography(max(SMALLEST_SCALE, self.scale / SCALE_STEP))

    def _font(self, family: str, size: Size | int, bold: bool) -> QFont:
        font = QFont(family)
        font.setPixelSize(self.pixels(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font
