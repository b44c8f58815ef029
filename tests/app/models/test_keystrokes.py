"""Which scan codes a key sends."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from app.models.keystrokes import codes_of

NONE, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "codes"),
    [
        (Qt.Key.Key_A, NONE, "a", "1e9e"),
        (Qt.Key.Key_A, SHIFT, "A", "2a1e9eaa"),
        (Qt.Key.Key_Return, NONE, "\r", "1c9c"),
        (Qt.Key.Key_Enter, NONE, "\r", "e01ce09c"),
        (Qt.Key.Key_Backspace, NONE, "\b", "0e8e"),
        (Qt.Key.Key_Up, NONE, "", "e048e0c8"),
        (Qt.Key.Key_C, CONTROL, "\x03", "1d2eae9d"),
        (Qt.Key.Key_Shift, SHIFT, "", ""),
        (Qt.Key.Key_Adiaeresis, NONE, "ä", ""),
    ],
)
def test_a_key_sends_what_a_us_keyboard_sends(
    key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str, codes: str
) -> None:
    assert codes_of(QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text)).hex() == codes
