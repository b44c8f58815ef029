"""Numbers as people write them, and the sentence where they are none."""

from __future__ import annotations

import argparse

import pytest

from app.cli.numbers import size, whole


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("1,000", 1000), ("1_000_000", 1_000_000), ("0", 0)])
def test_digits_may_be_grouped(text: str, number: int) -> None:
    assert whole(0)(text) == number


@pytest.mark.parametrize("text", ["", "many", "1.5", "0x10", "0"])
def test_what_is_no_number_or_too_small_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no whole number|too small"):
        whole(1)(text)


@pytest.mark.parametrize("text", ["1280x720", "1280X720"])
def test_a_size_is_width_by_height(text: str) -> None:
    assert size(text) == (1280, 720)


@pytest.mark.parametrize("text", ["", "1280", "x720", "1280x", "axb", "0x720", "1280x-1", "20000x10"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="size"):
        size(text)
