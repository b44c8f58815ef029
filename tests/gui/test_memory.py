"""Memory in the real window: the map, the bytes and the walk of a real guest, and the ways between them."""

from __future__ import annotations

import pytest

from app.controllers.actions import Act
from app.views.bytes_view import BytesView
from app.views.memory_view import MemoryView
from app.views.walk_view import WalkView
from core.looks import Follow, Look, Space
from tests.gui.conftest import Person


def memory(person: Person) -> MemoryView:
    view = person.window.layout_.views["memory"]
    assert isinstance(view, MemoryView)
    return view


def walk(person: Person) -> WalkView:
    view = person.window.layout_.views["walk"]
    assert isinstance(view, WalkView)
    return view


def bytes_(person: Person) -> BytesView:
    view = person.window.layout_.views["bytes"]
    assert isinstance(view, BytesView)
    return view


@pytest.mark.parametrize("kind", ["bare", "trap_emulate"])
def test_the_map_shows_pebbles_processes_and_glows_while_they_run(person: Person, kind: str) -> None:
    person.window.layout_.show_view("memory")
    view = memory(person)
    person.load("pebble-clean", kind)
    person.press(Act.RUN)
    person.wait(lambda: "shell (2)" in {line.name for line in view.model.legend()})
    person.engine.send_input(b"run primes\n")
    person.wait(lambda: view.map._glow.any())
    system = person.sees.guest_system
    assert system is not None
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)


def test_a_hidden_view_is_not_looked_for(person: Person) -> None:
    person.window.layout_.show_view("code")
    person.wait(lambda: person.sees.seen.map is None)
    person.window.layout_.show_view("memory")
    person.wait(lambda: person.sees.seen.map is not None)
    person.window.layout_.show_view("code")
    person.wait(lambda: person.sees.seen.map is None)


def test_the_walk_follows_the_program_counter_until_another_address_is_picked(person: Person) -> None:
    person.window.layout_.show_view("walk")
    view = walk(person)
    person.wait(lambda: view.model.walk is not None and view.model.walk.linear == person.sees.pc)
    person.step()
    person.wait(lambda: view.model.walk is not None and view.model.walk.linear == person.sees.pc)
    row = person.registers.model.row_of("ESP")
    assert row is not None
    person.registers.table.selectRow(row)
    esp = next(each.believed for each in person.sees.registers if each.name == "ESP")
    person.wait(lambda: view.model.walk is not None and view.model.walk.linear == esp)
    assert view.look == Look(walk=esp)


def test_from_a_register_to_its_bytes_and_on_to_the_walk(person: Person) -> None:
    row = person.registers.model.row_of("EIP")
    assert row is not None
    menu = person.registers.menu_of(row)
    assert menu is not None
    menu.actions()[1].trigger()
    view = bytes_(person)
    person.wait(lambda: view.window_.byte(person.sees.pc) is not None)
    assert view.address.where == person.sees.pc
    code = next(line.code for line in person.sees.listing if line.address == person.sees.pc)
    assert bytes(view.window_.byte(person.sees.pc + n) or 0 for n in range(len(code))) == code
    view.menu_of(person.sees.pc).actions()[0].trigger()
    person.wait(lambda: walk(person).model.walk is not None)
    assert person.window.layout_.docks["walk"].isVisible()
    assert walk(person).address.where == person.sees.pc


def test_what_a_step_writes_is_marked_in_the_bytes(person: Person) -> None:
    person.window.layout_.show_view("bytes")
    view = bytes_(person)
    view.show_bytes(Space.LINEAR, Follow.ESP)
    person.wait(lambda: view.window_.seen is not None and view.window_.seen.span.follow is Follow.ESP)
    before = person.sees.pc
    person.step()  # a call pushes its return address
    person.wait(lambda: view.window_.seen is not None and view.window_.seen.stack is not None)
    seen = view.window_.seen
    assert seen is not None
    assert seen.stack is not None
    assert view.window_.changed(seen.stack) or view.window_.changed(seen.stack + 2)
    assert view.window_.word(seen.stack) == before + 5  # where a near call comes back to
