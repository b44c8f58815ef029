"""Setting registers and memory in the real window: the guest goes on with them, and Ctrl+Z takes them back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from app.controllers.actions import Act
from app.views.bytes_view import BytesView
from core.looks import Space
from tests.gui.conftest import Person


def believed(person: Person, name: str) -> int:
    return next(each.believed for each in person.sees.registers if each.name == name)


def test_a_register_is_set_in_its_row_and_set_back_by_undo(person: Person) -> None:
    person.load("hello", "trap_emulate")
    person.step()
    before = believed(person, "EDI")
    table, model = person.registers.table, person.registers.model
    index = model.index(model.row_of("EDI") or 0, 1)
    table.edit(index)
    (editor,) = table.findChildren(QLineEdit)
    editor.setText("1234")
    model.setData(index, editor.text())
    table.closePersistentEditor(index)
    person.wait(lambda: believed(person, "EDI") == 0x1234)
    assert "You set EDI" in person.window.sentence.text
    person.press(Act.UNDO)
    person.wait(lambda: believed(person, "EDI") == before)
    assert person.window.sentence.text.startswith("Undone: EDI of VM A set to 0x1234.")


def test_a_byte_is_typed_over_and_the_guest_finds_it(person: Person) -> None:
    person.load("hello", "hardware")
    bytes_view = person.window.layout_.views["bytes"]
    assert isinstance(bytes_view, BytesView)
    person.window.layout_.show_view("bytes")
    assert person.engine.program is not None
    (segment,) = person.engine.program.segments
    address = segment.address + segment.data.index(b"Hello")
    bytes_view.show_bytes(Space.LINEAR, address)
    person.wait(lambda: bytes_view.window_.byte(address) == ord("H"))
    for key in (Qt.Key.Key_4, Qt.Key.Key_A):
        person._qtbot.keyClick(bytes_view.pane, key)
    person.wait(lambda: bytes_view.window_.byte(address) == ord("J"))
    person.run()
    assert person.console.text == "Jello from ring 0!\n"
