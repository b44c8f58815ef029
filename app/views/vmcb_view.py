"""Why does the guest leave guest mode, and with what? The control block of AMD-V, with its intercepts as switches."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QLabel, QSplitter, QVBoxLayout, QWidget

from app.models.intercept_model import InterceptModel
from app.models.vmcb_model import BEFORE, NAME, ROWS, VALUE, VmcbModel
from app.theme import Theme
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.fact_table import GAP, FactTable
from core.looks import Look
from core.snapshot import Snapshot
from core.vmm.intercepts import INTERCEPTS
from core.vmm.vmcb import Area as VmcbArea

NO_VMCB = (
    "This kind of monitor uses no guest mode, so there is no control block. Load a guest under “Hardware-assisted "
    "(AMD-V)”, and here you will see why it leaves guest mode, and can choose what makes it leave."
)
NO_EXIT_YET = "The guest has not left guest mode yet: step or run it."
NAME_LETTERS, VALUE_LETTERS = 13.5, 9  # a value of 64 bits has room once the person makes it
SWITCH_LETTERS, NARROW = 15, 100
WHEN = 1  # column of the intercepts
FIELD_ROWS = {each.name: row for row, each in enumerate(ROWS) if not isinstance(each, VmcbArea)}
INTERCEPT_ROWS = {each.name: row for row, each in enumerate(INTERCEPTS)}


class VmcbView(View):
    """Fields on the left, intercepts on the right, and over them the last exit in words."""

    interceptFlipped = Signal(int, bool)
    fieldEdited = Signal(str, object)
    lookChanged = Signal()

    empty_text = NO_VMCB

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.fields = VmcbModel(theme.type.mono())
        self.intercepts = InterceptModel()
        self.headline = QLabel()
        self.headline.setWordWrap(True)
        self.field_table = FactTable(self.fields, "Fields of the control block")
        self.intercept_table = FactTable(self.intercepts, "Intercepts")
        for table in (self.field_table, self.intercept_table):
            table.horizontalHeader().setStretchLastSection(True)
        for row, each in enumerate(ROWS):
            if isinstance(each, VmcbArea):
                self.field_table.setSpan(row, NAME, 1, self.fields.columnCount())
        self.fields.edited.connect(self.fieldEdited)
        self.fields.wrong.connect(self.headline.setText)
        self.intercepts.flipped.connect(self.interceptFlipped)
        self.field_table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.halves = halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(self.field_table)
        halves.addWidget(self.intercept_table)
        halves.setChildrenCollapsible(False)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.headline)
        layout.addWidget(halves, 1)
        self.set_content(content)
        self.setAccessibleName("VMCB")
        self._fit()

    @property
    def look(self) -> Look:
        """The control block."""
        return Look(vmcb=True)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing is known of it yet."""
        self.set_empty(True, NO_VMCB)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the control block as the last exit left it."""
        seen = snapshot.seen.vmcb
        self.fields.show(seen)
        self.intercepts.show(seen)
        if seen is None:
            self.set_empty(True, NO_VMCB)
            return
        last = f"Last exit: {seen.exit}. Bold: changed by it." if seen.exit else NO_EXIT_YET
        self.headline.setText(f"VMCB of {snapshot.vm} at {seen.address:#010x}. {last}")
        self.set_empty(False)

    def point_at(self, anchor: str) -> None:
        """Select the field or the intercept of that name, and bring it into sight."""
        for table, names in ((self.field_table, FIELD_ROWS), (self.intercept_table, INTERCEPT_ROWS)):
            row = names.get(anchor)
            if row is not None:
                table.selectRow(row)
                table.scrollTo(table.model().index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.headline.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        self.fields.set_font(theme.type.mono())
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_space()

    def _share_space(self) -> None:
        """Where there is little room the meanings of fields have it, those of intercepts stand in their tooltips."""
        letter = QFontMetrics(self.theme.type.mono()).horizontalAdvance("0")
        narrow = self.width() < NARROW * letter
        if narrow != self.intercept_table.isColumnHidden(WHEN):
            self.intercept_table.setColumnHidden(WHEN, narrow)
            self.halves.setSizes([760, 240] if narrow else [600, 400])

    def _fit(self) -> None:
        for table in (self.field_table, self.intercept_table):
            table.set_row_height(self.theme.type.row_height())
        letter = QFontMetrics(self.theme.type.mono()).horizontalAdvance("0")
        self.field_table.resizeColumnToContents(NAME)
        for column, letters in ((NAME, NAME_LETTERS), (VALUE, VALUE_LETTERS), (BEFORE, VALUE_LETTERS)):
            self.field_table.setColumnWidth(column, round(letters * letter) + GAP)
        self.intercept_table.setColumnWidth(0, SWITCH_LETTERS * letter)


VIEW = ViewSpec(
    id="vmcb",
    title="VMCB",
    question="Why did the guest last leave guest mode, and what makes it leave?",
    area=Area.CENTRE,
    order=27,
    make=VmcbView,
    behind="walk",
)
