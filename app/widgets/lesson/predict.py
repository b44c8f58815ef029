"""The prediction: a question, its answers, a commitment, and in the end marks for what the machine made of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.lesson.marks import Mark
from app.widgets.lesson.option import OptionButton
from app.widgets.lesson.prose import Prose
from app.widgets.lesson.section import Section
from lessons.attempt import Attempt, Judgement
from lessons.format import Predict


class PredictSection(Section):
    """Emits what the person committed to; marks what came of it."""

    committed = Signal(int)
    """Emitted with the option's number (from 0) when the person commits to it."""

    def __init__(self, predict: Predict, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Predict", theme, parent)
        self._shown: tuple[object, ...] = ()
        self.question = Prose(theme)
        self.question.set_markdown(predict.question)
        self.options = [OptionButton(option.text, theme) for option in predict.options]
        self.commit = QPushButton("Commit to this")
        self.commit.setProperty("role", "primary")
        self.commit.setEnabled(False)
        self.early = QLabel("The machine has already done it. Choose anyway, or set the step up again first.")
        self.early.setWordWrap(True)
        self.early.setProperty("role", "quiet")
        self.body.addWidget(self.question)
        for option in self.options:
            option.toggled.connect(self._allow_commit)
            self.body.addWidget(option)
        self.body.addWidget(self.early)
        self.body.addWidget(self.commit, alignment=Qt.AlignmentFlag.AlignRight)
        self.commit.clicked.connect(self.commit_chosen)
        self.early.hide()
        self.apply_theme(theme)

    @property
    def chosen(self) -> int | None:
        """The answer that is selected, committed to or not."""
        return next((index for index, option in enumerate(self.options) if option.isChecked()), None)

    def commit_chosen(self) -> None:
        """Commit to the selected answer, if there is one."""
        if self.chosen is not None and self.commit.isEnabled():
            self.committed.emit(self.chosen)

    def show_attempt(self, attempt: Attempt) -> None:
        """Show how the prediction of the present step stands."""
        record, judgement = attempt.record, attempt.judgement
        state = (record.chosen, judgement, attempt.acted_early, record.late)
        if state == self._shown:
            return
        self._shown = state
        locked = record.chosen is not None
        rights = attempt.right_options
        for index, option in enumerate(self.options):
            option.setAutoExclusive(False)
            option.setChecked(index == record.chosen if locked else option.isChecked())
            option.setAutoExclusive(True)
            mark = None
            if judgement is not None and judgement is not Judgement.UNDECIDED:
                mark = Mark.RIGHT if index in rights else Mark.WRONG if index == record.chosen else None
            option.show_state(locked=locked, mark=mark)
        self.early.setVisible(attempt.acted_early)
        self.commit.setVisible(not locked)
        self._allow_commit()

    def _allow_commit(self) -> None:
        self.commit.setEnabled(self.chosen is not None)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        for part in (*self.options, self.question):
            part.apply_theme(theme)
        self.early.setFont(theme.type.sans(Size.BODY))
