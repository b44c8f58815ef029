"""A table with a row for each thing and, behind its first column, a column for each kind of monitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from core.vmm import kinds

Index = QModelIndex | QPersistentModelIndex
Row = TypeVar("Row")


class KindTableModel(QAbstractTableModel, Generic[Row]):
    """`what` heads the first column, `meaning` explains it; subclasses say what the cells are."""

    def __init__(self, mono: QFont, what: str, meaning: str) -> None:
        super().__init__()
        self._what, self._meaning = what, meaning
        self._mono = mono
        self.rows: Sequence[Row] = ()
        self.kinds: tuple[str, ...] = ()

    def show_rows(self, rows: Sequence[Row], kinds_shown: tuple[str, ...]) -> None:
        """Show these rows for these kinds, in place of all."""
        self.beginResetModel()
        self.rows, self.kinds = rows, kinds_shown
        self.endResetModel()

    def set_font(self, mono: QFont) -> None:
        """The face of the cells."""
        self.beginResetModel()
        self._mono = mono
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """One a thing."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """The thing, and the kinds."""
        return 0 if parent is not None and parent.isValid() else 1 + len(self.kinds)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What it is, and under which kind."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section <= len(self.kinds):
            return None
        kind = kinds()[self.kinds[section - 1]] if section else None
        if role == Qt.ItemDataRole.DisplayRole:
            return kind.title if kind is not None else self._what
        if role == Qt.ItemDataRole.ToolTipRole:
            return kind.summary if kind is not None else self._meaning
        return None
