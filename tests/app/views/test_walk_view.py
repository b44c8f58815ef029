"""The Page walk view: the steps side by side, what an access would come to, the chosen entry in words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.walk_table_model import WalkTableModel
from app.theme import Theme
from app.views.walk_view import WalkView
from core.looks import Follow, Look, PageWalk, Seen
from core.vmm import kinds_for
from tests.app.builders import loaded, snapshot
from tests.core.paged_guest import READ_ONLY, USER_PAGE, paged


def walk(address: int, kind: str = "trap_emulate", label: str = "read") -> PageWalk:
    """A real walk of a real guest."""
    found = paged(kind, label).seen(Look(walk=address), None).walk
    assert found is not None
    return found


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> WalkView:
    view = WalkView(theme)
    qtbot.addWidget(view)
    view.resize(900, 400)
    view.show()
    view.show_program(loaded())
    return view


def rows(view: WalkView) -> dict[str, list[str]]:
    model = view.model
    return {
        row.name: [
            f"{model.index(at, column).data()}|{row.cells[column - 1].beneath}"
            for column in range(1, model.columnCount())
        ]
        for at, row in enumerate(model.rows)
    }


def show(view: WalkView, found: PageWalk) -> dict[str, list[str]]:
    view.show_snapshot(snapshot(seen=Seen(walk=found)))
    return {name: [cell.replace("\u202f", "") for cell in cells] for name, cells in rows(view).items()}


def test_the_guests_tables_stand_beside_the_shadow_step_by_step(view: WalkView) -> None:
    found = walk(USER_PAGE)
    shown = show(view, found)
    assert list(shown) == ["CR3", "Directory", "Table", "Address", "Read", "Write", "Execute"]
    assert shown["Directory"][0] == "00022027 P R/W U/S A|[1] at 00020004"
    assert shown["Table"][0] == "00030027 P R/W U/S A|[0] at 00022000"
    assert shown["Table"][1].startswith(f"{found.host or 0:08X}"[:5])
    assert [heading for heading, _ in view.model.headings[1:]] == ["Guest's tables", "Shadow tables"]


def test_a_fault_is_true_or_hidden_and_says_why(view: WalkView) -> None:
    shown = show(view, walk(USER_PAGE))
    assert shown["Write"] == ["kernel ✓|program ✓", "kernel ✓ after a hidden #PF(3)|program ✓ after a hidden #PF(7)"]
    shown = show(view, walk(READ_ONLY))
    assert shown["Write"][0] == (
        "kernel ✗ #PF(3): the table entry is read-only (R/W = 0), and CR0.WP binds the kernel too"
        "|program ✗ #PF(7): the table entry is for the kernel only (U/S = 0)"
    )


def test_what_lags_is_marked_and_explained_when_it_is_chosen(view: WalkView) -> None:
    show(view, walk(USER_PAGE))
    at = next(at for at, row in enumerate(view.model.rows) if row.name == "Table")
    assert [cell.lags for cell in view.model.rows[at].cells] == [False, True]
    view.table.selectRow(at)
    assert "until the first write" in view.words.text()
    assert view.bits.index(1, 0).data() == "R/W"
    assert [view.bits.index(1, column).data() for column in (1, 2)] == ["1 writable", "0 read-only"]
    assert "≠" in view.summary.text()


def test_every_bit_explains_itself(view: WalkView) -> None:
    show(view, walk(USER_PAGE))
    view.table.selectRow(1)
    tips = [view.bits.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(view.bits.rowCount())]
    assert len(tips) == 11
    assert all(tip.endswith(".") for tip in tips)


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_without_paging_it_says_so(view: WalkView, kind: str) -> None:
    shown = show(view, walk(0x1234, kind, "fill"))
    assert view.summary.text().startswith("Paging is off")
    assert "Read" not in shown


def test_an_address_that_leads_nowhere_says_which_entry_is_missing(view: WalkView) -> None:
    show(view, walk(0x0080_0000, "bare"))
    assert view.summary.text().endswith("leads nowhere: the directory entry is not present (P = 0)")


def test_typing_an_address_or_a_symbol_looks_there(view: WalkView, qtbot: QtBot) -> None:
    assert view.look == Look(walk=Follow.EIP)
    with qtbot.waitSignal(view.lookChanged):
        view.address.line.setText("wait")
        qtbot.keyClick(view.address.line, Qt.Key.Key_Return)
    assert view.look == Look(walk=0x0010_000F)
    view.address.line.setText("no such thing")
    qtbot.keyClick(view.address.line, Qt.Key.Key_Return)
    assert "neither an address nor a symbol" in view.summary.text()
    assert view.look == Look(walk=0x0010_000F)
    with qtbot.waitSignal(view.lookChanged):
        view.address.buttons[Follow.ESP].click()
    assert view.look == Look(walk=Follow.ESP)


def test_the_models_are_good_models(view: WalkView, qtmodeltester: ModelTester) -> None:
    show(view, walk(USER_PAGE))
    view.table.selectRow(1)
    model = WalkTableModel()
    model.show(walk(USER_PAGE))
    qtmodeltester.check(model)
    qtmodeltester.check(view.bits)


def test_a_lesson_can_point_at_a_label(view: WalkView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.lookChanged):
        view.point_at("wait")
    assert view.look == Look(walk=0x0010_000F)
    view.point_at("no such label")
    assert view.look == Look(walk=0x0010_000F)


def test_nested_tables_stand_beside_the_guests_own_by_level(view: WalkView) -> None:
    shown = show(view, walk(USER_PAGE, "hardware"))
    assert list(shown) == ["CR3", "Pointers", "Directory", "Table", "Address", "Read", "Write", "Execute"]
    assert shown["Pointers"][0] == "|"
    assert shown["Write"] == ["kernel ✓|program ✓", "kernel ✓|program ✓"]
    assert [heading for heading, _ in view.model.headings[1:]] == ["Guest's tables", "Nested tables"]


def test_every_reference_of_the_two_dimensional_walk_is_listed_and_counted(view: WalkView) -> None:
    found = walk(USER_PAGE, "hardware")
    show(view, found)
    assert view.each.text() == "8 references"
    view.each.click()
    names = [row.name for row in view.model.rows]
    assert names == ["1 Ptrs", "2 Dir", "3 Dir", "4 Ptrs", "5 Dir", "6 Table", "7 Ptrs", "8 Dir", "Address"]
    columns = [[bool(cell.value) for cell in row.cells].index(True) for row in view.model.rows[:-1]]
    assert columns == [1, 1, 0, 1, 1, 0, 1, 1]  # nested pages of 2 MiB: two levels each time
    assert view.summary.text() == "8 references: 2 to the guest's tables, 6 to the nested tables."
    view.table.selectRow(0)
    assert "where the guest's directory entry stands" in view.words.text()
    assert view.bits.index(0, 0).data() == "P"
    view.each.click()
    assert view.model.rows[0].name == "CR3"


def test_a_walk_through_one_set_of_tables_takes_as_many_references_as_it_has_levels(view: WalkView) -> None:
    show(view, walk(USER_PAGE, "hardware_shadow"))
    assert view.each.text() == "2 references"
    view.each.click()
    assert view.summary.text() == "2 references: 0 to the guest's tables, 2 to the shadow tables."
