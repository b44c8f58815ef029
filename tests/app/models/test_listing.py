"""The listing: runs merged by address never overlap, and what memory showed beats what the image says."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pytestqt.modeltest import ModelTester

from app.models.image_listing import ImageListing
from app.models.listing import Gap, Known, Label, Listing
from app.models.listing_model import ListingModel
from app.models.source_model import SourceModel
from core.snapshot import CodeLine
from tests.app.builders import BASE, SOURCE, listing, program


def run_of(start: int, sizes: list[int], text: str = "nop") -> list[CodeLine]:
    lines = []
    for size in sizes:
        lines.append(CodeLine(start, bytes(size), text))
        start += size
    return lines


runs = st.tuples(st.integers(0, 60), st.lists(st.integers(1, 6), min_size=1, max_size=8), st.booleans())


@given(st.lists(runs, max_size=12))
def test_merged_instructions_never_overlap_and_stay_in_order(merges: list[tuple[int, list[int], bool]]) -> None:
    known = Listing()
    for start, sizes, live in merges:
        known.merge(run_of(start, sizes), live=live)
        code = [row for row in known.rows() if isinstance(row, Known)]
        assert all(before.end <= after.line.address for before, after in pairwise(code))
        if live:
            assert [known.at(line.address) for line in run_of(start, sizes)] == [
                Known(line, True) for line in run_of(start, sizes)
            ]


def test_same_run_again_changes_nothing() -> None:
    known = Listing()
    assert known.merge(listing(), live=True)
    assert not known.merge(listing(), live=True)
    assert not known.merge(listing(2, 3), live=True)
    assert not known.merge(listing(2, 3), live=False)


def test_code_that_changed_itself_replaces_what_was_known() -> None:
    known = Listing()
    known.merge(run_of(0x10, [2, 2, 2]), live=True)
    known.merge(run_of(0x11, [3], text="hlt"), live=True)
    assert [(row.line.address, row.line.text) for row in known.rows() if isinstance(row, Known)] == [
        (0x11, "hlt"),
        (0x14, "nop"),
    ]


def test_image_never_replaces_what_memory_showed() -> None:
    known = Listing()
    known.merge(run_of(0x10, [2], text="live"), live=True)
    known.merge(run_of(0x0F, [2, 2], text="image"), live=False)
    assert known.at(0x10) == Known(CodeLine(0x10, bytes(2), "live"), True)
    assert known.at(0x0F) is None


def test_gap_stands_between_runs_and_label_before_its_instruction() -> None:
    known = Listing()
    known.merge(listing(0, 2), live=True)
    known.merge(listing(5, 2), live=True)
    kinds = [type(row) for row in known.rows()]
    assert kinds == [Label, Known, Known, Gap, Label, Known, Known]


def test_listing_is_bounded_around_what_was_seen_last() -> None:
    known = Listing(most=64)
    for start in range(0, 4000, 40):
        known.merge(run_of(start, [4] * 10), live=True)
    assert len(known) <= 64
    assert 3960 in known


def test_image_is_read_from_a_known_start() -> None:
    lines = ImageListing(program()).around(BASE + 0x0F, before=2)
    assert lines[0].address == BASE + 0x09
    assert [line.address for line in lines][2] == BASE + 0x0F
    assert lines[2].symbol == "wait"
    assert ImageListing(program()).around(0x9000_0000) == []


def test_listing_model_keeps_qts_contract(qtmodeltester: ModelTester) -> None:
    model = ListingModel()
    qtmodeltester.check(model)
    model.begin(ImageListing(program()))
    model.show(listing(0, 3), BASE)
    model.show(listing(5, 3), BASE + 0x0F)
    model.set_breakpoints(frozenset({BASE}))


def test_unseen_address_is_revealed_from_the_image_and_marked_as_such() -> None:
    model = ListingModel()
    model.begin(ImageListing(program()))
    model.show(listing(0, 2), BASE)
    row = model.reveal(BASE + 0x10)
    assert row is not None
    known = model.rows[row]
    assert isinstance(known, Known)
    assert not known.live
    assert model.reveal(0x9000_0000) is None


def test_spoken_row_tells_of_pc_and_breakpoint() -> None:
    model = ListingModel()
    model.begin(None)
    model.show(listing(), BASE)
    model.set_breakpoints(frozenset({BASE}))
    row = model.row_of(BASE)
    assert row is not None
    assert model.spoken(model.rows[row]) == f"cli, at {BASE:x}, current instruction, breakpoint"


def test_source_model_keeps_qts_contract(qtmodeltester: ModelTester) -> None:
    model = SourceModel()
    qtmodeltester.check(model)
    model.begin("small.s", SOURCE, program().lines)
    model.set_current(2)
    model.set_breakpoints(frozenset({BASE}))


def test_source_line_knows_its_instructions() -> None:
    model = SourceModel()
    model.begin("small.s", SOURCE, program().lines)
    assert model.addresses(2) == [BASE]
    assert model.addresses(0) == []
    assert model.next_coded(0) == 2
    assert model.next_coded(99) is None
    model.set_breakpoints(frozenset({BASE + 0x0F}))
    assert model.has_breakpoint(8)
    assert not model.has_breakpoint(2)
