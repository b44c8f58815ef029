"""The table in which views show facts, set up once: whole rows, no grid, no row numbers, and Tab goes past it.

What is particular to a table (its delegate, how its columns share the width) stays with the view that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PySide6.QtCore import QAbstractItemModel
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.theme import Theme
from app.theme.typography import Size

GAP = 16  # pixels between what stands in neighbouring columns
LEAST_SECTION = 8  # pixels; Qt's own least is wider than a column of marks, and taller than a row


class Heading(Protocol):
    """What is asked of a column to find its width: its heading, and whether it is set in the face of words."""

    @property
    def heading(self) -> str: ...

    @property
    def words(self) -> bool: ...


class FactTable(QTableView):
    """A table of `model` that a screen reader calls `name`. Rows are as high as `set_row_height` says."""

    def __init__(self, model: QAbstractItemModel, name: str) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        rows, header = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setMinimumSectionSize(LEAST_SECTION)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(LEAST_SECTION)
        header.setHighlightSections(False)

    def set_row_height(self, pixels: int) -> None:
        """Let every row be so high."""
        self.verticalHeader().setDefaultSectionSize(pixels)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._align_top()

    def updateGeometries(self) -> None:
        super().updateGeometries()
        self._align_top()

    def _align_top(self) -> None:
        """Let a whole row stand under the header also where the table is at its end, where Qt aligns the last one."""
        if self.verticalScrollMode() is QAbstractItemView.ScrollMode.ScrollPerItem:
            self.verticalHeader().setOffsetToSectionPosition(self.verticalScrollBar().value())

    def natural_widths(
        self, columns: Sequence[Heading], theme: Theme, also: Mapping[int, Sequence[str]] | None = None
    ) -> list[int]:
        """Pixels in which each column shows whole its heading, its cells, and what it may `also` come to show."""
        words, numbers = QFontMetrics(theme.type.sans()), QFontMetrics(theme.type.mono(Size.CAPTION))
        heading = QFontMetrics(theme.type.sans(Size.CAPTION, bold=True))
        widths = []
        for section, column in enumerate(columns):
            metrics = words if column.words else numbers
            shown = [str(self.model().index(row, section).data()) for row in range(self.model().rowCount())]
            shown += (also or {}).get(section, ())
            longest = max([heading.horizontalAdvance(column.heading), *map(metrics.horizontalAdvance, shown)])
            widths.append(GAP + longest)
        return widths

    def set_widths(self, widths: Sequence[int]) -> None:
        """Let each column be so wide."""
        for section, width in enumerate(widths):
            self.setColumnWidth(section, width)


def give_way(widths: list[int], floors: Mapping[int, int], room: int) -> None:
    """Take what `room` lacks from the columns of `floors`, in this order, from each down to its floor."""
    for section, floor in floors.items():
        lacking = max(0, sum(widths) - room)
        widths[section] -= min(lacking, max(0, widths[section] - floor))
