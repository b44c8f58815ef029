"""Chooses a block of the translation cache from all there are. The list is filled when it opens, not at each change."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QWidget

from app.models.block_rows import NameOf
from app.models.numerals import grouped
from core.translations import CacheBlock


def block_title(block: CacheBlock, name_of: NameOf) -> str:
    """A block in a few words: its number and where the guest's code stands."""
    return f"Block {block.ordinal} · {name_of(block.pc) or f'{block.pc:#010x}'}"


class BlockChooser(QComboBox):
    """`blocks` gives those that live, in the order of the cache.

    chosen  (ordinal) the person wants to see that block
    """

    chosen = Signal(int)

    def __init__(self, blocks: Callable[[], tuple[CacheBlock, ...]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blocks = blocks
        self.name_of: NameOf = lambda _address: ""
        self.ordinal: int | None = None
        self.setAccessibleName("Block")
        self.setToolTip("The block that is shown. Open the list for all that are in the cache, in its order.")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(20)
        self.setMaxVisibleItems(16)
        self.activated.connect(self._take)

    def show_block(self, block: CacheBlock | None) -> None:
        """Say which block is shown."""
        ordinal = None if block is None else block.ordinal
        if ordinal != self.ordinal and not self.view().isVisible():
            self.ordinal = ordinal
            self.clear()
            if block is not None:
                self.addItem(block_title(block, self.name_of), block.ordinal)

    def fill(self) -> None:
        """List all blocks, with how often each was entered."""
        self.clear()
        for block in self._blocks():
            self.addItem(f"{block_title(block, self.name_of)} · run {grouped(block.entered)}×", block.ordinal)
        self.setCurrentIndex(self.findData(self.ordinal))

    def showPopup(self) -> None:
        """Fill the list, and open it."""
        self.fill()
        super().showPopup()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that go along the list need it filled."""
        if self.count() <= 1:
            self.fill()
        super().keyPressEvent(event)

    def _take(self, index: int) -> None:
        ordinal = self.itemData(index)
        if isinstance(ordinal, int):
            self.ordinal = None
            self.chosen.emit(ordinal)
