"""What the translator has done since power-on, as a table of two columns; each row's tooltip explains it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.models.headings import heading_data
from app.models.numerals import grouped
from core.translations import SeenCache

Index = QModelIndex | QPersistentModelIndex
HEADINGS = (("So far", "What was counted since power-on; the tooltip of a row explains it."), ("Count", "How often."))
ROWS = (
    (
        "units",
        "blocks",
        "Translation units made: at most twelve instructions each, up to the first that may go elsewhere.",
    ),
    ("copied", "copied", "Instructions translated into the same bytes: harmless in ring 1."),
    ("branches", "rewritten", "Jumps, calls and returns, which must stay in the cache."),
    ("in_line", "replaced", "Sensitive ones that became a few instructions on the monitor's variables."),
    ("callout_sites", "callouts", "Sensitive ones that became a call of the monitor."),
    ("callouts", "calls made", "How often translated code called the monitor to carry an instruction out."),
    (
        "chained",
        "chained",
        "Direct jumps patched to go from block to block; the first time each asks the monitor.",
    ),
    ("hits", "lookup hits", "Returns and indirect jumps whose target's translation the lookup found by itself."),
    ("misses", "lookup misses", "Those for which the monitor had to be asked."),
    (
        "adapted",
        "adapted",
        "Copied ones that trapped so often that they were translated again, into callouts.",
    ),
    ("reverted", "copied again", "Those of them that had nothing to trap for any more."),
    ("invalidated", "invalidated", "Killed because the guest wrote to the code that they were made from."),
    ("flushes", "flushes", "How often the cache was full, and was emptied."),
)


class CacheCountersModel(QAbstractTableModel):
    """`show` replaces the numbers; rows are the same always."""

    def __init__(self) -> None:
        super().__init__()
        self._values: tuple[int, ...] = ()

    def show(self, cache: SeenCache) -> None:
        """Show the counters of this cache."""
        values = tuple(getattr(cache.counters, name) for name, _words, _tip in ROWS)
        if values != self._values:
            self._values = values
            self.dataChanged.emit(self.index(0, 0), self.index(len(ROWS) - 1, 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """One a counter."""
        return 0 if parent is not None and parent.isValid() else len(ROWS)

    def columnCount(self, parent: Index | None = None) -> int:
        """Words and number."""
        return 0 if parent is not None and parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        return heading_data(HEADINGS, section, orientation, role, numbers=frozenset(range(1, len(HEADINGS))))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, number, tooltip."""
        if not index.isValid() or index.row() >= len(ROWS):
            return None
        _name, words, tip = ROWS[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{words[0].upper()}{words[1:]}. {tip}"
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 1:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 0:
                return words
            return grouped(self._values[index.row()]) if self._values else ""
        return None
