"""The screen: a VGA in text mode, 80 by 25 (IBM VGA Technical Reference, 1992).

The characters themselves are in the guest's RAM at 0xB8000, where the card's memory would be: reading the screen is
reading memory, and writing it costs no departure. The device keeps the registers of a colour card, each behind its
index; those of the CRT controller give the cursor and the start of the picture, the others change nothing that is to be
seen. Graphics modes, the write protection of the CRT controller and horizontal retrace are not modelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from core.devices.device import Clock, Device, PortRegion, is_bytes
from core.layout import INSTRUCTIONS_PER_SECOND, PORT_VGA

COLUMNS, ROWS = 80, 25
TEXT_BYTES = COLUMNS * ROWS * 2
SEQUENCER, GRAPHICS, CRT = 0x3C4, 0x3CE, 0x3D4
INDEXED = {SEQUENCER: 8, GRAPHICS: 16, CRT: 32}  # index port, the data port being the next one: registers
CURSOR_START, START_HIGH, START_LOW, CURSOR_HIGH, CURSOR_LOW = 10, 12, 13, 14, 15
CURSOR_OFF = 0x20
COLOURS = 256
RETRACE_PERIOD = INSTRUCTIONS_PER_SECOND // 70  # virtual time of a picture
RETRACE = RETRACE_PERIOD // 20
NOBODY = 0xFF

_GROUPS = {SEQUENCER: "sequencer", GRAPHICS: "graphics controller", CRT: "CRT controller"}
_CONTROL = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"


class Port(IntEnum):
    """The card's ports that stand for one register each."""

    ATTRIBUTE = 0x3C0
    ATTRIBUTE_READ = 0x3C1
    MISCELLANEOUS = 0x3C2
    MASK = 0x3C6
    PALETTE_READ = 0x3C7
    PALETTE_WRITE = 0x3C8
    PALETTE_DATA = 0x3C9
    FEATURES_READ = 0x3CA
    MISCELLANEOUS_READ = 0x3CC
    STATUS = 0x3DA


_NAMES: dict[int, str] = {
    Port.ATTRIBUTE: "attribute controller index",
    Port.ATTRIBUTE_READ: "attribute controller data",
    Port.MISCELLANEOUS: "input status 0",
    Port.MASK: "palette mask",
    Port.PALETTE_READ: "palette state",
    Port.PALETTE_WRITE: "palette index",
    Port.PALETTE_DATA: "palette data",
    Port.FEATURES_READ: "feature control",
    Port.MISCELLANEOUS_READ: "miscellaneous output",
    Port.STATUS: "input status 1",
}
_NAMES_FOR_WRITES: dict[int, str] = _NAMES | {
    Port.MISCELLANEOUS: "miscellaneous output",
    Port.PALETTE_READ: "palette index for reading",
    Port.STATUS: "feature control",
}


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
    seen = cursor is not None and 0 <= cursor < COLUMNS * ROWS
    return TextScreen(rows, divmod(cursor, COLUMNS) if seen and cursor is not None else None)


def _character(code: int) -> str:
    if code < 32:
        return _CONTROL[code] if code else " "
    return "⌂" if code == 127 else bytes([code]).decode("cp437")


@dataclass(slots=True)
class VgaState:
    """Every register: those behind an index by their index port. The palette is in bytes, three a colour; `reading` and
    `writing` are the next ones. `attribute_data`: the attribute controller's port takes data next, not an index."""

    index: dict[int, int] = field(default_factory=lambda: dict.fromkeys(INDEXED, 0))
    registers: dict[int, bytearray] = field(default_factory=lambda: {port: bytearray(n) for port, n in INDEXED.items()})
    attributes: bytearray = field(default_factory=lambda: bytearray(32))
    attribute_index: int = 0
    attribute_data: bool = False
    palette: bytearray = field(default_factory=lambda: bytearray(3 * COLOURS))
    reading: int = 0
    writing: int = 0
    last_was_write: bool = True
    mask: int = 0xFF
    miscellaneous: int = 0x67
    features: int = 0


