"""How Ringside looks: colours, type, marks, one stylesheet. A `Theme` is handed on explicitly; nothing is global."""

from app.theme.theme import THEME_NAMES, Theme, make_theme

__all__ = ["THEME_NAMES", "Theme", "make_theme"]
