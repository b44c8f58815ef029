"""The serial port: a 16550A UART (National Semiconductor PC16550D data sheet, 1995), the guest's console.

Registers, FIFO with trigger levels, interrupts with their priorities, loopback and OUT2 are the data sheet's.
Simplified: a byte takes no virtual time, so the transmitter is always empty again and the time-out of a partly filled
FIFO comes at once; speed and word length are kept and change nothing; the line is perfect, so the only error is an
overrun, and only a guest that talks to itself in loopback can cause one. What comes from outside waits on the host's
side, as much as there is, and enters the receiver in bursts whenever that is empty; a byte that is cleared away unread
counts as not yet arrived. So nothing typed is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion, is_bytes
from core.layout import PORT_SERIAL

DATA, ENABLE, IDENTIFY, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH = range(8)

# interrupt enable register
ENABLE_RECEIVED, ENABLE_EMPTY, ENABLE_LINE, ENABLE_MODEM = 1, 2, 4, 8
# interrupt identification register, by falling priority
LINE_INTERRUPT, RECEIVED_INTERRUPT, TIMEOUT_INTERRUPT, EMPTY_INTERRUPT, MODEM_INTERRUPT = 0x06, 0x04, 0x0C, 0x02, 0x00
NO_INTERRUPT, FIFO_ENABLED = 0x01, 0xC0
# FIFO control register
FIFO_ENABLE, FIFO_CLEAR_RECEIVER = 0x01, 0x02
# line control, modem control, line status
DIVISOR_LATCH = 0x80
OUT2, LOOPBACK = 0x08, 0x10
DATA_READY, OVERRUN, TRANSMITTER_EMPTY = 0x01, 0x02, 0x60
# modem status: CTS, DSR and DCD, a peer is there and ready; in the low half bits that tell of a change
PEER_READY = 0xB0
RING_BIT = 0x4  # its change tells of the end of ringing only

FIFO_DEPTH = 16
TRIGGERS = (1, 4, 8, 14)
LOOPED = 0x100  # marks a byte in the receiver that came by loopback, not from outside

_READ = (
    "receiver buffer register", "interrupt enable register", "interrupt identification register",
    "line control register", "modem control register", "line status register", "modem status register",
    "scratch register",
)  # fmt: skip
_WRITE = ("transmit holding register", _READ[1], "FIFO control register", *_READ[3:])


@dataclass(slots=True)
class SerialState:
    """Registers as firmware leaves them (9600 baud, 8 bits), what was received, and what still waits outside."""

    enable: int = 0
    line_control: int = 0x03
    modem_control: int = 0
    modem_changes: int = 0
    scratch: int = 0
    divisor: int = 12
    fifo_enabled: bool = False
    trigger: int = 1
    received: list[int] = field(default_factory=list)
    outside: bytearray = field(default_factory=bytearray)
    overrun: bool = False
    empty_pending: bool = False  # a transmitter-empty interrupt not yet identified
    line: bool = False


class SerialPort(Device):
    """`console(byte)` gets every byte sent; `receive` takes what is typed."""

    name = "serial port A"

    def __init__(self, console: Callable[[int], None], line: IrqLine) -> None:
        self._console = console
        self._line = line
        self.state: SerialState = SerialState()

    def is_sound(self, state: SerialState) -> bool:
        """See `Device`."""
        registers = (state.enable, state.line_control, state.modem_control, state.modem_changes, state.scratch)
        return (
            is_bytes(registers)
            and 0 <= state.divisor < 1 << 16
            and state.trigger in TRIGGERS
            and len(state.received) <= FIFO_DEPTH
            and is_bytes(each & ~LOOPED for each in state.received)
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Eight registers."""
        return (PortRegion(PORT_SERIAL, 8),)

    # -- the outside

    def receive(self, data: bytes) -> None:
        """Bytes from outside, in order."""
        self.state.outside += data
        self._refill()
        self._update()

    @property
    def _depth(self) -> int:
        return FIFO_DEPTH if self.state.fifo_enabled else 1

    def _refill(self) -> None:
        """Let in what there is room for; in loopback the receiver is off the line."""
        state = self.state
        room = self._depth - len(state.received)
        if room > 0 and state.outside and not state.modem_control & LOOPBACK:
            state.received.extend(state.outside[:room])
            del state.outside[:room]

    def _send(self, byte: int) -> None:
        state = self.state
        state.empty_pending = False
        self._update()  # the byte fills the holding register for a moment: the request falls and rises
        if state.modem_control & LOOPBACK:
            self._loop(byte)
        else:
            self._console(byte)
        state.empty_pending = True

    def _loop(self, byte: int) -> None:
        """An overrun destroys the one byte that the receiver holds, or with a FIFO the one that finds it full."""
        state = self.state
        if len(state.received) >= self._depth:
            state.overrun = True
            if state.fifo_enabled:
                return
            self._forget()
        state.received.append(byte | LOOPED)

    def _forget(self) -> None:
        """Empty the receiver; what was typed goes back to wait outside."""
        state = self.state
        state.outside[:0] = bytes(byte for byte in state.received if byte < LOOPED)
        state.received.clear()

    # -- interrupts

    def _identify(self, *, receiving: bool = True) -> int:
        """The interrupt of highest priority that is enabled and due."""
        state = self.state
        enable = state.enable
        if enable & ENABLE_LINE and state.overrun:
            return LINE_INTERRUPT
        if enable & ENABLE_RECEIVED and state.received and receiving:
            return RECEIVED_INTERRUPT if len(state.received) >= state.trigger else TIMEOUT_INTERRUPT
        if enable & ENABLE_EMPTY and state.empty_pending:
            return EMPTY_INTERRUPT
        if enable & ENABLE_MODEM and state.modem_changes:
            return MODEM_INTERRUPT
        return NO_INTERRUPT

    def _update(self, *, receiving: bool = True) -> None:
        """Drive the request line, which on a PC goes through OUT2; loopback takes that pin off."""
        state = self.state
        due = self._identify(receiving=receiving) != NO_INTERRUPT
        line = due and state.modem_control & (OUT2 | LOOPBACK) == OUT2
        if line != state.line:
            state.line = line
            self._line(line)

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """One of the eight registers."""
        state, register = self.state, port - PORT_SERIAL
        match register:
            case 0 | 1 if state.line_control & DIVISOR_LATCH:
                return state.divisor >> 8 * register & 0xFF
            case 0:
                return self._take()
            case 1:
                return state.enable
            case 2:
                return self._read_identification()
            case 3:
                return state.line_control
            case 4:
                return state.modem_control
            case 5:
                return self._read_line_status()
            case 6:
                status = self._modem_inputs() | state.modem_changes
                state.modem_changes = 0
                self._update()
                return status
            case _:
                return state.scratch

    def _take(self) -> int:
        """The oldest byte received, 0 if there is none."""
        state = self.state
        byte = state.received.pop(0) & 0xFF if state.received else 0
        if len(state.received) < state.trigger:
            self._update(receiving=False)  # below the trigger each read drops the request until the next time-out
        if not state.received:
            self._refill()
        self._update()
        return byte

    def _read_identification(self) -> int:
        """Reading it clears a transmitter-empty interrupt, if that is what it tells of."""
        state = self.state
        found = self._identify()
        if found == EMPTY_INTERRUPT:
            state.empty_pending = False
            self._update()
        return found | (FIFO_ENABLED if state.fifo_enabled else 0)

    def _read_line_status(self) -> int:
        state = self.state
        status = TRANSMITTER_EMPTY | (DATA_READY if state.received else 0)
        if state.overrun:
            status |= OVERRUN
            state.overrun = False
            self._update()
        return status

    def _modem_inputs(self) -> int:
        """In loopback the outputs are wired to the inputs: RTS→CTS, DTR→DSR, OUT1→RI, OUT2→DCD."""
        control = self.state.modem_control
        if not control & LOOPBACK:
            return PEER_READY
        return (control & 2) << 3 | (control & 1) << 5 | (control & 4) << 4 | (control & 8) << 4

    def write_port(self, port: int, size: int, value: int) -> None:
        """One of the eight registers."""
        state, register = self.state, port - PORT_SERIAL
        match register:
            case 0 | 1 if state.line_control & DIVISOR_LATCH:
                shift = 8 * register
                state.divisor = state.divisor & ~(0xFF << shift) | value << shift
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
                self._control_modem(value)
            case 7:
                state.scratch = value
            case _:
                pass  # the status registers are for the factory's tests only
        self._update()

    def _control_fifo(self, value: int) -> None:
        """Without the enabling bit the others are not looked at; turning the FIFO on or off clears it."""
        state = self.state
        enabled = bool(value & FIFO_ENABLE)
        if enabled != state.fifo_enabled or (enabled and value & FIFO_CLEAR_RECEIVER):
            self._forget()
            self._update()  # the request falls before what is still waiting arrives
        state.fifo_enabled = enabled
        state.trigger = TRIGGERS[value >> 6] if enabled else 1
        self._refill()

    def _control_modem(self, value: int) -> None:
        state = self.state
        before = self._modem_inputs()
        state.modem_control = value & 0x1F
        after = self._modem_inputs()
        changed = (before ^ after) >> 4
        if after & RING_BIT << 4:
            changed &= ~RING_BIT
        state.modem_changes |= changed
        if not state.received:
            self._refill()  # loopback may have ended

    def describe(self, port: int, write: bool = False) -> str:
        """The register, by the name that it has for a read or for a write."""
        register = port - PORT_SERIAL
        if self.state.line_control & DIVISOR_LATCH and register < 2:
            return f"divisor latch, {'high' if register else 'low'} byte"
        return (_WRITE if write else _READ)[register]
