"""The second page: which of the guest's instructions cost what, under each kind."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHBoxLayout, QHeaderView, QLabel, QTreeView, QVBoxLayout

from app.models.comparison import MEASURED, MODELLED, Comparison
from app.models.instruction_tree_model import InstructionTreeModel
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.compare.export import Table
from app.widgets.compare.page import Page

NAME_WIDTH, LEAST_NAME = 330, 180
KIND_WIDTH = 96


class InstructionsPage(Page):
    """A tree of functions and instructions.

    wanted  (guest, kind, pc) the person wants to stand before that instruction
    """

    name, title = "instructions", "By instruction"
    question = "Which of the guest's instructions cost what, under each kind?"
    wanted = Signal(str, str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.model = InstructionTreeModel(theme.type.mono(Size.CAPTION))
        self.tree = QTreeView()
        self.tree.setModel(self.model)
        self.tree.setAccessibleName("The guest's instructions by kind of monitor")
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setUniformRowHeights(True)
        self.tree.activated.connect(self._activate)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setDefaultSectionSize(KIND_WIDTH)
        self.what = QComboBox()
        self.what.addItem(f"Cycles ({MODELLED})", False)
        self.what.addItem(f"Counts ({MEASURED})", True)
        self.what.setAccessibleName("What the cells show")
        self.what.activated.connect(self._change)
        self.hint = QLabel(
            "Functions of both builds meet by name. Double-click an instruction to stand before it. "
            "What translating cost, before anything ran, is told of no instruction."
        )
        self.hint.setProperty("role", "quiet")
        self.hint.setWordWrap(True)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.what)
        top.addWidget(self.hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.tree, 1)
        self.apply_theme(theme)

    def show_comparison(self, comparison: Comparison) -> None:
        """Show every instruction that left direct execution."""
        open_ones = {
            self.model.functions[row].name
            for row in range(self.model.rowCount())
            if self.tree.isExpanded(self.model.index(row, 0))
        }
        self.model.show(comparison.instruction_rows(), tuple(comparison.results))
        for row, function in enumerate(self.model.functions):
            if function.name in open_ones:
                self.tree.expand(self.model.index(row, 0))
        header = self.tree.header()
        if header.count():
            header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
            self._share_width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """The names give way to whole headings of the kinds, as far as a name needs room itself."""
        header, kinds = self.tree.header(), len(self.model.kinds)
        if kinds and header.count() > kinds:
            heading = max(header.sectionSizeHint(section) for section in range(1, kinds + 1))
            rest = self.tree.viewport().width() - kinds * heading
            header.resizeSection(0, max(LEAST_NAME, min(NAME_WIDTH, rest)))

    def lead_to(self, kind: str) -> None:
        """Show how often each instruction left direct execution under `kind`, the most frequent in sight."""
        self.what.setCurrentIndex(1)
        self._change()
        if kind in self.model.kinds and self.model.functions:
            most = max(range(len(self.model.functions)), key=lambda at: self.model.functions[at].counts.get(kind, 0))
            index = self.model.index(most, 0)
            self.tree.expand(index)
            self.tree.setCurrentIndex(index.siblingAtColumn(self.model.kinds.index(kind) + 1))
            self.tree.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)
        self.tree.setFocus()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.model.set_font(theme.type.mono(Size.CAPTION))

    def table(self) -> Table:
        """Every instruction, counts before cycles."""
        kinds = self.model.kinds
        yield [
            "function", "instruction", "address", "place", "image",
            *(f"{kind} count" for kind in kinds), *(f"{kind} modelled cycles" for kind in kinds),
        ]  # fmt: skip
        for function in self.model.functions:
            for row in function.children:
                yield [
                    function.name, row.name, f"{row.pc:#010x}", row.place, row.guest,
                    *(row.counts.get(kind, 0) for kind in kinds), *(row.cycles.get(kind, 0) for kind in kinds),
                ]  # fmt: skip

    def _change(self) -> None:
        self.model.show_counts(bool(self.what.currentData(Qt.ItemDataRole.UserRole)))

    def _activate(self, index: QModelIndex) -> None:
        row = self.model.row_at(index)
        if not row.pc or not row.counts:
            return
        kind = self.model.kinds[index.column() - 1] if index.column() else ""
        self.wanted.emit(row.guest, kind if kind in row.counts else next(iter(row.counts)), row.pc)
