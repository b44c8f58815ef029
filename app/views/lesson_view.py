"""The lesson: a guide that points at the machine, asks for predictions, and lets the machine answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import Theme
from app.views.view import Area, View, ViewSpec
from app.widgets.lesson.contents import Contents, Entry
from app.widgets.lesson.step_page import StepPage
from app.widgets.lesson.steps_bar import StepsBar
from lessons.attempt import Attempt, Stage


class LessonView(View):
    """The list of lessons, or one step of one lesson. Enter goes on, Alt+Left and Alt+Right turn pages."""

    empty_text = "The lessons will stand here, once there are some in the folder of lessons."

    lessonOpened = Signal(str)
    """Emitted with a lesson's name when the person opens it."""
    contentsRequested = Signal()
    """Emitted when the person goes back to the list."""
    predicted = Signal(int)
    """Emitted with the option (from 0) that the person commits to."""
    nextRequested = Signal()
    """Emitted when the person wants the next step; from the last one, to finish."""
    backRequested = Signal()
    """Emitted when the person wants the step before."""
    setupRequested = Signal()
    """Emitted when the person wants the machine as the step begins, and to do the step anew."""
    doRequested = Signal()
    """Emitted when the person asks to be shown how the act is done."""
    checkRequested = Signal()
    """Emitted when the view comes into sight with a step that waits for the machine."""
    pointAt = Signal(str, object)
    """Emitted with a view's id and an anchor in it (or None) that the person should look at."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.contents = Contents(theme)
        self.contents.opened.connect(self.lessonOpened)
        self.page: StepPage | None = None
        self._showing: tuple[object, int, Stage] = (None, -1, Stage.READ)
        self._attempt: Attempt | None = None

        self.to_contents = QToolButton()
        self.to_contents.setText("‹ Lessons")
        self.to_contents.clicked.connect(self.contentsRequested)
        self.lesson_title = QLabel()
        self.lesson_title.setProperty("role", "quiet")
        self.lesson_title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.count = QLabel()
        self.count.setProperty("role", "quiet")
        self.steps = StepsBar(theme)
        self.back = QPushButton("Back")
        self.back.setToolTip("The step before (Alt+Left)")
        self.back.clicked.connect(self.backRequested)
        self.again = QPushButton("Set up again")
        self.again.setToolTip("Bring the machine to where this step begins, and do the step anew")
        self.again.clicked.connect(self.setupRequested)
        self.next = QPushButton("Next")
        self.next.setProperty("role", "primary")
        self.next.clicked.connect(self.nextRequested)
        for keys, button in (("Alt+Left", self.back), ("Alt+Right", self.next)):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(button.click)

        self._player = self._make_player()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.contents)
        self._pages.addWidget(self._player)
        self.set_content(self._pages)
        self.apply_theme(theme)

    def _make_player(self) -> QWidget:
        player = QWidget()
        self._head = QVBoxLayout()
        top = QHBoxLayout()
        top.addWidget(self.to_contents)
        top.addWidget(self.lesson_title, 1)
        top.addWidget(self.count)
        self._head.addLayout(top)
        self._head.addWidget(self.steps)
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.back)
        self._foot.addWidget(self.again)
        self._foot.addStretch()
        self._foot.addWidget(self.next)
        self._frame = QVBoxLayout(player)
        self._frame.setContentsMargins(0, 0, 0, 0)
        self._frame.setSpacing(0)
        self._frame.addLayout(self._head)
        self._frame.addLayout(self._foot)
        return player

    # -- what to show

    def show_contents(self, entries: Sequence[Entry], notice: str = "") -> None:
        """Show the list of lessons; `notice` is a sentence above it."""
        self._attempt = None
        self.contents.show_entries(entries, notice)
        self._pages.setCurrentWidget(self.contents)
        self.set_empty(not entries)

    def show_attempt(self, attempt: Attempt, *, note: str = "", offer_setup: bool = False, busy: bool = False) -> None:
        """Show the present step of `attempt`.

        note         a sentence about the machine, with a button to set it up again if `offer_setup`
        busy         the lesson itself is at the machine just now
        """
        self._attempt = attempt
        focus = QApplication.focusWidget()
        had_focus = focus is not None and self.isAncestorOf(focus)
        before = self._showing
        if self._showing[:2] != (attempt, attempt.index) or self.page is None:
            self._turn_to(attempt)
        assert self.page is not None
        self.page.show_attempt(attempt, note=note, offer_setup=offer_setup, busy=busy)
        count = len(attempt.lesson.steps)
        self.steps.show_progress(count, attempt.index + attempt.may_go_on, attempt.index)
        self.back.setEnabled(attempt.index > 0)
        self.again.setEnabled(not busy)
        self.next.setEnabled(attempt.may_go_on)
        self.next.setText("Finish" if attempt.is_last else "Next")
        self.next.setToolTip(_why_not(attempt))
        self._pages.setCurrentWidget(self._player)
        self.set_empty(False)
        self._showing = (attempt, attempt.index, attempt.stage)
        if had_focus and self._showing != before:
            self._focus_what_is_due(self.page, attempt)

    def _turn_to(self, attempt: Attempt) -> None:
        page = StepPage(attempt.step, self.theme)
        page.predicted.connect(self.predicted)
        page.showRequested.connect(self.doRequested)
        page.setupRequested.connect(self.setupRequested)
        page.pointed.connect(self.pointAt)
        if self.page is not None:
            self._frame.replaceWidget(self.page, page)
            self.page.deleteLater()
        else:
            self._frame.insertWidget(1, page, 1)
        page.apply_theme(self.theme)  # a widget that moves to another parent forgets the fonts set before
        self.page = page
        self.lesson_title.setText(attempt.lesson.title)
        self.count.setText(f"{attempt.index + 1} of {len(attempt.lesson.steps)}")

    # -- the keyboard

    def _focus_what_is_due(self, page: StepPage, attempt: Attempt) -> None:
        predicting = page.predict is not None and attempt.stage is Stage.PREDICT
        (page.predict.options[0] if predicting and page.predict else page).setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter does what the step leads to: press the button in focus, commit the prediction, or go on."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        focus = self.focusWidget()
        if isinstance(focus, QPushButton | QToolButton) and focus.isEnabled():
            focus.click()
        elif self.page is not None and self._attempt is not None:
            self._go_on(self.page, self._attempt, focus)

    def _go_on(self, page: StepPage, attempt: Attempt, focus: QWidget | None) -> None:
        if attempt.stage is Stage.PREDICT and page.predict is not None:
            if isinstance(focus, QAbstractButton) and focus in page.predict.options:
                focus.setChecked(True)
            page.predict.commit_chosen()
        elif attempt.may_go_on:
            self.nextRequested.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """In sight again: what the machine did meanwhile has to be looked at."""
        super().showEvent(event)
        if self._attempt is not None:
            self.checkRequested.emit()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`."""
        super().apply_theme(theme)
        self.contents.apply_theme(theme)
        self.steps.apply_theme(theme)
        self.lesson_title.setFont(theme.type.sans(12))
        self.count.setFont(theme.type.sans(12))
        side = theme.space(4)
        self._head.setContentsMargins(theme.space(2), theme.space(1), side, theme.space(1))
        self._head.setSpacing(theme.space(1))
        self._foot.setContentsMargins(side, theme.space(2), side, theme.space(2))
        self._foot.setSpacing(theme.space(2))
        if self.page is not None:
            self.page.apply_theme(theme)


def _why_not(attempt: Attempt) -> str:
    """The tooltip of Next: where it leads, or what is still to do."""
    match attempt.stage:
        case Stage.PREDICT:
            return "First commit to a prediction"
        case Stage.ACT:
            return "First do what the step asks, and the machine will show it"
        case _:
            return "Finish the lesson (Enter)" if attempt.is_last else "The next step (Enter or Alt+Right)"


VIEW = ViewSpec(
    id="lesson",
    title="Lesson",
    question="What is there to understand here, and do I see it?",
    area=Area.RIGHT,
    order=0,
    make=LessonView,
)
