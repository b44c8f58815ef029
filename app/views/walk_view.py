"""How is an address translated? Its page walk, entry by entry: the guest's tables beside those that the CPU walks."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.bit_table_model import BitTableModel
from app.models.entry_bits import EntryBit
from app.models.numerals import hexadecimal
from app.models.walk_table_model import WalkTableModel, bits_beside
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from app.views.walk_table import WalkTable
from app.widgets.address_field import AddressField
from app.widgets.fact_table import FactTable
from core.looks import Follow, Look, PageWalk
from core.snapshot import Snapshot

NARROW = 64  # letters of width under which the bits stand under the walk, not beside it


class WalkView(View):
    """An address over its walk; beside it, the chosen entry in words.

    lookChanged     another address is looked at
    bytesRequested  (Space, address) the person wants to see the bytes of an entry, or of the page
    """

    lookChanged = Signal()
    bytesRequested = Signal(object, object)

    empty_text = "The page walk of an address will stand here, entry by entry. Choose a guest to power it on."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._walk: PageWalk | None = None
        self.model = WalkTableModel(self)
        self.bits = BitTableModel(theme.type.mono(Size.CAPTION), self)
        self.address = AddressField(theme)
        self.address.chosen.connect(self.walk_to)
        self.address.refused.connect(lambda words: self.summary.setText(words))
        self.each = QToolButton(text="References")
        self.each.setCheckable(True)
        self.each.setToolTip("Every entry that the CPU reads to translate this address, in order.")
        self.each.toggled.connect(self._show_walk)
        self.summary = QLabel()
        self.summary.setProperty("role", "quiet")
        self.summary.setWordWrap(True)
        self.table = WalkTable(self.model, theme)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._explain())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._offer_menu)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bit_table = _bit_table(self.bits)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        row.addWidget(self.address)
        row.addWidget(self.each)
        row.addStretch(1)
        beside = QWidget()
        column = QVBoxLayout(beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.words)
        column.addWidget(self.bit_table, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(beside)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([560, 440])
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(self.summary)
        layout.addWidget(self.splitter, 1)
        self.setFocusProxy(self.table)
        self.set_content(content)
        self.apply_theme(theme)

    # -- what is looked at

    @property
    def look(self) -> Look:
        """The walk of the chosen address."""
        return Look(walk=self.address.where)

    def walk_to(self, where: int | Follow) -> None:
        """Show the walk of that address."""
        self.address.go(where)
        self.lookChanged.emit()

    # -- what the window says

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine; the symbols are this program's."""
        self.address.set_symbols(loaded.program.symbols)
        self._walk = None
        self.model.show(None)
        self.set_empty(True)

    def point_at(self, anchor: str) -> None:
        """Go to that label of the guest."""
        address = self.address.address_of(anchor)
        if address is not None:
            self.walk_to(address)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the walk as it is now."""
        walk = snapshot.seen.walk
        if walk is None:
            return
        self._walk = walk
        self.address.show_address(walk.linear)
        self.each.setText(_count(walk))
        self._show_walk()
        self.set_empty(False)

    def _show_walk(self) -> None:
        walk = self._walk
        if walk is None:
            return
        self.model.show(walk, by_reference=self.each.isChecked())
        if not self.table.currentIndex().isValid():
            self.table.selectRow(max(0, len(self.model.rows) - 5))
        self.summary.setText(_sum(walk) if self.each.isChecked() else _summary(walk))
        self._explain()

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.address.apply_theme(theme)
        self.table.apply_theme(theme)
        self.bits.set_font(theme.type.mono(Size.CAPTION))
        self.bit_table.set_row_height(theme.type.row_height(Size.CAPTION) - theme.space(1))
        self.summary.setFont(theme.type.sans(Size.CAPTION))
        self.summary.setContentsMargins(theme.space(2), 0, theme.space(2), theme.space(1))
        self.each.setFont(theme.type.sans(Size.CAPTION))
        self.words.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW * self.table.delegate.letter
        orientation = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if orientation != self.splitter.orientation():
            self.splitter.setOrientation(orientation)
            self.splitter.setSizes([600, 400])

    def menu_of(self, row: int, table: int) -> QMenu | None:
        """What can be done with a cell of the `table`-th tables: its bytes can be shown."""
        walk = self.model.walk
        if walk is None or not 0 <= row < len(self.model.rows) or table < 0:
            return None
        tables = (walk.guest, *walk.real)[table]
        entry = self.model.rows[row].cells[table].entry
        place = (
            entry.address if entry is not None else tables.reached if self.model.rows[row].name == "Address" else None
        )
        if place is None:
            return None
        space = tables.space if entry is not None else tables.result
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        show = menu.addAction(f"Bytes at {space.value} {hexadecimal(place)}")
        show.triggered.connect(lambda: self.bytesRequested.emit(space, place))
        return menu

    # -- inside

    def _offer_menu(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        menu = self.menu_of(index.row(), index.column() - 1)
        if menu is not None:
            menu.popup(self.table.viewport().mapToGlobal(at))

    def _explain(self) -> None:
        """Say what the chosen row holds: an entry bit by bit, other rows in sentences."""
        at = self.table.currentIndex().row()
        if not 0 <= at < len(self.model.rows):
            self.words.setText("")
            self._show_bits((), ())
            return
        row = self.model.rows[at]
        titles = tuple(heading for heading, _ in self.model.headings[1:])
        sides = bits_beside(row)
        if self.model.by_reference and any(sides):  # one entry alone
            titles = tuple(title for title, side in zip(titles, sides, strict=True) if side)
            sides = tuple(side for side in sides if side)
        self._show_bits(sides, titles)
        self.bit_table.setVisible(any(sides))
        remarks = [cell.entry.remark for cell in row.cells if cell.entry is not None and cell.entry.remark]
        sentences = remarks if any(sides) else [cell.explanation for cell in row.cells if cell.explanation]
        self.words.setText("\n".join(sentences))
        self.words.setVisible(bool(sentences))

    def _show_bits(self, sides: tuple[tuple[EntryBit, ...], ...], titles: tuple[str, ...]) -> None:
        self.bits.show(sides, titles)
        header = self.bit_table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)


def _count(walk: PageWalk) -> str:
    count = len(walk.references)
    return f"{count} reference" if count == 1 else f"{count} references"


def _sum(walk: PageWalk) -> str:
    """The references by the tables that they are made to."""
    tables = (walk.guest, *walk.real)
    counts = [sum(each.table == number for each in walk.references) for number in range(len(tables))]
    parts = [f"{count} to the {table.title.lower()}" for count, table in zip(counts, tables, strict=True)]
    return f"{_count(walk)}: {', '.join(parts)}."


def _summary(walk: PageWalk) -> str:
    """Where the address leads, in one line."""
    linear, guest = hexadecimal(walk.linear), walk.guest
    if guest.reached is None:
        return f"{linear} leads nowhere: " + (guest.attempts[0].why if guest.attempts else guest.note)
    if not guest.paging:
        start = f"Paging is off: {linear} is guest-physical"
    else:
        start = f"{linear} → guest-physical {hexadecimal(guest.reached)}"
    if walk.host is None:
        return f"{start}, where no memory of the VM is."
    machine = f"{start} → host-physical {hexadecimal(walk.host)}"
    lags = any(entry.lags for table in walk.real for entry in table.entries)
    return f"{machine}. ≠ marks what the shadow does not hold yet." if lags else f"{machine}."


def _bit_table(model: BitTableModel) -> FactTable:
    table = FactTable(model, "The chosen entry, bit by bit")
    table.setMinimumHeight(8)  # the words above it go first
    header = table.horizontalHeader()
    header.setSectionsClickable(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    return table


VIEW = ViewSpec(
    id="walk",
    title="Page walk",
    question="How does an address find its byte, and what would stop it on the way?",
    area=Area.CENTRE,
    order=25,
    make=WalkView,
)
