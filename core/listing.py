"""Instructions around an address, as they stand in memory now.

x86 code cannot be read backwards with certainty; the lines before the address start where decoding forward meets it
exactly, with known instruction starts (from source lines) preferred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from core.cpu.decode import decode, spell
from core.guests.image import Program
from core.snapshot import CodeLine

Peek = Callable[[int], bytes]


def _before(peek: Peek, starts: list[int], address: int, count: int, bits: int) -> int:
    """Where to start decoding, so as to meet `address` after about `count` instructions."""
    reach = count * 6
    known = starts[bisect_left(starts, address - reach) : bisect_left(starts, address)]
    guesses: Iterable[int] = range(max(address - reach, 0), address)
    best = address
    for start in (*known, *guesses):
        if start < best and _meets(peek, start, address, bits):
            return start
    return best


def _meets(peek: Peek, start: int, address: int, bits: int) -> bool:
    at = start
    while at < address:
        code = peek(at)
        instruction = decode(code, at, bits)
        if not instruction:
            return False
        at += instruction.len
    return at == address


def disassemble(
    peek: Peek, program: Program, address: int, count: int, before: int, bits: int = 32
) -> tuple[CodeLine, ...]:
    """`count` lines, about `before` of them before `address`; `peek(linear)` gives the bytes there, if any;
    `bits`: of the code, 16 or 32."""
    starts = program.starts
    at = _before(peek, starts, address, before, bits)
    lines: list[CodeLine] = []
    while len(lines) < count:
        code = peek(at)
        if not code:
            break
        instruction = decode(code, at, bits)
        size = instruction.len if instruction else 1
        file, line = program.lines.get(at, ("", 0))
        lines.append(
            CodeLine(at, code[:size], spell(code[:size], at, bits), program.symbol_starting_at(at), file, line)
        )
        at = (at + size) & 0xFFFF_FFFF
    return tuple(lines)
