"""What is in the translation cache, and does it pay? Its blocks as a map, the chains among them, and the counters."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.block_rows import NameOf
from app.models.cache_counters import CacheCountersModel
from app.models.numerals import grouped
from app.theme import Theme
from app.theme.typography import Size
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.block_chooser import block_title
from app.widgets.cache_map import CacheMap, Shade
from app.widgets.elided_label import ElidedLabel
from app.widgets.fact_table import FactTable
from app.widgets.share_bar import Share, ShareBar
from core.events import Ring
from core.looks import Look
from core.snapshot import Snapshot
from core.translations import CacheBlock, Ran, SeenCache, Switch

KIND = "translation"
LOW = 150  # pixels of height, at the usual size of type, under which the map has what room there is
NO_CACHE = (
    "This kind of monitor has no translation cache. Load a guest under “Binary translation”, and here you will see the "
    "blocks of its kernel's code, and how they are chained."
)
EFFICIENCY = (
    "Of the guest's instructions that ran since power-on, measured: direct, as they stand, in programs; identical, "
    "translated into the same bytes; rewritten, jumps that must stay in the cache; replaced, sensitive and done in "
    "line; callouts, sensitive ones that called the monitor."
)
NOTHING_YET = "The cache is empty: nothing has been translated yet. Press Step or Run, and it fills with blocks."


class CacheView(View):
    """Map on the left with words under it, counters on the right.

    blockChosen  (ordinal) the person chose a block
    switched     (Switch, bool) the person switches something of the translator on or off
    """

    lookChanged = Signal()
    blockChosen = Signal(object)
    switched = Signal(object, bool)

    empty_text = NO_CACHE

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._name_of: NameOf = lambda _address: ""
        self._cache: SeenCache | None = None
        self._chains: dict[int, tuple[list[int], list[int]]] = {}
        self.counters = CacheCountersModel()
        self.map = CacheMap(theme, self.tell)
        self.words, self.filled = QLabel(), ElidedLabel()
        self.shades = {shade: QToolButton() for shade in Shade}
        self.switches = {switch: QCheckBox(switch.phrase) for switch in Switch}
        self.efficiency = ShareBar(theme)
        self.table = FactTable(self.counters, "Counters of the translator")
        self._build()
        self.map.hovered.connect(lambda _ordinal: self._say())
        self.map.chosen.connect(self._choose)
        self.setAccessibleName("Translation cache")
        self.setFocusProxy(self.map)
        self.apply_theme(theme)

    # -- what the window says

    @property
    def look(self) -> Look:
        """The cache."""
        return Look(cache=True)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: its cache is empty."""
        self._name_of = loaded.program.name_of
        self._cache = None
        self.map.select(None)
        self.set_empty(True, NOTHING_YET if loaded.kind == KIND else NO_CACHE)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the cache as it is now."""
        cache = snapshot.seen.cache
        if cache is None:
            if snapshot.kind != KIND:
                self.set_empty(True, NO_CACHE)
            return
        if not cache.blocks:
            self.set_empty(True, NOTHING_YET)
            return
        self._cache = cache
        self._chains = {each.ordinal: ([], []) for each in cache.blocks}
        for chain in cache.chains:
            self._chains[chain.source][0].append(chain.target)
            self._chains[chain.target][1].append(chain.source)
        held = cache.holding(snapshot.pc) if snapshot.believed is Ring.KERNEL else ()
        self.map.show_cache(cache, held[-1].ordinal if held else None)
        self.counters.show(cache)
        self._show_ran(cache.ran)
        for switch, box in self.switches.items():
            box.setChecked(switch in cache.switches)
        self.filled.setText(f"{100 * cache.used / cache.size:.0f} % full")
        blocks = f"{grouped(len(cache.living))} blocks are in the cache"
        self.filled.setToolTip(f"{blocks}; {grouped(cache.used)} of its {grouped(cache.size)} bytes are in use.")
        self._say()
        self.set_empty(False)

    def show_block(self, ordinal: int | None) -> None:
        """Mark that block."""
        self.map.select(ordinal)
        self._say()

    def tell(self, block: CacheBlock) -> str:
        """A block in words."""
        if not block.alive:
            title = block_title(block, self._name_of)
            return f"{title}: dead, since the guest wrote to its code. Its room is lost until the cache is emptied."
        leads, reached = self._chains.get(block.ordinal, ([], []))
        times = "once" if block.entered == 1 else f"{grouped(block.entered)} times"
        words = (
            f"{block_title(block, self._name_of)}: {block.instructions} instructions, {block.changed} of them changed, "
            f"run {times}"
        )
        if leads:
            words += f"; chained to {_listed(leads)}"
        if reached:
            words += f"; chained from {_listed(reached)}"
        return f"{words}."

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        super().apply_theme(theme)
        self.map.apply_theme(theme)
        self.efficiency.apply_theme(theme)
        if self._cache is not None:
            self._show_ran(self._cache.ran)
        for label in (self.words, self.filled):
            label.setFont(theme.type.sans(Size.CAPTION))
        self._share_height()
        self.words.setMinimumHeight(2 * theme.type.pixels(Size.CAPTION) + theme.space(3))
        self.table.set_row_height(theme.type.row_height(Size.CAPTION) - theme.space(1))
        self.table.setFont(theme.type.sans(Size.CAPTION))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()

    # -- inside

    def _share_height(self) -> None:
        """The words about a block have room under the map; where it is low they stand in its tooltip alone."""
        self.words.setVisible(self.height() >= LOW * self.theme.type.scale)

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(4)
        group = QButtonGroup(self)
        for shade, button in self.shades.items():
            button.setText(shade.value)
            button.setToolTip(shade.tip)
            button.setCheckable(True)
            button.setChecked(shade is self.map.shade)
            button.clicked.connect(lambda _checked=False, shade=shade: self.map.set_shade(shade))
            group.addButton(button)
            tools.addWidget(button)
        self.filled.setProperty("role", "quiet")
        tools.addWidget(self.filled, 1)
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setAccessibleName("About the block")
        left = QWidget()
        for switch, box in self.switches.items():
            box.setToolTip(switch.meaning)
            box.clicked.connect(lambda on, switch=switch: self.switched.emit(switch, on))
            tools.addWidget(box)
        self.efficiency.setAccessibleName("How the guest's instructions ran")
        self.efficiency.setToolTip(EFFICIENCY)
        column = QVBoxLayout(left)
        column.setContentsMargins(6, 4, 4, 0)
        column.setSpacing(4)
        column.addLayout(tools)
        column.addWidget(self.efficiency)
        column.addWidget(self.map, 1)
        column.addWidget(self.words)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(left)
        halves.addWidget(self.table)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 1)
        halves.setSizes([420, 164])
        self.table.setMinimumWidth(164)
        halves.setChildrenCollapsible(False)
        self.set_content(halves)

    def _show_ran(self, ran: Ran | None) -> None:
        self.efficiency.setVisible(ran is not None and ran.total > 0)
        if ran is None or not ran.total:
            return
        palette = self.theme.palette
        amber = palette.ring_color(Ring.ONE)
        counts = (
            ("direct", ran.direct, palette.ring_color(Ring.USER)),
            ("identical", ran.identical, palette.muted),
            ("rewritten", ran.rewritten, palette.outline),
            ("replaced", ran.replaced, amber),
            ("callouts", ran.callouts, palette.ring_color(Ring.KERNEL)),
        )
        self.efficiency.show_parts([Share(word, count / ran.total, color) for word, count, color in counts])

    def _choose(self, ordinal: int) -> None:
        self._say()
        self.blockChosen.emit(ordinal)

    def _say(self) -> None:
        """The block under the pointer, or the chosen one, in words."""
        shown = self.map.shown
        self.words.setText(
            self.tell(shown) if shown is not None else "Point at a block to see what it is and where it leads."
        )


def _listed(ordinals: list[int]) -> str:
    first = ", ".join(str(each) for each in sorted(ordinals)[:6])
    return f"{first} and {len(ordinals) - 6} more" if len(ordinals) > 6 else first


VIEW = ViewSpec(
    id="cache",
    title="Translation cache",
    question="What is in the translation cache, and how are its blocks joined?",
    area=Area.BOTTOM,
    order=60,
    make=CacheView,
    behind="traps",
)
