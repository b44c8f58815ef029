"""What a PC keyboard sends for a key of ours: scan codes of set 1, as `core.devices.keyboard` takes them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from core.devices.keyboard import RELEASED, scan_codes

EXTENDED, CONTROL, ALT = 0xE0, 0x1D, 0x38
_KEY = Qt.Key

_PLAIN: dict[Qt.Key, int] = {
    _KEY.Key_Escape: 0x01, _KEY.Key_Backspace: 0x0E, _KEY.Key_Return: 0x1C, _KEY.Key_F1: 0x3B, _KEY.Key_F2: 0x3C,
    _KEY.Key_F3: 0x3D, _KEY.Key_F4: 0x3E, _KEY.Key_F6: 0x40, _KEY.Key_F7: 0x41, _KEY.Key_F8: 0x42, _KEY.Key_F12: 0x58,
}  # fmt: skip
_EXTENDED: dict[Qt.Key, int] = {
    _KEY.Key_Enter: 0x1C, _KEY.Key_Home: 0x47, _KEY.Key_Up: 0x48, _KEY.Key_PageUp: 0x49, _KEY.Key_Left: 0x4B,
    _KEY.Key_Right: 0x4D, _KEY.Key_End: 0x4F, _KEY.Key_Down: 0x50, _KEY.Key_PageDown: 0x51, _KEY.Key_Insert: 0x52,
    _KEY.Key_Delete: 0x53,
}  # fmt: skip


def codes_of(event: QKeyEvent) -> bytes:
    """Pressing and releasing that key, with Ctrl or Alt around it if they are held; empty for a key it has not."""
    key = Qt.Key(event.key())
    if key in _EXTENDED:
        codes = bytes([EXTENDED, _EXTENDED[key], EXTENDED, _EXTENDED[key] | RELEASED])
    elif key in _PLAIN:
        codes = bytes([_PLAIN[key], _PLAIN[key] | RELEASED])
    elif event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
        codes = scan_codes(chr(key).lower()) if Qt.Key.Key_Space <= key <= Qt.Key.Key_AsciiTilde else b""
    else:
        codes = scan_codes(event.text())
    for modifier, code in ((Qt.KeyboardModifier.ControlModifier, CONTROL), (Qt.KeyboardModifier.AltModifier, ALT)):
        if codes and event.modifiers() & modifier:
            codes = bytes([code, *codes, code | RELEASED])
    return codes
