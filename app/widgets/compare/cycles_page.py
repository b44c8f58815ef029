"""The first page: bars of modelled cycles, and under each bar the counts it comes from."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout

from app.models.comparison import Comparison
from app.models.count_table_model import CountTableModel
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.compare.cycle_bars import CycleBars
from app.widgets.compare.export import Form, Paint, Table
from app.widgets.compare.page import Page
from app.widgets.fact_table import FactTable

LARGEST_GUTTER, GUTTER_SHARE = 220, 0.2
PICTURE = QSize(1120, 520)


class CyclesPage(Page):
    """The columns of the bars stand over those of the table."""

    name, title = "cycles", "Cycles and counts"
    question = "Where do the cycles go under each kind, and how often does what happen?"
    forms = (Form.PNG, Form.SVG, Form.CSV)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.bars = CycleBars(theme)
        self.model = CountTableModel(theme.type.mono(Size.CAPTION))
        self.counts = FactTable(self.model, "Counts by kind of monitor")
        self.counts.horizontalHeader().hide()  # the bars name the columns
        self.counts.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that the columns stay put
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.addWidget(self.bars)
        self.split.addWidget(self.counts)
        self.split.setStretchFactor(0, 5)
        self.split.setStretchFactor(1, 4)
        self.counts.viewport().installEventFilter(self)
        self.split.setChildrenCollapsible(False)
        self.counts.setMinimumHeight(60)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.split)
        self.apply_theme(theme)

    def show_comparison(self, comparison: Comparison) -> None:
        """Draw and count anew."""
        self.bars.show_columns(comparison.columns(), f"Modelled cycles · {comparison.model.title}")
        self.model.show_rows(comparison.count_rows() if comparison.results else [], tuple(comparison.results))
        self.counts.setVisible(bool(comparison.results))
        self._align()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        self.bars.apply_theme(theme)
        self.model.set_font(theme.type.mono(Size.CAPTION))
        self.counts.setFont(theme.type.sans(Size.CAPTION))
        self.counts.set_row_height(theme.type.row_height(Size.CAPTION))

    def picture(self) -> tuple[Paint | None, QSize]:
        """The bars."""
        return self.bars.paint, PICTURE

    def table(self) -> Table:
        """Every count, with its origin."""
        yield ["count", "origin", *self.model.kinds]
        for row in self.model.rows:
            yield [row.name, row.origin, *(row.values.get(kind, 0) for kind in self.model.kinds)]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Where the table has another width, the columns of both move."""
        if event.type() is QEvent.Type.Resize:
            self._align()
        return super().eventFilter(watched, event)

    def _align(self) -> None:
        columns = len(self.model.kinds)
        if not columns:
            return
        room = self.counts.viewport().width()
        gutter = min(round(self._theme.type.scale * LARGEST_GUTTER), round(room * GUTTER_SHARE))
        bar = self.width() - room
        each = (room - gutter) // columns
        header = self.counts.horizontalHeader()
        header.setMinimumSectionSize(20)
        header.resizeSection(0, gutter)
        for column in range(1, columns + 1):
            header.resizeSection(column, each)
        self.bars.set_gutter(gutter, bar)
