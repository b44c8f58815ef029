"""The colours. Colour means privilege, everywhere: one hue for each ring, neutrals for all else, red for errors.

The hues are those of Okabe & Ito's colour-blind-safe set; their lightness is adjusted for each ground so that text
has a contrast of at least 4.5:1 and shapes of at least 3:1 (WCAG 2.2), and so that any two rings stay apart under
simulated protanopia, deuteranopia and tritanopia. The tests compute both.

A `QColor` can be changed in place; the colours of a palette are shared, so copy one (``QColor(color)``) to alter it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from PySide6.QtGui import QColor

from core.events import Ring


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Every colour of one theme.

    background, surface, raised   the grounds: behind everything, of panels, of controls and headers
    hover, selection              the ground of a control under the pointer; of a selected row
    line, outline                 quiet dividers (decoration); edges of controls (a shape, ≥ 3:1)
    text, muted, disabled         words; secondary words; words of what cannot be used now
    focus                         the ring around what the keyboard will act on
    error, error_ground           the only colour without a ring
    ring_shapes, ring_texts       one colour a ring, for shapes (≥ 3:1) and for words (≥ 4.5:1)
    owners                        muted categorical colours of memory owners, in a fixed order
    """

    name: str
    is_dark: bool
    background: QColor
    surface: QColor
    raised: QColor
    hover: QColor
    selection: QColor
    line: QColor
    outline: QColor
    text: QColor
    muted: QColor
    disabled: QColor
    focus: QColor
    error: QColor
    error_ground: QColor
    ring_shapes: Mapping[Ring, QColor]
    ring_texts: Mapping[Ring, QColor]
    owners: tuple[QColor, ...]

    def ring_color(self, ring: Ring | int) -> QColor:
        """The ring's colour for shapes: lines, dots, bars, edges."""
        return self.ring_shapes[Ring(ring)]

    def ring_text(self, ring: Ring | int) -> QColor:
        """The ring's colour for words on any ground of this palette or on the ring's own tint."""
        return self.ring_texts[Ring(ring)]

    def ring_tint(self, ring: Ring | int, strength: float = 0.14) -> QColor:
        """An opaque quiet ground in the ring's hue (the current code line, a row of the trap table).

        `strength` is the share of the ring's colour, from 0 (the surface) to 1; text stays readable up to 0.14.
        """
        return blend(self.surface, self.ring_color(ring), strength)

    def on(self, ground: QColor) -> QColor:
        """The colour for a letter or mark on `ground`: this palette's text or its background, whichever stands out."""
        return max((self.text, self.background), key=lambda color: contrast(color, ground))


def contrast(one: QColor, other: QColor) -> float:
    """Contrast of two opaque colours, 1–21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: QColor) -> float:
    channels = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def blend(ground: QColor, over: QColor, share: float) -> QColor:
    """`ground` with `share` (0–1) of `over` laid over it, opaque."""
    keep = 1.0 - share
    return QColor.fromRgbF(
        ground.redF() * keep + over.redF() * share,
        ground.greenF() * keep + over.greenF() * share,
        ground.blueF() * keep + over.blueF() * share,
    )


def _rings(host: str, zero: str, one: str, two: str, three: str) -> Mapping[Ring, QColor]:
    colors = {Ring.HOST: host, Ring.KERNEL: zero, Ring.ONE: one, Ring.TWO: two, Ring.USER: three}
    return MappingProxyType({ring: QColor(color) for ring, color in colors.items()})


DARK = Palette(
    name="dark",
    is_dark=True,
    background=QColor("#14161A"),
    surface=QColor("#1A1D22"),
    raised=QColor("#22262D"),
    hover=QColor("#2B3039"),
    selection=QColor("#2F3641"),
    line=QColor("#2A2F37"),
    outline=QColor("#747D8B"),
    text=QColor("#E4E7EB"),
    muted=QColor("#A3ABB7"),
    disabled=QColor("#6B7380"),
    focus=QColor("#E4E7EB"),
    error=QColor("#FF8589"),
    error_ground=QColor("#33191C"),
    ring_shapes=_rings("#CC79A7", "#D55E00", "#E69F00", "#DAE56F", "#56B4E9"),
    ring_texts=_rings("#DC90BB", "#F07833", "#F0AA24", "#DAE56F", "#6CC1F2"),
    owners=tuple(
        QColor(color)
        for color in ("#7F8FA6", "#8E7F6C", "#6F8F83", "#94788F", "#8C8F66", "#6B7FA0", "#A08378", "#5F8A94")
    ),
)

LIGHT = Palette(
    name="light",
    is_dark=False,
    background=QColor("#FAF9F6"),
    surface=QColor("#FFFFFF"),
    raised=QColor("#F1EFEA"),
    hover=QColor("#E8E5DE"),
    selection=QColor("#E2DED5"),
    line=QColor("#E0DDD5"),
    outline=QColor("#84827B"),
    text=QColor("#1C1E22"),
    muted=QColor("#5A5C62"),
    disabled=QColor("#97958E"),
    focus=QColor("#1C1E22"),
    error=QColor("#B3202B"),
    error_ground=QColor("#FBE9E7"),
    ring_shapes=_rings("#8F4270", "#BA5000", "#B57D06", "#4D5200", "#0E78AA"),
    ring_texts=_rings("#974A76", "#7C2D00", "#7E5500", "#5F6500", "#005378"),
    owners=tuple(
        QColor(color)
        for color in ("#6A7B94", "#85735C", "#5A7D70", "#84667E", "#767950", "#566C90", "#946F62", "#4A7782")
    ),
)

# A projector lifts black to grey and washes quiet differences out: fewer grounds, plain edges, harder contrast.
PROJECTOR_DARK = replace(
    DARK,
    name="projector-dark",
    background=QColor("#000000"),
    surface=QColor("#000000"),
    raised=QColor("#1C1F24"),
    hover=QColor("#30353E"),
    selection=QColor("#39414D"),
    line=QColor("#525A66"),
    outline=QColor("#9AA3B0"),
    text=QColor("#FFFFFF"),
    muted=QColor("#C6CCD5"),
    focus=QColor("#FFFFFF"),
    error=QColor("#FF9A9D"),
    ring_shapes=_rings("#DC8DBA", "#E8701A", "#F0AA24", "#DAE56F", "#63BDF0"),
    ring_texts=_rings("#E3A0C6", "#F5874A", "#F5B63C", "#E0EA80", "#7CC9F5"),
)

PROJECTOR_LIGHT = replace(
    LIGHT,
    name="projector-light",
    background=QColor("#FFFFFF"),
    surface=QColor("#FFFFFF"),
    raised=QColor("#F1F0ED"),
    hover=QColor("#E4E2DC"),
    selection=QColor("#D9D5CB"),
    line=QColor("#B4B1A9"),
    outline=QColor("#5F5D57"),
    text=QColor("#000000"),
    muted=QColor("#404247"),
    focus=QColor("#000000"),
    error=QColor("#A31621"),
)

PALETTES: Mapping[str, Palette] = MappingProxyType(
    {palette.name: palette for palette in (DARK, LIGHT, PROJECTOR_DARK, PROJECTOR_LIGHT)}
)
