"""Help: every key of the window, what was changed to port Pebble, and what Ringside is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from app.controllers.actions import ACTIONS, FILE, HELP, RUN, TIME, VIEW, Act, Actions, plain, shown_keys
from app.widgets.dialogs import AboutDialog, KeyboardDialog
from app.widgets.diff_dialog import DiffDialog
from core.guests.builds import counterpart, differences
from core.guests.catalog import guest_named
from core.guests.image import Interface

if TYPE_CHECKING:
    from app.controllers.appearance_controller import AppearanceController
    from app.controllers.layout_controller import LayoutController

PORTED = "pebble"  # the guest that was ported to a hypervisor
KEYS_OF_VIEWS = [
    ("Ctrl+F", "Traps: filter by words."),
    ("← → Home End", "Traps, timeline: from trap to trap."),
    ("+ − 0", "Traps, timeline: zoom; show all."),
    ("↑ ↓", "Code, Registers, Traps: from row to row."),
    ("Ctrl+C", "Code: copy the line."),
    ("Enter", "Call stack: show where the frame goes on."),
    ("any letter, Enter", "Console and Screen: goes to the guest."),
    ("← → ↑ ↓ Home End", "Memory, Bytes: from page to page, from byte to byte."),
    ("Enter", "Memory: show the bytes of the page."),
    ("Shift+F10", "Memory, Bytes, Registers, Code, Page walk: where the address leads."),
    ("Enter", "Compare, by instruction: load the guest there and stand before it."),
    ("F2", "Compare, costs: put a figure of your own."),
    ("Enter", "Lesson: go on."),
    ("Alt+← Alt+→", "Lesson: the step before, the next step."),
]


class HelpController(QObject):
    """Opens the dialogues of the Help menu."""

    def __init__(
        self, actions: Actions, appearance: AppearanceController, layout: LayoutController, window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._appearance, self._layout, self._window = appearance, layout, window
        actions[Act.KEYBOARD].triggered.connect(self.show_keyboard)
        actions[Act.PORTING].triggered.connect(self.show_porting)
        actions[Act.ABOUT].triggered.connect(self.show_about)

    def show_keyboard(self) -> None:
        """Every key, by menu and by view."""
        rows: list[tuple[str, str, str]] = []
        for menu in (FILE, RUN, TIME, VIEW, HELP):
            rows.append((plain(menu), "", ""))
            rows += [
                ("", " or ".join(shown_keys(keys) for keys in spec.keys), spec.tip)
                for spec in ACTIONS.values()
                if spec.menu == menu and spec.keys
            ]
        rows.append(("In the views", "", ""))
        rows += [("", keys, does) for keys, does in self._layout.keys() + KEYS_OF_VIEWS]
        KeyboardDialog(rows, self._appearance.theme, self._window).open()

    def show_porting(self) -> None:
        """What differs between Pebble and its build for a hypervisor."""
        before = guest_named(PORTED)
        after = counterpart(before, Interface.PARAVIRT)
        assert after is not None, "Pebble ships with its paravirtual build"
        files = tuple(differences(before, after))
        DiffDialog(before.name, after.name, files, self._appearance.theme, self._window).open()

    def show_about(self) -> None:
        """What this is and what it stands on."""
        try:
            number = version("ringside")
        except PackageNotFoundError:  # run from a checkout that was not installed
            number = ""
        AboutDialog(number, self._appearance.theme, self._window).open()
