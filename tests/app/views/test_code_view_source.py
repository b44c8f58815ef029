"""The source follows the program counter also into the middle of a statement, and not beyond the image."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.engine.protocol import Loaded
from app.theme import make_theme
from app.views.code_view import CodeView
from core.guest_system import GuestProcess, GuestSystem
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.linker import BASE
from tests.app.builders import snapshot

PROGRAM = assemble(".macro twice\n nop\n nop\n.endm\nstart: hlt\n twice\n hlt\n", "guest.s")


@pytest.fixture
def view(qtbot: QtBot) -> CodeView:
    made = CodeView(make_theme("dark"))
    qtbot.addWidget(made)
    made.show_program(Loaded(PROGRAM, "bare", 1))
    return made


@pytest.mark.parametrize(("pc", "row"), [(BASE, 4), (BASE + 1, 5), (BASE + 2, 5), (BASE + 3, 6), (0x4000_0000, None)])
def test_the_statement_of_the_program_counter_is_marked(view: CodeView, pc: int, row: int | None) -> None:
    view.show_snapshot(snapshot(pc=pc))
    assert view.source_model.current_row == row


def test_another_address_space_brings_its_programs_source(qtbot: QtBot) -> None:
    pebble = load_program("pebble")
    view = CodeView(make_theme("dark"))
    qtbot.addWidget(view)
    view.show_program(Loaded(pebble, "bare", 1))
    for name in ("primes", "forks"):
        main = pebble.programs[name].symbols["main"]
        view.show_snapshot(snapshot(pc=main, guest_system=running(name), listing=()))
        file, line = pebble.programs[name].lines[main]
        assert (view.source_model.name, view.source_model.current_row) == (file, line - 1)
        assert view.caption.text() == f"Disassembly · {name}!main"
    view.show_snapshot(snapshot(pc=pebble.symbols["trap"], guest_system=None, listing=()))
    assert view.source_model.name == "kernel/traps.c"


def running(name: str) -> GuestSystem:
    """One process of that program, whose directory CR3 holds."""
    return GuestSystem((GuestProcess(1, name, "running", 0, 0x1000, 1, current=True, in_cr3=True),), 0, 0)
