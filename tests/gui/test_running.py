"""Running real guests in the real window: what the machine does is what the views show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from core.events import StopReason
from tests.gui.conftest import Person

LOOP = "loop_here: jmp loop_here"
ECHO = """
    mov edx, 0x3fd
wait_for_byte:
    in al, dx
    test al, 1
    jz wait_for_byte
    mov edx, 0x3f8
    in al, dx
    out dx, al
    mov edx, 0x3fd
    jmp wait_for_byte
"""


@pytest.mark.parametrize("kind", ["bare", "trap_emulate"])
def test_hello_says_hello_and_ends(person: Person, kind: str) -> None:
    person.load("hello", kind)
    person.run()
    assert person.console.text == "Hello from ring 0!\n"
    assert person.sees.end is not None
    assert person.sees.end.status == 0
    assert person.window.state.text().startswith("ended")
    assert person.traps.rows.rowCount() == person.sees.trap_count > 0
    assert not person.window.actions_[Act.RUN].isEnabled()


def test_step_shows_the_next_instruction_and_what_changed(person: Person) -> None:
    first = person.sees.pc
    person.step()
    assert person.sees.executed == 1
    assert person.code.listing_model.pc == person.sees.pc != first
    line = next(one for one in person.sees.listing if one.address == person.sees.pc)
    assert person.code.source_model.current_row == line.line - 1
    assert person.code.source_model.name == line.file
    assert person.window.sentence.text == person.sees.sentence


def test_step_over_comes_back_from_a_call(person: Person) -> None:
    assert person.sees.listing
    call = next(one for one in person.sees.listing if one.address == person.sees.pc)
    assert call.text.startswith("call")
    person.press(Act.STEP_OVER)
    person.wait(lambda: not person.sees.running and person.sees.executed > 1)
    assert person.console.text == "Hello from ring 0!\n"


def test_reset_begins_anew(person: Person) -> None:
    person.run()
    generation = person.sees.generation
    person.press(Act.RESET)
    person.wait(lambda: person.sees.generation > generation)
    assert person.sees.executed == 0
    assert person.console.text == ""
    assert person.traps.is_empty


def test_guest_that_does_not_end_stops_when_told(person: Person, source: Callable[[str], str]) -> None:
    person.load(source(LOOP))
    person.press(Act.RUN)
    person.wait(lambda: person.sees.running and person.sees.executed > 10_000)
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    assert person.sees.stop is StopReason.REQUESTED
    person.step()


def test_slow_speed_is_slow_and_can_be_stopped_at_once(person: Person, source: Callable[[str], str]) -> None:
    person.load(source(LOOP))
    person.window.speed.slider.setValue(0)  # one instruction a second
    person.press(Act.RUN)
    person.wait(lambda: person.sees.running)
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    assert person.sees.executed < 1000


def test_typing_reaches_the_guest_and_its_answer_comes_back(
    person: Person, source: Callable[[str], str], qtbot: QtBot
) -> None:
    person.load(source(ECHO))
    person.press(Act.RUN)
    person.wait(lambda: person.sees.running and person.sees.executed > 1000)
    qtbot.keyClicks(person.console.terminal, "ring 3!")
    person.wait(lambda: person.console.text == "ring 3!")


def test_choosing_a_trap_goes_to_its_instruction(person: Person) -> None:
    person.load("rings", "trap_emulate")
    person.run()
    row = person.traps.rows.rowCount() // 2
    person.traps.table.selectRow(row)
    assert person.code.cursor_address == person.traps.rows.trap(row).pc
    assert person.code.listing.currentIndex().row() == person.code.listing_model.row_of(person.code.cursor_address)


def test_under_a_monitor_belief_and_truth_differ(person: Person) -> None:
    person.load("hello", "trap_emulate")
    assert "believes it runs in ring 0; it runs in ring 1" in person.registers.summary.text()
    person.load("hello", "bare")
    assert "right about every register" in person.registers.summary.text()


def test_after_the_end_the_last_instruction_is_marked_and_none_comes_next(person: Person) -> None:
    person.run()
    assert person.sees.end is not None
    row = person.code.listing_model.current_row
    assert row is not None
    assert person.code.listing_model.index(row).data().endswith("out 0xf4, al")
    assert "the run ended" in person.code.listing_model.index(row).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "ended in" in person.code.caption.text()
    person.press(Act.STEP_BACK)
    person.wait(lambda: person.sees.end is None)
    assert person.code.listing_model.pc == person.sees.pc
    assert "ended" not in person.code.caption.text()


def test_under_a_monitor_both_sides_of_the_registers_that_decide_are_shown(person: Person) -> None:
    person.load("pebble-clean", "trap_emulate")
    person.engine.step(400_000)  # into its kernel, with paging on
    person.wait(lambda: person.sees.executed == 400_000 and not person.sees.running)
    for name in ("CS", "CR0", "CR3", "GDTR", "IDTR"):
        row = person.registers.model.row_of(name)
        assert row is not None
        believed, real = (person.registers.model.index(row, column).data() for column in (1, 2))
        assert believed
        assert real
        assert believed != real
        assert name in person.registers.summary.toolTip()
    assert person.registers.model.row_of("IF") is not None
