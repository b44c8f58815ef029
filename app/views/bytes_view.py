"""Which bytes stand at an address? Memory in hexadecimal, by any of the three kinds of address, live."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.models.byte_window import ByteWindow
from app.models.numerals import hexadecimal
from app.theme import Theme
from app.theme.typography import Size
from app.views.byte_pane import BytePane
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.address_field import AddressField
from core.looks import Follow, Look, Space, Span
from core.snapshot import Snapshot

MARGIN = 512  # bytes looked at beyond those in sight, so that scrolling finds them there
BEFORE = 64  # bytes shown before what a register points at
SPACES = {
    Space.LINEAR: "Linear: as the guest's code sees memory, through its page tables.",
    Space.PHYSICAL: "Guest-physical: the VM's memory, as the guest's page tables mean it.",
    Space.HOST: "Host-physical: the machine's memory, with all VMs and monitors in it.",
}


class BytesView(View):
    """An address over the bytes that stand there.

    lookChanged    other bytes are looked at
    addressPicked  (address) the person chose a byte, by its linear address
    walkRequested  (address) the person wants to see the walk of that linear address
    gotoRequested  (address) the person wants to see the code there
    writeSought    (space, address) the person wants to go back to before the word there was last written
    writeAwaited   (space, address) the person wants to run on until the word there is written
    bytesEdited    (space, address, bytes) the person wants other bytes to stand there
    """

    lookChanged = Signal()
    addressPicked = Signal(object)
    walkRequested = Signal(object)
    gotoRequested = Signal(object)
    bytesEdited = Signal(object, object, object)
    writeSought = Signal(object, object)
    writeAwaited = Signal(object, object)

    empty_text = "The bytes of memory will stand here, as they are now. Choose a guest to power it on."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.window_ = ByteWindow()
        self._program: Loaded | None = None
        self._asked: Span | None = None
        self.spaces = QComboBox()
        self.spaces.setAccessibleName("Kind of address")
        for space, tip in SPACES.items():
            self.spaces.addItem(space.value, space)
            self.spaces.setItemData(self.spaces.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.spaces.setToolTip("\n".join(SPACES.values()))
        self.spaces.currentIndexChanged.connect(self._look)
        self.address = AddressField(theme)
        self.address.chosen.connect(self._go)
        self.address.refused.connect(lambda words: self.words.setText(words))
        self.words = QLabel()
        self.words.setProperty("role", "quiet")
        self.words.setWordWrap(True)
        self.pane = BytePane(self.window_, theme)
        self.pane.scrolled.connect(self._scrolled)
        self.pane.chosen.connect(self._pick)
        self.pane.typed.connect(lambda address, byte: self.bytesEdited.emit(self.space, address, bytes([byte])))
        self.pane.menuWanted.connect(lambda address, at: self.menu_of(address).popup(at))
        head = QHBoxLayout()
        head.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        head.setSpacing(theme.space(2))
        head.addWidget(self.spaces)
        head.addWidget(self.address)
        head.addWidget(self.words, 1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.pane, 1)
        self.setFocusProxy(self.pane)
        self.set_content(content)
        self.apply_theme(theme)

    # -- what is looked at

    @property
    def space(self) -> Space:
        """The kind of address that is shown."""
        return Space(self.spaces.currentData())

    @property
    def look(self) -> Look:
        """The bytes in sight, and some around them."""
        where, size = self.address.where, self.pane.size_in_sight
        if isinstance(where, Follow):
            return Look(span=Span(self.space, -BEFORE - MARGIN, size + 2 * MARGIN, where))
        start = max(0, self.pane.top - MARGIN)
        return Look(span=Span(self.space, start, self.pane.top - start + size + MARGIN))

    def show_bytes(self, space: Space, address: int | Follow) -> None:
        """Show what stands at that address."""
        self.spaces.setCurrentIndex(self.spaces.findData(space))
        self.address.go(address)
        self._go(address)

    # -- what the window says

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine; the symbols are this program's."""
        self._program = loaded
        self.window_.clear()
        self.address.set_symbols(loaded.program.symbols)
        self.words.setText("")
        self.set_empty(True)

    def point_at(self, anchor: str) -> None:
        """Go to that label of the guest."""
        address = self.address.address_of(anchor)
        if address is not None:
            self.show_bytes(Space.LINEAR, address)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the bytes as they are now."""
        seen = snapshot.seen.bytes
        if seen is None:
            return
        self.pane.ring = snapshot.ring
        self.window_.show(seen, snapshot)
        where = self.address.where
        if isinstance(where, Follow):
            at = seen.pc if where is Follow.EIP else seen.stack
            if at is not None:
                self.address.show_address(at)
                self._keep_in_sight(at)
        self.pane.viewport().update()
        if self.pane.cursor_address is not None:
            self._tell(self.pane.cursor_address)
        self.set_empty(False)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.spaces.setFont(theme.type.sans(Size.CAPTION))
        self.words.setFont(theme.type.sans(Size.CAPTION))
        self.address.apply_theme(theme)
        self.pane.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look()

    # -- inside

    def _keep_in_sight(self, at: int) -> None:
        """While a register is followed: its byte stands in the upper rows, and rows move only when it leaves them."""
        offset = at - self.pane.top
        if not 0 <= offset < self.pane.size_in_sight * 3 // 4:
            self.pane.show_from(max(0, at - BEFORE))

    def _go(self, where: int | Follow) -> None:
        if not isinstance(where, Follow):
            self.pane.show_from(where)
            self.pane.put_cursor(where)
        self._look()

    def _scrolled(self) -> None:
        """Whoever scrolls a register out of sight follows it no longer."""
        where, seen = self.address.where, self.window_.seen
        at = (seen.pc if where is Follow.EIP else seen.stack) if seen is not None else None
        if isinstance(where, Follow):
            if at is not None and 0 <= at - self.pane.top < self.pane.size_in_sight:
                return
            self.address.go(self.pane.top)
        else:
            self.address.go(self.pane.top)
        if not self.window_.covers(self.space, self.pane.top, self.pane.size_in_sight):
            self._look()

    def _look(self) -> None:
        wanted = self.look.span
        if wanted != self._asked:
            self._asked = wanted
            self.lookChanged.emit()

    # -- the person

    def _pick(self, address: int) -> None:
        self._tell(address)
        if self.space is Space.LINEAR:
            self.addressPicked.emit(address)

    def _tell(self, address: int) -> None:
        symbol = self._program.program.name_of(address) if self._program and self.space is Space.LINEAR else ""
        self.words.setText(self.pane.describe(address) + (f" {symbol}" if symbol else ""))

    def menu_of(self, address: int) -> QMenu:
        """What can be done with a byte."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        word, byte = self.window_.word(address), self.window_.byte(address)
        if self.space is Space.LINEAR:
            menu.addAction(f"Page walk of {hexadecimal(address)}").triggered.connect(
                lambda: self.walkRequested.emit(address)
            )
            menu.addAction("Show the code here").triggered.connect(lambda: self.gotoRequested.emit(address))
        if word is not None:
            there = menu.addAction(f"Go to the address that stands here, {hexadecimal(word)}")
            there.triggered.connect(lambda: self.show_bytes(self.space, word))
            if self.space is not Space.HOST:
                back = menu.addAction("Back to the last write to this word")
                back.triggered.connect(lambda: self.writeSought.emit(self.space, address))
                on = menu.addAction("On to the next write to this word")
                on.triggered.connect(lambda: self.writeAwaited.emit(self.space, address))
            copy = menu.addAction("Copy the word")
            copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(f"{word:08X}"))
        if byte is not None:
            menu.addAction("Copy the byte").triggered.connect(
                lambda: QGuiApplication.clipboard().setText(f"{byte:02X}")
            )
        return menu


VIEW = ViewSpec(
    id="bytes",
    title="Bytes",
    question="Which bytes stand at an address, and which have just changed?",
    area=Area.BOTTOM,
    order=40,
    make=BytesView,
)
