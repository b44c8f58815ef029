"""The page of Popek & Goldberg: three gauges for each kind, and below them what the pressed one rests on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.models.comparison import Comparison
from app.models.properties import Gauge, Property, gauges
from app.theme import Theme
from app.theme.typography import Size
from app.widgets.compare.export import Table
from app.widgets.compare.gauge_button import GaugeButton
from app.widgets.compare.page import Page
from core.vmm import kinds

PRESS = "Press a gauge to see what it rests on."
NOTHING = "Press Compare: each kind is judged by the three properties that Popek and Goldberg asked for in 1974."


class PropertiesPage(Page):
    """A grid of gauges.

    placeWanted         (guest, kind, executed) the person wants to stand where a property breaks
    instructionsWanted  (kind) the person wants to see the instructions that a gauge counted
    """

    name, title = "properties", "Popek && Goldberg"
    question = "Is it a virtual machine monitor by the definition of 1974?"
    placeWanted = Signal(str, str, object)
    instructionsWanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._comparison: Comparison | None = None
        self.buttons: list[GaugeButton] = []
        self._chosen: Gauge | None = None
        self._area = QScrollArea()
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its gauges have it
        self._area.setWidgetResizable(True)
        self.evidence = QLabel(NOTHING)
        self.evidence.setWordWrap(True)
        self.evidence.setAccessibleName("What the gauge rests on")
        self.lead = QPushButton()
        self.lead.clicked.connect(self._follow)
        self.lead.hide()
        foot = QHBoxLayout()
        foot.setSpacing(12)
        told = QScrollArea()
        told.setWidget(self.evidence)
        told.setAccessibleName("What the gauge rests on, to be scrolled")
        told.setWidgetResizable(True)
        told.setMinimumHeight(theme.type.row_height())
        told.setMaximumHeight(3 * theme.type.row_height())
        self._area.setMinimumHeight(theme.type.row_height())
        foot.addWidget(told, 1)
        foot.addWidget(self.lead)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(8)
        layout.addWidget(self._area, 1)
        layout.addLayout(foot)

    def show_comparison(self, comparison: Comparison) -> None:
        """A row of gauges for each kind."""
        self._comparison = comparison
        self._chosen = None
        self.buttons = []
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for column, each in enumerate(Property, 1):
            heading = QLabel(each.phrase)
            heading.setToolTip(each.meaning)
            heading.setFont(self._theme.type.sans(Size.CAPTION, bold=True))
            grid.addWidget(heading, 0, column)
            grid.setColumnStretch(column, 1)
        for row, (measured, three) in enumerate(gauges(comparison), 1):
            title = kinds()[measured.kind].title
            name = QLabel(title)
            name.setWordWrap(True)
            name.setMaximumWidth(self._theme.type.pixels(150))
            grid.addWidget(name, row, 0)
            for column, gauge in enumerate(three, 1):
                button = GaugeButton(gauge, title, self._theme)
                button.clicked.connect(lambda _checked=False, gauge=gauge: self.explain(gauge))
                self.buttons.append(button)
                grid.addWidget(button, row, column)
        grid.setRowStretch(len(comparison.results) + 1, 1)
        self._area.setWidget(holder)
        self._area.setVisible(bool(self.buttons))
        self.evidence.setText(PRESS if self.buttons else NOTHING)
        self.lead.hide()

    def explain(self, gauge: Gauge) -> None:
        """Tell what a gauge rests on, and offer the way there."""
        self._chosen = gauge
        self.evidence.setText(gauge.evidence)
        if gauge.place is not None:
            self.lead.setText("Go there")
            self.lead.setToolTip(
                "Load the guest under this kind and stop before the instruction that makes the difference."
            )
        elif gauge.property is not Property.EQUIVALENCE:
            self.lead.setText("Show the instructions")
            self.lead.setToolTip("The guest's instructions that left direct execution, with how often each did.")
        self.lead.setVisible(gauge.place is not None or gauge.property is not Property.EQUIVALENCE)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self._theme = theme
        if self._comparison is not None:
            self.show_comparison(self._comparison)

    def table(self) -> Table:
        """Every gauge with its evidence."""
        yield ["kind", "property", "found", "detail", "evidence"]
        for button in self.buttons:
            gauge = button.gauge
            yield [gauge.kind, gauge.property.value, gauge.headline, gauge.detail, gauge.evidence]

    def _follow(self) -> None:
        gauge = self._chosen
        if gauge is None:
            return
        if gauge.place is not None:
            self.placeWanted.emit(gauge.place.guest, gauge.place.kind, gauge.place.executed)
        else:
            self.instructionsWanted.emit(gauge.kind)
