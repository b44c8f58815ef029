"""DR0 to DR7 as breakpoints on instructions: which addresses they stand for, and what DR6 says when one is met.

DR7 enables each of four addresses, locally or globally, and gives its kind: execution, writes, I/O, or reads and writes
(Intel SDM vol. 3 §17.2). The emulated CPU meets those on execution and I/O alone (FINDINGS.md), and never clears RF by
itself where the manual says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.cpu.flags import DR7_ENABLES

COUNT = 4
MET = (1 << COUNT) - 1  # bits of DR6


def enables(number: int) -> int:
    """The bits of DR7 that enable breakpoint `number`, locally and globally."""
    return 3 << 2 * number


def _is_on_execution(control: int, number: int) -> bool:
    return not control >> 16 + 4 * number & 3


def on_execution(registers: Sequence[int]) -> frozenset[int]:
    """The linear addresses before which the debug registers (DR0 to DR7) have the CPU raise #DB."""
    control = registers[7]
    if not control & DR7_ENABLES:
        return frozenset()
    return frozenset(
        int(registers[number]) & 0xFFFF_FFFF
        for number in range(COUNT)
        if control & enables(number) and _is_on_execution(control, number)
    )


def status_at(registers: Sequence[int], address: int) -> int:
    """DR6 when the instruction at linear `address` has met a breakpoint: also those that are not enabled show."""
    met = sum(
        1 << number
        for number in range(COUNT)
        if _is_on_execution(registers[7], number) and registers[number] & 0xFFFF_FFFF == address
    )
    return int(registers[6]) & ~MET | met


def only(control: int, kept: Sequence[bool]) -> int:
    """DR7 as `control`, with those enabled alone that are `kept`."""
    return control & ~sum(enables(number) for number in range(COUNT) if not kept[number])
