"""The page of the 2006 figure: the plot, the same as a table, and in words what is measured, modelled and reported."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
)

from app.models.comparison import Comparison
from app.models.count_table_model import CountTableModel
from app.models.figure import Figure
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.compare.export import Form, Paint, Table
from app.widgets.compare.log_bars import LogBars
from app.widgets.compare.page import Page
from app.widgets.fact_table import FactTable
from core.costs import CostModel
from core.nanobenchmarks import Nanobenchmarks

PICTURE = QSize(1120, 460)
NAME_WIDTH = 190
WHAT_IT_IS = (
    "Instructions and departures are measured here. Cycles are modelled from them. The lines are what Adams and Agesen "
    "reported in 2006 (recalled from the literature); their hardware had no nested paging, so it is beside AS. "
    "Two of our loops do more than theirs: syscall goes by INT, and pgfault clears the page it maps."
)


class FigurePage(Page):
    """A button over the plot.

    runWanted  () the person wants the nanobenchmarks run
    """

    name, title = "figure", "2006 figure"
    question = "What does each basic operation cost under each kind, and what did the paper of 2006 find?"
    forms = (Form.PNG, Form.SVG, Form.CSV)
    runWanted = Signal()

    def __init__(self, model: CostModel, theme: Theme) -> None:
        super().__init__()
        self.figure = Figure(model)
        self.run = QPushButton("Run")
        self.run.setToolTip("Run the seven nanobenchmarks under every kind; some seconds, beside the machine you see.")
        self.run.clicked.connect(self.runWanted)
        self.words = QLabel(WHAT_IT_IS)
        self.words.setWordWrap(True)
        self.words.setProperty("role", "quiet")
        self.plot = LogBars(theme)
        self.model = CountTableModel(theme.type.mono(Size.CAPTION), "A round")
        self.counts = FactTable(self.model, "Cycles a round by kind of monitor")
        self.counts.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.counts.setMinimumHeight(60)
        self.counts.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.exceptions = QLabel()
        self.exceptions.setWordWrap(True)
        self.exceptions.setAccessibleName("Where our order is not the paper's")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.plot)
        split.addWidget(self.counts)
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 3)
        split.setChildrenCollapsible(False)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.run)
        top.addWidget(self.words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.exceptions)
        layout.addWidget(split, 1)
        self.apply_theme(theme)
        self._refresh()

    def show_comparison(self, comparison: Comparison) -> None:
        """Only its prices matter here."""
        if comparison.model != self.figure.model:
            self.figure.model = comparison.model
            self._refresh()

    def begin(self) -> None:
        """They are being run."""
        self.figure.clear()
        self._refresh()

    def add(self, result: Nanobenchmarks) -> None:
        """One more kind has run them."""
        self.figure.add(result)
        self._refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.plot.apply_theme(theme)
        self.model.set_font(theme.type.mono(Size.CAPTION))
        self.counts.setFont(theme.type.sans(Size.CAPTION))
        self.words.setFont(theme.type.sans(Size.CAPTION))
        self.exceptions.setFont(theme.type.sans(Size.CAPTION))
        self.counts.set_row_height(theme.type.row_height(Size.CAPTION))

    def picture(self) -> tuple[Paint | None, QSize]:
        """The plot."""
        return self.plot.paint, PICTURE

    def table(self) -> Table:
        """Every figure, with its origin."""
        yield ["figure", "origin", *self.model.kinds]
        for row in self.model.rows:
            yield [row.name, row.origin, *(row.values.get(kind, "") for kind in self.model.kinds)]

    def _refresh(self) -> None:
        figure = self.figure
        self.plot.show_groups(tuple(figure.groups()), f"Modelled cycles a round · {figure.model.title} · logarithmic")
        there = bool(figure.results)
        self.model.show_rows(list(figure.count_rows()) if there else [], tuple(figure.results))
        self.counts.setVisible(there)
        if there:
            header = self.counts.horizontalHeader()
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(0, NAME_WIDTH)
        found = list(figure.exceptions())
        self.exceptions.setText("Not in the paper's order: " + " ".join(found) if found else "")
        self.exceptions.setVisible(bool(found))
