"""The measured table of holes: a row for each sensitive instruction, a column for each kind of monitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont

from app.models.kind_table_model import Index, KindTableModel
from core.hole_table import Verdict

HOLE_MARK = "≠"


@dataclass(frozen=True, slots=True)
class HoleCell:
    """One instruction under one kind: the verdict, and what the guest saw, in words."""

    verdict: Verdict
    seen: str


@dataclass(frozen=True, slots=True)
class HoleRow:
    """One instruction: its tiny guest, its name and text, where it stands, what it does, and its cells by kind."""

    guest: str
    name: str
    instruction: str
    address: int
    summary: str
    cells: Mapping[str, HoleCell]


def rows_from_json(table: Mapping[str, Any]) -> tuple[HoleRow, ...]:
    """The table that ``ringside holes --json`` prints."""
    return tuple(
        HoleRow(
            guest,
            row["name"],
            row["instruction"],
            row["address"],
            row["summary"],
            {kind: HoleCell(Verdict(cell["verdict"]), ", ".join(cell["words"])) for kind, cell in row["kinds"].items()},
        )
        for guest, row in table.items()
    )


class HoleTableModel(KindTableModel[HoleRow]):
    """Column 0 is the instruction, the others are kinds, bare first."""

    def __init__(self, mono: QFont) -> None:
        super().__init__(
            mono,
            "Instruction",
            "The sensitive instructions of Robin and Irvine; each is run once by a tiny guest.",
        )

    def show(self, rows: tuple[HoleRow, ...]) -> None:
        """Show these."""
        self.show_rows(rows, tuple(rows[0].cells) if rows else ())

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, face and explanation of a cell."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if index.column() == 0:
            return self._instruction(row, role)
        kind = self.kinds[index.column() - 1]
        cell, reference = row.cells[kind], index.column() == 1
        holed = cell.verdict in (Verdict.DIFFERS, Verdict.WRONG)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            if reference:
                return cell.seen
            if role == Qt.ItemDataRole.AccessibleTextRole:
                return f"{cell.verdict.phrase}: {cell.seen}"
            return f"{HOLE_MARK} {cell.seen}" if holed else f"{cell.verdict.phrase} · {cell.seen}"
        if role == Qt.ItemDataRole.ToolTipRole:
            what = "What the guest sees on the bare machine." if reference else cell.verdict.meaning
            return f"{row.instruction}\n{what}\nClick to load {row.guest} here, before this instruction."
        if role == Qt.ItemDataRole.FontRole:
            font = QFont(self._mono)
            font.setWeight(QFont.Weight.DemiBold if holed else QFont.Weight.Normal)
            return font
        return None

    def _instruction(self, row: HoleRow, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.instruction}\n{row.summary}"
        return self._mono if role == Qt.ItemDataRole.FontRole else None
