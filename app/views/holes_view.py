"""Which instructions deceive a guest, and under which monitor? Measured now, by a tiny guest for each."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QPushButton, QVBoxLayout
from PySide6.QtWidgets import QWidget as Widget

from app.models.hole_table_model import HoleRow, HoleTableModel
from app.theme import Theme
from app.views.view import Area, View, ViewSpec
from app.widgets.empty_state import EmptyState
from app.widgets.fact_table import FactTable
from core.hole_table import Verdict

NOT_MEASURED = "Nothing is measured yet."
WHAT_WILL_BE = (
    "Press Measure: a tiny guest for each sensitive instruction of x86 is run on the bare machine and under every kind "
    "of monitor. ≠ will mark what a guest sees wrongly, and nobody hears of."
)


class HolesView(View):
    """A button and what was found over the table; the machine in the window is left alone.

    measureWanted  the person wants the table measured
    startWanted    (guest, kind, address) the person wants that guest loaded under that kind, up to that instruction
    """

    measureWanted = Signal()
    startWanted = Signal(str, str, object)

    def __init__(self, theme: Theme, parent: Widget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = HoleTableModel(theme.type.mono())
        self.measure = QPushButton("Measure")
        self.measure.setToolTip("Run every tiny guest under every kind; some seconds, beside the machine you see.")
        self.measure.clicked.connect(self.measureWanted)
        self.findings = QLabel(NOT_MEASURED)
        self.findings.setProperty("role", "quiet")
        self.findings.setWordWrap(True)
        self.findings.setAccessibleName("What was found")
        self.table = FactTable(self.model, "Sensitive instructions by kind of monitor")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)  # each is a guest under a kind
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.clicked.connect(self._start)
        self.table.activated.connect(self._start)
        self.table.hide()
        content = Widget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(8, 8, 8, 0)
        layout.setSpacing(8)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.measure)
        top.addWidget(self.findings, 1)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        self._filler = EmptyState(WHAT_WILL_BE, theme)
        layout.addWidget(self._filler, 1)
        self.set_content(content)
        self.set_empty(False)
        self.setFocusProxy(self.measure)
        self.setAccessibleName("Holes")
        self._fit()

    def show_measuring(self) -> None:
        """The table is being measured."""
        self.measure.setEnabled(False)
        self.findings.setText("Measuring: every tiny guest, under every kind …")

    def show_table(self, rows: tuple[HoleRow, ...]) -> None:
        """Show what was measured."""
        self.measure.setEnabled(True)
        self.measure.setText("Measure again")
        self.model.show(rows)
        self.findings.setText(_found(rows))
        self.table.setVisible(bool(rows))
        self._filler.setVisible(not rows)
        self._fit()

    def show_failure(self, words: str) -> None:
        """It could not be measured."""
        self.measure.setEnabled(True)
        self.findings.setText(words)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.model.set_font(theme.type.mono())
        self._filler.apply_theme(theme)
        self._fit()

    def _start(self, index: QModelIndex) -> None:
        row = self.model.rows[index.row()]
        kind = self.model.kinds[max(index.column() - 1, 0)]
        self.startWanted.emit(row.guest, kind, row.address)

    def _fit(self) -> None:
        self.table.set_row_height(self.theme.type.row_height())
        self.table.resizeColumnsToContents()


def _found(rows: tuple[HoleRow, ...]) -> str:
    """How many differ, under which kind; what to do next."""
    said = []
    for kind in rows[0].cells if rows else ():
        wrong = sum(row.cells[kind].verdict in (Verdict.DIFFERS, Verdict.WRONG) for row in rows)
        if wrong:
            said.append(f"{wrong} of {len(rows)} silently differ (≠) under {kind.replace('_', '-')}")
    words = "; ".join(said) if said else f"None of {len(rows)} differs"
    return f"{words}. Click a cell to step through it."


VIEW = ViewSpec(
    id="holes",
    title="Holes",
    question="Which instructions deceive a guest, and under which monitor?",
    area=Area.CENTRE,
    order=30,
    make=HolesView,
)
