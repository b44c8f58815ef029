"""What to do, and line by line whether the machine shows that it was done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.theme import Theme
from app.theme.typography import Size
from app.widgets.lesson.marks import Mark, StateMark
from app.widgets.lesson.prose import Prose, rings_whole
from app.widgets.lesson.section import Section
from lessons.asking import Finding
from lessons.attempt import Attempt
from lessons.format import Doing


class CheckLine(QWidget):
    """One check: its mark, what is asked, and what the machine shows."""

    def __init__(self, asked: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = StateMark(theme)
        self.asked = QLabel(rings_whole(asked))
        self.said = QLabel()
        self.said.setProperty("role", "quiet")
        for label in (self.asked, self.said):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setVerticalSpacing(0)
        self._layout.setColumnStretch(1, 1)
        self._layout.addWidget(self.mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._layout.addWidget(self.asked, 0, 1)
        self._layout.addWidget(self.said, 1, 1)
        self.apply_theme(theme)

    def show_finding(self, finding: Finding | None, *, with_words: bool) -> None:
        """Show what was found, in words too if wanted; None if nobody has looked yet."""
        done = finding is not None and finding.holds
        self.mark.show_mark(Mark.DONE if done else Mark.PENDING)
        self.said.setText(rings_whole(finding.said) if finding and with_words else "")
        self.said.setVisible(bool(self.said.text()))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.mark.apply_theme(theme)
        self.asked.setFont(theme.type.sans(Size.BODY))
        self.said.setFont(theme.type.sans(12))
        self._layout.setHorizontalSpacing(theme.space(2))


class ActSection(Section):
    """The act of a step, the state of its checks, and a way to see it done."""

    showRequested = Signal()
    """Emitted when the person asks to be shown how it is done."""

    def __init__(self, doing: Doing, asked: tuple[str, ...], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Do", theme, parent)
        self.text = Prose(theme)
        self.text.set_markdown(doing.text)
        self.lines = [CheckLine(words, theme) for words in asked]
        self.show_me = QPushButton("Show me")
        self.show_me.setToolTip("Do it for me: " + ", then ".join(act.words for act in doing.solution) + ".")
        self.show_me.clicked.connect(self.showRequested)
        self.body.addWidget(self.text)
        for line in self.lines:
            self.body.addWidget(line)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.show_me)
        self.body.addLayout(buttons)
        self.apply_theme(theme)

    def show_attempt(self, attempt: Attempt, *, busy: bool) -> None:
        """Show how the act of the present step stands; `busy` while the lesson itself is at the machine."""
        found = attempt.evidence or (None,) * len(self.lines)
        for line, finding in zip(self.lines, found, strict=True):
            line.show_finding(finding, with_words=attempt.step.predict is None or attempt.record.done is None)
        self.show_me.setVisible(not attempt.may_go_on)
        self.show_me.setEnabled(not busy)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.text.apply_theme(theme)
        for line in self.lines:
            line.apply_theme(theme)
