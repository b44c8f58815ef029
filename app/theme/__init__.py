"""How Ringside looks: colours, type, marks, and the one stylesheet. A `Theme` is passed explicitly; nothing is global."""

from app.theme.theme import THEME_NAMES, Theme, make_theme

__all__ = ["THEME_NAMES", "Theme", "make_theme"]
