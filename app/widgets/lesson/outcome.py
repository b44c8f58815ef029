"""What happened: whether the person foresaw it, what the machine shows for it, and why it is so."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.lesson.prose import Prose
from app.widgets.lesson.section import Section
from lessons.attempt import Attempt, Judgement

_JUDGED = {
    Judgement.RIGHT: "You foresaw it.",
    Judgement.WRONG: "Not this time, and that teaches more than a lucky guess.",
    Judgement.UNDECIDED: "The machine went another way than the question supposes, so it settles nothing. "
    "Set the step up again to see.",
}
_LATE = "The machine had already done it when you chose."


class OutcomeSection(Section):
    """The verdict on the prediction, then the explanation."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("What happened", theme, parent)
        self.verdict = Prose(theme)
        self.explanation = Prose(theme)
        self.body.addWidget(self.verdict)
        self.body.addWidget(self.explanation)

    def show_attempt(self, attempt: Attempt) -> None:
        """Show what the present step came to; nothing before it is done."""
        done = attempt.record.done
        verdict = _verdict(attempt)
        explanation = done.explanation if done else ""
        self.verdict.set_markdown(verdict)
        self.verdict.setVisible(bool(verdict))
        self.explanation.set_markdown(explanation)
        self.explanation.setVisible(bool(explanation))
        self.setVisible(bool(verdict or explanation))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.verdict.apply_theme(theme)
        self.explanation.apply_theme(theme)


def _verdict(attempt: Attempt) -> str:
    """What the machine made of the prediction, kindly, as Markdown."""
    record, judgement, predict = attempt.record, attempt.judgement, attempt.step.predict
    if judgement is None or record.done is None or record.chosen is None or predict is None:
        return ""
    words = f"**{_JUDGED[judgement]}**"
    if record.late:
        words += f" {_LATE}"
    reply = predict.options[record.chosen].reply
    if judgement is Judgement.WRONG and reply:
        words += f" {reply}"
    if judgement is not Judgement.UNDECIDED:
        words += f"\n\n*The machine:* {record.done.options[attempt.right_options[0]].said}"
    return words
