"""The VMs as rows: shares measured over the last snapshots, and edits that are wishes, not facts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.models.vm_table_model import CAP, SHARE, STATE, TAKEN, WEIGHT, VmTableModel
from core.snapshot import VmState, VmSummary

A = VmSummary(
    "A", "hello", "trap_emulate", VmState.RUNNING, 1, None, 0, None, 0.25, 16 << 20, 0, None, b"", "Hello", "Trap!"
)
B = replace(A, letter="B", weight=3, cap=50, entitled=0.5, state=VmState.READY)


@pytest.fixture
def model(qtbot: QtBot) -> VmTableModel:
    model = VmTableModel(QFont(), QFont())
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show((A, B), "A")
    return model


def text(model: VmTableModel, row: int, column: int) -> str:
    return str(model.index(row, column).data())


def test_the_share_is_that_of_late(model: VmTableModel) -> None:
    assert text(model, 0, SHARE) == "— / 25 %"
    model.show((replace(A, executed=300), replace(B, executed=100)), "A")
    assert text(model, 0, SHARE) == "75 / 25 %"
    for n in range(40):
        model.show((replace(A, executed=300 + n), replace(B, executed=100 + 3 * n)), "A")
    assert text(model, 1, SHARE) == "75 / 50 %"


def test_rows_say_state_weight_cap_and_the_selected_is_bold(model: VmTableModel) -> None:
    assert [text(model, 1, column) for column in (STATE, WEIGHT, CAP, TAKEN)] == ["ready", "3", "50 %", "0 MiB"]
    assert model.index(0, 0).data(Qt.ItemDataRole.FontRole).bold()
    assert not model.index(1, 0).data(Qt.ItemDataRole.FontRole).bold()
    assert model.index(0, STATE).data(Qt.ItemDataRole.ToolTipRole) == "It has the CPU."


def test_an_edit_is_a_wish_and_shows_when_it_is_so(model: VmTableModel) -> None:
    wishes: list[tuple[str, int]] = []
    for signal in (model.weightWished, model.capWished, model.memoryWished):
        signal.connect(lambda letter, number: wishes.append((letter, number)))
    model.setData(model.index(0, WEIGHT), 5)
    model.setData(model.index(1, CAP), 0)
    model.setData(model.index(1, TAKEN), 8)
    assert wishes == [("A", 5), ("B", 0), ("B", 8 << 20)]
    assert text(model, 0, WEIGHT) == "1"
    assert not model.setData(model.index(0, STATE), 1)


def test_vms_come_and_go(model: VmTableModel) -> None:
    model.show((B,), "B")
    assert (model.rowCount(), model.letter(0), model.row_of("A"), model.row_of("B")) == (1, "B", -1, 0)
    model.clear()
    assert model.rowCount() == 0
