"""The traps as a table: one row a departure, appended in batches, bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.headings import heading_data
from app.models.numerals import address, grouped, ring_name
from app.models.trap_log import CAPACITY, TrapLog
from core.events import Trap, vector_name

NO_VALUE = "—"

Index = QModelIndex | QPersistentModelIndex


class TrapColumn(IntEnum):
    """The columns, in the order in which they stand."""

    NUMBER = 0
    TIME = 1
    VM = 2
    RINGS = 3
    CAUSE = 4
    VECTOR = 5
    PC = 6
    INSTRUCTION = 7
    HANDLER = 8
    OUTCOME = 9
    CYCLES = 10


HEADINGS: dict[TrapColumn, tuple[str, str]] = {
    TrapColumn.NUMBER: ("#", "Ordinal of the departure since power-on, from 0."),
    TrapColumn.TIME: ("Time", "Virtual time: instructions executed plus idle time skipped while halted."),
    TrapColumn.VM: ("VM", "Letter of the virtual machine that was running."),
    TrapColumn.RINGS: ("Rings", "Ring the CPU was really in → ring that handled it → ring in which execution went on."),
    TrapColumn.CAUSE: ("Cause", "Why the CPU left direct execution."),
    TrapColumn.VECTOR: ("Vector", "Exception or interrupt vector, where it has one."),
    TrapColumn.PC: ("PC", "Linear address of the instruction."),
    TrapColumn.INSTRUCTION: ("Instruction", "The instruction at that address, disassembled."),
    TrapColumn.HANDLER: ("Handler", "Who handled it."),
    TrapColumn.OUTCOME: ("Outcome", "What was done about it."),
    TrapColumn.CYCLES: ("Cycles", "Modelled cycles; — while no cost model is chosen."),
}


def rings_text(trap: Trap) -> str:
    """The crossing as digits: ``1 → 0 → 1``."""
    return f"{ring_name(trap.ring_from)} → {ring_name(trap.ring_to)} → {ring_name(trap.ring_after)}"


_WRITERS: dict[TrapColumn, Callable[[Trap], str]] = {
    TrapColumn.NUMBER: lambda trap: grouped(trap.number),
    TrapColumn.TIME: lambda trap: grouped(trap.time),
    TrapColumn.VM: lambda trap: trap.vm,
    TrapColumn.RINGS: rings_text,
    TrapColumn.CAUSE: lambda trap: trap.cause.phrase,
    TrapColumn.VECTOR: lambda trap: NO_VALUE if trap.vector is None else short_vector(trap.vector),
    TrapColumn.PC: lambda trap: address(trap.pc),
    TrapColumn.INSTRUCTION: lambda trap: trap.instruction,
    TrapColumn.HANDLER: lambda trap: trap.handler,
    TrapColumn.OUTCOME: lambda trap: trap.outcome,
    TrapColumn.CYCLES: lambda trap: NO_VALUE if trap.cycles is None else grouped(trap.cycles),
}

_TEXTS = tuple(_WRITERS[column] for column in TrapColumn)


def short_vector(vector: int) -> str:
    """The mnemonic alone where there is one (``#GP``), else the number."""
    name = vector_name(vector)
    return name.split(" ", 1)[0] if not name.startswith("interrupt") else f"{vector:#04x}"


def cell_text(trap: Trap, column: int) -> str:
    """What stands in one cell."""
    return _TEXTS[column](trap)


def short_handler(trap: Trap) -> str:
    """Who handled it, where there is little room: that it was the monitor is said by the ring."""
    return trap.handler.removeprefix("monitor: ").removeprefix("hypervisor: ").removeprefix("monitor, then ")


def explain(trap: Trap) -> str:
    """A trap in a few plain sentences, for tooltips and screen readers."""
    where = f"Ring {ring_name(trap.ring_from)}"
    if trap.believed != trap.ring_from:
        where += f", which the guest believes to be ring {ring_name(trap.believed)}"
    vector = ""
    if trap.vector is not None:
        vector = f" Vector {trap.vector:#04x}, {vector_name(trap.vector)}"
        vector += f", error code {trap.error_code:#06x}." if trap.error_code is not None else "."
    return (
        f"{trap.cause.phrase} of VM {trap.vm} at {address(trap.pc)}: {trap.instruction}. {where}.{vector} "
        f"Handled in ring {ring_name(trap.ring_to)} by {trap.handler}: {trap.outcome}. "
        f"Went on in ring {ring_name(trap.ring_after)} at {address(trap.pc_after)}."
    )


class TrapTableModel(QAbstractTableModel):
    """A `TrapLog` for Qt. Traps it already has are passed over, so one snapshot may safely be given twice."""

    def __init__(self, parent: QObject | None = None, *, capacity: int = CAPACITY) -> None:
        super().__init__(parent)
        self.log = TrapLog(capacity)

    def append(self, traps: Sequence[Trap]) -> None:
        """Add those of `traps` (ascending numbers) that are new; the oldest rows make room."""
        fresh = self.log.newer(traps)[-self.log.capacity :]
        if not fresh:
            return
        excess = self.log.overflow(len(fresh))
        if excess:
            self.beginRemoveRows(QModelIndex(), 0, excess - 1)
            self.log.drop(excess)
            self.endRemoveRows()
        first = len(self.log)
        self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
        self.log.append(fresh)
        self.endInsertRows()

    def clear(self) -> None:
        """Forget everything, as at power-on."""
        self.beginResetModel()
        self.log.clear()
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.log)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(TrapColumn)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        trap = self.log[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(trap, index.column())
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return explain(trap)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in NUMERIC:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return heading_data(tuple(HEADINGS.values()), section, orientation, role, numbers=NUMERIC)


NUMERIC = frozenset({TrapColumn.NUMBER, TrapColumn.TIME, TrapColumn.CYCLES})
