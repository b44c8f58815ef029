"""The traps view: nothing is missed while hidden, filters hold, a trap chosen anywhere is chosen everywhere."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from app.models.trap_table_model import TrapColumn
from app.theme import Theme, make_theme
from app.views.trap_marks import Lane, Marks
from app.views.trap_rates import TrapRates
from app.views.traps_view import TrapsView
from core.events import Cause, Trap
from core.snapshot import Snapshot
from tests.app.builders import loaded, snapshot, trap, traps
from tests.app.models.test_vm_table_model import A, B


def with_traps(happened: tuple[Trap, ...], **facts: object) -> Snapshot:
    return snapshot(traps=happened, causes=tuple(Counter(one.cause for one in happened).items()), **facts)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> TrapsView:
    view = TrapsView(theme, clock=iter(np.arange(0, 1000, 0.25).tolist()).__next__)
    qtbot.addWidget(view)
    view.resize(1000, 260)
    view.show()
    view.show_program(loaded())
    view.show_snapshot(with_traps(traps(40)))
    return view


def test_traps_seen_while_hidden_are_there_afterwards(view: TrapsView) -> None:
    view.keep(with_traps(traps(10, first=40)))
    view.keep(with_traps(traps(10, first=50)))
    view.show_snapshot(with_traps(traps(5, first=60)))
    assert view.rows.rowCount() == 65
    assert len(view.timeline.marks.times) == 65


def test_filter_reaches_table_and_timeline(qtbot: QtBot, view: TrapsView) -> None:
    view.search.setText("out")
    qtbot.keyClick(view.search, Qt.Key.Key_Return)
    assert {view.rows.trap(row).cause for row in range(view.rows.rowCount())} == {Cause.IO}
    assert view.timeline.marks.lanes == (Lane("A", Cause.IO),)


def test_pressed_chip_filters_and_says_how_often(qtbot: QtBot, view: TrapsView) -> None:
    expected = Counter(one.cause for one in traps(40))
    chip = view.chips.chip(Cause.SYSTEM_CALL)
    assert str(expected[Cause.SYSTEM_CALL]) in chip.accessibleName()
    chip.click()
    assert view.rows.rowCount() == expected[Cause.SYSTEM_CALL]
    chip.click()
    assert view.rows.rowCount() == 40


def test_choosing_in_the_table_chooses_in_the_timeline_and_goes_there(qtbot: QtBot, view: TrapsView) -> None:
    with qtbot.waitSignal(view.gotoRequested) as heard:
        view.table.selectRow(7)
    assert heard.args == [view.rows.trap(7).pc]
    assert view.timeline.chosen == 7


def test_choosing_in_the_timeline_chooses_in_the_table(qtbot: QtBot, view: TrapsView) -> None:
    view.timeline.setFocus()
    with qtbot.waitSignal(view.gotoRequested):
        qtbot.keyClick(view.timeline, Qt.Key.Key_Home)
    qtbot.keyClick(view.timeline, Qt.Key.Key_Right)
    assert view.table.currentIndex().row() == 1
    assert view.timeline.chosen == 1


def test_point_of_a_mark_is_that_mark(view: TrapsView) -> None:
    view.timeline.grab()  # lays out
    box = view.timeline.box
    marks = view.timeline.marks
    for row in (0, 13, 39):
        scene = box.mapViewToScene(QPointF(float(marks.times[row]), float(marks.lane_of[row])))
        assert view.timeline.row_at(QPointF(view.timeline.mapFromScene(scene))) == row


def test_table_stays_with_the_newest_until_the_person_scrolls_up(view: TrapsView) -> None:
    bar = view.table.verticalScrollBar()
    view.show_snapshot(with_traps(traps(40, first=40)))
    assert bar.value() == bar.maximum()
    bar.setValue(5)
    view.show_snapshot(with_traps(traps(40, first=80)))
    assert bar.value() == 5


def test_zoomed_timeline_is_left_alone_and_0_shows_all(qtbot: QtBot, view: TrapsView) -> None:
    box = view.timeline.box
    qtbot.keyClick(view.timeline, Qt.Key.Key_Plus)
    zoomed = box.viewRange()[0]
    view.show_snapshot(with_traps(traps(40, first=40)))
    assert box.viewRange()[0] == zoomed
    qtbot.keyClick(view.timeline, Qt.Key.Key_0)
    assert box.viewRange()[0][1] > float(view.timeline.marks.times[-1])


def test_what_is_not_kept_is_told(view: TrapsView) -> None:
    assert "newest" not in view.rate.toolTip()
    view.show_snapshot(with_traps(traps(5, first=1_000_000)))
    assert "came too fast" in view.rate.toolTip()


def test_long_numbers_are_never_cut(view: TrapsView) -> None:
    view.show_snapshot(with_traps(traps(5, first=123_456_789)))
    letter = view.fontMetrics().horizontalAdvance("0")
    assert view.table.columnWidth(TrapColumn.NUMBER) > 11 * letter
    assert view.table.columnWidth(TrapColumn.TIME) > 14 * letter


def test_power_on_forgets_the_past(view: TrapsView) -> None:
    view.show_program(loaded(generation=2))
    assert view.is_empty
    view.show_snapshot(with_traps(traps(3), generation=2))
    assert view.rows.rowCount() == 3


def test_power_on_without_a_word_forgets_it_too(view: TrapsView) -> None:
    view.show_snapshot(with_traps(traps(3), generation=2))
    assert view.rows.rowCount() == 3


def test_a_lane_for_each_vm_and_cause(view: TrapsView) -> None:
    happened = (trap(0), trap(1, vm="B", cause=Cause.EXIT), trap(2, cause=Cause.IO), trap(3, vm="B"))
    view.show_snapshot(with_traps(happened, generation=2))
    assert view.timeline.marks.lanes == (
        Lane("A", Cause.PRIVILEGED),
        Lane("A", Cause.IO),
        Lane("B", Cause.PRIVILEGED),
        Lane("B", Cause.EXIT),
    )
    view.grab()


def test_several_vms_have_a_lane_each_where_lanes_by_cause_could_not_be_told_apart(view: TrapsView) -> None:
    happened = (trap(0), trap(1, vm="B", cause=Cause.EXIT), trap(2, cause=Cause.IO), trap(3, vm="B"))
    view.show_snapshot(with_traps(happened, generation=2))
    view.timeline.resize(300, 60)
    assert view.timeline.marks.lanes == (Lane("A", None), Lane("B", None))
    assert view.timeline.marks.lane_of.tolist() == [0, 1, 0, 1]
    view.grab()
    view.timeline.resize(300, 300)
    assert len(view.timeline.marks.lanes) == 4


@pytest.mark.parametrize("count", [1, 40, 5000])
@pytest.mark.parametrize("name", ["dark", "projector-light"])
def test_few_and_many_are_painted_in_every_theme(view: TrapsView, count: int, name: str) -> None:
    before = view.timeline.grab().toImage()
    view.apply_theme(make_theme(name))
    view.show_snapshot(with_traps(traps(count), generation=2))
    view.table.selectRow(0)
    assert view.timeline.grab().toImage() != before


def test_marks_of_nothing_have_no_lanes(view: TrapsView) -> None:
    assert Marks.of(view.model.log, []).lanes == ()


def words_while(rates: TrapRates, running: bool, points: list[tuple[float, int, int]]) -> str:
    said = ""
    for now, count, executed in points:
        said = rates.words(snapshot(running=running, trap_count=count, executed=executed, traps=()), now)
    return said


def test_rates_are_measured_over_the_last_moment() -> None:
    said = words_while(TrapRates(), True, [(0, 0, 0), (5, 50, 10_000), (5.5, 1050, 91_000)])
    assert said.replace("\u202f", " ") == "2.0 k traps/s · one in 81 instructions"


def test_totals_are_said_while_it_stands() -> None:
    assert words_while(TrapRates(), False, [(0, 1, 1)]) == "1 trap in 1 instruction"


def test_no_traps_is_a_rate_too() -> None:
    assert words_while(TrapRates(), True, [(0, 7, 0), (0.5, 7, 10)]) == "no traps now"


def test_splitter_lies_with_the_shape_of_the_view(view: TrapsView, qtbot: QtBot) -> None:
    assert view.splitter.orientation() == Qt.Orientation.Horizontal
    view.resize(400, 600)
    assert view.splitter.orientation() == Qt.Orientation.Vertical


def test_find_key_leads_to_the_filter(qtbot: QtBot, view: TrapsView) -> None:
    view.activateWindow()
    view.table.setFocus()
    qtbot.keyClick(view.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert view.search.hasFocus()


@pytest.mark.parametrize("width", [583, 660, 800, 900])
def test_where_it_is_narrow_the_handler_is_in_sight_without_scrolling(view: TrapsView, width: int) -> None:
    view.resize(width, 230)
    view.show_snapshot(with_traps(traps(5, first=123_456_789)))
    header, handler = view.table.horizontalHeader(), TrapColumn.HANDLER
    assert not view.table.isColumnHidden(handler)
    right = header.sectionViewportPosition(handler) + header.sectionSize(handler)
    assert right <= view.table.viewport().width()
    assert header.sectionSize(handler) > 10 * view.fontMetrics().horizontalAdvance("0")


@pytest.mark.parametrize("height", [250, 257, 261, 266])
def test_a_whole_row_stands_under_the_header_at_the_tables_end_too(qtbot: QtBot, view: TrapsView, height: int) -> None:
    table = view.table
    view.resize(1000, height)
    view.show_snapshot(with_traps(traps(300, first=40)))
    qtbot.waitUntil(lambda: table.verticalScrollBar().value() == table.verticalScrollBar().maximum() > 0)
    first = table.rowAt(0)
    assert table.rowViewportPosition(first) == 0
    table.scrollToTop()
    table.scrollToBottom()
    assert table.rowViewportPosition(table.rowAt(0)) == 0
    last = view.rows.rowCount() - 1
    assert table.rowViewportPosition(last) + table.rowHeight(last) <= table.viewport().height()


def test_with_several_vms_the_traps_are_not_set_against_the_instructions_of_one(view: TrapsView) -> None:
    vms = (A, B)
    view.show_snapshot(with_traps(traps(5, first=40), vms=vms, trap_count=45, executed=1000))
    assert view.rate.text() == "45 traps of all VMs"
