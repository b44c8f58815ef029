"""The code: the guest's source on the left, the same instructions disassembled on the right, in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSplitter, QVBoxLayout, QWidget

from app.models.image_listing import ImageListing
from app.models.listing_model import ListingModel
from app.models.numerals import address as address_text
from app.models.source_model import SourceModel
from app.theme import Theme
from app.theme.typography import Size
from app.views.code_delegate import ListingDelegate, SourceDelegate
from app.views.code_pane import CodePane
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.address_menu import offer_addresses
from core.events import EndHow
from core.snapshot import Snapshot

if TYPE_CHECKING:
    from core.guests.image import Program

NARROW = 52  # letters of width under which the source stands over the disassembly, not beside it


class CodeView(View):
    """Source and disassembly side by side; both follow the program counter, and each points at its part of the other.

    breakpointsChanged  (frozenset of addresses) the person set or cleared one
    runToRequested      (address) the person asked to run up to there
    cursorMoved         (address or None) the person chose another line
    walkRequested       (address) the person wants to see the page walk of an address that stands in the code
    bytesRequested      (Space, address) the person wants to see the bytes there
    writeSought        (Space, address) the person wants to go back to before the word there was last written
    writeAwaited       (Space, address) the person wants to run on until the word there is written
    """

    breakpointsChanged = Signal(object)
    runToRequested = Signal(object)
    cursorMoved = Signal(object)
    walkRequested = Signal(object)
    bytesRequested = Signal(object, object)
    writeSought = Signal(object, object)
    writeAwaited = Signal(object, object)

    empty_text = "The guest's code will stand here, its source beside its instructions. Choose a guest to load it."

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._loaded: Program | None = None  # the guest
        self._program: Program | None = None  # its code as the present address space shows it
        self._wanted: frozenset[int] | None = None  # breakpoints that the engine has not confirmed yet
        self._elsewhere: frozenset[int] = frozenset()  # breakpoints in another program, not shown but kept
        self._registers: dict[str, int] = {}
        self._cursor: int | None = None
        self.source_model, self.listing_model = SourceModel(self), ListingModel(self)
        self._source_delegate = SourceDelegate(self.source_model, theme)
        self._listing_delegate = ListingDelegate(self.listing_model, theme)
        self.source = CodePane(self.source_model, self._source_delegate)
        self.source.setAccessibleName("Source of the guest")
        self.listing = CodePane(self.listing_model, self._listing_delegate)
        self.listing.setAccessibleName("Disassembly")
        self.files = QComboBox()
        self.files.setAccessibleName("Source file")
        self.files.setToolTip("The source files this guest was assembled from.")
        self.files.currentIndexChanged.connect(self._show_file)
        self.files.hide()
        self.caption = QLabel("Disassembly")
        self._source_caption = QLabel("Source")
        self._heads = QWidget(), QWidget()
        self._source_part = _titled(self._heads[0], self.source, self._source_caption, self.files)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self._source_part)
        self.splitter.addWidget(_titled(self._heads[1], self.listing, self.caption))
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self._connect()
        self.setFocusProxy(self.listing)
        self.set_content(self.splitter)
        self.apply_theme(theme)

    # -- what the window says

    def show_program(self, loaded: Loaded) -> None:
        """Show the source of another guest; of the same one, keep what the person is looking at."""
        same = self._loaded == loaded.program
        self._loaded = self._program = loaded.program
        self._wanted = None
        self.listing_model.begin(ImageListing(loaded.program))
        self._fill_files(loaded.program, keep=same)
        if not same:
            self._set_cursor(None)
        self.source_model.set_current(None)
        self._elsewhere = frozenset()
        self._show_breakpoints(frozenset())
        self.set_empty(True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show where the CPU is, in both panes, and the program's source whose address space it is in."""
        self._take_program(snapshot)
        self._source_delegate.ring = self._listing_delegate.ring = snapshot.ring
        if self._wanted is None or self._wanted == snapshot.breakpoints:
            self._wanted, self._elsewhere = None, snapshot.elsewhere
            self._show_breakpoints(snapshot.breakpoints - snapshot.elsewhere)
        self._registers = {register.name: register.believed for register in snapshot.registers}
        ended = snapshot.end is not None
        self._source_delegate.ended = self._listing_delegate.ended = ended
        here = _last_instruction(snapshot) if ended else snapshot.pc
        self.listing_model.show(snapshot.listing, here, ended=ended)
        self._show_source_line(here)
        self.caption.setText(f"Disassembly · {'ended in ' if ended else ''}{self._place(here)}")
        self.set_empty(not snapshot.listing)
        self.listing.keep_current_in_sight()
        self.source.keep_current_in_sight()

    def show_address(self, address: int) -> None:
        """Show and select the instruction at `address`, and its source line."""
        row = self.listing_model.reveal(address)
        if row is not None:
            self.listing.choose(row)
            self.listing.show_row(row)
            self._choose_instruction(row)

    def follow(self) -> None:
        """Go back to the program counter in both panes."""
        self.listing.follow()
        self.source.follow()

    def point_at(self, anchor: str) -> None:
        """Show the instruction at that label of the guest."""
        address = self._program.symbols.get(anchor) if self._program is not None else None
        if address is not None:
            self.show_address(address)

    def refuse_breakpoints(self) -> None:
        """The engine did not take the breakpoints; the next snapshot shows those it has."""
        self._wanted = None

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        for caption in (self.caption, self._source_caption):
            caption.setFont(theme.type.sans(Size.CAPTION))
            caption.setProperty("role", "quiet")
            caption.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        self.files.setFont(theme.type.sans(Size.CAPTION))
        self._level_heads()
        self.source.apply_theme(theme)
        self.listing.apply_theme(theme)
        self.listing.setMinimumWidth(round(24 * self._listing_delegate.letter))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW * self._listing_delegate.letter
        orientation = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if orientation != self.splitter.orientation():
            self.splitter.setOrientation(orientation)
            self.splitter.setSizes([1000, 1000])

    # -- what the person does

    @property
    def cursor_address(self) -> int | None:
        """The instruction that the person chose last, in either pane."""
        return self._cursor

    def toggle_breakpoint(self, address: int | None = None) -> None:
        """Set or clear the breakpoint at `address`, or at the chosen line, or else where the CPU is."""
        target = address if address is not None else self._cursor if self._cursor is not None else self.listing_model.pc
        if target is None:
            return
        shown = self.listing_model.breakpoints ^ {target}
        self._wanted = (self._elsewhere - {target}) | shown
        self._show_breakpoints(shown)
        self.breakpointsChanged.emit(self._wanted)

    # -- inside

    def _connect(self) -> None:
        self.source.marginClicked.connect(self._click_source_margin)
        self.listing.marginClicked.connect(self._click_listing_margin)
        self.source.rowChosen.connect(self._choose_source_line)
        self.listing.rowChosen.connect(self._choose_instruction)
        self.source.customContextMenuRequested.connect(lambda at: self._offer_menu(self.source, at))
        self.listing.customContextMenuRequested.connect(lambda at: self._offer_menu(self.listing, at))

    def _click_listing_margin(self, row: int) -> None:
        address = self.listing_model.address_of(row)
        if address is not None:
            self.toggle_breakpoint(address)

    def _click_source_margin(self, row: int) -> None:
        coded = self.source_model.next_coded(row)
        if coded is None:
            return
        held = self.listing_model.breakpoints.intersection(self.source_model.addresses(coded))
        self.toggle_breakpoint(min(held) if held else self.source_model.addresses(coded)[0])

    def _choose_source_line(self, row: int) -> None:
        addresses = self.source_model.addresses(row)
        self.source_model.set_linked(None)
        self.listing_model.set_linked(frozenset(addresses))
        self._set_cursor(addresses[0] if addresses else None)
        if addresses:
            shown = self.listing_model.reveal(addresses[0])
            if shown is not None:
                self.listing.show_row(shown)

    def _choose_instruction(self, row: int) -> None:
        address = self.listing_model.address_of(row)
        self.listing_model.set_linked(frozenset())
        self._set_cursor(address)
        place = self._program.line_at(address) if self._program and address is not None else None
        if place is None:
            self.source_model.set_linked(None)
            return
        self._open_file(place[0])
        self.source_model.set_linked(place[1] - 1)
        self.source.show_row(place[1] - 1)

    def _offer_menu(self, pane: CodePane, at: QPoint) -> None:
        row = pane.indexAt(at).row()
        if row < 0:
            return
        if pane is self.source:
            coded = self.source_model.addresses(row)
            address = coded[0] if coded else None
        else:
            address = self.listing_model.address_of(row)
        menu = QMenu(pane)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        run_to = menu.addAction("Run to here")
        toggle = menu.addAction("Clear breakpoint" if address in self.listing_model.breakpoints else "Set breakpoint")
        copy = menu.addAction("Copy line")
        run_to.setEnabled(address is not None)
        toggle.setEnabled(address is not None)
        run_to.triggered.connect(lambda: self.runToRequested.emit(address))
        toggle.triggered.connect(lambda: self.toggle_breakpoint(address))
        if address is not None:
            menu.addSeparator()
            offer_addresses(menu, self, self.listing_model.addresses_at(address, self._registers))
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(str(pane.model().index(row, 0).data())))
        menu.popup(pane.viewport().mapToGlobal(at))

    def _set_cursor(self, address: int | None) -> None:
        if address != self._cursor:
            self._cursor = address
            self.cursorMoved.emit(address)

    def _show_breakpoints(self, addresses: frozenset[int]) -> None:
        self.listing_model.set_breakpoints(addresses)
        self.source_model.set_breakpoints(addresses)

    def _show_source_line(self, here: int) -> None:
        place = self._program.line_at(here) if self._program is not None else None
        if place is None:
            self.source_model.set_current(None)
            return
        if self.source.following:
            self._open_file(place[0])
        self.source_model.set_current(place[1] - 1 if place[0] == self.source_model.name else None)

    def _take_program(self, snapshot: Snapshot) -> None:
        """Another of the guest's programs runs: its code stands where the former one's stood."""
        mapped = snapshot.guest_system.mapped if snapshot.guest_system is not None else None
        if self._loaded is None or mapped is None:
            return  # the guest's kernel alone: what was there before is as good
        code = self._loaded.seen_from(mapped.name)
        if code is self._program:
            return
        self._program = code
        self.listing_model.begin(ImageListing(code))
        self._fill_files(code)

    def _fill_files(self, program: Program, *, keep: bool = True) -> None:
        """Offer its files; `keep` showing the one that is shown if it is among them."""
        shown = self.files.currentText() if keep else ""
        names = [source.name for source in program.sources]
        self.files.blockSignals(True)
        self.files.clear()
        self.files.addItems(names)
        self.files.setCurrentIndex(names.index(shown) if shown in names else 0)
        self.files.blockSignals(False)
        self.files.setVisible(len(program.sources) > 1)
        self._source_part.setVisible(bool(program.sources))
        self._level_heads()
        self._show_file(self.files.currentIndex())  # the same lines may stand elsewhere in another program

    def _show_file(self, index: int) -> None:
        if self._program is None or not 0 <= index < len(self._program.sources):
            self.source_model.begin("", "", {})
            return
        source = self._program.sources[index]
        self._source_caption.setText("Source" if len(self._program.sources) > 1 else f"Source · {source.name}")
        self.source_model.begin(source.name, source.text, self._program.lines)

    def _level_heads(self) -> None:
        """Make both heads equally high, so that the first lines of both panes stand on one level."""
        several = not self.files.isHidden()
        height = self.files.sizeHint().height() + self.theme.space(1) if several else self.caption.sizeHint().height()
        for head in self._heads:
            head.setFixedHeight(height)

    def _open_file(self, name: str) -> None:
        at = self.files.findText(name)
        if at >= 0 and at != self.files.currentIndex():
            self.files.setCurrentIndex(at)

    def _place(self, pc: int) -> str:
        name = self._program.name_of(pc) if self._program is not None else ""
        return name or address_text(pc)


def _last_instruction(snapshot: Snapshot) -> int:
    """Where the run ended: a guest ends it by one instruction, OUT or HLT or a call of the hypervisor, and EIP is past
    it already; what an error ended is where EIP still is."""
    if snapshot.end is None or snapshot.end.how is EndHow.ERROR:
        return snapshot.pc
    before = (line.address for line in snapshot.listing if line.address + len(line.code) == snapshot.pc)
    return next(before, snapshot.pc)


def _titled(head: QWidget, pane: QWidget, *parts: QWidget) -> QWidget:
    """A pane under a head that holds `parts` in a row."""
    row = QHBoxLayout(head)
    row.setContentsMargins(0, 0, 0, 0)
    for one in parts:
        row.addWidget(one)
    row.addStretch()
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(head)
    column.addWidget(pane, 1)
    return whole


VIEW = ViewSpec(
    id="code",
    title="Code",
    question="Which instruction comes next, and what did the source say?",
    area=Area.CENTRE,
    order=0,
    make=CodeView,
)
