"""The source follows the program counter also into the middle of a statement, and not beyond the image."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.engine.protocol import Loaded
from app.theme import make_theme
from app.views.code_view import CodeView
from core.guests.assembler import assemble
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
