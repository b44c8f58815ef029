"""The serial port: a 16550A UART (National Semiconductor data sheet, 1995), the guest's console.

Sending takes no virtual time: a byte written is out at once and the transmitter is always empty. What comes from
outside waits, as much as there is, on the host's side, and enters the receiver while there is room, so nothing typed
is lost and the guest never sees an overrun. Modelled: all registers, the divisor latch, FIFO control with trigger
levels, interrupt enable and identification with their priorities, OUT2 as the interrupt gate, loopback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion
from core.layout import PORT_SERIAL

DATA, ENABLE, IDENTIFY, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH = range(8)
ENABLE_RECEIVED, ENABLE_EMPTY = 1, 2
NO_INTERRUPT, EMPTY_INTERRUPT, RECEIVED_INTERRUPT, TIMEOUT_INTERRUPT = 0x01, 0x02, 0x04, 0x0C
FIFO_ENABLED = 0xC0
DIVISOR_LATCH = 0x80
OUT2, LOOPBACK = 0x08, 0x10
DATA_READY, TRANSMITTER_EMPTY = 0x01, 0x60
CLEAR_SEND_AND_CARRIER = 0xB0  # modem status: a peer is there and ready
FIFO_DEPTH = 16
TRIGGERS = (1, 4, 8, 14)

_READ = (
    "receive buffer", "interrupt enable", "interrupt identification", "line control", "modem control", "line status",
    "modem status", "scratch",
)  # fmt: skip


@dataclass(slots=True)
class SerialState:
    """Registers, the receive FIFO, and what still waits outside."""

    enable: int = 0
    line_control: int = 0x03
    modem_control: int = 0
    scratch: int = 0
    divisor: int = 12
    fifo_enabled: bool = False
    trigger: int = 1
    received: list[int] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)
    empty_pending: bool = False  # a transmitter-empty interrupt not yet identified
    line: bool = False


class SerialPort(Device):
    """`console(byte)` gets every byte sent; `receive` takes what is typed."""

    name = "serial port"

    def __init__(self, console: Callable[[int], None], line: IrqLine) -> None:
        self._console = console
        self._line = line
        self.state: SerialState = SerialState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Eight registers."""
        return (PortRegion(PORT_SERIAL, 8),)

    def receive(self, data: bytes) -> None:
        """Bytes from outside, in order."""
        self.state.outside.extend(data)
        self._refill()
        self._update()

    def _refill(self) -> None:
        state = self.state
        room = (FIFO_DEPTH if state.fifo_enabled else 1) - len(state.received)
        if room > 0 and state.outside:
            state.received.extend(state.outside[:room])
            del state.outside[:room]

    def _identify(self) -> int:
        """The interrupt of highest priority that is enabled and due."""
        state = self.state
        if state.enable & ENABLE_RECEIVED and state.received:
            return RECEIVED_INTERRUPT if len(state.received) >= state.trigger else TIMEOUT_INTERRUPT
        if state.enable & ENABLE_EMPTY and state.empty_pending:
            return EMPTY_INTERRUPT
        return NO_INTERRUPT

    def _update(self) -> None:
        state = self.state
        line = self._identify() != NO_INTERRUPT and bool(state.modem_control & OUT2)
        if line != state.line:
            state.line = line
            self._line(line)

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """One of the eight registers."""
        state, register = self.state, port - PORT_SERIAL
        latch = state.line_control & DIVISOR_LATCH
        match register:
            case 0 if latch:
                return state.divisor & 0xFF
            case 1 if latch:
                return state.divisor >> 8
            case 0:
                return self._take()
            case 1:
                return state.enable
            case 2:
                found = self._identify()
                if found == EMPTY_INTERRUPT:
                    state.empty_pending = False
                    self._update()
                return found | (FIFO_ENABLED if state.fifo_enabled else 0)
            case 3:
                return state.line_control
            case 4:
                return state.modem_control
            case 5:
                return TRANSMITTER_EMPTY | (DATA_READY if state.received else 0)
            case 6:
                return self._modem_status()
            case _:
                return state.scratch

    def _modem_status(self) -> int:
        """In loopback the outputs are wired to the inputs: RTS→CTS, DTR→DSR, OUT1→RI, OUT2→DCD."""
        control = self.state.modem_control
        if not control & LOOPBACK:
            return CLEAR_SEND_AND_CARRIER
        return (control & 2) << 3 | (control & 1) << 5 | (control & 4) << 4 | (control & 8) << 4

    def _take(self) -> int:
        state = self.state
        byte = state.received.pop(0) if state.received else 0
        self._update()  # the request falls when the last byte is taken, as between two bytes on a real line
        if not state.received:
            self._refill()
            self._update()
        return byte

    def write_port(self, port: int, size: int, value: int) -> None:
        """One of the eight registers."""
        state, register = self.state, port - PORT_SERIAL
        latch = state.line_control & DIVISOR_LATCH
        match register:
            case 0 if latch:
                state.divisor = state.divisor & 0xFF00 | value
            case 1 if latch:
                state.divisor = state.divisor & 0xFF | value << 8
            case 0:
                self._send(value)
            case 1:
                if value & ENABLE_EMPTY and not state.enable & ENABLE_EMPTY:
                    state.empty_pending = True  # the transmitter is empty, as it always is
                state.enable = value & 0x0F
            case 2:
                self._control_fifo(value)
            case 3:
                state.line_control = value
            case 4:
                state.modem_control = value & 0x1F
            case 7:
                state.scratch = value
            case _:
                pass  # the status registers cannot be written
        self._update()

    def _send(self, byte: int) -> None:
        state = self.state
        if state.modem_control & LOOPBACK:
            state.outside.insert(0, byte)
            self._refill()
        else:
            self._console(byte)
        state.empty_pending = True

    def _control_fifo(self, value: int) -> None:
        state = self.state
        enabled = bool(value & 1)
        if enabled != state.fifo_enabled or value & 2:
            state.outside[:0] = state.received if not value & 2 else []
            state.received.clear()
        state.fifo_enabled = enabled
        state.trigger = TRIGGERS[value >> 6] if enabled else 1
        self._refill()

    def describe(self, port: int) -> str:
        """The register, by the name under which it is read."""
        register = port - PORT_SERIAL
        if self.state.line_control & DIVISOR_LATCH and register < 2:
            return "divisor latch"
        if register == DATA:
            return "data"
        return _READ[register]