class Vga(Device):
    """The card's ports, 0x3C0 to 0x3DF."""

    name = "screen"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.state: VgaState = VgaState()

    def is_sound(self, state: VgaState) -> bool:
        """See `Device`."""
        fresh = VgaState()
        registers = {port: len(held) for port, held in state.registers.items()}
        return (
            state.index.keys() == INDEXED.keys()
            and registers == INDEXED
            and (len(state.attributes), len(state.palette)) == (len(fresh.attributes), len(fresh.palette))
            and all(0 <= each < len(fresh.palette) for each in (state.reading, state.writing))
            and is_bytes((*state.index.values(), state.attribute_index, state.mask))
            and is_bytes((state.miscellaneous, state.features))
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """All of the card's."""
        return (PortRegion(PORT_VGA, 32),)

    # -- what is seen

    @property
    def start(self) -> int:
        """Where the picture starts, in characters from the start of the screen's memory."""
        crt = self.state.registers[CRT]
        return crt[START_HIGH] << 8 | crt[START_LOW]

    @property
    def cursor(self) -> int | None:
        """The cursor's offset in characters from the start of the picture; None if it is switched off."""
        crt = self.state.registers[CRT]
        if crt[CURSOR_START] & CURSOR_OFF:
            return None
        return (crt[CURSOR_HIGH] << 8 | crt[CURSOR_LOW]) - self.start

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """A register; the status shows the retrace in virtual time."""
        state = self.state
        if port in INDEXED:
            return state.index[port]
        if port - 1 in INDEXED:
            return state.registers[port - 1][state.index[port - 1]]
        match port:
            case Port.ATTRIBUTE:
                return state.attribute_index
            case Port.ATTRIBUTE_READ:
                return state.attributes[state.attribute_index & 31]
            case Port.MASK:
                return state.mask
            case Port.PALETTE_READ:
                return 0 if state.last_was_write else 3
            case Port.PALETTE_WRITE:
                return state.writing // 3
            case Port.PALETTE_DATA:
                value = state.palette[state.reading]
                state.reading = (state.reading + 1) % len(state.palette)
                return value
            case Port.FEATURES_READ:
                return state.features
            case Port.MISCELLANEOUS_READ:
                return state.miscellaneous
            case Port.STATUS:
                state.attribute_data = False
                return 0x09 if self._clock() % RETRACE_PERIOD < RETRACE else 0
            case Port.MISCELLANEOUS:
                return 0
            case _:
                return NOBODY

    def write_port(self, port: int, size: int, value: int) -> None:
        """A register, or which one is meant."""
        state = self.state
        if port in INDEXED:
            state.index[port] = value & INDEXED[port] - 1
        elif port - 1 in INDEXED:
            state.registers[port - 1][state.index[port - 1]] = value
        else:
            match port:
                case Port.ATTRIBUTE if state.attribute_data:
                    state.attributes[state.attribute_index & 31] = value
                    state.attribute_data = False
                case Port.ATTRIBUTE:
                    state.attribute_index, state.attribute_data = value & 0x3F, True
                case Port.MISCELLANEOUS:
                    state.miscellaneous = value
                case Port.MASK:
                    state.mask = value
                case Port.PALETTE_READ:
                    state.reading, state.last_was_write = 3 * value, False
                case Port.PALETTE_WRITE:
                    state.writing, state.last_was_write = 3 * value, True
                case Port.PALETTE_DATA:
                    state.palette[state.writing] = value & 0x3F
                    state.writing = (state.writing + 1) % len(state.palette)
                case Port.STATUS:
                    state.features = value
                case _:
                    pass  # nobody is there, or it can only be read

    def describe(self, port: int, write: bool = False) -> str:
        """The register's name and, behind an index, its number."""
        if port in INDEXED:
            return f"{_GROUPS[port]} index"
        if port - 1 in INDEXED:
            return f"{_GROUPS[port - 1]} register {self.state.index[port - 1]}"
        if port == Port.ATTRIBUTE and write and self.state.attribute_data:
            return f"attribute controller register {self.state.attribute_index & 31}"
        return (_NAMES_FOR_WRITES if write else _NAMES).get(port, "no register")
