"""One step of a lesson from top to bottom: read, predict, do, and what the machine showed."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.lesson.act import ActSection
from app.widgets.lesson.outcome import OutcomeSection
from app.widgets.lesson.predict import PredictSection
from app.widgets.lesson.prose import Prose
from lessons.attempt import Attempt, Stage
from lessons.format import Step


class StepPage(QScrollArea):
    """Shows one step. What is not yet due is not shown: the act comes after the prediction, the explanation last."""

    predicted = Signal(int)
    """Emitted with the option that the person commits to."""
    showRequested = Signal()
    """Emitted when the person asks to be shown how the act is done."""
    setupRequested = Signal()
    """Emitted when the person wants the machine as the step begins."""
    pointed = Signal(str, object)
    """Emitted with a view's id and an anchor (or None) when the person wants to be pointed at it."""

    def __init__(self, step: Step, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QWidget()
        page.setMinimumSize(1, 1)  # or the height of the words in the narrowest column would count
        self._layout = QVBoxLayout(page)
        self.title = QLabel(step.title)
        self.title.setWordWrap(True)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.note = NoteBar(theme)
        self.note.hide()
        self.note.button.clicked.connect(self.setupRequested)
        self.text = Prose(theme)
        self.text.set_markdown(step.text)
        self.text.pointed.connect(self.pointed)
        self.predict = PredictSection(step.predict, theme) if step.predict else None
        asked = tuple(check.label or check.asked for check in step.check)
        self.act = ActSection(step.act, asked, theme) if step.act else None
        self.outcome = OutcomeSection(theme)
        self.outcome.explanation.pointed.connect(self.pointed)
        self.outcome.hide()
        for part in (self.title, self.note, self.text, self.predict, self.act, self.outcome):
            if part is not None:
                self._layout.addWidget(part)
        self._layout.addStretch()
        if self.predict:
            self.predict.committed.connect(self.predicted)
            self.predict.question.pointed.connect(self.pointed)
        if self.act:
            self.act.showRequested.connect(self.showRequested)
            self.act.text.pointed.connect(self.pointed)
        self.setWidget(page)
        self._theme = theme
        self._stage: Stage | None = None
        self.apply_theme(theme)

    def show_attempt(self, attempt: Attempt, *, note: str, offer_setup: bool, busy: bool) -> None:
        """Show how the present step stands, with a note about the machine if there is one."""
        stage = attempt.stage
        self.note.show_note(note, offer_setup=offer_setup and not busy)
        if self.predict:
            self.predict.show_attempt(attempt)
        if self.act:
            self.act.setVisible(stage is not Stage.PREDICT)
            self.act.show_attempt(attempt, busy=busy)
        self.outcome.show_attempt(attempt)
        if self._stage is not None and stage is not self._stage:
            QTimer.singleShot(0, self, self._lay_out_and_reveal)
        self._stage = stage

    def _lay_out_and_reveal(self) -> None:
        self._layout.activate()  # the page takes its new height on the next turn of the event loop
        QTimer.singleShot(0, self, self._reveal)

    def _reveal(self) -> None:
        """Bring into sight what has just become due."""
        due = self.outcome if self._stage is Stage.DONE else self.act
        if due is not None and due.isVisible():
            margin = self._theme.space(4)
            top, bottom = due.geometry().top() - margin, due.geometry().bottom() + margin
            height, bar = self.viewport().height(), self.verticalScrollBar()
            if bottom - bar.value() > height:
                bar.setValue(min(top, bottom - height))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        margin = theme.space(4)
        self._layout.setContentsMargins(margin, theme.space(3), margin, margin)
        self._layout.setSpacing(theme.space(4))
        self.title.setFont(theme.type.sans(Size.HEADING, bold=True))
        for part in (self.note, self.text, self.predict, self.act, self.outcome):
            if part is not None:
                part.apply_theme(theme)


class NoteBar(QWidget):
    """A note about the machine, with a way to set it right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        panel = QFrame()
        panel.setProperty("role", "panel")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(panel)
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.button = QPushButton("Set up again")
        self._layout = QHBoxLayout(panel)
        self._layout.addWidget(self.label, 1)
        self._layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.apply_theme(theme)

    def show_note(self, text: str, *, offer_setup: bool) -> None:
        """Show `text`, or nothing if it is empty."""
        self.label.setText(text)
        self.button.setVisible(offer_setup)
        self.setVisible(bool(text))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.label.setFont(theme.type.sans(Size.BODY))
        self._layout.setContentsMargins(theme.space(3), theme.space(2), theme.space(2), theme.space(2))
        self._layout.setSpacing(theme.space(2))
