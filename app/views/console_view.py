"""The console: what the guest writes to its serial port, and what is typed back."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app.models.console_text import BACKSPACE, ConsoleText
from app.models.numerals import grouped
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from core.snapshot import Snapshot

MOST_LINES = 10_000
MOST_WAITING = 64  # increments kept for a hidden console; its scrollback is bounded anyway
HINT = "Keys typed here go to the guest; Enter sends LF."
NOTHING_YET = "The guest has written nothing yet. What it sends to its serial port (3F8) appears here."


class ConsoleView(View):
    """A serial terminal.

    inputTyped  (bytes) the person typed or pasted this
    """

    inputTyped = Signal(bytes)

    empty_text = f"{NOTHING_YET} Choose a guest and press Run."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._console = ConsoleText()
        self._generation, self._vm = -1, ""
        self._sent = 0
        self._waiting: list[str] = []
        self.terminal = Terminal()
        self.terminal.typed.connect(self._type)
        self.hint = QLabel(HINT)
        self.hint.setProperty("role", "quiet")
        self.hint.setWordWrap(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.terminal, 1)
        layout.addWidget(self.hint)
        self.setFocusProxy(self.terminal)
        self.set_content(content)
        self.apply_theme(theme)

    def keep(self, snapshot: Snapshot) -> None:
        """Record the bytes of this snapshot, also while the view is hidden."""
        if (snapshot.generation, snapshot.vm) != (self._generation, self._vm):
            self._vm = snapshot.vm
            self._start_over(snapshot.generation)
        text = self._console.take(snapshot)
        if text:
            self._waiting.append(text)
            del self._waiting[:-MOST_WAITING]

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Write what has been recorded."""
        self.keep(snapshot)
        self.set_empty(False)
        if self._waiting:
            self.terminal.write("".join(self._waiting))
            self._waiting.clear()

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine has written nothing."""
        self._start_over(loaded.generation)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.terminal.setFont(theme.type.mono())
        self.terminal.document().setDocumentMargin(theme.space(2))
        self.hint.setFont(theme.type.sans(Size.CAPTION))
        self.hint.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))

    @property
    def text(self) -> str:
        """All that is shown."""
        return self.terminal.toPlainText()

    def _type(self, data: bytes) -> None:
        self._sent += len(data)
        last = data[-1]
        shown = {0x0A: "LF", 0x08: "backspace", 0x1B: "escape", 0x09: "tab", 0x20: "space"}.get(last)
        key = shown or (chr(last) if 0x20 < last < 0x7F else f"{last:02X}")
        unit = "byte" if self._sent == 1 else "bytes"
        self.hint.setText(f"{grouped(self._sent)} {unit} sent, last {key}; Enter sends LF.")
        self.inputTyped.emit(data)

    def _start_over(self, generation: int) -> None:
        self._generation = generation
        self._console.clear()
        self._waiting.clear()
        self._sent = 0
        self.terminal.clear()
        self.hint.setText(HINT)
        self.set_empty(True)


class Terminal(QPlainTextEdit):
    """The screen, bounded. It never changes by typing: only what the guest writes appears.

    typed  (bytes) keys pressed or text pasted, UTF-8
    """

    typed = Signal(bytes)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Console of the guest")
        self.setAccessibleDescription(HINT)
        self.setPlaceholderText(NOTHING_YET)
        self.setUndoRedoEnabled(False)
        self.setMaximumBlockCount(MOST_LINES)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)

    def write(self, text: str) -> None:
        """Append what the guest wrote; stay at the end if the end was in sight."""
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 1
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for at, part in enumerate(text.split(BACKSPACE)):
            if at and not cursor.atBlockStart():
                cursor.deletePreviousChar()
            cursor.insertText(part)
        if at_end:
            bar.setValue(bar.maximum())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.insertFromMimeData(QApplication.clipboard().mimeData())
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.typed.emit(b"\n")
        elif event.key() == Qt.Key.Key_Backspace:
            self.typed.emit(b"\b")
        elif event.text() and event.key() not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.typed.emit(event.text().encode())
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText() and source.text():
            self.typed.emit(source.text().replace("\r\n", "\n").encode())


VIEW = ViewSpec(
    id="console",
    title="Console",
    question="What does the guest say on its serial port, and what do I say to it?",
    area=Area.BOTTOM,
    order=10,
    make=ConsoleView,
)
