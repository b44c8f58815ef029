"""The text screen as runs of characters of one attribute: what a painter draws at once and a screen reader reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from core.devices.vga import COLUMNS, ROWS, TEXT_BYTES, TextScreen, text_screen
from core.looks import SeenScreen


@dataclass(frozen=True, slots=True)
class Run:
    """Characters beside each other, from `column` of `row` on, with one attribute."""

    row: int
    column: int
    text: str
    attribute: int

    @property
    def foreground(self) -> int:
        """The colour of the letters, 0–15."""
        return self.attribute & 0x0F

    @property
    def background(self) -> int:
        """The colour behind them, 0–7; the bit above makes them blink, which is not shown."""
        return self.attribute >> 4 & 0x07


class ScreenText:
    """The screen of the last snapshot; it is decoded only when something on it has changed."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Nothing has been seen."""
        self._seen: SeenScreen | None = None
        self.runs: tuple[Run, ...] = ()
        self.cursor: tuple[int, int] | None = None
        self.lines: tuple[str, ...] = ()

    def show(self, seen: SeenScreen) -> bool:
        """Take the screen as it is now; says whether anything on it has changed."""
        if seen == self._seen or len(seen.memory) != TEXT_BYTES:
            return False
        self._seen = seen
        screen = text_screen(seen.memory, seen.cursor)
        self.runs = tuple(_runs(screen))
        self.cursor = screen.cursor
        self.lines = tuple("".join(cell.character for cell in row).rstrip() for row in screen.rows)
        return True

    @property
    def text(self) -> str:
        """All of it as lines, without the empty ones at the end."""
        return "\n".join(self.lines).rstrip("\n")


def _runs(screen: TextScreen) -> list[Run]:
    runs: list[Run] = []
    for number, row in enumerate(screen.rows):
        column = 0
        for attribute, cells in groupby(row, key=lambda cell: cell.attribute):
            text = "".join(cell.character for cell in cells)
            runs.append(Run(number, column, text, attribute))
            column += len(text)
    return runs


__all__ = ["COLUMNS", "ROWS", "Run", "ScreenText"]
