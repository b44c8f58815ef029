"""The table of one block: two listings side by side, in columns that share the width there is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHeaderView

from app.models.block_model import CACHE_AT, GUEST_AT, LINK, ORIGINAL, TRANSLATED, WHY, BlockModel
from app.theme import Theme
from app.views.block_delegate import BlockDelegate
from app.widgets.fact_table import FactTable

WIDE = 116  # letters of width from which the reasons have a column of their own
WIDEST_CODE = 34 + 78  # letters that both columns of instructions have at most, beside that
NARROW = 92  # letters of width under which the addresses in the cache are left out
ADDRESS, CONNECTOR = 10.5, 6.5  # letters


class BlockTable(FactTable):
    """Shows a `BlockModel`; headings go across."""

    def __init__(self, model: BlockModel, delegate: BlockDelegate) -> None:
        super().__init__(model, "Original and translated code")
        self._block, self._delegate = model, delegate
        self.setItemDelegate(delegate)
        self.setMouseTracking(True)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.viewport().installEventFilter(self)
        model.modelReset.connect(self._span)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._delegate.apply_theme(theme)
        self.set_row_height(theme.type.row_height())
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """There is another width: share it out."""
        if event.type() is QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _span(self) -> None:
        self.clearSpans()
        for row in self._block.headings:
            self.setSpan(row, GUEST_AT, 1, self._block.columnCount())

    def _fit(self) -> None:
        letter = self._delegate.letter
        letters = self.viewport().width() / letter
        self.setColumnHidden(WHY, letters < WIDE)
        self.setColumnHidden(CACHE_AT, letters < NARROW)
        sizes = {GUEST_AT: ADDRESS, LINK: CONNECTOR}
        if letters >= NARROW:
            sizes[CACHE_AT] = ADDRESS
        rest = letters - sum(sizes.values())
        if letters >= WIDE:
            sizes[WHY] = max(rest * 0.4, rest - WIDEST_CODE)
            rest -= sizes[WHY]
        sizes[ORIGINAL] = min(max(rest * 0.42, 22), 34)
        sizes[TRANSLATED] = rest - sizes[ORIGINAL]
        for column, share in sizes.items():
            self.setColumnWidth(column, int(share * letter))
