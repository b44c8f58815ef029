"""What a guest's image says stands at an address, for code that memory has not shown yet.

Only as good as the image: a guest may since have changed its code or paged it elsewhere, so whoever shows these lines
says where they come from.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

from core.cpu.decode import decode, spell
from core.snapshot import CodeLine

if TYPE_CHECKING:
    from core.guests.image import Program

LONGEST_INSTRUCTION = 15  # bytes


class ImageListing:
    """Disassembles a program's image on request, starting only where an instruction is known to start."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._starts = sorted({*program.lines, program.entry})

    def around(self, address: int, before: int = 24, after: int = 40) -> list[CodeLine]:
        """The instruction at `address`, `after` following ones, and up to `before` statements that lead up to it.

        Empty if the image has nothing there.
        """
        if self._line(address) is None:
            return []
        at = bisect_left(self._starts, address)
        lines: list[CodeLine] = []
        for start, stop in pairwise([*self._starts[max(0, at - before) : at], address]):
            while start < stop and (line := self._line(start)) is not None and start + len(line.code) <= stop:
                lines.append(line)
                start += len(line.code)
        for _ in range(after + 1):
            line = self._line(address)
            if line is None:
                break
            lines.append(line)
            address += len(line.code)
        return lines

    def _line(self, address: int) -> CodeLine | None:
        for segment in self._program.segments:
            offset = address - segment.address
            if 0 <= offset < len(segment.data):
                code = segment.data[offset : offset + LONGEST_INSTRUCTION]
                size = decode(code, address).len
                if not size:
                    return None
                file, line = self._program.lines.get(address, ("", 0))
                label = self._program.symbol_starting_at(address)
                return CodeLine(address, code[:size], spell(code[:size], address), label, file, line)
        return None
