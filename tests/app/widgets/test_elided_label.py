"""A label that gives way: what it cannot show is not lost."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.elided_label import ElidedLabel

WORDS = "4 instructions, 6 → 46 bytes, run 60 509×"


def test_others_in_its_row_have_their_width_first_and_all_of_it_is_in_the_tooltip(qtbot: QtBot) -> None:
    row = QWidget()
    qtbot.addWidget(row)
    layout = QHBoxLayout(row)
    label, button = ElidedLabel(), QPushButton("Slow motion")
    layout.addWidget(label, 1)
    layout.addWidget(button)
    label.setText(WORDS)
    row.resize(button.sizeHint().width() + 80, 40)
    row.show()
    assert button.width() >= button.sizeHint().width()
    assert label.width() < label.sizeHint().width()
    assert label.toolTip() == WORDS


def test_what_somebody_else_says_in_its_tooltip_stays(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText("7 % full")
    label.setToolTip("305 blocks")
    label.setText("8 % full")
    assert label.toolTip() == "305 blocks"
