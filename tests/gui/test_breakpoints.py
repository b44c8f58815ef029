"""Breakpoints and run to cursor, set with the mouse in the margin and in the code, and obeyed by the real engine."""

from __future__ import annotations

from app.controllers.actions import Act
from core.events import StopReason
from tests.gui.conftest import Person


def line_after(person: Person, address: int) -> int:
    """The row of the instruction behind `address` in the disassembly."""
    row = person.code.listing_model.row_of(address)
    assert row is not None
    return row + 1


def test_click_in_the_margin_of_the_disassembly_stops_the_machine_there(person: Person) -> None:
    person.step()  # into the routine that prints
    row = line_after(person, person.sees.pc)
    wanted = person.code.listing_model.address_of(row)
    assert wanted is not None
    person.click_margin(person.code.listing, row)
    person.wait(lambda: person.sees.breakpoints == {wanted})
    person.run()
    assert person.sees.pc == wanted
    assert person.sees.stop is StopReason.BREAKPOINT
    assert person.window.state.text().startswith("at a breakpoint")


def test_click_in_the_margin_of_the_source_does_too(person: Person) -> None:
    person.step()
    current = person.code.source_model.current_row
    assert current is not None
    row = person.code.source_model.next_coded(current + 1)
    assert row is not None
    person.click_margin(person.code.source, row)
    wanted = frozenset(person.code.source_model.addresses(row)[:1])
    person.wait(lambda: person.sees.breakpoints == wanted)
    person.run()
    assert {person.sees.pc} == wanted
    assert person.code.source_model.current_row == row


def test_breakpoint_outlives_reset_and_goes_with_the_guest(person: Person) -> None:
    person.code.toggle_breakpoint(person.sees.pc)
    person.wait(lambda: person.sees.breakpoints)
    person.press(Act.RESET)
    person.wait(lambda: person.sees.executed == 0 and person.sees.breakpoints)
    person.load("privileged")
    person.wait(lambda: not person.sees.breakpoints)


def test_run_to_cursor_stops_at_the_chosen_line(person: Person) -> None:
    person.step()
    row = line_after(person, person.sees.pc)
    person.click_line(person.code.listing, row)
    wanted = person.code.cursor_address
    assert wanted is not None
    person.press(Act.RUN_TO_CURSOR)
    person.wait(lambda: person.sees.pc == wanted and not person.sees.running)
