"""Two instants of a VM side by side: in how many pages and sectors they differ, and where these lie."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.models import difference
from app.models.difference import Sides, cells, found_between, sentence
from app.models.numerals import hexadecimal
from app.theme import Theme
from app.theme.palette import blend
from app.theme.typography import Size
from app.widgets.legend import Legend
from app.widgets.map_colors import use_colors
from app.widgets.page_map import PageMap
from core.addresses import PAGE_SHIFT
from core.devices.disk_image import SECTOR
from core.looks import PhysicalMap
from core.snapshot import Snapshot
from core.vm_snapshots.divergence import Diverged
from core.vm_snapshots.shelf import SnapshotFact

SECTOR_SHIFT = SECTOR.bit_length() - 1
NARROWEST = 160  # pixels of a map
PAGES_HIGH, SECTORS_HIGH = 16, 15  # pixels that the maps have at least
ROOMY = 130  # pixels of height, from which on there is room for headings and the legend
WIDE = 900  # pixels of width, from which on the maps stand side by side
QUIET = 0.09  # how far what is as it was stands out from the ground
NOTHING_YET = "Press “Compare”: all memory of the VM and its disk are compared, byte for byte."
OF_NO_SNAPSHOT = "Choose a snapshot of this guest above."


class DifferencePane(QWidget):
    """A sentence over a map of the pages and one of the sectors; `sides` and `compare` stand wherever it is put.

    compareRequested  (letter) the person wants to know how far that VM has come
    sidesChanged      another pair is looked at
    """

    compareRequested = Signal(str)
    sidesChanged = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._kept: SnapshotFact | None = None
        self._now: Diverged | None = None
        self._vm, self._time, self._generation = "", 0, -1
        self._running = False
        self._asked: tuple[str, int] | None = None  # of which VM, in which generation
        self._seen: PhysicalMap | None = None
        self.sides = QComboBox()
        self.sides.setAccessibleName("What is compared")
        self.sides.setToolTip(
            "Which two instants are compared. A VM begins as its image, a file, and diverges from it as it runs; "
            " a snapshot is the whole of it at one instant."
        )
        for sides in Sides:
            self.sides.addItem(sides.value, sides)
        self.sides.currentIndexChanged.connect(self.sidesChanged)
        self.sides.activated.connect(self._choose_sides)
        self.compare = QPushButton("Compare")
        self.compare.setToolTip(
            "Compare the VM that you look at, as it is now, with its image and with every snapshot of its guest: all "
            "of memory, and all that was written to the disk."
        )
        self.compare.clicked.connect(self._compare)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setAccessibleName("How far they lie apart")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pages = PageMap(theme)
        self.pages.setAccessibleName("Map of the pages that differ")
        self.pages.setMinimumSize(NARROWEST, PAGES_HIGH)
        self.pages.hovered.connect(lambda cell: self._point(self.pages, cell))
        self.pages.chosen.connect(lambda cell: self._point(self.pages, cell))
        self.sectors = PageMap(theme, SECTOR_SHIFT)
        self.sectors.setAccessibleName("Map of the sectors that differ")
        self.sectors.setMinimumSize(NARROWEST, SECTORS_HIGH)
        self.sectors.hovered.connect(lambda cell: self._point(self.sectors, cell))
        self.sectors.chosen.connect(lambda cell: self._point(self.sectors, cell))
        self.legend = Legend(theme)
        self.legend.spotlit.connect(self.pages.set_spotlight)
        self._lay_out()
        self.apply_theme(theme)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addWidget(self.legend)
        self._maps = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._maps.setSpacing(4)
        self._headings = (QLabel("Memory, a cell a page of 4 KiB"), QLabel("Disk, a cell a sector of 512 bytes"))
        for heading, shown, share in zip(self._headings, (self.pages, self.sectors), (3, 1), strict=True):
            heading.setProperty("role", "quiet")
            side = QWidget()
            lines = QVBoxLayout(side)
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(2)
            lines.addWidget(heading)
            lines.addWidget(shown, 1)
            self._maps.addWidget(side, share)
        self._disk_side = side
        column.addLayout(self._maps, 1)

    # -- what is shown

    @property
    def chosen(self) -> Sides:
        """Which pair is looked at."""
        sides = self.sides.currentData()
        assert isinstance(sides, Sides)
        return sides

    def choose(self, sides: Sides) -> None:
        """Look at that pair."""
        self.sides.setCurrentIndex(self.sides.findData(sides))
        self._show()

    def show_kept(self, kept: SnapshotFact | None) -> None:
        """The snapshot that is chosen, if one is."""
        self._kept = kept
        self._show()

    def show_diverged(self, now: Diverged | None) -> None:
        """How far a VM had come when it was asked."""
        self._now = now
        if now is None:
            self._asked = None
        elif self.chosen is Sides.KEPT_AND_IMAGE:
            known = found_between(Sides.NOW_AND_KEPT, self._kept, now)
            self.choose(Sides.NOW_AND_IMAGE if known is None else Sides.NOW_AND_KEPT)
        self._show()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The VM that is looked at, as it is now. What was compared before it was put back is compared anew."""
        other, moved = snapshot.vm != self._vm, snapshot.time != self._time
        self._vm, self._time, self._running = snapshot.vm, snapshot.time, snapshot.running
        self._generation = snapshot.generation
        seen = snapshot.seen.map
        if seen is not None and seen != self._seen and (other or self._seen is None or not self._running):
            self._seen, other = seen, True
        if other:
            self._show()
        elif moved:
            self._tell(self._sentence())
        if self.chosen is not Sides.KEPT_AND_IMAGE and not self._running:
            self._ask_once()

    def _choose_sides(self) -> None:
        self._show()
        if self.chosen is not Sides.KEPT_AND_IMAGE:
            self._ask_once()

    def _ask_once(self) -> None:
        """Unless that VM was compared in this part of its history."""
        if self._vm and self._asked != (self._vm, self._generation):
            self._compare()

    def _compare(self) -> None:
        self._asked = (self._vm, self._generation)
        self.compareRequested.emit(self._vm)

    @property
    def _of_now(self) -> bool:
        """Is the VM that is looked at one of the two?"""
        return self.chosen is not Sides.KEPT_AND_IMAGE and self._now is not None and self._now.letter == self._vm

    def _show(self) -> None:
        found = found_between(self.chosen, self._kept, self._now)
        palette = self.theme.palette
        ground = blend(palette.background, palette.text, QUIET)
        seen = self._seen if self._of_now else None
        uses = None
        colors: tuple[QColor, ...] = (ground, palette.text)
        if seen is not None:
            uses = difference.uses_of(seen)
            colors = (ground, *use_colors(seen.legend, palette))
        self._numbers = cells(found.page_bits, found.of_pages, uses) if found is not None else cells(b"", 0)
        self.pages.show_cells(self._numbers, colors)
        if found is not None and found.of_sectors:
            self.sectors.show_cells(cells(found.sector_bits, found.of_sectors), (ground, palette.text))
        lines = difference.legend(self._numbers, seen)
        self.legend.show_lines(lines, colors)
        self._fit()
        self._tell(self._sentence())

    def _sentence(self) -> str:
        words = sentence(self.chosen, self._kept, self._now)
        if not words:
            known = self._now is not None and self._now.letter == self._vm
            return OF_NO_SNAPSHOT if known or self.chosen is Sides.KEPT_AND_IMAGE else NOTHING_YET
        went_on = self._of_now and self._now is not None and self._now.time != self._time
        return f"{words} It has gone on since." if went_on else words

    def _tell(self, words: str) -> None:
        if words != self.words.text():
            self.words.setText(words)
            self.words.setToolTip(words)
            self.pages.setAccessibleDescription(words)

    def _point(self, shown: PageMap, cell: int) -> None:
        """Say what the cell under the pointer is."""
        if cell < 0:
            self._tell(self._sentence())
            return
        numbers, shift = (self._numbers, PAGE_SHIFT) if shown is self.pages else (None, SECTOR_SHIFT)
        what = "Page" if shown is self.pages else "Sector"
        self._tell(f"{what} {cell} at {hexadecimal(cell << shift)}: {self._state(cell, numbers)}.")

    def _state(self, cell: int, numbers: difference.Numbers | None) -> str:
        if numbers is None:
            found = found_between(self.chosen, self._kept, self._now)
            numbers = cells(found.sector_bits, found.of_sectors) if found is not None else cells(b"", 0)
        code = int(numbers[cell]) if cell < len(numbers) else 0
        if not code:
            return difference.SAME
        use = (
            f", {self._seen.legend[code - 1].name} now"
            if self._of_now and self._seen and numbers is self._numbers
            else ""
        )
        return f"{difference.DIFFERS}{use}"

    # -- looks

    @property
    def least(self) -> int:
        """Pixels of height with which it is of use: a line of words, and the maps."""
        return self.theme.type.row_height(Size.CAPTION) + PAGES_HIGH + SECTORS_HIGH

    def apply_theme(self, theme: Theme) -> None:
        """Take colours and type from `theme`."""
        self.theme = theme
        self.pages.apply_theme(theme)
        self.sectors.apply_theme(theme)
        self.legend.apply_theme(theme)
        for label in (self.words, *self._headings):
            label.setFont(theme.type.sans(Size.CAPTION))
        self.words.setContentsMargins(theme.space(2), 2, theme.space(2), 0)
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is room, say what is what, and show the disk though nothing on it differs."""
        found = found_between(self.chosen, self._kept, self._now)
        roomy = self.height() >= ROOMY
        self.legend.setVisible(roomy and self._of_now)
        for heading in self._headings:
            heading.setVisible(roomy)
            heading.setContentsMargins(self.theme.space(2), 0, 0, 0)
        self._disk_side.setVisible(found is not None and bool(found.of_sectors if roomy else found.sectors))
        wide = roomy and self.width() >= WIDE
        self._maps.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
