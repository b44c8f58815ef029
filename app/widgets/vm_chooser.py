"""Which VM is looked at: a chooser of letters and titles, there only while the machine has more than one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox

from core.snapshot import VmSummary

LETTER = Qt.ItemDataRole.UserRole
TIP = "The VM that every view shows, and that the steps and what you type go to (F6 goes to the next one)."


class VmChooser(QComboBox):
    """`show_vms` fills it; to choose here is to choose a row of the VMs view.

    chosen  (letter) the person wants to look at that VM
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self._selected = ""
        self.setAccessibleName("VM that is looked at")
        self.setToolTip(TIP)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(self._choose)

    @property
    def letters(self) -> tuple[str, ...]:
        """The VMs that there are."""
        return tuple(letter for letter, _, _ in self._shown)

    def show_vms(self, vms: tuple[VmSummary, ...], selected: str) -> bool:
        """Offer these, of which one is `selected`. Did what is offered change?"""
        shown = tuple((vm.letter, f"{vm.letter}: {vm.title}", f"{vm.title} under {vm.kind_title}") for vm in vms)
        changed = shown != self._shown
        if changed:
            self._shown = shown
            self.clear()
            for at, (letter, words, more) in enumerate(shown):
                self.addItem(words, letter)
                self.setItemData(at, more, Qt.ItemDataRole.ToolTipRole)
                self.setItemData(at, f"VM {letter}: {more}", Qt.ItemDataRole.AccessibleTextRole)
        if selected != self.currentData(LETTER) and not self.view().isVisible():  # an open list is the person's
            self.setCurrentIndex(self.findData(selected, LETTER))
        self._selected = selected
        return changed

    def beside(self, by: int) -> str:
        """The letter of the VM so many places after the selected one, round and round."""
        letters = self.letters
        at = letters.index(self._selected) if self._selected in letters else 0
        return letters[(at + by) % len(letters)] if letters else ""

    def _choose(self, at: int) -> None:
        letter = str(self.itemData(at, LETTER))
        if letter != self._selected:
            self.chosen.emit(letter)
