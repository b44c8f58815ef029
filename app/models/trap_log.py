"""The newest traps, bounded, oldest first: as objects for the table, as columns of numbers for the plot and the filter.

Appending is amortised constant time a trap: storage is twice the capacity and is moved to its front when full.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.events import Cause, Trap

CAPACITY = 65_536
CAUSES: tuple[Cause, ...] = tuple(Cause)
CAUSE_INDEX: dict[Cause, int] = {cause: index for index, cause in enumerate(CAUSES)}


class TrapLog:
    """A window over the stream of traps. Row 0 is the oldest kept; a *serial* is a row that trimming does not move."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.vms: list[str] = []  # letters in order of appearance; the column `vm` indexes this
        self._traps: list[Trap] = []
        self._columns: dict[str, NDArray[np.int64]] = {
            name: np.zeros(2 * capacity, np.int64) for name in ("machine_time", "cause", "ring_to", "vm", "number")
        }
        self._start = self._stop = 0
        self.dropped = 0
        self.missing = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, row: int) -> Trap:
        return self._traps[self._start + row]

    @property
    def times(self) -> NDArray[np.int64]:
        """The machine's virtual time of each row, ascending: a VM's own begins at 0 and goes back when it is reverted;
        valid until the next change of the log."""
        return self._column("machine_time")

    @property
    def causes(self) -> NDArray[np.int64]:
        """Index into `CAUSES` of each row."""
        return self._column("cause")

    @property
    def rings(self) -> NDArray[np.int64]:
        """The ring that handled each row."""
        return self._column("ring_to")

    @property
    def vm_indexes(self) -> NDArray[np.int64]:
        """Index into `vms` of each row."""
        return self._column("vm")

    def newer(self, traps: Sequence[Trap]) -> Sequence[Trap]:
        """Those of `traps` (ascending numbers) that are not in the log yet."""
        if not traps or self._stop == self._start:
            return traps
        last = self._traps[self._stop - 1].number
        if traps[0].number > last:
            return traps
        return [trap for trap in traps if trap.number > last]

    def overflow(self, count: int) -> int:
        """How many of the oldest rows must go before `count` (at most the capacity) can be appended."""
        return max(0, len(self) + count - self.capacity)

    def drop(self, count: int) -> None:
        """Forget the `count` oldest rows."""
        self._start += count
        self.dropped += count

    def append(self, traps: Sequence[Trap]) -> None:
        """Add `traps`, all newer than what is kept and within the capacity (see `newer`, `overflow`)."""
        if not traps:
            return
        expected = self._traps[self._stop - 1].number + 1 if len(self) else 0
        self.missing += traps[-1].number + 1 - expected - len(traps)
        if self._stop + len(traps) > 2 * self.capacity:
            self._compact()
        stop = self._stop + len(traps)
        for trap in traps:
            if trap.vm not in self.vms:
                self.vms.append(trap.vm)
        fresh = slice(self._stop, stop)
        self._columns["machine_time"][fresh] = [trap.machine_time for trap in traps]
        self._columns["cause"][fresh] = [CAUSE_INDEX[trap.cause] for trap in traps]
        self._columns["ring_to"][fresh] = [trap.ring_to for trap in traps]
        self._columns["vm"][fresh] = [self.vms.index(trap.vm) for trap in traps]
        self._columns["number"][fresh] = [trap.number for trap in traps]
        self._traps.extend(traps)
        self._stop = stop

    def clear(self) -> None:
        """Forget everything, as at power-on."""
        self._traps.clear()
        self.vms.clear()
        self._start = self._stop = self.dropped = self.missing = 0

    def row_of(self, number: int) -> int | None:
        """The row of the trap with that ordinal, if it is kept."""
        row = int(np.searchsorted(self._column("number"), number))
        return row if row < len(self) and self[row].number == number else None

    def _column(self, name: str) -> NDArray[np.int64]:
        return self._columns[name][self._start : self._stop]

    def _compact(self) -> None:
        kept = self._stop - self._start
        for column in self._columns.values():
            column[:kept] = column[self._start : self._stop].copy()
        del self._traps[: self._start]
        self._start, self._stop = 0, kept
