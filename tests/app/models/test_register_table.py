"""The register table: what changed since the machine last stood still, and what the guest is wrong about."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.register_table_model import Heading, RegisterRow, RegisterTableModel
from tests.app.builders import registers, snapshot


def row(model: RegisterTableModel, name: str) -> RegisterRow:
    return next(one for one in model.rows if isinstance(one, RegisterRow) and one.register.name == name)


def changed(model: RegisterTableModel) -> set[str]:
    return {one.register.name for one in model.rows if isinstance(one, RegisterRow) and one.believed_changed}


def test_model_keeps_qts_contract(qtmodeltester: ModelTester) -> None:
    model = RegisterTableModel()
    qtmodeltester.check(model)
    model.show(snapshot())
    model.show(snapshot(executed=2, registers=registers(eax=7)))
    model.clear()


def test_each_group_has_one_heading() -> None:
    model = RegisterTableModel()
    model.show(snapshot())
    headings = [one.group for one in model.rows if isinstance(one, Heading)]
    assert len(headings) == len(set(headings)) == 4


def test_nothing_has_changed_at_power_on() -> None:
    model = RegisterTableModel()
    model.show(snapshot(registers=registers(eax=7)))
    assert changed(model) == set()


def test_a_step_marks_what_it_changed_and_the_next_step_starts_anew() -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    model.show(snapshot(executed=2, registers=registers(eax=7)))
    assert changed(model) == {"EAX"}
    model.show(snapshot(executed=3, registers=registers(eax=7, edx=1)))
    assert changed(model) == {"EDX"}


def test_a_snapshot_of_the_same_moment_keeps_the_marks() -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    model.show(snapshot(executed=2, registers=registers(eax=7)))
    model.show(snapshot(executed=2, registers=registers(eax=7)))
    assert changed(model) == {"EAX"}


def test_marks_grow_while_it_runs() -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    model.show(snapshot(executed=50, running=True, registers=registers(eax=7)))
    model.show(snapshot(executed=90, running=True, registers=registers(eax=7, edx=1)))
    model.show(snapshot(executed=99, registers=registers(eax=7, edx=1)))
    assert changed(model) == {"EAX", "EDX"}


def test_power_on_forgets_the_marks() -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    model.show(snapshot(executed=2, registers=registers(eax=7)))
    model.show(snapshot(generation=2, executed=0, registers=registers(eax=0)))
    assert changed(model) == set()


def test_belief_and_truth_are_marked_apart() -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    model.show(snapshot(executed=2, registers=registers(real_cs=0xB)))
    assert row(model, "CS").real_changed
    assert not row(model, "CS").believed_changed
    assert row(model, "CS").register.differs


def test_only_rows_that_changed_are_announced(qtbot: QtBot) -> None:
    model = RegisterTableModel()
    model.show(snapshot(executed=1))
    with qtbot.waitSignal(model.dataChanged) as heard:
        model.show(snapshot(executed=2, registers=registers(eax=7)))
    first, last = heard.args[0].row(), heard.args[1].row()
    assert first == last == model.rows.index(row(model, "EAX"))


def test_tooltip_explains_and_tells_the_difference() -> None:
    model = RegisterTableModel()
    model.show(snapshot())
    index = model.index(model.rows.index(row(model, "CS")), 0)
    text = model.data(index, Qt.ItemDataRole.ToolTipRole)
    assert isinstance(text, str)
    assert "privilege" in text
    assert "but the CPU holds 0009" in text


def test_a_register_that_can_be_set_asks_for_its_new_value(qtbot: QtBot) -> None:
    model = RegisterTableModel()
    model.show(snapshot())
    at, cr3 = (model.index(model.row_of(name) or 0, 1) for name in ("EAX", "CR3"))
    assert model.flags(at) & Qt.ItemFlag.ItemIsEditable
    assert not model.flags(cr3) & Qt.ItemFlag.ItemIsEditable
    with qtbot.waitSignal(model.edited) as asked:
        assert model.setData(at, "dead beef")
    assert asked.args == ["EAX", 0xDEAD_BEEF]
    with qtbot.waitSignal(model.wrong) as refused:
        assert not model.setData(at, "xyz")
    assert "EAX stays as it is" in refused.args[0]
