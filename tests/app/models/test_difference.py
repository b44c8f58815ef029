"""What differs, as cells of a map and in words."""

from __future__ import annotations

import numpy as np
import pytest

from app.models.difference import FEWEST, Sides, cells, sentence, short, size, words
from core.vm_snapshots.divergence import Diverged, Divergence

SOME = Divergence(3, 4096, 1, 2048)


def bits(*numbers: int, of: int) -> bytes:
    found = np.zeros(of, np.bool_)
    found[list(numbers)] = True
    return np.packbits(found, bitorder="little").tobytes()


def test_a_map_ends_after_the_last_that_differs_but_is_never_tiny() -> None:
    assert list(np.flatnonzero(cells(bits(3, 9, of=4096), 4096))) == [3, 9]
    assert len(cells(bits(3, of=4096), 4096)) == FEWEST
    assert len(cells(bits(1500, of=4096), 4096)) == 2048
    assert len(cells(bits(4095, of=4096), 4096)) == 4096
    assert len(cells(bits(1, of=8), 8)) == 8


def test_what_differs_has_the_number_of_its_use() -> None:
    uses = np.full(4096, 4, np.uint8)
    uses[9] = 6
    shown = cells(bits(3, 9, of=4096), 4096, uses)
    assert (shown[3], shown[9], shown.sum()) == (5, 7, 12)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (SOME, "3 pages, 1 sector"),
        (Divergence(1, 4096, 0, 2048), "1 page"),
        (Divergence(0, 4096, 0, 0), "0 pages"),
    ],
)
def test_in_short(found: Divergence, told: str) -> None:
    assert short(found) == told


def test_in_full() -> None:
    assert words(SOME) == "3 of 4\u202f096 pages and 1 of 2\u202f048 sectors"
    assert [size(count) for count in (512, 12_800, 3 << 20)] == ["512 bytes", "12 KiB", "3.0 MiB"]
    now = Diverged("B", 1000, Divergence(0, 4096, 0, 0))
    assert (
        sentence(Sides.NOW_AND_IMAGE, None, now)
        == "VM B at 1\u202f000 has the memory and disk of its image, byte for byte."
    )
    assert sentence(Sides.NOW_AND_KEPT, None, now) == ""
