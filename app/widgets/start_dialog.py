"""What a guest is given on its way: command line, disk, modules."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import Theme
from app.theme.typography import Size
from core.devices.disk_image import make_disk
from core.errors import ImageError
from core.guests.start import StartWith

NEW_DISK_BYTES = 1 << 20
DISKS = "Disk images (*.img *.raw);;All files (*)"
COMMAND_TIP = "Text that a multiboot loader gives to the kernel. Pebble understands run=PROGRAM ARGUMENT."
DISK_TIP = "A raw image. The guest's writes stay in the machine; File, Save disk writes them to a file."
MODULES_TIP = "Files that a multiboot loader puts into memory beside the kernel, one a line: FILE or FILE:STRING."


class StartDialog(QDialog):
    """Opened, never waited for. It stays until what was asked has been done, or refused in words.

    startWanted  (StartWith) the person wants the guest powered on with this
    asked        what was asked and is not yet answered
    """

    startWanted = Signal(object)

    def __init__(self, guest: str, start: StartWith, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Start {guest} with")
        self.asked: StartWith | None = None
        self._theme = theme
        self.command_line = QLineEdit(start.command_line)
        self.command_line.setPlaceholderText("none")
        self.disk = QLineEdit(start.disk)
        self.disk.setPlaceholderText("none")
        self.modules = QPlainTextEdit("\n".join(start.modules))
        self.modules.setPlaceholderText("none")
        self.modules.setTabChangesFocus(True)
        self.modules.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.modules.setFont(theme.type.mono())
        self.modules.setFixedHeight(theme.type.pixels(72))
        for field in (self.command_line, self.disk, self.modules):
            field.setProperty("role", "value")
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        self._grid.setHorizontalSpacing(theme.space(3))
        self._grid.setVerticalSpacing(theme.space(1))
        self._add("&Command line", self.command_line, COMMAND_TIP)
        self._add("&Disk", self.disk, DISK_TIP, ("Choose…", self._choose_disk), ("New…", self._choose_new_disk))
        self._add("&Modules", self.modules, MODULES_TIP, ("Add…", self._choose_modules))
        self.trouble = QLabel()
        self.trouble.setProperty("role", "error")
        self.trouble.setWordWrap(True)
        self.trouble.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.trouble.setAccessibleName("What is wrong")
        self.trouble.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = QPushButton("Start")
        self.start.setProperty("role", "primary")
        self.start.setDefault(True)
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._ask)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        margin = theme.space(5)
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.setSpacing(theme.space(3))
        layout.addLayout(self._grid)
        layout.addWidget(self.trouble)
        layout.addStretch(1)
        layout.addWidget(buttons)
        width = theme.type.pixels(600)
        self.resize(width, layout.totalHeightForWidth(width))

    @property
    def wanted(self) -> StartWith:
        """As the fields say now."""
        lines = (line.strip() for line in self.modules.toPlainText().splitlines())
        return StartWith(
            self.command_line.text().strip(), self.disk.text().strip(), tuple(line for line in lines if line)
        )

    def refuse(self, words: str) -> None:
        """What was asked cannot be done, for this reason; everything typed stays."""
        self.asked = None
        self.start.setEnabled(True)
        self.trouble.setText(words)
        self.trouble.show()

    def make_disk(self, path: str) -> None:
        """A blank disk in a new file, which becomes the guest's."""
        try:
            make_disk(Path(path), NEW_DISK_BYTES)
        except ImageError as error:
            self.refuse(str(error))
        else:
            self.trouble.hide()
            self.disk.setText(path)

    # -- inside

    def _add(self, words: str, field: QWidget, tip: str, *buttons: tuple[str, object]) -> None:
        row, name = self._grid.rowCount(), words.replace("&", "")
        label, note = QLabel(words), QLabel(tip)
        label.setBuddy(field)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setContentsMargins(0, self._theme.space(2), 0, 0)
        field.setAccessibleName(name)
        field.setAccessibleDescription(tip)
        note.setProperty("role", "quiet")
        note.setFont(self._theme.type.sans(Size.CAPTION))
        note.setWordWrap(True)
        note.setContentsMargins(0, 0, 0, self._theme.space(3))
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(field, row, 1, 1, 3 - len(buttons))
        for at, (text, slot) in enumerate(buttons):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.setAccessibleName(f"{name}: {text.rstrip('…')}")
            button.clicked.connect(slot)
            self._grid.addWidget(button, row, 4 - len(buttons) + at, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(note, row + 1, 1, 1, 3)

    def _ask(self) -> None:
        self.asked = self.wanted
        self.trouble.hide()
        self.start.setEnabled(False)  # until it is answered
        self.startWanted.emit(self.asked)

    def _files(self, title: str, mode: QFileDialog.FileMode, filters: str) -> QFileDialog:
        dialog = QFileDialog(self, title, str(Path(self.disk.text()).parent) if self.disk.text() else "", filters)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        return dialog

    def _choose_disk(self) -> None:
        dialog = self._files("Choose a disk image", QFileDialog.FileMode.ExistingFile, DISKS)
        dialog.fileSelected.connect(self.disk.setText)
        dialog.open()

    def _choose_new_disk(self) -> None:
        dialog = self._files("Make a blank disk of 1 MiB", QFileDialog.FileMode.AnyFile, DISKS)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # it is never overwritten
        dialog.setDefaultSuffix("img")
        dialog.fileSelected.connect(self.make_disk)
        dialog.open()

    def _choose_modules(self) -> None:
        dialog = self._files("Add modules", QFileDialog.FileMode.ExistingFiles, "All files (*)")
        dialog.filesSelected.connect(lambda paths: self.modules.appendPlainText("\n".join(paths)))
        dialog.open()
