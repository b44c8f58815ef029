"""The Call stack view and its table of frames."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.call_stack_model import CALL, PLACE, CallStackModel
from app.theme import make_theme
from app.views.call_stack_view import CallStackView
from core.call_frame import Argument, CallFrame
from core.events import Ring
from tests.app.builders import loaded, snapshot

TRAP = CallFrame("trap", (Argument("frame", "0x0014cfbc"),), 0x10_2132, "kernel/traps.c", 92, Ring.ONE, base=0x14_CFB8)
PUT = CallFrame("put", (), 0x4000_02B4, "user/lib.c", 94, Ring.USER, "forks", inlined=True, interrupted=True)
START = CallFrame("_start", (), 0x4000_000B, "", 0, Ring.USER, "forks")


@pytest.fixture
def view(qtbot: QtBot) -> CallStackView:
    made = CallStackView(make_theme("dark"))
    qtbot.addWidget(made)
    made.resize(340, 300)
    made.show_program(loaded())
    return made


def cells(view: CallStackView) -> list[tuple[str, str]]:
    model = view.model
    return [(model.index(row, CALL).data(), model.index(row, PLACE).data()) for row in range(model.rowCount())]


def test_each_frame_is_its_call_and_its_place(view: CallStackView) -> None:
    view.show_snapshot(snapshot(call_stack=(TRAP, PUT, START)))
    assert [(call, place.replace("\u202f", " ")) for call, place in cells(view)] == [
        ("trap(frame=0x0014cfbc)", "traps.c:92"),
        ("put()", "lib.c:94"),
        ("_start", "4000 000B"),
    ]


def test_the_tooltip_says_what_the_row_has_no_room_for(view: CallStackView) -> None:
    view.show_snapshot(snapshot(call_stack=(TRAP, PUT)))
    kernel, program = (view.model.index(row, CALL).data(0x3) for row in range(2))
    assert "of the guest itself, in ring 1." in kernel
    assert "kernel/traps.c, line 92." in kernel
    assert "of the program forks, in ring 3." in program
    assert "It called nobody" in program
    assert "no frame of its own" in program


def test_place_and_a_part_of_the_call_fit_into_a_narrow_view(view: CallStackView) -> None:
    view.show()
    view.show_snapshot(snapshot(call_stack=(TRAP, PUT, START)))
    assert view.table.horizontalScrollBar().maximum() == 0


def test_a_chosen_frame_asks_for_its_code(view: CallStackView, qtbot: QtBot) -> None:
    view.show_snapshot(snapshot(call_stack=(TRAP, PUT)))
    with qtbot.waitSignal(view.gotoRequested) as asked:
        view.table.clicked.emit(view.model.index(1, PLACE))
    assert asked.args == [PUT.address]


def test_it_is_empty_without_frames_and_for_another_program(view: CallStackView) -> None:
    view.show_snapshot(snapshot(call_stack=()))
    assert view.is_empty
    view.show_snapshot(snapshot(call_stack=(TRAP,)))
    assert not view.is_empty
    view.show_program(loaded(2))
    assert view.is_empty


def test_rows_keep_qts_contract(qtmodeltester: ModelTester) -> None:
    model = CallStackModel()
    qtmodeltester.check(model)
    model.show((TRAP, PUT, START))
    qtmodeltester.check(model)
    model.show((PUT, START, TRAP))
    model.show((TRAP,))
    qtmodeltester.check(model)
