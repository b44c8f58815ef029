"""A theme: palette, type and motion in one object that is handed to whoever draws."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.theme.palette import PALETTES, Palette
from app.theme.typography import Typography
from core.errors import UnknownName

GRID = 4  # pixels: every distance is a multiple
PROJECTOR_SCALE = 1.3

THEME_NAMES: tuple[str, ...] = tuple(PALETTES)


@dataclass(frozen=True, slots=True)
class Theme:
    """What a drawing needs to know. Immutable: a change of theme is a new object given to `apply_theme`.

    line_width      width in pixels of strokes that carry meaning: 1.5, on a projector 2.5
    reduced_motion  the person asked for steps in place of motion
    """

    palette: Palette
    type: Typography = field(default_factory=Typography)
    line_width: float = 1.5
    reduced_motion: bool = False

    @property
    def is_projector(self) -> bool:
        """Is this the larger, flatter variant?"""
        return self.palette.name.startswith("projector")

    def space(self, units: float = 1) -> int:
        """A distance of `units` grid steps, in pixels."""
        return round(GRID * units)

    @property
    def icon_size(self) -> int:
        """Side in pixels of a toolbar's icons, which grow with the type."""
        return 4 * round(20 * self.type.scale / 4)

    def with_type(self, typography: Typography) -> Theme:
        """The same theme at another text size."""
        return replace(self, type=typography)


def make_theme(name: str = "dark", *, text_scale: float = 1.0, reduced_motion: bool = False) -> Theme:
    """The theme of that name; `text_scale` is the person's own text size, on top of a projector's larger type."""
    palette = PALETTES.get(name)
    if palette is None:
        raise UnknownName(f"There is no theme named “{name}”.", f"Choose one of {', '.join(THEME_NAMES)}.")
    if name.startswith("projector"):
        return Theme(palette, Typography(text_scale * PROJECTOR_SCALE), 2.5, reduced_motion)
    return Theme(palette, Typography(text_scale), 1.5, reduced_motion)
