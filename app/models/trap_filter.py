"""Which traps the person wants to see: a proxy over the trap table, by cause, by ring and by words.

Written as a proxy of its own because the log only grows at its end and shrinks at its front: the accepted rows are one
ascending list, and a new filter is one reset. QSortFilterProxyModel would announce each scattered run of rows that a
filter removes, and header views take time in proportion to their length for each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QAbstractProxyModel, QModelIndex, QObject, Qt

from app.models.trap_log import CAUSE_INDEX, TrapLog
from app.models.trap_table_model import Index, TrapTableModel, short_vector
from core.events import Cause, Ring, Trap


@dataclass(frozen=True, slots=True)
class Criteria:
    """What passes. An empty set lets everything through; `words` must all occur, in any column, in any case."""

    causes: frozenset[Cause] = frozenset()
    rings: frozenset[Ring] = frozenset()
    words: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Does everything pass?"""
        return not (self.causes or self.rings or self.words)

    def rows(self, log: TrapLog, first: int, stop: int) -> list[int]:
        """Those rows of ``first`` to ``stop - 1`` that pass, ascending."""
        passed = np.ones(stop - first, bool)
        if self.causes:
            passed &= np.isin(log.causes[first:stop], [CAUSE_INDEX[cause] for cause in self.causes])
        if self.rings:
            passed &= np.isin(log.rings[first:stop], [int(ring) for ring in self.rings])
        rows: list[int] = (np.flatnonzero(passed) + first).tolist()
        return [row for row in rows if self._said(log[row])] if self.words else rows

    def _said(self, trap: Trap) -> bool:
        vector = "" if trap.vector is None else short_vector(trap.vector)
        text = (
            f"{trap.instruction}\n{trap.handler}\n{trap.outcome}\n{trap.cause.phrase}\n{vector}\n{trap.pc:08x}".lower()
        )
        return all(word in text for word in self.words)


class TrapFilter(QAbstractProxyModel):
    """The rows of a `TrapTableModel` that meet the `criteria`, in the same order."""

    def __init__(self, source: TrapTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.criteria = Criteria()
        self._source = source
        self._serials: list[int] = []  # row + log.dropped: trimming the log does not move them
        self.setSourceModel(source)
        source.rowsAboutToBeRemoved.connect(self._before_trim)
        source.rowsRemoved.connect(self._after_trim)
        source.rowsInserted.connect(self._after_append)
        source.modelAboutToBeReset.connect(self.beginResetModel)
        source.modelReset.connect(self._after_reset)
        self._removing = False

    def set_causes(self, causes: Iterable[Cause]) -> None:
        """Let only these causes pass; none means all."""
        self._set(replace(self.criteria, causes=frozenset(causes)))

    def set_rings(self, rings: Iterable[Ring]) -> None:
        """Let only what these rings handled pass; none means all."""
        self._set(replace(self.criteria, rings=frozenset(rings)))

    def set_text(self, text: str) -> None:
        """Let only rows pass in which every word of `text` occurs."""
        self._set(replace(self.criteria, words=tuple(text.lower().split())))

    def trap(self, row: int) -> Trap:
        """The trap in that row of the filtered table."""
        return self._source.log[self._serials[row] - self._source.log.dropped]

    def source_rows(self) -> list[int]:
        """The accepted rows of the log, ascending."""
        dropped = self._source.log.dropped
        return [serial - dropped for serial in self._serials]

    def row_of(self, number: int) -> int | None:
        """The filtered row of the trap with that ordinal, or None if it is filtered out or forgotten."""
        row = self._source.log.row_of(number)
        return None if row is None else self._proxy_row(row)

    # -- Qt's contract

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._serials)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._source.columnCount()

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        if parent.isValid() or not (0 <= row < len(self._serials) and 0 <= column < self._source.columnCount()):
            return QModelIndex()
        return self.createIndex(row, column)

    def parent(self, child: Index | None = None) -> QModelIndex | QObject | None:  # type: ignore[override]
        return QModelIndex() if child is not None else QObject.parent(self)

    def mapToSource(self, proxy: Index) -> QModelIndex:
        if not proxy.isValid():
            return QModelIndex()
        return self._source.index(self._serials[proxy.row()] - self._source.log.dropped, proxy.column())

    def mapFromSource(self, source: Index) -> QModelIndex:
        row = self._proxy_row(source.row()) if source.isValid() else None
        return QModelIndex() if row is None else self.createIndex(row, source.column())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return self._source.headerData(section, orientation, role)

    # -- following the log

    def _proxy_row(self, source_row: int) -> int | None:
        serial = source_row + self._source.log.dropped
        at = bisect_left(self._serials, serial)
        return at if at < len(self._serials) and self._serials[at] == serial else None

    def _set(self, criteria: Criteria) -> None:
        if criteria == self.criteria:
            return
        self.beginResetModel()
        self.criteria = criteria
        self._refill()
        self.endResetModel()

    def _refill(self) -> None:
        log = self._source.log
        self._serials = [row + log.dropped for row in self.criteria.rows(log, 0, len(log))]

    def _after_reset(self) -> None:
        self._refill()
        self.endResetModel()

    def _before_trim(self, _parent: QModelIndex, _first: int, last: int) -> None:
        count = bisect_right(self._serials, last + self._source.log.dropped)
        self._removing = count > 0
        if count:
            self.beginRemoveRows(QModelIndex(), 0, count - 1)
            del self._serials[:count]

    def _after_trim(self) -> None:
        if self._removing:
            self._removing = False
            self.endRemoveRows()

    def _after_append(self, _parent: QModelIndex, first: int, last: int) -> None:
        log = self._source.log
        fresh = [row + log.dropped for row in self.criteria.rows(log, first, last + 1)]
        if fresh:
            at = len(self._serials)
            self.beginInsertRows(QModelIndex(), at, at + len(fresh) - 1)
            self._serials.extend(fresh)
            self.endInsertRows()
