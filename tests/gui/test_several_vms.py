"""Several VMs in one window: one is looked at, chosen in the toolbar or the table, and every view is of that one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.controllers.actions import Act
from app.engine.protocol import AddVm
from app.models.vm_table_model import GUEST, KIND
from app.views.vms_view import VmsView
from tests.gui.conftest import Person


def test_the_toolbar_chooses_which_vm_every_view_shows(person: Person) -> None:
    window, vms, chooser = person.window, person.window.layout_.views["vms"], person.window.toolbar.vms
    assert isinstance(vms, VmsView)
    window.layout_.show_view("vms")
    person.load("hello", "trap_emulate")
    assert not chooser.isVisibleTo(window)
    assert "but one VM" in window.actions_.reason(Act.NEXT_VM)
    person.engine.host(AddVm("rings", "hardware"))
    person.wait(lambda: len(person.sees.vms) == 2)
    person.wait(lambda: chooser.isVisibleTo(window))
    assert [chooser.itemText(at) for at in range(chooser.count())] == ["A: Hello", "B: Four rings"]
    chooser.setFocus()
    QTest.keyClick(chooser, Qt.Key.Key_Down)
    person.wait(lambda: person.sees.vm == "B")
    assert [index.row() for index in vms.table.selectionModel().selectedRows()] == [1]
    assert window.program.chosen == ("rings", "hardware")
    assert "VM B" in window.windowTitle()
    assert person.code.source_model.name == "rings.s"
    person.step()
    assert [vm.executed for vm in person.sees.vms] == [0, 1]
    person.press(Act.NEXT_VM)  # round, to the first
    person.wait(lambda: person.sees.vm == "A")
    assert chooser.currentText() == "A: Hello"
    assert [vms.model.index(1, column).data() for column in (GUEST, KIND)] == [
        "Four rings",
        "Hardware-assisted (AMD-V)",
    ]
    assert "(hardware)" in vms.model.index(1, KIND).data(Qt.ItemDataRole.ToolTipRole)


def test_four_shells_are_typed_to_and_each_answers_in_its_own_console(person: Person) -> None:
    person.load("pebble-clean", "trap_emulate")
    for _ in range(3):
        person.engine.host(AddVm("pebble-clean", "trap_emulate"))
    person.press(Act.RUN)
    for letter in "ABCD":
        person.wait(lambda letter=letter: person.sees.vm == letter and person.console.text.endswith("$ "))
        QTest.keyClicks(person.console.terminal, f"echo I am {letter}")
        QTest.keyClick(person.console.terminal, Qt.Key.Key_Return)
        person.wait(lambda letter=letter: f"\nI am {letter}\n$ " in person.console.text)
        person.press(Act.NEXT_VM)
    person.wait(lambda: person.sees.vm == "A")
    assert person.console.text.count("I am") == 2  # the line that was typed, and its answer: nobody else's
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    for vm in person.sees.vms:
        assert f"\r\nI am {vm.letter}\r\n$ " in vm.console_tail.decode()
    assert {lane.vm for lane in person.traps.timeline.marks.lanes} == set("ABCD")
