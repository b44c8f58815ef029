"""The snapshots that are kept, as rows of a table in the order in which they were taken. A name can be edited; what is
wished is said by a signal, and shown when it is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont

from app.models import difference
from app.models.numerals import grouped
from core.layout import MIB
from core.vm_snapshots.divergence import Diverged
from core.vm_snapshots.shelf import SnapshotFact

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, what it means, what it shows, what its cell's tooltip says; `words` are set in the face of
    words, all else are numbers."""

    heading: str
    meaning: str
    show: Callable[[SnapshotFact], str]
    tell: Callable[[SnapshotFact], str]
    words: bool = False

    @property
    def alignment(self) -> int:
        """Of the heading and of what stands under it."""
        side = Qt.AlignmentFlag.AlignLeft if self.words else Qt.AlignmentFlag.AlignRight
        return int(side | Qt.AlignmentFlag.AlignVCenter)


def _when(fact: SnapshotFact) -> str:
    taken = f"Taken when the machine's time was {grouped(fact.machine_time)}." if fact.machine_time else "From a file."
    state = fact.end or "Its guest goes on from there."
    return f"The VM's own virtual time: {grouped(fact.executed)} instructions, the rest idle. {taken} {state}"


NAME, VM, KIND, TIME, MEMORY, IMAGE, NOW = range(7)
COLUMNS = (
    Column(
        "Name",
        "Press F2 or double-click to give it another.",
        lambda fact: fact.name,
        lambda fact: f"“{fact.name}”: {fact.title} of VM {fact.letter}. F2 gives it another name.",
        words=True,
    ),
    Column(
        "VM",
        "The VM that it was taken of, and its guest.",
        lambda fact: f"{fact.letter}: {fact.guest}",
        lambda fact: (
            f"{fact.title} ({fact.guest}) with {fact.memory / MIB:.0f} MiB, VM {fact.letter} under {fact.kind_title}."
        ),
        words=True,
    ),
    Column(
        "Kind",
        "The kind of monitor that it was taken under. The snapshot holds nothing of it, and can go on under others.",
        lambda fact: fact.kind_title,
        lambda fact: f"Taken under {fact.kind_title}. It can go on under: {', '.join(fact.carriers) or 'no other'}.",
        words=True,
    ),
    Column("Time", "The VM's own virtual time at that instant.", lambda fact: grouped(fact.time), _when),
    Column(
        "Memory",
        "The RAM that the VM has.",
        lambda fact: f"{fact.memory / MIB:.0f} MiB",
        lambda fact: f"{fact.memory / MIB:.0f} MiB of RAM" + (", and a disk." if fact.has_disk else ", and no disk."),
    ),
    Column(
        "From image",
        "In how many pages of memory and sectors of its disk it differs from the image that the VM was powered "
        "on with: what a copy of it would have to hold beside the image.",
        lambda fact: difference.short(fact.diverged),
        lambda fact: f"It differs from its image in {difference.words(fact.diverged)}.",
    ),
    Column(
        "From now",
        "In how many pages and sectors the VM that you look at differed from it, when they were compared last.",
        lambda fact: "—",
        lambda fact: "Not compared. “Compare” does it.",
    ),
)


class SnapshotTableModel(QAbstractTableModel):
    """`show` replaces the rows, `show_diverged` the last column.

    renameWished  (name, new name) a name was edited
    """

    renameWished = Signal(str, str)

    def __init__(self, mono: QFont, sans: QFont) -> None:
        super().__init__()
        self.facts: tuple[SnapshotFact, ...] = ()
        self._now: Diverged | None = None
        self._mono, self._sans = mono, sans

    def show(self, facts: tuple[SnapshotFact, ...]) -> None:
        """Show these."""
        same = [each.number for each in facts] == [each.number for each in self.facts]
        if same:
            self.facts = facts
            self._all_changed()
        else:
            self.beginResetModel()
            self.facts = facts
            self.endResetModel()

    def show_diverged(self, now: Diverged | None) -> None:
        """Show how far a VM has come from each; None: that is not known any more."""
        self._now = now
        self._all_changed()

    def set_fonts(self, mono: QFont, sans: QFont) -> None:
        """The faces of numbers and of words."""
        self._mono, self._sans = mono, sans
        self._all_changed()

    def row_of(self, number: int) -> int:
        """Where the snapshot of that number stands; -1: nowhere."""
        return next((row for row, fact in enumerate(self.facts) if fact.number == number), -1)

    def _all_changed(self) -> None:
        if self.facts:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.facts) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """One a snapshot."""
        return 0 if parent is not None and parent.isValid() else len(self.facts)

    def columnCount(self, parent: Index | None = None) -> int:
        """As in `COLUMNS`."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Heading, and its meaning as a tooltip."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.alignment
        return column.meaning if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A name can be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and index.column() == NAME else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, face, alignment and tooltip of a cell."""
        if not index.isValid() or index.row() >= len(self.facts):
            return None
        column, fact = COLUMNS[index.column()], self.facts[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._from_now(fact, column.show) if index.column() == NOW else column.show(fact)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._told_of_now(fact) or column.tell(fact) if index.column() == NOW else column.tell(fact)
        if role == Qt.ItemDataRole.FontRole:
            return self._sans if column.words else self._mono
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.alignment
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Say what the person wishes. The row changes when it is so."""
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or index.column() != NAME:
            return False
        name, new = self.facts[index.row()].name, str(value).strip()
        if new and new != name:
            self.renameWished.emit(name, new)
        return True

    def _from_now(self, fact: SnapshotFact, otherwise: Callable[[SnapshotFact], str]) -> str:
        found = difference.found_between(difference.Sides.NOW_AND_KEPT, fact, self._now)
        return otherwise(fact) if found is None else difference.short(found)

    def _told_of_now(self, fact: SnapshotFact) -> str:
        return difference.sentence(difference.Sides.NOW_AND_KEPT, fact, self._now)
