"""Source level in the real window: a program's own source, steps by line, its call stack, breakpoints in it alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.views.call_stack_view import CallStackView
from core.events import StopReason
from core.guests.catalog import load_program
from tests.gui.conftest import Person

PEBBLE = load_program("pebble")
SHELL = PEBBLE.programs["shell"]


@pytest.fixture
def stack(person: Person) -> CallStackView:
    """Pebble stands at the first instruction of its shell's `main`, the call stack in sight."""
    person.load("pebble")
    view = person.window.layout_.views["call-stack"]
    assert isinstance(view, CallStackView)
    person.window.layout_.show_view("call-stack")
    person.window.actions_[Act.BY_LINE].setChecked(False)
    while function(view) != "main" or person.sees.call_stack[0].program != "shell":
        before = person.sees.executed
        person.window.run.run_to(SHELL.symbols["main"])
        person.wait(lambda before=before: person.sees.executed > before and not person.sees.running)
    return view


def function(view: CallStackView) -> str:
    return view.model.frames[0].function if view.model.frames else ""


def go(person: Person, act: Act) -> None:
    before = person.sees.executed
    person.press(act)
    person.wait(lambda: person.sees.executed > before and not person.sees.running)


def line(person: Person) -> str:
    row = person.code.source_model.current_row
    return "" if row is None else person.code.source_model.lines[row].strip()


def test_the_source_of_the_program_that_runs_is_shown_and_stepped_by_line(person: Person, stack: CallStackView) -> None:
    assert person.code.source_model.name == "user/shell.c"
    assert person.code.caption.text() == "Disassembly · shell!main"
    person.window.actions_[Act.BY_LINE].trigger()
    seen = []
    for _ in range(2):
        go(person, Act.STEP_OVER)
        seen.append(line(person))
        assert function(stack) == "main"
    assert len(set(seen)) > 1
    assert all(seen)


def test_step_out_goes_from_the_kernel_to_the_program(person: Person, stack: CallStackView) -> None:
    person.window.run.run_to(PEBBLE.symbols["system_call"])
    person.wait(lambda: person.sees.pc == PEBBLE.symbols["system_call"] and not person.sees.running)
    assert [frame.program for frame in stack.model.frames][:4] == ["", "", "", "shell"]
    for name in ("trap", "enter"):
        go(person, Act.STEP_OUT)
        assert function(stack) == name
    go(person, Act.STEP_OUT)
    assert stack.model.frames[0].program == "shell"
    assert person.code.source_model.name == "user/lib.c"


def test_a_click_on_a_frame_shows_where_it_goes_on(person: Person, stack: CallStackView, qtbot: QtBot) -> None:
    person.window.run.run_to(PEBBLE.symbols["system_call"])
    person.wait(lambda: person.sees.pc == PEBBLE.symbols["system_call"] and not person.sees.running)
    main = next(row for row, frame in enumerate(stack.model.frames) if frame.function == "main")
    place = stack.table.visualRect(stack.model.index(main, 0)).center()
    qtbot.mouseClick(stack.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, place.y()))
    assert person.code.source_model.name == "user/shell.c"
    assert person.code.cursor_address == stack.model.frames[main].address


def test_a_breakpoint_in_a_programs_source_counts_in_that_program_alone(person: Person, stack: CallStackView) -> None:
    row = person.code.source_model.current_row
    assert row is not None
    person.click_margin(person.code.source, row)
    wanted = person.code.source_model.addresses(row)[0]
    person.wait(lambda: person.sees.breakpoints == {wanted})
    person.press(Act.RESET)
    person.wait(lambda: person.sees.executed == 0)
    assert person.code.listing_model.breakpoints == frozenset()  # no shell yet
    person.run()  # `init` has code at the same address, and runs first
    assert person.sees.stop is StopReason.BREAKPOINT
    assert (person.sees.pc, person.sees.call_stack[0].program) == (wanted, "shell")
    assert person.code.listing_model.breakpoints == {wanted}
    person.code.toggle_breakpoint(wanted)
    person.wait(lambda: not person.sees.breakpoints)


def test_a_step_over_the_call_that_ends_the_program_says_that_it_never_returned(person: Person) -> None:
    person.load("pebble")
    person.engine.send_input(b"run hello\n")
    while not person.sees.call_stack or person.sees.call_stack[0].program != "hello":
        before = person.sees.executed
        person.window.run.run_to(PEBBLE.programs["hello"].symbols["exit"])
        person.wait(lambda before=before: person.sees.executed > before and not person.sees.running)
    person.press(Act.STEP_OUT)
    person.wait(lambda: not person.sees.running and "never returned" in person.window.sentence.text)
    assert "program hello (process 3) has ended" in person.window.sentence.text


def test_a_step_over_the_call_that_ends_the_guest_says_that_it_never_returned(
    person: Person, source: Callable[[str], str]
) -> None:
    person.load(source("mov esp, 0x200000\ncall leave\nhlt\nleave: mov al, 3\nout 0xf4, al\nret"))
    person.step()
    person.press(Act.STEP_OVER)
    person.wait(lambda: person.sees.end is not None)
    assert person.window.sentence.text == "The function never returned: the guest ended its run with status 3."


@pytest.mark.parametrize("act", [Act.STEP_OVER, Act.STEP_OUT])
def test_a_step_that_never_ends_is_stopped_at_once(person: Person, source: Callable[[str], str], act: Act) -> None:
    person.load(source("mov esp, 0x200000\ncall round\nhlt\nround: nop\nloop: jmp loop"))
    person.step()
    if act is Act.STEP_OUT:
        person.step()
    person.window.actions_[Act.BY_LINE].setChecked(True)
    person.press(act)
    person.wait(lambda: person.sees.running and person.sees.executed > 1000)
    person.press(Act.STOP)
    person.wait(lambda: not person.sees.running)
    assert person.sees.stop is StopReason.REQUESTED
    person.window.actions_[Act.BY_LINE].setChecked(False)
