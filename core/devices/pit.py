"""The timer of the PC: an 8254 with three counters, and port 0x61 with the gate and output of the third.

Each counter counts ticks of 1.193182 MHz and moves its output as its mode says (Intel 8254 data sheet, 1993; port 0x61:
IBM PC AT Technical Reference, 1984). Time is virtual: the tick at virtual time t is floor(t × PIT_HZ /
INSTRUCTIONS_PER_SECOND), so counters are brought up to now when somebody looks and nothing runs in between. Counter 0
is wired to interrupt request 0. Simplified: a rising output raises that line, but only a command that pulls the output
low drops it; the output's own fall does not, so that a request is not withdrawn because a square wave is low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.devices import counter as counting
from core.devices.counter import MODE_NAMES, Counter
from core.devices.device import Clock, Device, IrqLine, PortRegion, is_bytes
from core.layout import INSTRUCTIONS_PER_SECOND, PIT_HZ, PORT_PIT, PORT_SYSTEM_CONTROL

CONTROL = PORT_PIT + 3
READ_BACK = 3
ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH = range(4)
NO_COUNT, NO_STATUS = 0x20, 0x10  # set in a read-back command for what is not wanted
SPEAKER_GATE, CONTROL_BITS = 0x01, 0x0F
REFRESH_TICKS = 18  # bit 4 of port 0x61 toggles with memory refresh, every 15 µs

_PURPOSE = ("system tick", "memory refresh", "speaker")


def tick_at(time: int) -> int:
    """The tick that is current at virtual `time`."""
    return time * PIT_HZ // INSTRUCTIONS_PER_SECOND


def time_of(tick: int) -> int:
    """The first virtual time at which `tick` is current."""
    return -(-tick * INSTRUCTIONS_PER_SECOND // PIT_HZ)


@dataclass(slots=True)
class Channel:
    """A counter behind its port: the half-written count, and what commands have latched to be read."""

    counter: Counter = field(default_factory=Counter)
    low_byte: int | None = None  # written, its high byte still to come
    high_next: bool = False  # the next read of a two-byte access gives the high byte
    latched_status: int | None = None
    latched_count: list[int] = field(default_factory=list)  # bytes still to be read, in order

    @property
    def access(self) -> int:
        """Which bytes of a count are read and written."""
        return self.counter.control >> 4 & 3


def _three() -> list[Channel]:
    """The gates of the first two counters are tied high; that of the third is port 0x61's, low at power-on."""
    return [Channel(), Channel(), Channel(Counter(gate=False))]


@dataclass(slots=True)
class PitState:
    """The three channels, and the writable bits of port 0x61."""

    channels: list[Channel] = field(default_factory=_three)
    control: int = 0


