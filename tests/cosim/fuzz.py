"""Random programs by the thousand, from a seed: every difference is shrunk to the shortest program that shows it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings

from .equality import Pair
from .random_programs import build, paged_programs, programs


def cosimulate(count: int, start: int, kinds: list[str], progress: Callable[[int], None]) -> str:
    """Run `count` programs, half of them with paging, under bare and `kinds`; the first difference in words, or "".
    `progress(n)` is told after each."""
    first = count - count // 2
    return _half(False, first, start, kinds, progress) or _half(
        True, count // 2, start, kinds, lambda done: progress(first + done)
    )


def _half(paging: bool, count: int, start: int, kinds: list[str], progress: Callable[[int], None]) -> str:
    pair, done = Pair(), 0

    def check(program: tuple[list[bytes], int | None]) -> None:
        nonlocal done
        found = pair.differences(build(*program, paging=paging), kinds)
        done = min(done + 1, count)  # shrinking runs more of them
        progress(done)
        if found:
            raise Different(describe(program, paging=paging, found=found))

    limits = settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    try:
        if count:
            seed(start)(limits(given(paged_programs if paging else programs)(check)))()
    except Different as different:
        return str(different)
    finally:
        pair.session.close()
    return ""


class Different(AssertionError):
    """A program is not the same under every kind."""


def describe(program: tuple[list[bytes], int | None], *, paging: bool, found: list[str]) -> str:
    """The program, slot by slot in hexadecimal, and what differs."""
    pieces, reload = program
    slots = "\n".join(f"  {piece.hex(' ')}" for piece in pieces)
    timer = f"timer {reload}" if reload is not None else "no timer"
    return "\n".join([f"{'with' if paging else 'without'} paging, {timer}:", slots, *found])
