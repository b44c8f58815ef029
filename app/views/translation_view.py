"""What became of the guest's code? A block of the translation cache: original left, translation right, and why.

It follows the guest's EIP until another block is chosen. In slow motion it shows how the newest block was made.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.block_model import CACHE_AT, GUEST_AT, TRANSLATED, BlockModel, Reveal
from app.models.block_rows import NameOf
from app.models.fates import FATES
from app.models.numerals import grouped
from app.models.translator_stages import REVEALS, Stage, told
from app.theme import Theme
from app.theme.typography import Size
from app.views.block_delegate import BlockDelegate
from app.views.block_table import BlockTable
from app.views.view import Area, Loaded, View, ViewSpec
from app.widgets.block_chooser import BlockChooser
from app.widgets.elided_label import ElidedLabel
from app.widgets.stage_bar import StageBar
from core.events import Ring
from core.looks import Follow, Look
from core.snapshot import Snapshot
from core.translations import CacheBlock, SeenBlock, SeenCache

KIND = "translation"
NO_CACHE = (
    "This kind of monitor runs the guest's code as it is. Load a guest under “Binary translation”, and its kernel's "
    "code will stand here beside what it became."
)
NOTHING_YET = "Nothing has been translated yet. Press Step: the first unit is translated before it runs."


class TranslationView(View):
    """Chooser, table, reason; under them, in slow motion, the stages.

    blockChosen     (ordinal or None) the person looks at that block; None: at the one that EIP is in
    gotoRequested   (address) the person wants to see the guest's code there
    nextUnitWanted  the guest shall run until the translator has made another block
    """

    lookChanged = Signal()
    blockChosen = Signal(object)
    gotoRequested = Signal(object)
    nextUnitWanted = Signal()

    empty_text = NO_CACHE

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._ordinal: int | None = None  # None: follow EIP
        self._cache: SeenCache | None = None
        self._newest = -1  # the unit that slow motion shows
        self._over = ""  # words for that no unit comes any more
        self._awaits = False  # a unit was asked for, and has not come yet
        self._name_of: NameOf = lambda _address: ""
        self._symbols: dict[str, int] = {}
        self.model = BlockModel()
        self.delegate = BlockDelegate(self.model, theme)
        self.chooser = BlockChooser(self._living)
        self.before, self.after, self.follow, self.slow = QToolButton(), QToolButton(), QToolButton(), QToolButton()
        self.facts, self.why, self.legend = ElidedLabel(), QLabel(), QLabel()
        self.table = BlockTable(self.model, self.delegate)
        self.stages = StageBar(theme)
        self._build()
        self._connect()
        self.stages.hide()
        self.setAccessibleName("Translation")
        self.setFocusProxy(self.table)
        self.apply_theme(theme)

    # -- what the window says

    @property
    def look(self) -> Look:
        """The cache, and in it the chosen block."""
        return Look(cache=True, block=Follow.EIP if self._ordinal is None else self._ordinal)

    def show_program(self, loaded: Loaded) -> None:
        """A fresh machine: nothing is translated yet."""
        self._name_of, self._symbols = loaded.program.name_of, dict(loaded.program.symbols)
        self.chooser.name_of = self._name_of
        self._cache, self._newest = None, -1
        self.stages.rest()
        self.slow.setChecked(False)
        self.show_block(None)
        self.model.show(None, None, self._name_of, None)
        self.set_empty(True, NOTHING_YET if loaded.kind == KIND else NO_CACHE)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the block that is looked at as it is now."""
        cache, seen = snapshot.seen.cache, snapshot.seen.block
        if cache is None:
            if snapshot.kind != KIND:
                self.set_empty(True, NO_CACHE)
            return
        self._cache = cache
        self._take_new_unit(snapshot, cache)
        if self._ordinal is not None and self._ordinal not in {each.ordinal for each in self._living()}:
            self.show_block(None)  # it died, or the cache was emptied
            return
        fits = seen is not None and self._ordinal in (None, seen.block.ordinal)
        shown = seen if fits else self.model.seen
        if shown is None:
            self.set_empty(not cache.blocks, NOTHING_YET)
            self.facts.setText(self._elsewhere(snapshot))
            self.set_empty(not cache.blocks, NOTHING_YET)
            return
        self._show(shown, cache, snapshot, present=fits)
        self.set_empty(False)

    def show_block(self, ordinal: int | None) -> None:
        """Look at that block, or (None) at the one that the guest's EIP is in."""
        self.follow.setChecked(ordinal is None)
        if ordinal != self._ordinal:
            self._ordinal = ordinal
            self.lookChanged.emit()

    def show_address(self, address: int) -> None:
        """Look at the newest block made from the guest's code at `address`, if there is one."""
        held = self._cache.holding(address) if self._cache is not None else ()
        if held:
            self._choose(held[-1].ordinal)

    def point_at(self, anchor: str) -> None:
        """Look at the block made from that label of the guest."""
        if anchor in self._symbols:
            self.show_address(self._symbols[anchor])

    def apply_theme(self, theme: Theme) -> None:
        """Take colours, type and motion from `theme`."""
        super().apply_theme(theme)
        self.table.apply_theme(theme)
        self.stages.apply_theme(theme)
        self.facts.setFont(theme.type.sans(Size.CAPTION))
        self.legend.setFont(theme.type.sans(Size.CAPTION))
        self.legend.setText(self._legend())
        self.why.setFont(theme.type.sans(Size.BODY))

    # -- building

    def _build(self) -> None:
        for button, text, name, tip in (
            (self.before, "‹", "Block before", "The block before this one in the cache."),
            (self.after, "›", "Block after", "The block after this one in the cache."),
            (
                self.follow,
                "EIP",
                "Follow EIP",
                "Show the block that the guest's next instruction is in, and follow it.",
            ),
            (self.slow, "Slow motion", "Slow motion", "See the translator at work on the next unit, stage by stage."),
        ):
            button.setText(text)
            button.setAccessibleName(name)
            button.setToolTip(tip)
        for button in (self.follow, self.slow):
            button.setCheckable(True)
        self.follow.setChecked(True)
        self.facts.setProperty("role", "quiet")
        self.facts.setAccessibleName("About the block")
        self.legend.setProperty("role", "quiet")
        self.legend.setAccessibleName("Kinds")
        self.legend.setToolTip("\n".join(f"{words.mark} {words.name}: {words.meaning}" for words in FATES.values()))
        self.why.setWordWrap(True)
        self.why.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.why.setAccessibleName("What became of the instruction, and why")
        tools = QHBoxLayout()
        tools.setSpacing(4)
        tools.addWidget(self.chooser)
        for button in (self.before, self.after, self.follow):
            tools.addWidget(button)
        tools.addWidget(self.facts, 1)
        tools.addWidget(self.slow)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addLayout(tools)
        column.addWidget(self.stages)
        column.addWidget(self.table, 1)
        column.addWidget(self.why)
        column.addWidget(self.legend)
        self.set_content(content)

    def _connect(self) -> None:
        self.chooser.chosen.connect(self._choose)
        self.before.clicked.connect(lambda: self._walk(-1))
        self.after.clicked.connect(lambda: self._walk(1))
        self.follow.clicked.connect(lambda: self._choose(None))
        self.slow.toggled.connect(self._toggle_slow)
        self.stages.stageChanged.connect(self._show_stage)
        self.stages.appearing.connect(self._appear)
        self.stages.nextWanted.connect(self._want_next)
        self.table.selectionModel().currentRowChanged.connect(lambda _now, _before: self._say_why())
        self.table.doubleClicked.connect(self._open)
        self.table.activated.connect(self._open)

    # -- the block

    def _living(self) -> tuple[CacheBlock, ...]:
        return self._cache.living if self._cache is not None else ()

    def _choose(self, ordinal: int | None) -> None:
        self.show_block(ordinal)
        self.blockChosen.emit(ordinal)

    def _walk(self, by: int) -> None:
        numbers = [each.ordinal for each in self._living()]
        shown = self.model.seen
        if shown is None or shown.block.ordinal not in numbers:
            return
        place = numbers.index(shown.block.ordinal) + by
        if 0 <= place < len(numbers):
            self._choose(numbers[place])

    def _show(self, seen: SeenBlock, cache: SeenCache, snapshot: Snapshot, *, present: bool) -> None:
        inside = snapshot.pc - seen.block.pc & 0xFFFF_FFFF < seen.block.length and snapshot.believed is Ring.KERNEL
        before = self.model.seen
        self.model.show(seen, cache, self._name_of, snapshot.pc if inside else None)
        self.chooser.show_block(seen.block)
        self.facts.setText(_facts(seen) if present else self._elsewhere(snapshot))
        self.legend.setText(self._legend())
        if before is None or before.block.ordinal != seen.block.ordinal or self._ordinal is None:
            self._keep_in_sight()
        self._say_why()
        if self.stages.isVisible():
            self._tell_stage()

    def _keep_in_sight(self) -> None:
        row = self.model.row_at(self.model.pc)
        if row is None:
            return
        self.table.scrollTo(self.model.index(row, GUEST_AT))

    def _say_why(self) -> None:
        chosen = self.table.currentIndex()
        row = chosen.row() if chosen.isValid() else self.model.telling_row
        if row is None or self.model.reveal < Reveal.FATES:
            self.why.setText("")
        else:
            self.why.setText(self.model.why(row))

    def _open(self, index: QModelIndex) -> None:
        """Go to what a row leads to: the block that it is chained to, or the guest's code."""
        row, seen = self.model.rows[index.row()], self.model.seen
        if index.column() in (TRANSLATED, CACHE_AT) and row.became is not None and seen is not None:
            at, size = row.became.at, len(row.became.code)
            ways = (way.chained_to for way in seen.exits if at <= way.site < at + size)
            led = next((way for way in ways if way is not None), None)
            if led is not None:
                self._choose(led)
        elif row.of is not None:
            self.gotoRequested.emit(row.of.pc)

    @staticmethod
    def _elsewhere(snapshot: Snapshot) -> str:
        if snapshot.ring is Ring.USER:
            return "The CPU is in ring 3: programs run as they are, outside the cache."
        return "EIP is where nothing is translated yet."

    def _legend(self) -> str:
        """The kinds with their marks, in their colours, and how many of each are in the block."""
        parts = (
            f'<span style="color: {self.delegate.color_of(fate).name()}">{words.mark} {self.model.count(fate)} '
            f"{words.name}</span>"
            for fate, words in FATES.items()
        )
        return " &nbsp; ".join(parts)

    # -- slow motion

    def _take_new_unit(self, snapshot: Snapshot, cache: SeenCache) -> None:
        """In slow motion, show a unit from its first stage once the machine stands before it, if it was asked for."""
        newest = cache.newest
        if not self.slow.isChecked() or snapshot.running:
            return
        if newest is not None and newest.ordinal != self._newest:
            awaited, self._awaits = self._awaits, False
            self._newest = newest.ordinal
            self.show_block(newest.ordinal)
            self.stages.go(Stage.FETCH if awaited else Stage.RUN)
        elif self._awaits and snapshot.end is not None:
            self._awaits = False
            self.stages.rest()
            self._over = f"{snapshot.end.sentence} Nothing more is translated."
            self.stages.say(self._over)

    def _toggle_slow(self, on: bool) -> None:
        self.stages.setVisible(on)
        for words in (self.why, self.legend):
            words.setVisible(not on)  # the stages say more, and need the room
        newest = self._cache.newest if self._cache is not None else None
        self._newest = newest.ordinal if newest is not None else -1
        if on:
            self.stages.say("Press “Next unit”: the guest runs until the translator has made another block.")
            self._want_next()
        else:
            self.stages.rest()
            self.delegate.fresh, self.delegate.running = 1.0, True
            self.model.set_reveal(Reveal.ALL)
            self._choose(None)

    def _want_next(self) -> None:
        self._awaits, self._over = True, ""
        self.nextUnitWanted.emit()

    def _show_stage(self, stage: Stage) -> None:
        self.model.set_reveal(REVEALS[stage])
        self.delegate.running = stage is Stage.RUN
        self._over = ""
        self.table.clearSelection()
        self._tell_stage()
        self._say_why()

    def _tell_stage(self) -> None:
        newest = self._cache.newest if self._cache is not None else None
        seen = self.model.seen
        if not self._over and newest is not None and seen is not None and seen.block.ordinal == newest.ordinal:
            self.stages.say(told(self.stages.stage, newest, seen, self._name_of))

    def _appear(self, fresh: float) -> None:
        self.delegate.fresh = fresh
        self.table.viewport().update()


def _facts(seen: SeenBlock) -> str:
    block = seen.block
    ran = {0: "not run yet", 1: "run once"}.get(block.entered, f"run {grouped(block.entered)}×")
    return f"{len(seen.guest)} instructions, {block.length} → {block.size} bytes, {ran}"


VIEW = ViewSpec(
    id="translation",
    title="Translation",
    question="What did the guest's code become, and why?",
    area=Area.CENTRE,
    order=50,
    make=TranslationView,
    behind="code",
)
