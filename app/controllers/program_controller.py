"""Choosing: which guest, under which kind of monitor; from the toolbar, a file, the recent ones, or dropped on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QSettings, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QFileDialog, QMenu, QWidget

from app.controllers.actions import Act, Actions
from app.controllers.catalogue import Catalogue, Choice
from app.controllers.remembered_starts import RememberedStarts
from core.errors import RequestError, UserError
from core.guests.start import StartWith
from core.lab.archive import is_lab, is_vm_file
from core.lab.files import ENDING

if TYPE_CHECKING:
    from app.engine.client import Engine
    from app.engine.protocol import Loaded, Selected

MOST_RECENT = 8
GUEST_KEY, KIND_KEY, RECENT_KEY, FOLDER_KEY = "program/guest", "program/kind", "program/recent", "program/folder"
PATTERNS = f"Labs, VMs and guests (*{ENDING} *.ringvm *.elf *.bin *.img *.s *.S *.asm);;All files (*)"
ROLE = Qt.ItemDataRole.UserRole
NARROWEST, WIDEST = 60, 16777215  # pixels that a chooser has at least; Qt's own word for "no bound"


class ProgramController(QObject):
    """Loads what the person chooses. If the engine refuses, the choosers go back to what is really loaded.

    loading  (title) a guest is about to be loaded
    refused  (UserError) what was given cannot even be asked of the engine
    labChosen  (path) the file that was chosen is no guest, but a whole lab
    """

    loading = Signal(str)
    refused = Signal(object)
    labChosen = Signal(str)

    def __init__(
        self, engine: Engine, actions: Actions, catalogue: Catalogue, settings: QSettings, window: QWidget
    ) -> None:
        super().__init__(window)
        self._engine, self._settings, self._window = engine, settings, window
        self.catalogue = catalogue
        self.starts = RememberedStarts(settings)
        self._loaded: tuple[str, str] | None = None  # guest and kind that the engine has, in the VM that is looked at
        self._names: dict[str, str] = {}  # by the path of a program: how it was asked for
        self.guests = _chooser("Guest", "The guest to load: what runs in the virtual machine.")
        self.kinds = _chooser("Kind of monitor", "The kind of monitor to run it under.")
        self.recent_menu = QMenu("Open &recent", window)
        self.recent_menu.aboutToShow.connect(self._hide_what_is_gone)
        for guest in catalogue.guests:
            _offer(self.guests, guest)
        for kind in catalogue.kinds:
            _offer(self.kinds, kind)
        self.guests.activated.connect(self._choose_guest)
        self.kinds.activated.connect(self._choose)
        actions[Act.OPEN].triggered.connect(self.open_dialog)
        engine.loaded.connect(self._take)
        engine.selected.connect(self._take_selected)
        engine.refused.connect(self._show_loaded)
        self._fill_recent()

    # -- the person

    def load(self, guest: str, kind: str, start: StartWith | None = None) -> None:
        """Power on that guest (a shipped one's name, or a path) under that kind, with what it is to be given: what it
        was given last if that is not said."""
        self._show(guest, kind)
        self.loading.emit(self.guests.currentText())
        self._engine.load(guest, kind, self.starts.of(guest) if start is None else start)

    def load_chosen(self, start: StartWith) -> None:
        """Power on what the choosers say, with that."""
        self.load(*self.chosen, start)

    @property
    def chosen(self) -> tuple[str, str]:
        """Guest and kind, as the choosers say."""
        return str(self.guests.currentData(ROLE)), str(self.kinds.currentData(ROLE))

    def narrow_by(self, pixels: int) -> None:
        """Let the choosers together be so much narrower than their words; their lists stay as wide as these."""
        for box in (self.guests, self.kinds):
            wanted = box.sizeHint().width()
            box.setMaximumWidth(max(NARROWEST, wanted - (pixels + 1) // 2) if pixels else WIDEST)
            box.view().setMinimumWidth(wanted)

    def to_add(self) -> tuple[str, str, StartWith]:
        """What one more VM gets: the guest, kind and start of the one that is looked at."""
        guest, kind = self._loaded or self.chosen
        return guest, kind, self.starts.of(guest)

    def open_file(self, path: str) -> None:
        """Load a guest from a file, under the kind that is chosen; or have the lab in it; or let the VM in it go on,
        under its own kind."""
        if is_lab(Path(path)):
            self.loading.emit(Path(path).name)
            self.labChosen.emit(path)
            return
        self.load(path, "" if is_vm_file(Path(path)) else str(self.kinds.currentData(ROLE)))

    def open_dialog(self) -> None:
        """Let the person pick a file. The dialogue is the window's own business: the machine goes on."""
        dialog = QFileDialog(
            self._window, "Open a lab, a VM or a guest", str(self._settings.value(FOLDER_KEY, "")), PATTERNS
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.open_file)
        dialog.open()

    def restore(self) -> None:
        """Load the guest of last time under its kind, as far as both are still there."""
        guest = str(self._settings.value(GUEST_KEY, ""))
        kind = str(self._settings.value(KIND_KEY, ""))
        names = [one.name for one in self.catalogue.guests]
        if guest not in names and not Path(guest).is_file():
            guest = names[0] if names else ""
        if kind not in [one.name for one in self.catalogue.kinds]:
            kind = self.catalogue.kinds[0].name if self.catalogue.kinds else ""
        if guest and kind:
            self.load(guest, kind)

    # -- files dropped on the window

    @staticmethod
    def can_drop(data: QMimeData) -> bool:
        """Is this one or more local files?"""
        return any(url.isLocalFile() for url in data.urls())

    def drop(self, data: QMimeData) -> None:
        """Load the file that was dropped; of several, say that one is wanted."""
        files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if len(files) == 1:
            self.open_file(files[0])
        elif files:
            self.refused.emit(RequestError(f"{len(files)} files were dropped.", "Drop one guest at a time."))

    # -- inside

    def _choose_guest(self) -> None:
        """With a kind that can run it, where the one that stands there cannot."""
        guest, kind = self.chosen
        able = next((one.kinds for one in self.catalogue.guests if one.name == guest), ())
        if able and kind not in able:
            _select(self.kinds, able[0])
        self._choose()

    def _choose(self) -> None:
        if self.chosen != self._loaded:
            self.load(*self.chosen)

    def _take_selected(self, selected: Selected) -> None:
        """Another VM is looked at: say what runs there."""
        program = selected.program
        shipped = program.name in [guest.name for guest in self.catalogue.guests]
        self._loaded = (self._names.get(program.path, program.name if shipped else program.path), selected.kind)
        self._show(*self._loaded, title=program.title)

    def _take(self, loaded: Loaded) -> None:
        self._loaded = (loaded.name_or_path, loaded.kind)
        self._names[loaded.program.path] = loaded.name_or_path
        self._show(*self._loaded, title=loaded.program.title)
        if loaded.lab:
            return  # its guest may be nowhere but in the lab
        self._settings.setValue(GUEST_KEY, loaded.name_or_path)
        self._settings.setValue(KIND_KEY, loaded.kind)
        if loaded.name_or_path not in [guest.name for guest in self.catalogue.guests]:
            self.remember(loaded.name_or_path)

    def _show_loaded(self, _error: UserError) -> None:
        if self._loaded is not None:
            self._show(*self._loaded)

    def _show(self, guest: str, kind: str, title: str = "") -> None:
        """Let the choosers say this, without choosing it."""
        if self.guests.findData(guest, ROLE) < 0:
            name = Path(guest).name
            _offer(self.guests, Choice(guest, f"{title} ({name})" if title and title != name else name, guest))
        _select(self.guests, guest)
        _select(self.kinds, kind)

    @property
    def folder(self) -> str:
        """Where the person opened or saved something last."""
        return str(self._settings.value(FOLDER_KEY, ""))

    def remember(self, path: str) -> None:
        """Offer it among the recent ones from now on."""
        recent = [path, *(one for one in self._recent() if one != path)][:MOST_RECENT]
        self._settings.setValue(RECENT_KEY, recent)
        self._settings.setValue(FOLDER_KEY, str(Path(path).parent))
        self._fill_recent()

    def _recent(self) -> list[str]:
        saved = self._settings.value(RECENT_KEY, [])
        saved = [saved] if isinstance(saved, str) else saved  # an ini file gives back a list of one as a string
        return [one for one in saved if isinstance(one, str)] if isinstance(saved, list) else []

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for path in self._recent():
            action: QAction = self.recent_menu.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(lambda _checked=False, path=path: self.open_file(path))
        self.recent_menu.setToolTipsVisible(True)
        self.recent_menu.setEnabled(not self.recent_menu.isEmpty())

    def _hide_what_is_gone(self) -> None:
        """A lesson's own files go with it, and others may be elsewhere for now."""
        for action in self.recent_menu.actions():
            action.setVisible(Path(action.toolTip()).exists())


def _chooser(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setProperty("tip", tip)
    return box


def _offer(box: QComboBox, choice: Choice) -> None:
    box.addItem(choice.title, choice.name)
    box.setItemData(box.count() - 1, choice.summary, Qt.ItemDataRole.ToolTipRole)
    box.setItemData(box.count() - 1, f"{choice.title}. {choice.summary}", Qt.ItemDataRole.AccessibleTextRole)


def _select(box: QComboBox, name: str) -> None:
    at = box.findData(name, ROLE)
    if at >= 0:
        box.setCurrentIndex(at)
        box.setToolTip(f"{box.property('tip')}\n{box.itemData(at, Qt.ItemDataRole.ToolTipRole)}")
