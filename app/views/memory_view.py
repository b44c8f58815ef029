"""What is memory used for, and where is it used now? Physical memory as a map of pages that glow when touched."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.heat import Access, Counters, Heat
from app.models.memory_map import MapMode, MemoryMap
from app.models.numerals import hexadecimal
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.legend import Legend
from app.widgets.map_colors import holder_colors, use_colors
from app.widgets.page_map import PageMap
from core.addresses import PAGE_SHIFT
from core.looks import Look, Space
from core.snapshot import Snapshot

FADE_MS = 33
WIDE = 1.3  # of the height, from which width on the legend stands beside the map
MODES = {
    MapMode.VM: "The VM's memory, page by guest-physical page: what the guest uses it for.",
    MapMode.MACHINE: "The machine's memory, frame by host-physical frame: whose it is.",
}
HEAT_NOTE = "Glow: what instructions read, write and execute. The CPU's own page walks are not counted."
HEATS: tuple[tuple[str, frozenset[Access]], ...] = (
    ("every access", frozenset(Access)),
    *((access.value, frozenset({access})) for access in Access),
    ("nothing", frozenset()),
)


class MemoryView(View):
    """The map over its legend; what the chosen page is stands beneath.

    lookChanged     another page is looked at
    bytesRequested  (Space, address) the person wants to see the bytes there
    walkRequested   (address) the person wants to see the walk of that linear address
    """

    lookChanged = Signal()
    bytesRequested = Signal(object, object)
    walkRequested = Signal(object)

    empty_text = (
        "A map of memory will stand here: what each page is used for, and where it is used now. Choose a guest."
    )

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(theme, parent)
        self.model, self.heat = MemoryMap(), Heat()
        self._clock = clock
        self._counters: Counters | None = None
        self._page: int | None = None
        self._hovered = -1
        self.map = PageMap(theme)
        self.map.hovered.connect(self._hover)
        self.map.chosen.connect(self._choose)
        self.map.opened.connect(self._open)
        self.map.menuWanted.connect(lambda cell, at: self.menu_of(cell).popup(at))
        self.legend = Legend(theme)
        self.legend.spotlit.connect(self.map.set_spotlight)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setAccessibleName("The chosen page")
        self.heat_note = QLabel(HEAT_NOTE)
        self.heat_note.setProperty("role", "quiet")
        self.heat_note.setWordWrap(True)
        self.modes = QButtonGroup(self)
        self.heats = QComboBox()
        self.whole = QToolButton()
        self.whole.setText("All of it")
        self.whole.setToolTip("Show all of memory. Otherwise the map ends after the last page in use, and is larger.")
        self.whole.setCheckable(True)
        self.whole.toggled.connect(self._show_whole)
        self._fading = QTimer(self, interval=FADE_MS)
        self._fading.timeout.connect(self._fade)
        self.set_content(self._build())
        self.setFocusProxy(self.map)
        self.apply_theme(theme)

    def _build(self) -> QWidget:
        head = QHBoxLayout()
        head.setContentsMargins(self.theme.space(2), self.theme.space(1), self.theme.space(2), self.theme.space(1))
        for number, (mode, tip) in enumerate(MODES.items()):
            button = QToolButton()
            button.setText(mode.value)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setChecked(mode is self.model.mode)
            self.modes.addButton(button, number)
            head.addWidget(button)
        self.modes.idClicked.connect(lambda number: self.set_mode(tuple(MODES)[number]))
        head.addWidget(self.whole)
        head.addStretch()
        self._heat_caption = QLabel("Glow")
        self._heat_caption.setProperty("role", "quiet")
        self._heat_caption.setBuddy(self.heats)
        self.heats.setAccessibleName("What glows")
        self.heats.setToolTip(
            "Pages glow when instructions read, write or execute there: counted by the probes, as it happens.\n"
            "What the CPU itself reads on a page walk is not counted: a page table glows when software touches it."
        )
        for name, of in HEATS:
            self.heats.addItem(name, of)
        self.heats.currentIndexChanged.connect(self._paint_glow)
        head.addWidget(self._heat_caption)
        head.addSpacing(self.theme.space(2))
        head.addWidget(self.heats)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        told = QWidget()
        lines = QVBoxLayout(told)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(self.words)
        lines.addWidget(self.legend)
        lines.addWidget(self.heat_note)
        lines.addStretch()
        beside = QScrollArea()
        beside.setWidget(told)
        beside.setWidgetResizable(True)
        beside.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        beside.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.setSpacing(0)
        self._body.addWidget(self.map, 1)
        self._body.addWidget(beside)
        column.addLayout(self._body, 1)
        return content

    # -- what is looked at

    @property
    def look(self) -> Look:
        """The map, and in it the chosen page."""
        return Look(map=True, page=self._page)

    def watch_counters(self, counters: Counters) -> None:
        """The probes' counters, which the engine writes while it runs."""
        self._counters = counters

    def set_mode(self, mode: MapMode) -> None:
        """Show the VM's memory or the machine's; the chosen page stays chosen."""
        self.model.mode = mode
        self.modes.button(tuple(MODES).index(mode)).setChecked(True)
        self.legend.spotlit.emit(None)
        self._place_again()

    def _show_whole(self, whole: bool) -> None:
        self.model.whole = whole
        self._place_again()

    def _place_again(self) -> None:
        """The cells have changed their places."""
        cell = self.model.cell_of(self._page) if self._page is not None else None
        self.map.choose(-1 if cell is None else cell)
        self._paint_map()
        self._paint_glow()
        self._tell()

    # -- what the window says

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing is known, nothing glows."""
        self.model.clear()
        self.heat.forget()
        self._page = None
        self.map.choose(-1)
        self.lookChanged.emit()
        self.set_empty(True)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the map as it is now, and let glow what was touched since the last look."""
        seen = snapshot.seen.map
        if seen is None:
            return
        if self.model.show(seen):
            self._paint_map()
        if self._counters is not None:
            self.heat.look(self._counters, self._clock())
            self._paint_glow()
            if not self.heat.steady:
                self._fading.start()
        self._tell()
        self.set_empty(False)

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`."""
        super().apply_theme(theme)
        self.heat.steady = theme.reduced_motion
        self.map.apply_theme(theme)
        self.legend.apply_theme(theme)
        caption = theme.type.sans(Size.CAPTION)
        for widget in (self.words, self.heat_note, self.heats, self._heat_caption, self.whole, *self.modes.buttons()):
            widget.setFont(caption)
        self.words.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        self.heat_note.setContentsMargins(theme.space(2), theme.space(2), theme.space(2), theme.space(1))
        self.words.setMinimumHeight(theme.type.row_height(Size.CAPTION) * 3)
        self._paint_map()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is width, the legend stands beside the map, else beneath it."""
        super().resizeEvent(event)
        wide = self.width() > self.height() * WIDE
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._body.setStretch(0, 3)
        self._body.setStretch(1, 2)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._fading.stop()

    # -- painting

    def _paint_map(self) -> None:
        seen = self.model.seen
        if seen is None:
            return
        palette = self.theme.palette
        machine = self.model.mode is MapMode.MACHINE
        colors = holder_colors(seen.holder_names, palette) if machine else use_colors(seen.legend, palette)
        self.map.show_cells(self.model.numbers, colors)
        self.legend.show_lines(self.model.legend(), colors)

    def _paint_glow(self) -> None:
        self.map.show_glow(self.heat.glow(self.heats.currentData(), self.model.frames))

    def _fade(self) -> None:
        if not self.heat.fade(self._clock()):
            self._fading.stop()
        self._paint_glow()

    # -- the person

    def _hover(self, cell: int) -> None:
        self._hovered = cell
        self._tell()

    def _choose(self, cell: int) -> None:
        self._page = self.model.page_of(cell)
        self.lookChanged.emit()
        self._tell()

    def _tell(self) -> None:
        """Say what is pointed at, or else chosen."""
        cell = self._hovered
        if cell < 0:
            cell = self.map.cell
        words = self.model.describe(cell, self._counters) or self.model.size_words()
        if words != self.words.text():
            self.words.setText(words)
        if cell == self.map.cell:
            self.map.setAccessibleDescription(words)

    def _open(self, cell: int) -> None:
        space = Space.HOST if self.model.mode is MapMode.MACHINE else Space.PHYSICAL
        self.bytesRequested.emit(space, cell << PAGE_SHIFT)

    def menu_of(self, cell: int) -> QMenu:
        """What can be done with a cell."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        show = menu.addAction(f"Bytes at {hexadecimal(cell << PAGE_SHIFT)}")
        show.triggered.connect(lambda: self._open(cell))
        for mapping in self.model.mappings(cell)[:6]:
            action = menu.addAction(f"Page walk of {hexadecimal(mapping.linear)} in {mapping.space}")
            action.triggered.connect(lambda _checked=False, linear=mapping.linear: self.walkRequested.emit(linear))
        return menu


VIEW = ViewSpec(
    id="memory",
    title="Memory",
    question="What is memory used for, whose is it, and where is it used now?",
    area=Area.CENTRE,
    order=10,
    make=MemoryView,
)
