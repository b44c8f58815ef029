"""What differs between two builds of one guest, file by file: what was changed to port it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.models.numerals import grouped
from app.theme import Theme
from core.guests.builds import FileDifference


class _DiffLines(QSyntaxHighlighter):
    """Lines that came stand out, lines that went are quiet; both have a ground of their own."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        palette = theme.palette
        self._came, self._went, self._place, self._both = (QTextCharFormat() for _ in range(4))
        self._came.setForeground(palette.text)
        self._came.setBackground(palette.selection)
        self._came.setFontWeight(QFont.Weight.DemiBold)
        self._went.setForeground(palette.muted)
        self._went.setBackground(palette.raised)
        self._place.setForeground(palette.muted)
        self._place.setFontItalic(True)
        self._both.setForeground(palette.text)

    def highlightBlock(self, text: str) -> None:
        if text.startswith(("--- ", "+++ ", "@@")):
            form = self._place
        elif text.startswith("+"):
            form = self._came
        elif text.startswith("-"):
            form = self._went
        else:
            form = self._both
        self.setFormat(0, len(text), form)


class DiffDialog(QDialog):
    """The files to the left, with how many lines came and went; the chosen one to the right."""

    def __init__(
        self, before: str, after: str, files: Sequence[FileDifference], theme: Theme, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"What was changed to port {before}")
        self.resize(theme.type.pixels(960), theme.type.pixels(560))
        self._differences = tuple(files)
        added, removed = (sum(counts) for counts in zip(*((f.added, f.removed) for f in files), strict=True))
        words = QLabel(
            f"From {before} to {after}: {len(files)} files of the kernel differ; {grouped(added)} lines came, "
            f"{grouped(removed)} went. Programs are the same. + came, − went."
        )
        words.setWordWrap(True)
        self.files = QListWidget()
        self.files.setAccessibleName("Files that differ")
        self.files.addItems([f"{each.name}   +{each.added} −{each.removed}" for each in files])
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(theme.type.mono())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("What differs in the file")
        self._lines = _DiffLines(self.text.document(), theme)
        self.files.currentRowChanged.connect(self._show)
        split = QSplitter()
        split.addWidget(self.files)
        split.addWidget(self.text)
        split.setStretchFactor(1, 1)
        split.setSizes([theme.type.pixels(220), theme.type.pixels(740)])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(split, 1)
        layout.addWidget(buttons)
        changed = [at for at, each in enumerate(files) if each.added and each.removed]  # not only there or gone
        self.files.setCurrentRow(max(changed, key=lambda at: files[at].added, default=0))

    def _show(self, row: int) -> None:
        self.text.setPlainText(self._differences[row].text if 0 <= row < len(self._differences) else "")