class Pit(Device):
    """The timer and port 0x61. `line` is driven by counter 0."""

    name = "timer"

    def __init__(self, clock: Clock, line: IrqLine) -> None:
        self._clock = clock
        self._line = line
        self.state: PitState = PitState()

    def is_sound(self, state: PitState) -> bool:
        """See `Device`."""
        now = tick_at(self._clock())
        return (
            len(state.channels) == 3
            and 0 <= state.control <= CONTROL_BITS
            and all(counting.is_sound(each.counter) and each.counter.tick <= now for each in state.channels)
            and all(each.access != ACCESS_LATCH for each in state.channels)
            and all(is_bytes((each.low_byte or 0, each.latched_status or 0)) for each in state.channels)
            and all(len(each.latched_count) <= 2 and is_bytes(each.latched_count) for each in state.channels)
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Three counters and the control word; system control port B."""
        return (PortRegion(PORT_PIT, 4), PortRegion(PORT_SYSTEM_CONTROL, 1))

    # -- time

    def next_event(self) -> int | None:
        """When counter 0 will next raise its output: the first virtual time of that tick."""
        rise = counting.next_rise(self.state.channels[0].counter)
        return None if rise is None else time_of(rise)

    def advance(self, now: int) -> None:
        """Bring counter 0 up to `now`. Rises that were missed are one, as an edge-triggered line remembers one."""
        self._run(0, tick_at(now))

    def _run(self, number: int, tick: int) -> Channel:
        """The channel, brought up to `tick`."""
        channel = self.state.channels[number]
        if counting.run(channel.counter, tick) and number == 0:
            self._drive(True)
        return channel

    def _drive(self, level: bool) -> None:
        self._line(False)  # it may be high still from the last rise
        if level:
            self._line(True)

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """A byte of a counter or of what was latched; port 0x61."""
        tick = tick_at(self._clock())
        if port == PORT_SYSTEM_CONTROL:
            speaker = self._run(2, tick).counter.output
            return self.state.control | (tick // REFRESH_TICKS & 1) << 4 | speaker << 5
        if port == CONTROL:
            return 0xFF  # it can only be written
        channel = self._run(port - PORT_PIT, tick)
        if channel.latched_status is not None:
            status, channel.latched_status = channel.latched_status, None
            return status
        if channel.latched_count:
            return channel.latched_count.pop(0)
        high = channel.access == ACCESS_HIGH
        if channel.access == ACCESS_BOTH:
            high, channel.high_next = channel.high_next, not channel.high_next
        held = counting.held(channel.counter)
        return held >> 8 if high else held & 0xFF

    def write_port(self, port: int, size: int, value: int) -> None:
        """A control word, a byte of a count, or port 0x61."""
        tick = tick_at(self._clock())
        if port == PORT_SYSTEM_CONTROL:
            self.state.control = value & CONTROL_BITS
            counting.set_gate(self._run(2, tick).counter, bool(value & SPEAKER_GATE))
        elif port == CONTROL and value >> 6 == READ_BACK:
            self._read_back(value, tick)
        else:
            number = value >> 6 if port == CONTROL else port - PORT_PIT
            channel = self._run(number, tick)
            before = channel.counter.output
            if port == CONTROL:
                self._control(channel, value)
            else:
                self._write_count(channel, value)
            if number == 0 and channel.counter.output != before:
                self._drive(channel.counter.output)

    @staticmethod
    def _control(channel: Channel, word: int) -> None:
        if word >> 4 & 3 == ACCESS_LATCH:
            _latch_count(channel)
            return
        counting.program(channel.counter, word)
        channel.low_byte = channel.latched_status = None
        channel.latched_count.clear()
        channel.high_next = False

    @staticmethod
    def _write_count(channel: Channel, byte: int) -> None:
        if channel.access == ACCESS_LOW:
            counting.write_count(channel.counter, byte)
        elif channel.access == ACCESS_HIGH:
            counting.write_count(channel.counter, byte << 8)
        elif channel.low_byte is None:
            channel.low_byte = byte
            counting.begin_count(channel.counter)
        else:
            low, channel.low_byte = channel.low_byte, None
            counting.write_count(channel.counter, byte << 8 | low)

    def _read_back(self, word: int, tick: int) -> None:
        """Latch the count, the status or both of any of the counters; a status is read first."""
        for number in range(3):
            if not word & 2 << number:
                continue
            channel = self._run(number, tick)
            if not word & NO_COUNT:
                _latch_count(channel)
            if not word & NO_STATUS and channel.latched_status is None:
                channel.latched_status = counting.status(channel.counter)

    def describe(self, port: int, write: bool = False) -> str:
        """A counter and what it is for, the control word, or system control port B."""
        if port == PORT_SYSTEM_CONTROL:
            return "system control port B (gate and output of counter 2)"
        if port == CONTROL:
            return "control word" if write else "control word (cannot be read)"
        number = port - PORT_PIT
        channel = self.state.channels[number]
        what = "status of " if channel.latched_status is not None and not write else ""
        return f"{what}counter {number} ({_PURPOSE[number]}, {MODE_NAMES[channel.counter.mode]})"


def _latch_count(channel: Channel) -> None:
    """Hold the present count for reading; one that was not yet read stays."""
    if not channel.latched_count:
        held = counting.held(channel.counter)
        both = [held & 0xFF, held >> 8]
        channel.latched_count = both if channel.access == ACCESS_BOTH else [both[channel.access - 1]]
