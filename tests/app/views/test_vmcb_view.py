"""The VMCB view: fields, what the last exit changed, intercepts as switches."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.intercept_model import InterceptModel
from app.models.vmcb_model import BEFORE, NAME, ROWS, VALUE, VmcbModel
from app.theme import make_theme
from app.views.vmcb_view import NO_VMCB, VmcbView
from core.guests.catalog import load_program
from core.looks import Look
from core.session import Session
from core.snapshot import Snapshot
from core.vmm.intercepts import INTERCEPTS
from tests.app.builders import loaded


@pytest.fixture(scope="module")
def after_cpuid() -> Snapshot:
    session = Session()
    session.load(load_program("privileged"), "hardware")
    session.look = Look(vmcb=True)
    session.step(400)
    return session.snapshot()


@pytest.fixture
def view(qtbot: QtBot) -> VmcbView:
    made = VmcbView(make_theme("dark"))
    qtbot.addWidget(made)
    made.show_program(loaded(kind="hardware"))
    return made


def row(name: str) -> int:
    return next(n for n, each in enumerate(ROWS) if each.name == name)


def switch(name: str) -> int:
    return next(n for n, each in enumerate(INTERCEPTS) if each.name == name)


def test_fields_show_the_machines_values_and_what_the_last_exit_changed(view: VmcbView, after_cpuid: Snapshot) -> None:
    view.show_snapshot(after_cpuid)
    assert not view.is_empty
    assert view.fields.index(row("EXITCODE"), NAME).data().strip() == "EXITCODE"
    assert view.fields.index(row("EXITCODE"), VALUE).data().endswith("7B")
    assert view.fields.index(row("RIP"), BEFORE).data() != ""
    assert view.fields.index(row("ASID"), BEFORE).data() == ""
    assert "Last exit: IOIO" in view.headline.text()


def test_a_switch_says_what_the_person_wants_and_waits_for_the_machine(
    view: VmcbView, after_cpuid: Snapshot, qtbot: QtBot
) -> None:
    view.show_snapshot(after_cpuid)
    index = view.intercepts.index(switch("CPUID"), 0)
    assert index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
    with qtbot.waitSignal(view.interceptFlipped) as told:
        view.intercepts.setData(index, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert told.args == [0x72, False]
    assert index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked


def test_what_has_no_effect_is_grey_and_says_why(view: VmcbView, after_cpuid: Snapshot) -> None:
    view.show_snapshot(after_cpuid)
    index = view.intercepts.index(switch("RDTSCP"), 0)
    assert not index.flags() & Qt.ItemFlag.ItemIsEnabled
    assert "does not look at this bit" in index.data(Qt.ItemDataRole.ToolTipRole)


def test_a_value_typed_is_told_and_nonsense_is_refused_in_words(
    view: VmcbView, after_cpuid: Snapshot, qtbot: QtBot
) -> None:
    view.show_snapshot(after_cpuid)
    index = view.fields.index(row("ASID"), VALUE)
    with qtbot.waitSignal(view.fieldEdited) as told:
        view.fields.setData(index, "0")
    assert told.args == ["ASID", 0]
    for typed, said in (("seven", "no number"), ("1" * 9, "does not fit")):
        view.fields.setData(index, typed)
        assert said in view.headline.text()


def test_a_kind_without_guest_mode_says_where_to_find_one(view: VmcbView) -> None:
    session = Session()
    session.load(load_program("hello"), "bare")
    session.look = Look(vmcb=True)
    view.show_snapshot(session.snapshot())
    assert view.is_empty
    assert view.empty_words == NO_VMCB


def test_the_models_are_good_models(qtmodeltester: ModelTester, after_cpuid: Snapshot) -> None:
    fields = VmcbModel(make_theme("dark").type.mono())
    fields.show(after_cpuid.seen.vmcb)
    qtmodeltester.check(fields)
    intercepts = InterceptModel()
    intercepts.show(after_cpuid.seen.vmcb)
    qtmodeltester.check(intercepts)


@pytest.mark.parametrize(("anchor", "table"), [("PUSHF", "intercept_table"), ("NRIP", "field_table")])
def test_a_lesson_can_point_at_a_field_and_at_an_intercept(
    view: VmcbView, after_cpuid: Snapshot, anchor: str, table: str
) -> None:
    view.resize(600, 240)
    view.show()
    view.show_snapshot(after_cpuid)
    view.point_at(anchor)
    pointed = getattr(view, table)
    index = pointed.currentIndex()
    assert pointed.model().index(index.row(), 0).data().strip() == anchor
    assert pointed.viewport().rect().contains(pointed.visualRect(index).center())


def test_with_little_room_the_meanings_of_fields_come_first(view: VmcbView, after_cpuid: Snapshot) -> None:
    view.show_snapshot(after_cpuid)
    view.show()
    for width, hidden in ((600, True), (1200, False)):
        view.resize(width, 300)
        assert view.intercept_table.isColumnHidden(1) is hidden
        assert view.field_table.columnWidth(3) > 60
