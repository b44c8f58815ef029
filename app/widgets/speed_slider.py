"""The speed: a slider over a few round numbers, and the chosen one in words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.theme import Theme


class SpeedSlider(QWidget):
    """`words` gives what to say of each stop, from 0 to `last`.

    stopChosen  (stop) the person moved the slider
    """

    stopChosen = Signal(int)

    def __init__(self, last: int, words: Callable[[int], str]) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._words = words
        self._last = last
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, last)
        self.slider.setPageStep(3)
        self.slider.setAccessibleName("Speed")
        self.slider.setToolTip("Speed of Run, from one instruction a second to full speed (Ctrl+[ and Ctrl+]).")
        self.label = QLabel()
        self.label.setAccessibleName("Chosen speed")
        self.label.setToolTip(self.slider.toolTip())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)
        layout.addWidget(self.label)
        self.slider.valueChanged.connect(self._say)
        self.slider.valueChanged.connect(self.stopChosen)
        self._say(0)

    def set_stop(self, stop: int) -> None:
        """Show that stop, without telling anyone."""
        self.slider.blockSignals(True)
        self.slider.setValue(stop)
        self.slider.blockSignals(False)
        self._say(stop)

    def apply_theme(self, theme: Theme) -> None:
        """Take type from `theme`; the label is as wide as its longest words, so that nothing moves."""
        metrics = QFontMetricsF(theme.type.sans())
        widest = max(metrics.horizontalAdvance(self._words(stop)) for stop in range(self._last + 1))
        self.label.setFixedWidth(round(widest) + theme.space(2))
        self.slider.setFixedWidth(theme.type.pixels(132))

    def _say(self, stop: int) -> None:
        self.label.setText(self._words(stop))
        self.slider.setAccessibleDescription(self._words(stop))
