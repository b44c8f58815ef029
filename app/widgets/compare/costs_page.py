"""The page of prices: what each class of work costs on the chosen processor, and the person's own figures."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLabel, QPushButton, QVBoxLayout

from app.models.cost_book import CostBook
from app.models.cost_table_model import CPU, CYCLES, HEADINGS, KNOWN, SHIPPED, SOURCE, WORK, CostTableModel
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.compare.export import Table
from app.widgets.compare.page import Page
from app.widgets.fact_table import FactTable
from core.costs import Work

WIDTHS = {WORK: 120, CYCLES: 80, SHIPPED: 84, KNOWN: 120, CPU: 150}


class CostsPage(Page):
    """A table whose cycles can be edited, undone and put back."""

    name, title = "costs", "Costs"
    question = "What does each class of work cost, and how well is that known?"

    def __init__(self, book: CostBook, theme: Theme) -> None:
        super().__init__()
        self._book = book
        self.model = CostTableModel(book, theme.type.mono())
        self.prices = FactTable(self.model, "Prices of work, in modelled cycles")
        self.prices.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)  # one cell is edited
        header = self.prices.horizontalHeader()
        for column, width in WIDTHS.items():
            header.resizeSection(column, width)
        header.setSectionResizeMode(SOURCE, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.undo = QPushButton("Undo")
        self.redo = QPushButton("Redo")
        self.reset = QPushButton("Back to shipped")
        self.reset.setToolTip("Take all of your own figures of this processor away; this can be undone.")
        stack = book.undo_stack
        self.undo.clicked.connect(stack.undo)
        self.redo.clicked.connect(stack.redo)
        self.reset.clicked.connect(book.reset)
        book.changed.connect(self._refresh)
        stack.indexChanged.connect(self._refresh)
        self.words = QLabel()
        self.words.setProperty("role", "quiet")
        self.words.setWordWrap(True)
        top = QHBoxLayout()
        top.setSpacing(8)
        for button in (self.undo, self.redo, self.reset):
            top.addWidget(button)
        top.addWidget(self.words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.prices, 1)
        self.apply_theme(theme)
        self._refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.model.set_font(theme.type.mono())
        self.prices.set_row_height(theme.type.row_height(Size.BODY))

    def table(self) -> Table:
        """Every price."""
        yield [self._book.chosen.title, *HEADINGS[1:]]
        for work in Work:
            price = self._book.price(work)
            shipped = self._book.shipped(work).cycles
            yield [work.value, price.cycles, shipped, price.known.value, price.cpu, price.source]

    def _refresh(self) -> None:
        stack = self._book.undo_stack
        self.undo.setEnabled(stack.canUndo())
        self.undo.setToolTip(f"Undo {stack.undoText()}." if stack.canUndo() else "There is nothing to undo.")
        self.redo.setEnabled(stack.canRedo())
        self.reset.setEnabled(self._book.is_edited())
        self.words.setText(
            f"{self._book.chosen.title}. Published figures, none of them measured here. Double-click cycles to put "
            "your own in their place: all that is modelled follows at once."
        )
