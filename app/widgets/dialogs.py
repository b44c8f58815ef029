"""The few dialogues of the window. They are opened, never waited for: the machine and the window go on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.theme import Theme


class ReportDialog(QDialog):
    """A report to read, copy and save."""

    def __init__(self, report: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Report")
        self.resize(theme.type.pixels(640), theme.type.pixels(440))
        self._report = report
        text = QPlainTextEdit(report)
        text.setReadOnly(True)
        text.setFont(theme.type.mono())
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setAccessibleName("Report")
        self.outcome = QLabel()
        self.outcome.setProperty("role", "quiet")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        save, copy = QPushButton("Save…"), QPushButton("Copy")
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(save, QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(self._choose_file)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(self.outcome)
        layout.addWidget(buttons)

    def save(self, path: str) -> None:
        """Write the report to that file, and say how it went."""
        try:
            Path(path).write_text(self._report, encoding="utf-8")
        except OSError as error:
            self.outcome.setText(f"It could not be saved: {error.strerror}. Choose another place.")
        else:
            self.outcome.setText(f"Saved as {path}.")

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Save the report", "ringside-report.txt")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(self.save)
        dialog.open()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
        self.outcome.setText("Copied.")


class KeyboardDialog(QDialog):
    """Every key, by menu; `rows` are (heading or empty, keys, what it does)."""

    def __init__(self, rows: Iterable[tuple[str, str, str]], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard")
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setHorizontalSpacing(theme.space(6))
        grid.setVerticalSpacing(theme.space(1))
        grid.setColumnStretch(1, 1)
        for at, (heading, keys, does) in enumerate(rows):
            if heading:
                title = QLabel(heading)
                title.setFont(theme.type.sans(bold=True))
                title.setContentsMargins(0, theme.space(3) if at else 0, 0, theme.space(1))
                grid.addWidget(title, at, 0, 1, 2)
                continue
            key = QLabel(keys)
            key.setProperty("role", "value")
            grid.addWidget(key, at, 0)
            grid.addWidget(QLabel(does), at, 1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setAccessibleName("Keys")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(buttons)
        width = inside.sizeHint().width() + theme.space(16)
        self.resize(width, theme.type.pixels(560))


class AboutDialog(QDialog):
    """What this is and what it stands on."""

    def __init__(self, version: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About Ringside")
        words = QLabel(
            f"<h2>Ringside {version}</h2>"
            "<p>A laboratory in which you watch virtualization happen: real guest code on an emulated x86 CPU, "
            "under every kind of hypervisor.</p>"
            "<p>Nothing is faked: what a view shows was read from the machine. Times are counted in instructions; "
            "figures from a cost model are called <i>modelled</i>, and measured ones <i>measured</i>.</p>"
            "<p>It stands on Unicorn (the CPU), iced-x86 (decoding), LLVM (assembling), Numba and NumPy (counting), "
            "Qt and pyqtgraph (the window), and the IBM Plex faces.</p>"
            "<p>GPL-2.0-or-later.</p>"
        )
        words.setWordWrap(True)
        words.setMinimumWidth(theme.type.pixels(420))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        margin = theme.space(5)
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.addWidget(words)
        layout.addWidget(buttons)
