"""Travelling in time in the real window: what is shown is the machine of then; what is done there is another future."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.controllers.actions import Act
from core.events import StopReason
from core.looks import Space
from tests.gui.conftest import Person
from tests.gui.test_running import ECHO


def drag(person: Person, time: int) -> None:
    """Drag on the timeline from where the machine stands to `time`, and let go."""
    strip = person.window.strip
    at = [QPoint(round(strip.x_of(each)), 16) for each in (person.sees.machine_time, time)]
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=at[0])
    QTest.mouseMove(strip, at[1])
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=at[1])


@pytest.mark.parametrize("kind", ["bare", "trap_emulate"])
def test_a_step_back_shows_what_was_shown_before_the_step(person: Person, kind: str) -> None:
    person.load("hello", kind)
    seen = []
    for _ in range(12):
        seen.append((person.sees.pc, person.sees.registers, person.sees.trap_count, person.console.text))
        person.step()
    for count in reversed(range(12)):
        person.press(Act.STEP_BACK)
        person.wait(lambda count=count: person.sees.executed == count)
        now = (person.sees.pc, person.sees.registers, person.sees.trap_count, person.console.text)
        assert now == seen[count]
        assert person.traps.rows.rowCount() == person.sees.trap_count
    assert not person.window.actions_[Act.STEP_BACK].isEnabled()


def test_after_the_end_one_goes_back_and_the_end_comes_again(person: Person) -> None:
    person.run()
    end, reached = person.sees.end, person.sees.executed
    drag(person, person.sees.machine_time // 2)
    person.wait(lambda: person.sees.executed == reached // 2)
    assert person.sees.end is None
    assert len(person.console.text) < len("Hello from ring 0!\n")
    person.run()
    assert (person.sees.end, person.sees.executed) == (end, reached)
    assert person.console.text == "Hello from ring 0!\n"


def test_running_back_stops_at_the_breakpoint_it_came_by(person: Person) -> None:
    address = person.engine.program.symbols["print_next"] if person.engine.program else 0
    person.run()
    person.engine.set_breakpoints(frozenset({address}))
    person.wait(lambda: person.sees.breakpoints)
    person.press(Act.RUN_BACK)
    person.wait(lambda: person.sees.end is None)
    assert person.sees.pc == address
    assert person.sees.stop is StopReason.BREAKPOINT


def test_what_was_typed_is_undone_and_its_future_kept(person: Person, source: Callable[[str], str]) -> None:
    person.load(source(ECHO))
    person.press(Act.RUN)
    person.engine.send_input(b"x")
    person.wait(lambda: person.console.text == "x")
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    person.press(Act.UNDO)
    person.wait(lambda: person.console.text == "")
    assert person.sees.sentence.startswith("Undone: 1 byte typed into VM A.")
    assert person.sees.past is not None
    kept = next(each.number for each in person.sees.past.futures if each.number != person.sees.past.present)
    person.window.strip.entered.emit(kept)
    person.wait(lambda: person.console.text == "x")
    assert person.sees.past is not None
    other = next(each.number for each in person.sees.past.futures if each.number != person.sees.past.present)
    person.window.strip.discarded.emit(other)
    person.wait(lambda: person.sees.past is not None and len(person.sees.past.futures) == 1)
    assert person.console.text == "x"


def test_running_back_can_be_stopped_and_leaves_the_machine_where_it_was(
    person: Person, source: Callable[[str], str]
) -> None:
    person.load(source("again: inc eax\njmp again\nnever: nop"))
    address = person.engine.program.symbols["never"] if person.engine.program else 0
    person.press(Act.RUN)
    person.wait(lambda: person.sees.executed > 5_000_000)
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    before = person.sees.executed
    person.engine.set_breakpoints(frozenset({address}))
    person.press(Act.RUN_BACK)
    person.engine.stop()
    person.wait(lambda: not person.engine.memory.stop_wanted)
    person.press(Act.STEP)
    person.wait(lambda: person.sees.executed == before + 1)


def test_the_other_ways_back_lead_where_they_say(person: Person) -> None:
    person.load("rings", "trap_emulate")
    person.engine.step(900, quietly=True)
    person.wait(lambda: person.sees.executed == 900)
    ring = person.sees.ring
    person.press(Act.BACK_TO_RING)
    person.wait(lambda: person.sees.executed < 900)
    assert person.sees.ring != ring
    here = person.sees.executed
    person.press(Act.BACK_OVER)
    person.wait(lambda: person.sees.executed < here)
    person.window.time.go_to_instruction("1 000 000")
    person.wait(lambda: "is not among them" in person.window.message.text)
    person.window.time.go_to_instruction("7_0 0")
    person.wait(lambda: person.sees.executed == 700)
    person.window.time.go_to_instruction("seven")
    assert "is no number" in person.window.message.text
    stack = next(each.believed for each in person.sees.registers if each.name == "ESP")
    person.window.time.seek_write(Space.LINEAR, stack)
    person.wait(lambda: person.sees.executed < 700)


def test_a_way_back_that_is_not_known_is_refused_and_nothing_moves(
    person: Person, source: Callable[[str], str]
) -> None:
    person.load(source("again: inc eax\njmp again"))
    person.step()
    person.press(Act.BACK_OUT)
    person.wait(lambda: "is not known" in person.window.message.text)
    person.step()
    assert person.sees.executed == 2


def test_the_ways_on_lead_where_they_say_and_the_ways_back_lead_back(person: Person) -> None:
    person.load("rings", "trap_emulate")
    assert "nobody to switch to" in person.window.actions_.reason(Act.ON_TO_SWITCH)
    person.press(Act.ON_TO_DEPARTURE)
    person.wait(lambda: person.sees.trap_count == 1 and not person.sees.running)
    assert person.traps.rows.rowCount() == 1
    person.press(Act.BACK_TO_DEPARTURE)
    person.wait(lambda: person.sees.trap_count == 0)
    ring = person.sees.ring
    person.press(Act.ON_TO_RING)
    person.wait(lambda: person.sees.ring != ring and not person.sees.running)


def test_on_to_the_next_write_and_back_to_it_stand_at_both_sides_of_one_instruction(
    person: Person, source: Callable[[str], str]
) -> None:
    person.load(source("mov ecx, 9\nspin: loop spin\nmov dword ptr [0x200000], 0\nagain: jmp again"))
    person.window.run.run_to_write(Space.LINEAR, 0x20_0000)
    person.wait(lambda: person.sees.executed == 11 and not person.sees.running)
    assert person.sees.sentence.endswith(
        " at 0x00100007 wrote to the word at guest-physical 0x00200000: 0x00000000 with itself."
    )
    person.window.time.seek_write(Space.LINEAR, 0x20_0000)
    person.wait(lambda: person.sees.executed == 10)


def test_waiting_for_what_never_comes_can_be_stopped(person: Person, source: Callable[[str], str]) -> None:
    person.load(source("again: inc eax\njmp again"))
    for way in (Act.ON_TO_DEPARTURE, Act.ON_TO_RING):
        here = person.sees.executed
        person.press(way)
        person.wait(lambda here=here: person.sees.executed > here + 1_000_000)
        person.press(Act.STOP)
        person.wait(lambda: not person.sees.running)
        assert person.sees.sentence.endswith("as you asked.")
    person.window.run.run_to_write(Space.LINEAR, 0xF000_0000)
    person.wait(lambda: "no memory at guest-physical" in person.window.message.text)
    assert not person.window.actions_[Act.STOP].isEnabled()
