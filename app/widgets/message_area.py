"""Words that the window has for the person: a refused command, an engine that died. Never in the way, never modal."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.theme import Theme


class MessageArea(QWidget):
    """One message at a time, hidden while there is none. It stays until it is closed or no longer true.

    detailsRequested  (report) the person wants to read the whole report
    """

    detailsRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Message")
        self._report = ""
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.details = QPushButton("Details…")
        self.details.setToolTip("Read the whole report, and save it.")
        self.accept_button = QPushButton()
        self._accept: Callable[[], object] | None = None
        self.close_button = QToolButton()
        self.close_button.setText("✕")
        self.close_button.setToolTip("Put this message away.")
        self.close_button.setAccessibleName("Close the message")
        self._panel = QFrame()  # a plain one: the stylesheet dresses plain frames by their role
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._panel)
        self._row = layout = QHBoxLayout(self._panel)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.details)
        layout.addWidget(self.accept_button)
        layout.addWidget(self.close_button)
        self.details.clicked.connect(lambda: self.detailsRequested.emit(self._report))
        self.accept_button.clicked.connect(self._accepted)
        self.close_button.clicked.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """The words shown; empty while hidden."""
        return "" if self.isHidden() else self.words.text()

    def show_error(self, words: str, report: str = "") -> None:
        """Something went wrong; `report` can be read and saved."""
        self._show(words, report, "error")

    def show_note(self, words: str, report: str = "") -> None:
        """Something the person should know."""
        self._show(words, report, "panel")

    def offer(self, words: str, button: str, accept: Callable[[], object]) -> None:
        """Something that the person may have: `button` gets it. An offer stays while guests come and go."""
        self._show(words, "", "panel")
        self.accept_button.setText(button)
        self.accept_button.show()
        self._accept = accept

    def no_longer_true(self) -> None:
        """Another guest is there: put away what was said of the last."""
        if self._accept is None:
            self.hide()

    def _accepted(self) -> None:
        accept, self._accept = self._accept, None
        self.hide()
        if accept is not None:
            accept()

    def apply_theme(self, theme: Theme) -> None:
        """Take distances from `theme`."""
        wide, narrow = theme.space(3), theme.space(1)
        self._row.setContentsMargins(wide, narrow, narrow, narrow)
        self.words.setFont(theme.type.sans())

    def _show(self, words: str, report: str, role: str) -> None:
        self._report = report
        self._accept = None
        self.accept_button.hide()
        self.words.setText(words)
        self.setAccessibleDescription(words)
        self.details.setVisible(bool(report))
        if self._panel.property("role") != role:
            self._panel.setProperty("role", role)
            self._panel.style().unpolish(self._panel)
            self._panel.style().polish(self._panel)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
