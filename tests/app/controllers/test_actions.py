"""The table of actions: no key twice, every action explains itself, and says why it cannot be used."""

from __future__ import annotations

from collections import Counter

from PySide6.QtWidgets import QApplication

from app.controllers.actions import ACTIONS, Act, Actions, plain
from app.theme import make_theme


def test_every_act_is_in_the_table() -> None:
    assert set(ACTIONS) == set(Act)


def test_no_key_does_two_things() -> None:
    keys = Counter(keys for spec in ACTIONS.values() for keys in spec.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_tooltip_names_key_and_purpose_and_the_reason_against(qapp: QApplication) -> None:
    actions = Actions()
    assert actions[Act.STEP].toolTip() == f"Step (F11): {ACTIONS[Act.STEP].tip}"
    actions.allow(Act.STEP, "The guest is running.")
    assert not actions[Act.STEP].isEnabled()
    assert actions[Act.STEP].toolTip().endswith("Not now: The guest is running.")
    actions.allow(Act.STEP)
    assert actions[Act.STEP].isEnabled()
    assert "Not now" not in actions[Act.STEP].toolTip()


def test_icons_come_with_the_theme(qapp: QApplication) -> None:
    actions = Actions()
    assert actions[Act.RUN].icon().isNull()
    actions.apply_theme(make_theme("light"))
    assert not actions[Act.RUN].icon().isNull()


def test_plain_text_has_no_marks() -> None:
    assert plain("&Open guest…") == "Open guest"
