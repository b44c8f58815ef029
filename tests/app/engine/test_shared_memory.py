"""The segment both processes see: laid out without overlap, gone when it is closed, with a way to stop that waits for
nobody."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from app.engine.shared_memory import SharedViews, lay_out
from core.addresses import PAGE_SIZE
from core.cpu.probes import PC_RING, Word
from core.layout import MIB


@pytest.fixture
def window() -> Iterator[SharedViews]:
    views = SharedViews.create(MIB)
    yield views
    views.close()


@pytest.fixture
def engine(window: SharedViews) -> Iterator[SharedViews]:
    views = SharedViews.attach(window.name, MIB)
    yield views
    views.close()


def test_buffers_stand_on_pages_of_their_own_and_do_not_overlap() -> None:
    places, size = lay_out(4 * MIB)
    spans = sorted(
        (place.offset, place.offset + place.length * np.dtype(place.dtype).itemsize) for place in places.values()
    )
    assert places["ram"].offset == 0
    assert all(begin % PAGE_SIZE == 0 for begin, _ in spans)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert spans[-1][1] <= size


def test_what_the_engine_writes_the_window_sees(window: SharedViews, engine: SharedViews) -> None:
    engine.ram[0x1234] = 0x42
    engine.probes.fetches[3] = 99
    engine.probes.ring[PC_RING - 1] = 0xFFFF_0000
    assert window.ram[0x1234] == 0x42
    assert window.fetches[3] == 99
    assert window.pc_ring[PC_RING - 1] == 0xFFFF_0000
    assert not window.reads.any()
    assert not window.writes.any()


def test_a_stop_is_wanted_until_it_is_served(window: SharedViews, engine: SharedViews) -> None:
    assert not engine.stop_wanted
    assert window.ask_stop() == 1
    assert window.ask_stop() == 2
    assert engine.stop_wanted
    assert engine.probes.control[Word.STOP] == 1
    engine.serve_stops()
    assert not window.stop_wanted
    assert window.probes.control[Word.STOP] == 0


def test_a_stop_flag_that_was_lost_can_be_set_again(window: SharedViews, engine: SharedViews) -> None:
    window.ask_stop()
    engine.probes.control[Word.STOP] = 0
    assert engine.stop_wanted
    window.nudge()
    assert engine.probes.control[Word.STOP] == 1


def test_closing_removes_it() -> None:
    views = SharedViews.create(MIB)
    name = views.name
    views.close()
    with pytest.raises(FileNotFoundError):
        SharedViews.attach(name, MIB)
    assert views.ram.size == 0


def test_an_array_that_a_view_keeps_outlives_the_closing() -> None:
    views = SharedViews.create(MIB)
    ram = views.ram
    ram[7] = 5
    name = views.name
    views.close()
    assert ram[7] == 5
    with pytest.raises(FileNotFoundError):
        SharedViews.attach(name, MIB)


def test_closing_twice_is_closing_once() -> None:
    views = SharedViews.create(MIB)
    views.close()
    views.close()
