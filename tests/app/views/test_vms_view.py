"""The VMs view: what may be done is offered, and every wish names its VM."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.controllers.catalogue import Catalogue
from app.controllers.hosting_controller import HostingController
from app.engine import protocol
from app.models.vm_table_model import SHARE
from app.theme import Theme
from app.views.vms_view import VmsView
from core.guests.start import NOTHING
from core.snapshot import VmState
from tests.app.builders import snapshot
from tests.app.fake_engine import FakeEngine
from tests.app.models.test_vm_table_model import A, B


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> VmsView:
    view = VmsView(theme)
    qtbot.addWidget(view)
    view.resize(700, 200)
    view.show()
    view.show_snapshot(snapshot(vm="A", vms=(A, B), free_memory=40 << 20))
    return view


def test_every_button_and_row_becomes_a_command_for_its_vm(view: VmsView) -> None:
    engine = FakeEngine()
    controller = HostingController(engine, lambda: ("small", "trap_emulate", NOTHING))  # type: ignore[arg-type]
    controller.connect_views([view])
    view.add.click()
    view.pause.click()
    view.remove.click()
    view.table.clicked.emit(view.model.index(1, 0))
    view.table.clicked.emit(view.model.index(0, 0))  # is selected already
    view.capRequested.emit("B", 0)
    view.memoryRequested.emit("B", 4096)
    told = [command for _, command in engine.told]
    assert told == [
        protocol.AddVm("small", "trap_emulate"),
        protocol.PauseVm("A"),
        protocol.RemoveVm("A"),
        protocol.SelectVm("B"),
        protocol.SetCap("B", None),
        protocol.Balloon("B", 4096),
    ]


def test_another_guest_under_another_kind_can_be_added(view: VmsView, catalogue: Catalogue) -> None:
    engine = FakeEngine()
    controller = HostingController(engine, lambda: ("small", "trap_emulate", NOTHING))  # type: ignore[arg-type]
    controller.offer(view.others, catalogue)
    assert [action.text() for action in view.others.actions()] == ["Small", "Other"]
    kinds = view.others.actions()[1].menu()
    assert isinstance(kinds, QMenu)
    assert [action.text() for action in kinds.actions()] == ["under Trap and emulate"]
    kinds.actions()[0].trigger()
    assert engine.told == [("host", protocol.AddVm("other", "trap_emulate"))]


def test_it_offers_what_makes_sense(view: VmsView) -> None:
    assert view.note.text() == "40 MiB are free for another VM."
    assert (view.pause.text(), view.remove.isEnabled(), view.add.isEnabled()) == ("Pause", True, True)
    view.show_snapshot(snapshot(vm="B", vms=(A, replace(B, state=VmState.PAUSED))))
    assert view.pause.text() == "Resume"
    view.show_snapshot(snapshot(vm="A", vms=(replace(A, kind="bare"),)))
    assert not view.add.isEnabled()
    assert not view.remove.isEnabled()
    assert "bare machine" in view.note.text()


def test_the_selected_vm_is_the_selected_row(view: VmsView) -> None:
    view.show_snapshot(snapshot(vm="B", vms=(A, B)))
    assert [index.row() for index in view.table.selectionModel().selectedRows()] == [1]


def test_in_the_first_layout_every_column_is_in_sight(view: VmsView) -> None:
    view.resize(583, 200)
    kind = replace(A, title="Pebble, clean", kind_title="Hardware-assisted (AMD-V)")
    view.show_snapshot(snapshot(vm="A", vms=(kind, replace(kind, letter="C"), B), free_memory=40 << 20))
    assert view.table.horizontalScrollBar().maximum() == 0


def test_shares_are_measured_while_the_view_is_hidden_too(view: VmsView) -> None:
    view.hide()
    for ran in (100, 200):
        view.keep(snapshot(vm="A", vms=(replace(A, executed=3 * ran), replace(B, executed=ran))))
    view.show_snapshot(snapshot(vm="A", vms=(replace(A, executed=600), replace(B, executed=200))))
    assert view.model.index(0, SHARE).data().startswith("75 /")
