"""The Snapshots view: what can be done is offered, what cannot says why, and the map shows what differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.difference import Sides
from app.models.snapshot_table_model import IMAGE, NAME, NOW
from app.theme import Theme
from app.views.snapshots_view import BARE, NONE_CHOSEN, SnapshotsView
from core.looks import PhysicalMap, Seen, Use, UseKind
from core.vm_snapshots.divergence import Diverged, Divergence
from core.vm_snapshots.shelf import SnapshotFact
from tests.app.builders import snapshot
from tests.app.models.test_difference import bits
from tests.app.models.test_vm_table_model import A, B

PAGES, SECTORS = 1024, 16


def divergence(*pages: int, sectors: tuple[int, ...] = ()) -> Divergence:
    return Divergence(len(pages), PAGES, len(sectors), SECTORS, bits(*pages, of=PAGES), bits(*sectors, of=SECTORS))


EARLY = SnapshotFact(
    number=1, name="early", letter="A", guest=A.guest, title=A.title, kind=A.kind, kind_title=A.kind_title, time=1200,
    executed=1000, machine_time=1200, memory=PAGES << 12, has_disk=True, end="",
    diverged=divergence(3, 700, sectors=(2,)),
    carriers=("bare", A.kind),
)  # fmt: skip
LATE = replace(EARLY, number=2, name="late", has_disk=False, diverged=divergence(3))


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> SnapshotsView:
    view = SnapshotsView(theme)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    view.show_snapshot(snapshot(vm="A", vms=(A, B)))
    return view


def test_without_snapshots_it_says_what_one_is(view: SnapshotsView) -> None:
    assert view.none_kept.isVisible()
    assert not view.difference.isVisible()
    assert view.take.isEnabled()
    assert not view.revert.isEnabled()
    assert "Take one first" in view.revert.toolTip()
    assert "Take one first" in view.export_vm.toolTip()


def test_a_vm_that_runs_the_guest_can_be_put_back(view: SnapshotsView, qtbot: QtBot) -> None:
    view.show_shelf((EARLY,))
    assert view.revert.text() == "Revert A"
    with qtbot.waitSignal(view.revertRequested) as asked:
        view.revert.click()
    assert asked.args == ["early", "A"]
    view.show_snapshot(snapshot(vm="B", vms=(A, replace(B, guest=A.guest))))  # a clone: the one that is looked at
    assert view.revert.text() == "Revert B"
    view.show_snapshot(snapshot(vm="B", vms=(replace(B, guest="another"),)))
    assert not view.revert.isEnabled()
    assert "No VM here runs" in view.why_no_revert


def test_a_bare_machine_has_no_room_for_a_clone(view: SnapshotsView) -> None:
    view.show_shelf((EARLY,))
    assert view.clone.isEnabled()
    view.show_snapshot(snapshot(vm="A", vms=(replace(A, kind="bare"),)))
    assert (view.clone.isEnabled(), view.clone.toolTip()) == (False, BARE)


def test_the_newest_is_chosen_and_a_choice_outlives_names_and_deaths(view: SnapshotsView) -> None:
    view.show_shelf((EARLY,))
    view.show_shelf((EARLY, LATE))
    assert view.chosen == LATE
    assert not view.export_disk.isEnabled()
    view.table.selectRow(0)
    assert view.export_disk.isEnabled()
    view.show_shelf((replace(EARLY, name="earliest"), LATE))
    assert view.chosen is not None
    assert view.chosen.name == "earliest"
    view.show_shelf((LATE,))
    assert view.chosen == LATE
    view.table.clearSelection()
    view.table.setCurrentIndex(view.model.index(-1, 0))
    assert view.why_no_revert == NONE_CHOSEN


def test_an_edited_name_is_a_wish(view: SnapshotsView, qtbot: QtBot) -> None:
    view.show_shelf((EARLY,))
    with qtbot.waitSignal(view.renameRequested) as asked:
        view.model.setData(view.model.index(0, NAME), " before lunch ")
    assert asked.args == ["early", "before lunch"]
    with qtbot.assertNotEmitted(view.renameRequested):
        view.model.setData(view.model.index(0, NAME), "early")
    assert view.model.index(0, NAME).data() == "early"  # until it is so


def test_a_comparison_is_shown_by_use_and_said_to_be_old_when_it_is(view: SnapshotsView, qtbot: QtBot) -> None:
    view.show_shelf((EARLY,))
    assert view.model.index(0, IMAGE).data() == "2 pages, 1 sector"
    assert "differs from its image in 2 of 1\u202f024 pages and 1 of 16 sectors" in view.difference.words.text()
    uses = bytes(PAGES)
    seen = PhysicalMap(uses, (Use(UseKind.IMAGE, "guest image", ""),), bytes(4 * PAGES), b"", ())
    now = snapshot(vm="A", vms=(A, B), time=5000, seen=Seen(map=seen))
    view.show_snapshot(now)
    with qtbot.waitSignal(view.compareRequested) as asked:
        view.difference.compare.click()
    assert asked.args == ["A"]
    view.show_diverged(Diverged("A", 5000, divergence(1, 2, 3), (("early", divergence(9)),)))
    assert view.difference.chosen is Sides.NOW_AND_KEPT
    assert view.model.index(0, NOW).data() == "1 page"
    assert view.difference.words.text().startswith("VM A at 5\u202f000 differs from “early” in 1 of")
    assert view.difference.legend.isVisible()
    view.difference.pages.hovered.emit(9)
    assert view.difference.words.text() == "Page 9 at 0000\u202f9000: differs, guest image now."
    view.difference.pages.hovered.emit(-1)
    view.show_snapshot(replace(now, time=6000))
    assert view.difference.words.text().endswith("It has gone on since.")
    with qtbot.waitSignal(view.compareRequested):  # it was put back: compared anew
        view.show_snapshot(replace(now, time=1200, generation=now.generation + 1))


def test_the_list_is_read_by_a_screen_reader(view: SnapshotsView) -> None:
    view.show_shelf((EARLY,))
    assert view.table.accessibleName()
    assert view.difference.pages.accessibleName()
    assert view.model.headerData(IMAGE, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
