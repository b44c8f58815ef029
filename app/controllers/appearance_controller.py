"""Looks: theme, text size, motion; kept from one time to the next."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.controllers.actions import Act, Actions
from app.theme import THEME_NAMES, Theme, make_theme
from app.theme.stylesheet import apply
from app.theme.typography import LARGEST_SCALE, SMALLEST_SCALE, Typography

THEME_KEY, SCALE_KEY, MOTION_KEY = "appearance/theme", "appearance/text", "appearance/reduced-motion"
TITLES = {
    "dark": "&Dark",
    "light": "&Light",
    "projector-dark": "&Projector, dark",
    "projector-light": "P&rojector, light",
}
OPPOSITE = {
    "dark": "light",
    "light": "dark",
    "projector-dark": "projector-light",
    "projector-light": "projector-dark",
}


class AppearanceController(QObject):
    """Makes the theme, dresses the application with it and tells the window.

    themeChanged  (Theme) everything that draws itself must take this
    """

    themeChanged = Signal(object)

    def __init__(self, actions: Actions, settings: QSettings, window: QWidget) -> None:
        super().__init__(window)
        self._actions, self._settings = actions, settings
        self._name, self._type, self._reduced = self._saved()
        self.theme_menu = QMenu("&Theme", window)
        self._group = QActionGroup(self)
        for name in THEME_NAMES:
            action = self.theme_menu.addAction(TITLES.get(name, name))
            action.setCheckable(True)
            action.setData(name)
            action.setChecked(name == self._name)
            self._group.addAction(action)
        self._group.triggered.connect(lambda action: self.set_theme(str(action.data())))
        actions[Act.REDUCED_MOTION].setChecked(self._reduced)
        actions[Act.SWITCH_THEME].triggered.connect(self.switch)
        actions[Act.TEXT_LARGER].triggered.connect(lambda: self.set_type(self._type.larger()))
        actions[Act.TEXT_SMALLER].triggered.connect(lambda: self.set_type(self._type.smaller()))
        actions[Act.TEXT_RESET].triggered.connect(lambda: self.set_type(Typography()))
        actions[Act.REDUCED_MOTION].toggled.connect(self.set_reduced_motion)
        self.theme = self._make()

    def set_theme(self, name: str) -> None:
        """Take the theme of that name."""
        self._name = name
        self._settings.setValue(THEME_KEY, name)
        self.dress()

    def switch(self) -> None:
        """From dark to light, or back; a projector stays a projector."""
        self.set_theme(OPPOSITE[self._name])

    def set_type(self, typography: Typography) -> None:
        """Take this text size."""
        self._type = typography
        self._settings.setValue(SCALE_KEY, str(typography.scale))
        self.dress()

    def set_reduced_motion(self, reduced: bool) -> None:
        """Steps in place of motion."""
        self._reduced = reduced
        self._settings.setValue(MOTION_KEY, "yes" if reduced else "no")
        self.dress()

    def dress(self) -> None:
        """Dress the application and everything in it."""
        self.theme = self._make()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply(application, self.theme)
        for action in self._group.actions():
            action.setChecked(action.data() == self._name)
        self._actions.apply_theme(self.theme)
        self._actions.allow(Act.TEXT_LARGER, "" if self._type.scale < LARGEST_SCALE else "It cannot be larger.")
        self._actions.allow(Act.TEXT_SMALLER, "" if self._type.scale > SMALLEST_SCALE else "It cannot be smaller.")
        self.themeChanged.emit(self.theme)

    def _make(self) -> Theme:
        return make_theme(self._name, text_scale=self._type.scale, reduced_motion=self._reduced)

    def _saved(self) -> tuple[str, Typography, bool]:
        name = str(self._settings.value(THEME_KEY, "dark"))
        try:
            scale = float(str(self._settings.value(SCALE_KEY, "1")))
        except ValueError:
            scale = 1.0
        within = min(LARGEST_SCALE, max(SMALLEST_SCALE, scale)) if scale == scale else 1.0  # NaN is no size
        reduced = self._settings.value(MOTION_KEY, "no") == "yes"
        return name if name in THEME_NAMES else "dark", Typography(within), reduced
