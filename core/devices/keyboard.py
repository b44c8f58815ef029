"""The keyboard and its controller: an i8042 with a PS/2 keyboard behind it (IBM PS/2 Hardware Interface TR, 1990).

What is pressed waits on the host's side and enters the output buffer one byte at a time; a scan code that the
controller's own answer would overwrite goes back to wait, so no key is lost. The keyboard speaks scan code set 1, as
the controller's translation would make it, whatever set or translation the guest asks for. Modelled: the command byte,
self and interface tests, enabling and disabling, the output port with its A20 line (kept, and without effect) and CPU
reset, and the keyboard's own commands. There is no mouse: what is meant for one meets nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion, is_bytes
from core.layout import PORT_KEYBOARD

STATUS_PORT = PORT_KEYBOARD + 4
OUTPUT_FULL, SYSTEM, COMMAND_LAST, UNLOCKED = 0x01, 0x04, 0x08, 0x10
INTERRUPT_ON, DISABLED, TRANSLATED = 0x01, 0x10, 0x40
CPU_RUNS = 0x01  # output port: the CPU's reset line, active low
ACKNOWLEDGE, RESEND, ECHO, SELF_TEST_PASSED, KEYBOARD_PASSED = 0xFA, 0xFE, 0xEE, 0x55, 0xAA
FROM_CONTROLLER, FROM_COMMAND, FROM_KEY = range(3)

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
    """The output buffer (a byte or None) and who put it there, what the keyboard has still to send, and the settings
    of both. `last` is what the keyboard sent last, for a guest that did not catch it."""

    output: int | None = None
    source: int = FROM_CONTROLLER
    answers: list[int] = field(default_factory=list)
    typed: list[int] = field(default_factory=list)
    last: int = 0
    scanning: bool = True
    command_byte: int = INTERRUPT_ON | TRANSLATED
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

    def is_sound(self, state: KeyboardState) -> bool:
        """See `Device`."""
        held = (state.output, state.expects, state.keyboard_expects)
        return (
            is_bytes(each or 0 for each in held)
            and is_bytes((*state.answers, *state.typed, state.last, state.command_byte, state.output_port))
            and state.source in (FROM_CONTROLLER, FROM_COMMAND, FROM_KEY)
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Data; status and command."""
        return (PortRegion(PORT_KEYBOARD, 1), PortRegion(STATUS_PORT, 1))

    def press(self, codes: bytes) -> None:
        """Scan codes of set 1, in order."""
        self.state.typed.extend(codes)
        self._settle()

    # -- the output buffer

    def _settle(self) -> None:
        """The keyboard sends its next byte if it may and there is room; the request line tells of a full buffer."""
        state = self.state
        if state.output is None and not state.command_byte & DISABLED:
            if state.answers:
                state.output, state.source = state.answers.pop(0), FROM_COMMAND
            elif state.typed and state.scanning:
                state.output, state.source = state.typed.pop(0), FROM_KEY
            if state.output is not None:
                state.last = state.output
        self._line(state.output is not None and bool(state.command_byte & INTERRUPT_ON))

    def _put(self, byte: int) -> None:
        """The controller's own answer; what the keyboard had sent, and nobody read, will be sent again."""
        state = self.state
        if state.output is not None and state.source != FROM_CONTROLLER:
            (state.typed if state.source == FROM_KEY else state.answers).insert(0, state.output)
        state.output, state.source = byte, FROM_CONTROLLER

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """The byte in the output buffer, or the status."""
        state = self.state
        if port == STATUS_PORT:
            full = OUTPUT_FULL if state.output is not None else 0
            return full | SYSTEM | UNLOCKED | (COMMAND_LAST if state.command_last else 0)
        byte, state.output = state.output or 0, None
        self._line(False)  # so that the next byte is an edge
        self._settle()
        return byte

    def write_port(self, port: int, size: int, value: int) -> None:
        """A command to the controller; data for it, or a command to the keyboard."""
        state = self.state
        state.command_last = port == STATUS_PORT
        if port == STATUS_PORT:
            self._command(value)
        elif state.expects is not None:
            expected, state.expects = state.expects, None
            self._data(expected, value)
        else:
            state.command_byte &= ~DISABLED  # talking to the keyboard switches it on
            state.answers = self._keyboard_command(value)
        self._settle()

    def _command(self, code: int) -> None:
        state = self.state
        state.expects = None
        match code:
            case 0x20:
                self._put(state.command_byte)
            case 0x60 | 0xD1 | 0xD2 | 0xD3 | 0xD4:
                state.expects = code
            case 0xAA:
                self._put(SELF_TEST_PASSED)
            case 0xAB:
                self._put(0)
            case 0xAD:
                state.command_byte |= DISABLED
            case 0xAE:
                state.command_byte &= ~DISABLED
            case 0xD0:
                self._put(state.output_port)
            case _ if code & 0xF1 == 0xF0:  # pulses low the outputs whose bits are 0; bit 0 is the CPU's reset
                self._on_reset()
            case _:
                pass  # the mouse's, and those of other machines

    def _data(self, command: int, value: int) -> None:
        state = self.state
        match command:
            case 0x60:
                state.command_byte = value
            case 0xD1:
                state.output_port = value
                if not value & CPU_RUNS:
                    self._on_reset()
            case 0xD2:
                self._put(value)
            case _:
                pass  # for the mouse

    def _keyboard_command(self, value: int) -> list[int]:
        """What the keyboard answers; what it had still to say of the last command is forgotten."""
        state = self.state
        option_of, state.keyboard_expects = state.keyboard_expects, None
        if option_of is not None and value < 0x80:  # lights, code set, rate; a command in their place is a command
            return [ACKNOWLEDGE] if (option_of, value) != (0xF0, 0) else [ACKNOWLEDGE, self._translated(2)]
        match value:
            case 0xED | 0xF0 | 0xF3:
                state.keyboard_expects = value
            case 0xEE:
                return [ECHO]
            case 0xF2:
                return [ACKNOWLEDGE, 0xAB, self._translated(0x83)]
            case 0xF4 | 0xF5:
                state.scanning = value == 0xF4
            case 0xFE:
                return [state.last]
            case 0xFF:
                state.scanning = True
                return [ACKNOWLEDGE, KEYBOARD_PASSED]
            case _ if value < 0xED or value in (0xEF, 0xF1):
                return [RESEND]
            case _:
                pass  # typematic and make-break settings
        return [ACKNOWLEDGE]

    def _translated(self, byte: int) -> int:
        """2 and 0x83, the number of the code set and the end of the identity, as the controller translates them."""
        return 0x41 if self.state.command_byte & TRANSLATED else byte

    def describe(self, port: int, write: bool = False) -> str:
        """Status or command; the output buffer, or whom a byte written is meant for."""
        state = self.state
        if port == STATUS_PORT:
            return "controller command" if write else "status"
        if not write:
            return "output buffer"
        if state.expects is not None:
            return f"data for controller command {state.expects:#04x}"
        if state.keyboard_expects is not None:
            return f"option of keyboard command {state.keyboard_expects:#04x}"
        return "command to the keyboard"
