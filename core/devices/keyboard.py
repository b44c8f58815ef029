"""The keyboard and its controller: an i8042 with a PS/2 keyboard behind it (IBM PS/2 Hardware Interface TR, 1990).

What is pressed waits on the host's side and enters the output buffer one byte at a time, so no key is lost. The
keyboard speaks scan code set 1, as the controller's translation would make it. Modelled: the command byte, self and
interface tests, enabling and disabling, the output port with its A20 line (kept, and without effect) and CPU reset, and
the keyboard's own commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion
from core.layout import PORT_KEYBOARD

STATUS_PORT = PORT_KEYBOARD + 4
OUTPUT_FULL, SYSTEM, COMMAND_LAST, UNLOCKED = 0x01, 0x04, 0x08, 0x10
INTERRUPT_ON, DISABLED = 0x01, 0x10
ACKNOWLEDGE, SELF_TEST_PASSED, KEYBOARD_PASSED = 0xFA, 0x55, 0xAA
PULSE_RESET = 0xFE

_KEYS = "\0\x1b1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 "
_SHIFTED = '\0\x1b!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:"~\0|ZXCVBNM<>?\0*\0 '
LEFT_SHIFT, RELEASED = 0x2A, 0x80


def scan_codes(text: str) -> bytes:
    """What a US keyboard sends (set 1) while `text` is typed on it; characters it does not have are left out."""
    out = bytearray()
    for character in text:
        if character != "\0" and character in _KEYS:
            code = _KEYS.index(character)
            out += bytes([code, code | RELEASED])
        elif character != "\0" and character in _SHIFTED:
            code = _SHIFTED.index(character)
            out += bytes([LEFT_SHIFT, code, code | RELEASED, LEFT_SHIFT | RELEASED])
    return bytes(out)


@dataclass(slots=True)
class KeyboardState:
    """The output buffer (a byte or None), what waits for it, and the controller's settings."""

    output: int | None = None
    waiting: list[int] = field(default_factory=list)
    command_byte: int = INTERRUPT_ON | 0x40
    output_port: int = 0x03
    expects: int | None = None  # the controller command whose data byte comes next
    keyboard_expects: int | None = None
    command_last: bool = False


class Keyboard(Device):
    """`press(codes)` takes what is typed; `on_reset()` is called when the guest pulses the CPU's reset line."""

    name = "keyboard"

    def __init__(self, line: IrqLine, on_reset: Callable[[], None]) -> None:
        self._line = line
        self._on_reset = on_reset
        self.state: KeyboardState = KeyboardState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Data; status and command."""
        return (PortRegion(PORT_KEYBOARD, 1), PortRegion(STATUS_PORT, 1))

    def press(self, codes: bytes) -> None:
        """Scan codes of set 1, in order."""
        self.state.waiting.extend(codes)
        self._refill()

    def _refill(self) -> None:
        state = self.state
        if state.output is None and state.waiting and not state.command_byte & DISABLED:
            self._put(state.waiting.pop(0))

    def _put(self, byte: int) -> None:
        self.state.output = byte
        if self.state.command_byte & INTERRUPT_ON:
            self._line(True)

    def read_port(self, port: int, size: int) -> int:
        """The byte in the output buffer, or the status."""
        state = self.state
        if port == STATUS_PORT:
            full = OUTPUT_FULL if state.output is not None else 0
            return full | SYSTEM | UNLOCKED | (COMMAND_LAST if state.command_last else 0)
        byte = state.output if state.output is not None else 0
        state.output = None
        self._line(False)
        self._refill()
        return byte

    def write_port(self, port: int, size: int, value: int) -> None:
        """A command to the controller; data for it, or a command to the keyboard."""
        self.state.command_last = port == STATUS_PORT
        if port == STATUS_PORT:
            self._command(value)
        elif self.state.expects is not None:
            self._data(value)
        else:
            self._keyboard_command(value)

    def _command(self, code: int) -> None:
        state = self.state
        match code:
            case 0x20:
                self._put(state.command_byte)
            case 0x60 | 0xD1 | 0xD2:
                state.expects = code
            case 0xAA:
                self._put(SELF_TEST_PASSED)
            case 0xAB:
                self._put(0)
            case 0xAD:
                state.command_byte |= DISABLED
            case 0xAE:
                state.command_byte &= ~DISABLED
                self._refill()
            case 0xD0:
                self._put(state.output_port)
            case 0xFE:
                self._on_reset()
            case _:
                pass  # the mouse's, and those of other machines

    def _data(self, value: int) -> None:
        state = self.state
        expected, state.expects = state.expects, None
        if expected == 0x60:
            state.command_byte = value
            self._refill()
        elif expected == 0xD1:
            state.output_port = value
            if not value & 1:
                self._on_reset()
        else:
            self._put(value)

    def _keyboard_command(self, value: int) -> None:
        state = self.state
        if state.keyboard_expects is not None:  # the data of LEDs, rate or set: accepted
            state.keyboard_expects = None
            self._answer(ACKNOWLEDGE)
            return
        match value:
            case 0xFF:
                self._answer(ACKNOWLEDGE, KEYBOARD_PASSED)
            case 0xF2:
                self._answer(ACKNOWLEDGE, 0xAB, 0x83)
            case 0xED | 0xF3 | 0xF0:
                state.keyboard_expects = value
                self._answer(ACKNOWLEDGE)
            case 0xEE:
                self._answer(0xEE)
            case _:
                self._answer(ACKNOWLEDGE)

    def _answer(self, *answer: int) -> None:
        self.state.waiting[:0] = answer
        self._refill()

    def describe(self, port: int, write: bool = False) -> str:
        """Data, or status and command."""
        return "status and command" if port == STATUS_PORT else "data"
