"""The screen: a VGA in text mode, 80 by 25 (IBM VGA Technical Reference, 1992).

The characters themselves are in the guest's RAM at 0xB8000, where the card's memory would be: reading the screen is
reading memory, and writing it costs no departure. The device keeps the registers; those of the CRT controller give the
cursor and the start of the picture. Graphics modes are not modelled: their registers keep what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.devices.device import Clock, Device, PortRegion
from core.layout import PORT_VGA

COLUMNS, ROWS = 80, 25
TEXT_BYTES = COLUMNS * ROWS * 2
CRT_INDEX, CRT_DATA, STATUS_1 = 0x3D4, 0x3D5, 0x3DA
START_HIGH, START_LOW, CURSOR_HIGH, CURSOR_LOW, CURSOR_START = 12, 13, 14, 15, 10
RETRACE_PERIOD = 1_400_000  # virtual time of a picture at about 70 Hz
_CONTROL = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character and its attribute: foreground in bits 3–0, background in bits 6–4, blink in bit 7."""

    character: str
    attribute: int


@dataclass(frozen=True, slots=True)
class TextScreen:
    """What is on the screen: rows of cells, and the cursor's row and column, or None where it is not to be seen."""

    rows: tuple[tuple[Cell, ...], ...]
    cursor: tuple[int, int] | None


def text_screen(memory: bytes, cursor: int | None) -> TextScreen:
    """The screen from the 4000 bytes of its memory and the cursor's offset in characters."""
    cells = [Cell(_character(memory[at]), memory[at + 1]) for at in range(0, TEXT_BYTES, 2)]
    rows = tuple(tuple(cells[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS))
    seen = cursor is not None and cursor < COLUMNS * ROWS
    return TextScreen(rows, divmod(cursor, COLUMNS) if seen and cursor is not None else None)


def _character(code: int) -> str:
    if code < 32:
        return _CONTROL[code] if code else " "
    return "⌂" if code == 127 else bytes([code]).decode("cp437")


@dataclass(slots=True)
class VgaState:
    """Every register that can be written, by port and index."""

    crt_index: int = 0
    crt: list[int] = field(default_factory=lambda: [0] * 32)
    others: list[int] = field(default_factory=lambda: [0] * 32)


class Vga(Device):
    """The card's ports, 0x3C0 to 0x3DF."""

    name = "screen"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.state: VgaState = VgaState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """All of the card's."""
        return (PortRegion(PORT_VGA, 32),)

    @property
    def cursor(self) -> int | None:
        """The cursor's offset in characters from the start of the picture; None if it is switched off."""
        crt = self.state.crt
        if crt[CURSOR_START] & 0x20:
            return None
        return (crt[CURSOR_HIGH] << 8 | crt[CURSOR_LOW]) - (crt[START_HIGH] << 8 | crt[START_LOW])

    def read_port(self, port: int, size: int) -> int:
        """A register; the status shows the retrace in virtual time."""
        state = self.state
        if port == CRT_INDEX:
            return state.crt_index
        if port == CRT_DATA:
            return state.crt[state.crt_index]
        if port == STATUS_1:
            return 0x09 if self._clock() % RETRACE_PERIOD < RETRACE_PERIOD // 20 else 0
        return state.others[port - PORT_VGA]

    def write_port(self, port: int, size: int, value: int) -> None:
        """A register."""
        state = self.state
        if port == CRT_INDEX:
            state.crt_index = value & 31
        elif port == CRT_DATA:
            state.crt[state.crt_index] = value
        else:
            state.others[port - PORT_VGA] = value

    def describe(self, port: int, write: bool = False) -> str:
        """The register's name where it matters here."""
        if port == CRT_INDEX:
            return "CRT controller index"
        if port == CRT_DATA:
            return f"CRT controller register {self.state.crt_index}"
        return "input status 1" if port == STATUS_1 else f"register {port:#x}"
