"""Snapshots of VMs as a person uses them: taken, named, gone back to, cloned, thrown away, written to a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.main_window import MainWindow
from app.models.difference import Sides
from app.models.snapshot_table_model import NOW
from app.views.snapshots_view import SnapshotsView
from app.views.vms_view import VmsView
from tests.gui.conftest import Person


@pytest.fixture
def view(person: Person) -> SnapshotsView:
    """The Snapshots view in sight, empty; a guest that says something stands at power-on under a monitor."""
    view = person.window.layout_.views["snapshots"]
    assert isinstance(view, SnapshotsView)
    person.window.layout_.show_view("snapshots")
    person.load("hello", "trap_emulate")
    while view.chosen is not None:
        before = len(view.model.facts)
        view.delete.trigger()
        person.wait(lambda before=before: len(view.model.facts) < before)
    return view


def take(person: Person, view: SnapshotsView, name: str) -> None:
    """Take one, and type its name where it stands."""
    before = len(view.model.facts)
    person.press(Act.TAKE_SNAPSHOT)
    person.wait(lambda: len(view.model.facts) > before)
    editor = view.table.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, name)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    person.wait(lambda: view.model.facts[-1].name == name)


def file_dialog(person: Person) -> QFileDialog:
    dialog = person.window.findChild(QFileDialog)
    assert dialog is not None
    return dialog


def test_a_vm_is_put_back_to_the_instant_at_which_it_was_kept(person: Person, view: SnapshotsView) -> None:
    assert "one instant" in view.none_kept.text()
    assert "Take one first" in person.window.actions_.reason(Act.REVERT)
    for _ in range(12):
        person.step()
    kept = person.sees
    take(person, view, "before it speaks")
    person.run()
    assert person.sees.console_length > kept.console_length
    view.difference.compare.click()
    person.wait(lambda: view.difference.chosen is Sides.NOW_AND_KEPT)
    assert view.model.index(0, NOW).data() != "0 pages"
    written = person.console.text
    machine = person.sees.machine_time
    person.press(Act.REVERT)
    person.wait(lambda: person.sees.executed == kept.executed)
    assert (person.sees.registers, person.sees.end) == (kept.registers, None)
    assert person.sees.machine_time >= machine  # the machine's time does not go back
    assert person.console.text != written
    person.wait(lambda: view.model.index(0, NOW).data() == "0 pages")
    assert "byte for byte" in view.difference.words.text()
    person.run()
    assert person.console.text == written
    person.press(Act.UNDO)
    person.wait(lambda: person.sees.end is not None and person.sees.generation > kept.generation)


def test_a_clone_is_a_second_vm_that_goes_on_from_there_under_any_kind(person: Person, view: SnapshotsView) -> None:
    for _ in range(12):
        person.step()
    take(person, view, "before it speaks")
    person.run()
    said = person.console.text
    under = {action.text(): action for action in view.clones.actions()}
    assert not under["under Paravirtualization"].isEnabled()
    under["under Hardware-assisted (AMD-V)"].trigger()
    person.wait(lambda: len(person.sees.vms) == 2)
    first, second = person.sees.vms
    assert (second.kind, second.executed, second.end) == ("hardware", 12, None)
    assert first.end is not None
    vms = person.window.layout_.views["vms"]
    assert isinstance(vms, VmsView)
    vms.selectRequested.emit("B")
    person.wait(lambda: person.sees.vm == "B")
    assert view.revert.text() == "Revert B"
    person.run()
    assert person.console.text == said


def test_what_was_thrown_away_is_brought_back(person: Person, view: SnapshotsView) -> None:
    take(person, view, "one")
    take(person, view, "other")
    view.table.selectRow(0)
    QTest.keyClick(view.table, Qt.Key.Key_Delete)
    person.wait(lambda: [fact.name for fact in view.model.facts] == ["other"])
    assert "“one” is deleted" in person.window.message.text
    person.window.message.accept_button.click()
    person.wait(lambda: [fact.name for fact in view.model.facts] == ["one", "other"])
    view.renameRequested.emit("one", "other")
    person.wait(lambda: "already" in person.window.message.text)
    assert [fact.name for fact in view.model.facts] == ["one", "other"]


def test_a_vm_leaves_as_a_file_and_goes_on_in_another_window(
    person: Person, view: SnapshotsView, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "early.ringvm"
    for _ in range(12):
        person.step()
    kept = person.sees
    take(person, view, "early")
    person.press(Act.EXPORT_VM)
    dialog = file_dialog(person)
    assert dialog.selectedFiles()[0].endswith("early.ringvm")
    dialog.fileSelected.emit(str(path))
    dialog.close()
    person.wait(lambda: str(path) in person.window.sentence.text)
    assert not view.export_disk.isEnabled()  # it has none
    person.load("rings", "hardware")
    other = MainWindow(
        person.engine, QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat), owns_engine=False
    )
    qtbot.addWidget(other)
    other.open(str(path))
    person.wait(lambda: person.sees.guest == "hello")
    assert (person.sees.executed, person.sees.kind) == (kept.executed, "trap_emulate")
    assert {each.name: each.believed for each in person.sees.registers} == {
        each.name: each.believed for each in kept.registers
    }
    assert other.program.chosen == (str(path), "trap_emulate")
    other.program.load(str(path), "hardware")
    person.wait(lambda: person.sees.kind == "hardware")
    assert person.sees.executed == kept.executed
