"""Numbers and sizes as people write them on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

LARGEST_SIDE = 10_000  # pixels


def whole(least: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` on; commas and underscores may group the digits."""

    def parse(text: str) -> int:
        try:
            number = int(text.replace(",", ""))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} is no whole number") from None
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is too small: give {least} or more")
        return number

    return parse


def size(text: str) -> tuple[int, int]:
    """Width and height, written ``1280x720``."""
    width, _, height = text.lower().partition("x")
    try:
        sides = int(width), int(height)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no size: write it like 1280x720") from None
    if min(sides) < 1 or max(sides) > LARGEST_SIDE:
        raise argparse.ArgumentTypeError(f"{text} is no size a window can have")
    return sides
