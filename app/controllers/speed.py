"""The speeds one can set: 1, 2, 5 and so on up to ten million instructions a second, and full speed."""

from __future__ import annotations

from bisect import bisect_left

from app.models.numerals import grouped

SPEEDS: tuple[float | None, ...] = (*(float(digit * 10**power) for power in range(7) for digit in (1, 2, 5)), 1e7, None)
FULL = len(SPEEDS) - 1


def stop_of(speed: float | None) -> int:
    """The place of `speed` (instructions a second, None for full) on the slider, or of the next faster one."""
    if speed is None:
        return FULL
    return bisect_left([one for one in SPEEDS if one is not None], speed)


def words_of(speed: float | None) -> str:
    """A speed for people: ``20 instructions/s``, ``5 k instructions/s``, ``full speed``."""
    if speed is None:
        return "full speed"
    for limit, unit in ((1e6, "million"), (1e3, "thousand")):
        if speed >= limit:
            return f"{speed / limit:g} {unit}/s"
    return f"{grouped(round(speed))} instruction{'' if speed == 1 else 's'}/s"
