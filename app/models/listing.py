"""Disassembly as it becomes known: runs of instructions merged by address, with gaps between them.

Each snapshot shows only the instructions around the program counter. Kept together they are a text in which a person
can scroll; where a new run disagrees with an old one (the code was changed) the new one wins.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.snapshot import CodeLine

MOST_LINES = 4096


@dataclass(frozen=True, slots=True)
class Known:
    """An instruction, and whether it was read from memory (`live`) or so far only from the guest's image."""

    line: CodeLine
    live: bool

    @property
    def end(self) -> int:
        """The address after it."""
        return self.line.address + max(1, len(self.line.code))


@dataclass(frozen=True, slots=True)
class Label:
    """A symbol that stands at an address."""

    name: str
    address: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes between two known runs that were not disassembled."""

    start: int
    stop: int


Row = Known | Label | Gap


class Listing:
    """The instructions known so far, ascending and never overlapping."""

    def __init__(self, most: int = MOST_LINES) -> None:
        self._most = most
        self._addresses: list[int] = []
        self._known: list[Known] = []

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, address: int) -> bool:
        return self.at(address) is not None

    def at(self, address: int) -> Known | None:
        """The instruction that starts exactly there."""
        place = bisect_left(self._addresses, address)
        return self._known[place] if place < len(self._addresses) and self._addresses[place] == address else None

    def clear(self) -> None:
        """Forget everything."""
        self._addresses.clear()
        self._known.clear()

    def merge(self, lines: Sequence[CodeLine], *, live: bool) -> bool:
        """Take in a run of consecutive instructions; True if anything changed. What is live yields only to live."""
        changed = False
        for run in _runs(lines):
            changed |= self._merge_run(run, live)
        if changed and lines:
            self._bound(lines[len(lines) // 2].address)
        return changed

    def rows(self) -> list[Row]:
        """The text: labels before their instruction, gaps between runs."""
        rows: list[Row] = []
        end: int | None = None
        for known in self._known:
            if end is not None and known.line.address > end:
                rows.append(Gap(end, known.line.address))
            if known.line.symbol:
                rows.append(Label(known.line.symbol, known.line.address))
            rows.append(known)
            end = known.end
        return rows

    def _merge_run(self, run: Sequence[CodeLine], live: bool) -> bool:
        known = [self.at(line.address) for line in run]
        if all(one is not None and (one.live or not live) for one in known) and (
            not live or all(one is not None and one.line == line for one, line in zip(known, run, strict=True))
        ):
            return False
        fresh = [Known(line, live) for line in run]
        if not live:
            fresh = [one for one in fresh if not self._live_within(one.line.address, one.end)]
            if not fresh:
                return False
        for start, stop in _spans(fresh):
            first = bisect_left(self._addresses, start)
            if first and self._known[first - 1].end > start:
                first -= 1
            last = bisect_left(self._addresses, stop)
            inside = [one for one in fresh if start <= one.line.address < stop]
            self._addresses[first:last] = [one.line.address for one in inside]
            self._known[first:last] = inside
        return True

    def _live_within(self, start: int, stop: int) -> bool:
        first = bisect_right(self._addresses, start) - 1
        if first >= 0 and self._known[first].live and self._known[first].end > start:
            return True
        last = bisect_left(self._addresses, stop)
        return any(one.live for one in self._known[max(0, first + 1) : last])

    def _bound(self, centre: int) -> None:
        excess = len(self._known) - self._most
        while excess > 0:
            far_end = abs(self._addresses[-1] - centre) >= abs(self._addresses[0] - centre)
            cut = min(excess, max(1, self._most // 8))
            part = slice(len(self._known) - cut, None) if far_end else slice(0, cut)
            del self._addresses[part], self._known[part]
            excess -= cut


def _runs(lines: Sequence[CodeLine]) -> Iterator[Sequence[CodeLine]]:
    """Split where one instruction does not follow the one before."""
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or lines[at].address != lines[at - 1].address + max(1, len(lines[at - 1].code)):
            if start < at:
                yield lines[start:at]
            start = at


def _spans(fresh: Sequence[Known]) -> Iterator[tuple[int, int]]:
    """The address ranges (start, stop) that consecutive instructions of `fresh` cover."""
    start: int | None = None
    end = 0
    for one in fresh:
        if start is not None and one.line.address != end:
            yield start, end
            start = None
        if start is None:
            start = one.line.address
        end = one.end
    if start is not None:
        yield start, end
