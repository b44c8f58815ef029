"""The controls of slow motion: a chip for each stage of the translator's work, buttons to step through, and words."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QTimer, QVariantAnimation, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.models.translator_stages import Stage
from app.theme import Theme
from app.theme.typography import Size

DWELL_MS = 2200  # a stage while it plays: time to read its sentence
APPEAR_MS = 240  # of what a stage adds


class StageBar(QWidget):
    """Holds which stage is shown, and steps or plays through them.

    stageChanged  (Stage) another is shown
    appearing     (float) how far what it adds has come into sight, from 0 to 1
    nextWanted    the person wants the translator's next unit
    """

    stageChanged = Signal(object)
    appearing = Signal(float)
    nextWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.stage = Stage.FETCH
        self._theme = theme
        self.next_unit = QPushButton("Next unit")
        self.next_unit.setToolTip(
            "Run the guest until the translator has made another block, stop before it runs, and show how it was made."
        )
        self.back, self.forth, self.play = QToolButton(), QToolButton(), QToolButton()
        for button, text, tip in (
            (self.back, "◀", "Show the stage before."),
            (self.forth, "▶", "Show the next stage; after the last, the next unit."),
            (self.play, "Play", "Show stage after stage, then unit after unit, until you press it again."),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip.split(";")[0].rstrip("."))
        self.play.setCheckable(True)
        self.chips = {stage: QToolButton() for stage in Stage}
        for stage, chip in self.chips.items():
            chip.setText(f"{stage + 1} {stage.title}")
            chip.setToolTip(stage.tip)
            chip.setCheckable(True)
            chip.clicked.connect(lambda _checked=False, stage=stage: self.go(stage))
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What the translator did")
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        row.addWidget(self.next_unit)
        for stage, chip in self.chips.items():
            if stage is not Stage.FETCH:
                row.addWidget(self._arrow())
            row.addWidget(chip)
        row.addStretch()
        for button in (self.back, self.forth, self.play):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(1))
        column.addLayout(row)
        column.addWidget(self.words)
        self._appear = QVariantAnimation(self)
        self._appear.setStartValue(0.0)
        self._appear.setEndValue(1.0)
        self._appear.setDuration(APPEAR_MS)
        self._appear.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._appear.valueChanged.connect(lambda value: self.appearing.emit(float(value)))
        self._dwell = QTimer(self, singleShot=True)
        self._dwell.timeout.connect(self._on)
        self.next_unit.clicked.connect(self.nextWanted)
        self.back.clicked.connect(lambda: self.go(tuple(Stage)[max(self.stage - 1, 0)]))
        self.forth.clicked.connect(self._on)
        self.play.toggled.connect(self._toggle_play)
        self.apply_theme(theme)

    @staticmethod
    def _arrow() -> QLabel:
        arrow = QLabel("›")
        arrow.setProperty("role", "quiet")
        return arrow

    @property
    def playing(self) -> bool:
        """Do the stages follow one another by themselves?"""
        return self.play.isChecked()

    def go(self, stage: Stage) -> None:
        """Show that stage."""
        self.stage = stage
        for each, chip in self.chips.items():
            chip.setChecked(each is stage)
        self.back.setEnabled(stage is not Stage.FETCH)
        self._appear.stop()
        self.stageChanged.emit(stage)
        if self._theme.reduced_motion or not self.isVisible():
            self.appearing.emit(1.0)
        else:
            self._appear.start()
        if self.playing:
            self._dwell.start(DWELL_MS)

    def say(self, words: str) -> None:
        """What happened in the stage that is shown."""
        self.words.setText(words)

    def rest(self) -> None:
        """Play no more."""
        self.play.setChecked(False)
        self._dwell.stop()

    def apply_theme(self, theme: Theme) -> None:
        """Take type and motion from `theme`."""
        self._theme = theme
        self.words.setFont(theme.type.sans(Size.SENTENCE))
        self.words.setMinimumHeight(2 * theme.type.row_height(Size.SENTENCE))

    def _on(self) -> None:
        if self.stage is Stage.RUN:
            self.nextWanted.emit()
        else:
            self.go(tuple(Stage)[self.stage + 1])

    def _toggle_play(self, on: bool) -> None:
        self.play.setText("Pause" if on else "Play")
        if on:
            self._on()
        else:
            self._dwell.stop()
