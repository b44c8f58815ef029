"""Physical memory as a map: a number for each page or frame, a legend for the numbers, and any cell in words.

It has two modes. One shows the memory of the VM, page by guest-physical page, by what it is used for; the other the
machine's, frame by frame, by who owns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from app.models.heat import Access, Counters, counts_of
from app.models.numerals import grouped, hexadecimal
from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.looks import Holder, Mapping, PhysicalMap, UseKind

Numbers = npt.NDArray[np.uint8]
NOBODY = "free"
TAKEN_BACK = "In no frame: the hypervisor took it back, and keeps its bytes until the guest needs them."
SMALLEST_PART = 512  # pages


class MapMode(Enum):
    """Whose memory is shown; `value` names the mode."""

    VM = "VM"
    MACHINE = "Machine"


@dataclass(frozen=True, slots=True)
class LegendLine:
    """One colour: its number in the map, name, meaning, and on how many cells it lies."""

    code: int
    name: str
    meaning: str
    count: int


class MemoryMap:
    """The map of the last snapshot that carried one.

    Most of memory is free, and so it shows the part up to the last page in use, which grows by doubling and never
    shrinks while a guest runs; unless the `whole` is wanted.
    """

    def __init__(self) -> None:
        self.mode = MapMode.VM
        self.whole = False
        self.clear()

    def clear(self) -> None:
        """Nothing has been seen."""
        self.seen: PhysicalMap | None = None
        self._uses = self._holders = np.zeros(0, np.uint8)
        self._frames = np.zeros(0, np.uint32)
        self._page_in: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._parts = dict.fromkeys(MapMode, SMALLEST_PART)

    def show(self, seen: PhysicalMap) -> bool:
        """Take the map as it is now; says whether anything on it has changed."""
        before, self.seen = self.seen, seen
        if before is not None and (before.uses, before.holders, before.legend, before.holder_names, before.frames) == (
            seen.uses, seen.holders, seen.legend, seen.holder_names, seen.frames,
        ):  # fmt: skip
            return False
        self._uses, self._holders = np.frombuffer(seen.uses, np.uint8), np.frombuffer(seen.holders, np.uint8)
        self._frames = np.frombuffer(seen.frames, "<u4").astype(np.uint32)
        self._page_in = np.full(len(self._holders), -1, np.int64)
        inside = self._frames < len(self._holders)
        self._page_in[self._frames[inside]] = np.flatnonzero(inside)
        self._grow()
        return True

    # -- cells

    @property
    def _all(self) -> Numbers:
        return self._uses if self.mode is MapMode.VM else self._holders

    @property
    def numbers(self) -> Numbers:
        """One number a cell, for the part that is shown."""
        return self._all if self.whole else self._all[: self._parts[self.mode]]

    @property
    def frames(self) -> npt.NDArray[np.uint32]:
        """The frame behind each cell that is shown."""
        shown = len(self.numbers)
        return self._frames[:shown] if self.mode is MapMode.VM else np.arange(shown, dtype=np.uint32)

    def _grow(self) -> None:
        """Make room in each mode for what is in use by now."""
        assert self.seen is not None
        idle = [code for code, use in enumerate(self.seen.legend) if use.kind in (UseKind.UNTOUCHED, UseKind.FREE)]
        nobodys = [code for code, holder in enumerate(self.seen.holder_names) if not holder.owner]
        for mode, numbers, unused in ((MapMode.VM, self._uses, idle), (MapMode.MACHINE, self._holders, nobodys)):
            used = np.flatnonzero(~np.isin(numbers, unused))
            while used.size and self._parts[mode] <= used[-1]:
                self._parts[mode] *= 2

    def page_of(self, cell: int) -> int | None:
        """The guest-physical page that a cell shows, None if it belongs to no page of the VM."""
        if self.mode is MapMode.VM:
            return cell if 0 <= cell < len(self._uses) else None
        page = int(self._page_in[cell]) if 0 <= cell < len(self._page_in) else -1
        return page if page >= 0 else None

    def cell_of(self, page: int) -> int | None:
        """The cell that shows a guest-physical page, in this mode."""
        if not 0 <= page < len(self._uses):
            return None
        cell = page if self.mode is MapMode.VM else int(self._frames[page])
        return cell if cell < len(self.numbers) else None

    def frame_of(self, cell: int) -> int:
        """The number of the frame behind a cell."""
        return int(self._frames[cell]) if self.mode is MapMode.VM else cell

    # -- words

    def legend(self) -> tuple[LegendLine, ...]:
        """The colours that occur, in the order of their numbers."""
        if self.seen is None:
            return ()
        counts = np.bincount(self._all, minlength=1)
        return tuple(LegendLine(code, *self._name(code), int(count)) for code, count in enumerate(counts) if count)

    def _name(self, code: int) -> tuple[str, str]:
        assert self.seen is not None
        if self.mode is MapMode.VM:
            use = self.seen.legend[code]
            return use.name, use.meaning
        return holder_words(self.seen.holder_names[code])

    def size_words(self) -> str:
        """How much memory the map shows."""
        cells, shown = len(self._all), len(self.numbers)
        what = "pages of the VM" if self.mode is MapMode.VM else "frames of the machine"
        start = f"{cells * PAGE_SIZE >> 20} MiB: {grouped(cells)} {what}, 4 KiB each."
        rest = f" The first {shown * PAGE_SIZE >> 20} MiB are shown; all above is free." if shown < cells else ""
        return f"{start}{rest} Point at one to see what it is."

    def describe(self, cell: int, counters: Counters | None) -> str:
        """All that is known of a cell."""
        if self.seen is None or not 0 <= cell < len(self.numbers):
            return ""
        page, frame = self.page_of(cell), self.frame_of(cell)
        name, meaning = self._name(int(self.numbers[cell]))
        address = hexadecimal(cell << PAGE_SHIFT)
        if self.mode is MapMode.VM:
            there = frame < len(self._holders)
            where = f"In frame {hexadecimal(frame << PAGE_SHIFT)} of the machine." if there else TAKEN_BACK
            sentences = [f"{address}: {name}. {meaning}", where]
        else:
            sentences = [f"{address}: {name}. {meaning}"]
            if page is not None:
                use = self.seen.legend[self._uses[page]]
                sentences.append(f"Holds guest-physical {hexadecimal(page << PAGE_SHIFT)}: {use.name}.")
        sentences.append(_counted(frame, counters))
        if page is not None and self.seen.page is not None and self.seen.page.page == page:
            sentences.append(_mapped(self.seen.page.mappings, self.seen.page.mapping_count))
        return " ".join(filter(None, sentences))

    def mappings(self, cell: int) -> tuple[Mapping, ...]:
        """The linear addresses that lead to a cell, if it is the one that was asked about."""
        seen = self.seen
        return seen.page.mappings if seen and seen.page and seen.page.page == self.page_of(cell) else ()


def holder_words(holder: Holder) -> tuple[str, str]:
    """An owner's name and meaning."""
    if not holder.owner:
        return NOBODY, "Nobody's: the allocator can give it away."
    if holder.purpose:
        return f"{holder.owner}: {holder.purpose}", f"Kept by the {holder.owner} for its {holder.purpose}."
    if holder.owner == "host":
        return "host", "Reserved for the host itself."
    return holder.owner, f"Belongs to {holder.owner}, and to nobody else."


def _counted(frame: int, counters: Counters | None) -> str:
    if counters is None:
        return ""
    found = {access: counts_of(counters, access) for access in Access}
    if any(frame >= len(counts) for counts in found.values()):
        return ""
    reads, writes, fetches = (grouped(int(found[access][frame])) for access in Access)
    return f"Since power-on: {reads} reads, {writes} writes, {fetches} instructions."


def _mapped(mappings: tuple[Mapping, ...], count: int) -> str:
    if not mappings:
        return "No page table leads here."
    shown = [
        f"{hexadecimal(each.linear)} in {each.space} ({'writable' if each.writable else 'read-only'}"
        f"{', ring 3 too' if each.user else ''})"
        for each in mappings[:3]
    ]
    more = f", and {count - len(shown)} more" if count > len(shown) else ""
    return f"Mapped at {'; '.join(shown)}{more}."
