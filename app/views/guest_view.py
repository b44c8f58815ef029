"""What goes on inside the guest? Its processes, read from its own memory by its symbols; the guest is never asked."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.models.numerals import grouped
from app.models.process_table_model import COLUMNS, ProcessTableModel
from app.theme import Theme
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.fact_table import FactTable
from core.guest_system import GuestSystem
from core.snapshot import Snapshot

NOT_KNOWN = (
    "This guest keeps no processes that the lab knows how to read. Choose Pebble, and here you will see what its own "
    "tables say, read from outside."
)
NOT_YET = "The guest has not made a process yet. Press Run, and they appear here."


class GuestView(View):
    """A line about the system over a table of its processes."""

    empty_text = "Choose Pebble and press Run. Here you will see its processes, read from its own memory."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = ProcessTableModel(theme.type.mono())
        self.headline = QLabel()
        self.headline.setToolTip("Read from the guest's own variables; a tick is a hundredth of a second of its clock.")
        self.table = FactTable(self.model, "The guest's processes")
        self.table.horizontalHeader().setStretchLastSection(True)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.headline)
        layout.addWidget(self.table)
        self.set_content(content)
        self.setAccessibleName("Guest")
        self._fit()

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing is known of it yet."""
        self.model.show(())
        self.set_empty(True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the guest's records as they stand now."""
        system = snapshot.guest_system
        if system is None:
            self.set_empty(True, NOT_KNOWN)
        elif not system.processes:
            self.set_empty(True, NOT_YET)
        else:
            self.headline.setText(_headline(system))
            grown = len(system.processes) != self.model.rowCount()
            self.model.show(system.processes)
            if grown:
                self.table.resizeColumnsToContents()
            self.set_empty(False)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.headline.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        self.model.set_font(theme.type.mono())
        self._fit()

    def _fit(self) -> None:
        self.table.set_row_height(self.theme.type.row_height())
        for section in range(len(COLUMNS)):
            self.table.resizeColumnToContents(section)


def _headline(system: GuestSystem) -> str:
    count = len(system.processes)
    running = next((process for process in system.processes if process.current), None)
    now = f"{running.name} ({running.pid}) runs" if running is not None else "nobody runs: the guest is idle"
    processes = "1 process" if count == 1 else f"{count} processes"
    return f"{processes}, {now}. {grouped(system.ticks)} ticks, {grouped(system.free_frames)} frames free."


VIEW = ViewSpec(
    id="guest",
    title="Guest",
    question="What goes on inside the guest?",
    area=Area.BOTTOM,
    order=20,
    make=GuestView,
)
