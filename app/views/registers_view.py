"""The registers: what the guest believes beside what the CPU holds."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from app.models.named_addresses import NamedAddress, address_held
from app.models.numerals import ring_name
from app.models.register_table_model import RegisterRow, RegisterTableModel
from app.theme import Theme
from app.views.register_table import RegisterTable
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.address_menu import offer_addresses
from core.snapshot import Snapshot
from lessons.laboratory import REGISTER_FIELDS


class RegistersView(View):
    """A table in groups; a dot marks what changed, ≠ what the guest is wrong about.

    addressPicked   (address) the person chose a register that holds an address
    walkRequested   (address) the person wants to see its page walk
    bytesRequested  (Space, address) the person wants to see the bytes there
    writeSought     (Space, address) the person wants to go back to before the word there was last written
    writeAwaited    (Space, address) the person wants to run on until the word there is written
    registerEdited  (name, value) the person wants a register to hold another value
    """

    addressPicked = Signal(object)
    walkRequested = Signal(object)
    bytesRequested = Signal(object, object)
    writeSought = Signal(object, object)
    writeAwaited = Signal(object, object)

    registerEdited = Signal(str, object)

    empty_text = "The guest's registers will stand here beside the CPU's own. Choose a guest to power it on."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = RegisterTableModel(self)
        self.summary = QLabel()
        self.summary.setProperty("role", "quiet")
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName("How belief and truth compare")
        self.table = RegisterTable(self.model, theme)
        self.table.selectionModel().currentRowChanged.connect(self._pick)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._offer_menu)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setSpacing(0)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.summary)
        layout.addWidget(self.table)
        self.model.edited.connect(self.registerEdited)
        self.model.wrong.connect(self.summary.setText)
        self.setFocusProxy(self.table)
        self.set_content(content)
        self.apply_theme(theme)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the registers of this moment."""
        self.table.delegate.ring = snapshot.ring
        self.model.show(snapshot)
        self.table.fit_rows()
        self.summary.setText(self._summary(snapshot))
        wrong = ", ".join(register.name for register in snapshot.registers if register.differs)
        self.summary.setToolTip(f"What the guest believes and the CPU holds differ (≠) in {wrong}." if wrong else "")
        self.set_empty(not snapshot.registers)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing has changed yet."""
        self.model.clear()
        self.set_empty(True)

    def point_at(self, anchor: str) -> None:
        """Select the register of that name, or the one that the field of that name is in, and bring it into sight."""
        row = self.model.row_of(REGISTER_FIELDS[anchor][0] if anchor in REGISTER_FIELDS else anchor)
        if row is not None:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0))

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.summary.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        self.table.apply_theme(theme)

    def menu_of(self, row: int) -> QMenu | None:
        """Where the register in that row can lead; None if it holds no address."""
        held = self._held(row)
        if held is None:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        offer_addresses(menu, self, (held,))
        return menu

    def _held(self, row: int) -> NamedAddress | None:
        chosen = self.model.rows[row] if 0 <= row < len(self.model.rows) else None
        if not isinstance(chosen, RegisterRow):
            return None
        address = address_held(chosen.register)
        return NamedAddress(address, chosen.register.name) if address is not None else None

    def _pick(self, index: QModelIndex) -> None:
        held = self._held(index.row())
        if held is not None:
            self.addressPicked.emit(held.address)

    def _offer_menu(self, at: QPoint) -> None:
        menu = self.menu_of(self.table.indexAt(at).row())
        if menu is not None:
            menu.popup(self.table.viewport().mapToGlobal(at))

    def _summary(self, snapshot: Snapshot) -> str:
        differing = self.model.differing
        if not differing:
            return f"Ring {ring_name(snapshot.ring)}. The guest is right about every register."
        count = "1 register" if differing == 1 else f"{differing} registers"
        if snapshot.ring != snapshot.believed:
            return (
                f"The guest believes it runs in ring {ring_name(snapshot.believed)}; it runs in ring "
                f"{ring_name(snapshot.ring)}. It is wrong about {count}."
            )
        return f"Ring {ring_name(snapshot.ring)}. The guest is wrong about {count}."


VIEW = ViewSpec(
    id="registers",
    title="Registers",
    question="What does the guest believe its registers hold, and what does the CPU really hold?",
    area=Area.RIGHT,
    order=10,
    make=RegistersView,
)
