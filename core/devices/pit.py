"""The timer of the PC: an 8254 with three channels, and port 0x61 with the gate and output of the third.

Each channel counts down ticks of 1.193182 MHz and moves its output as its mode says (Intel 8254 data sheet, 1993). Time
is virtual: the tick at virtual time t is floor(t × PIT_HZ / INSTRUCTIONS_PER_SECOND), so counts are computed when
somebody looks and nothing runs in between. Channel 0 is wired to interrupt request 0. Simplified: a count written while
modes 2 and 3 run takes effect at the end of the period (mode 3 of the chip: of the half period), and the request line
falls only just before it rises, so that a request pending when the square wave falls is not withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.devices.device import Clock, Device, IrqLine, PortRegion
from core.layout import INSTRUCTIONS_PER_SECOND, PIT_HZ, PORT_PIT, PORT_SYSTEM_CONTROL

CONTROL = PORT_PIT + 3
READ_BACK = 3
ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH = 1, 2, 3
PERIODIC = (2, 3)
TRIGGERED = (1, 5)  # these begin at a rising gate, not at the writing of a count
REFRESH_TICKS = 18  # bit 4 of port 0x61 toggles with memory refresh, every 15 µs


def tick_at(time: int) -> int:
    """The tick that is current at virtual `time`."""
    return time * PIT_HZ // INSTRUCTIONS_PER_SECOND


def time_of(tick: int) -> int:
    """The first virtual time at which `tick` is current."""
    return -(-tick * INSTRUCTIONS_PER_SECOND // PIT_HZ)


@dataclass(slots=True)
class ChannelState:
    """One counter. `start` is the tick at which the count was loaded, None while it does not count."""

    mode: int = 3
    access: int = ACCESS_BOTH
    bcd: bool = False
    count: int = 0x10000
    start: int | None = None
    pending: int | None = None  # a count that waits for the end of the period
    paused_at: int | None = None  # tick at which a low gate stopped a counting that it suspends
    gate: bool = True
    low_byte: int | None = None  # written, its high byte still to come
    latched: list[int] = field(default_factory=list)  # bytes that reads give before anything else
    high_next: bool = False  # the next read of a two-byte access gives the high byte


@dataclass(slots=True)
class PitState:
    """The three channels, the tick up to which edges were reported, and the writable bits of port 0x61."""

    channels: list[ChannelState] = field(default_factory=lambda: [ChannelState() for _ in range(3)])
    reported: int = 0
    control: int = 0


def _elapsed(channel: ChannelState, tick: int) -> int:
    """Ticks counted at `tick`; a count that waited for the end of a period is taken over."""
    assert channel.start is not None, "only for a channel that counts"
    if channel.paused_at is not None:
        tick = channel.paused_at
    if channel.pending is not None and tick - channel.start >= channel.count:
        channel.start += channel.count
        channel.count, channel.pending = channel.pending, None
    return max(tick - channel.start, 0)


def output(channel: ChannelState, tick: int) -> bool:
    """The output pin at `tick`."""
    if channel.start is None:
        return channel.mode != 0
    elapsed, count = _elapsed(channel, tick), channel.count
    match channel.mode:
        case 0 | 1:
            return elapsed >= count
        case 2:
            return not channel.gate or elapsed % count != count - 1
        case 3:
            return not channel.gate or elapsed % count < (count + 1) // 2
        case _:
            return elapsed != count


def value(channel: ChannelState, tick: int) -> int:
    """What the counter holds at `tick`, as it is read (BCD digits if so set)."""
    if channel.start is None:
        held = channel.count
    else:
        elapsed, count = _elapsed(channel, tick), channel.count
        if channel.mode == 2:
            held = count - elapsed % count
        elif channel.mode == 3:
            half = (count + 1) // 2
            into = elapsed % count
            held = count - 2 * (into if into < half else into - half)
        else:
            held = count - elapsed
    if not channel.bcd:
        return held & 0xFFFF
    return int(f"{held % 10000:04d}", 16)


def next_rise(channel: ChannelState, after: int) -> int | None:
    """The first tick later than `after` at which the output goes from low to high."""
    if channel.start is None or channel.paused_at is not None or (channel.mode in PERIODIC and not channel.gate):
        return None
    elapsed = _elapsed(channel, after)
    start, count = channel.start, channel.count
    if channel.mode in PERIODIC:
        if channel.pending is not None:
            return start + count
        periods = max(elapsed, after - start) // count + 1 if after >= start else 1
        return start + periods * count
    rise = start + count + (channel.mode in (4, 5))
    return rise if rise > after else None


class Pit(Device):
    """The timer and port 0x61."""

    name = "timer"

    def __init__(self, clock: Clock, line: IrqLine) -> None:
        self._clock = clock
        self._line = line
        self.state: PitState = PitState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Three counters and the control word; system control port B."""
        return (PortRegion(PORT_PIT, 4), PortRegion(PORT_SYSTEM_CONTROL, 1))

    def _now(self) -> int:
        return tick_at(self._clock())

    # -- time

    def next_event(self) -> int | None:
        """When channel 0 will next raise its output."""
        rise = next_rise(self.state.channels[0], self.state.reported)
        return None if rise is None else time_of(rise)

    def advance(self, now: int) -> None:
        """Raise the request line if channel 0's output has risen; rises in between are one, as the line is an edge."""
        tick = tick_at(now)
        rise = next_rise(self.state.channels[0], self.state.reported)
        self.state.reported = max(tick, self.state.reported)
        if rise is not None and rise <= tick:
            self._line(False)
            self._line(True)

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """A byte of a counter or of what was latched; port 0x61."""
        now = self._now()
        if port == PORT_SYSTEM_CONTROL:
            refresh = now // REFRESH_TICKS & 1
            return self.state.control | refresh << 4 | output(self.state.channels[2], now) << 5
        if port == CONTROL:
            return 0xFF
        channel = self.state.channels[port - PORT_PIT]
        if channel.latched:
            return channel.latched.pop(0)
        held = value(channel, now)
        if channel.access == ACCESS_BOTH:
            channel.high_next = not channel.high_next
            return held & 0xFF if channel.high_next else held >> 8
        return held & 0xFF if channel.access == ACCESS_LOW else held >> 8

    def write_port(self, port: int, size: int, value: int) -> None:
        """A control word, a byte of a count, or port 0x61."""
        now = self._now()
        if port == PORT_SYSTEM_CONTROL:
            self.state.control = value & 0x0F
            self._set_gate(self.state.channels[2], bool(value & 1), now)
        elif port == CONTROL:
            self._control(value, now)
        else:
            self._write_count(port - PORT_PIT, value, now)

    def _control(self, word: int, now: int) -> None:
        select = word >> 6
        if select == READ_BACK:
            for number, channel in enumerate(self.state.channels):
                if word >> 1 + number & 1:
                    self._read_back(channel, word, now)
            return
        channel = self.state.channels[select]
        access = word >> 4 & 3
        if access == 0:
            self._latch(channel, now)
            return
        mode = word >> 1 & 7
        channel.mode = mode if mode < 6 else mode - 4
        channel.access, channel.bcd = access, bool(word & 1)
        channel.start = channel.pending = channel.paused_at = channel.low_byte = None
        channel.latched.clear()
        channel.high_next = False
        if select == 0 and channel.mode == 0:
            self._line(False)

    def _latch(self, channel: ChannelState, now: int) -> None:
        if channel.latched:
            return  # the first latched value stays until it is read
        held = value(channel, now)
        both = [held & 0xFF, held >> 8]
        channel.latched = both if channel.access == ACCESS_BOTH else [both[channel.access - 1]]

    def _read_back(self, channel: ChannelState, word: int, now: int) -> None:
        """Latch status (bit 4 clear) and count (bit 5 clear); status is read first."""
        if not word & 0x20:
            self._latch(channel, now)
        if not word & 0x10:
            status = output(channel, now) << 7 | (channel.start is None) << 6
            channel.latched.insert(0, status | channel.access << 4 | channel.mode << 1 | channel.bcd)

    def _write_count(self, number: int, byte: int, now: int) -> None:
        channel = self.state.channels[number]
        if channel.access == ACCESS_BOTH:
            if channel.low_byte is None:
                channel.low_byte = byte
                if channel.mode == 0:
                    channel.start = None  # the first byte stops the counting
                return
            raw, channel.low_byte = byte << 8 | channel.low_byte, None
        else:
            raw = byte if channel.access == ACCESS_LOW else byte << 8
        digits = sum((raw >> 4 * place & 0xF) * 10**place for place in range(4))
        count = (digits or 10000) if channel.bcd else (raw or 0x10000)
        if channel.mode in PERIODIC and channel.start is not None:
            channel.pending = count
            return
        channel.count = count
        if channel.mode not in TRIGGERED:
            channel.start = now + 1  # loaded at the next tick
            channel.paused_at = None if channel.gate or channel.mode in PERIODIC else now
        if number == 0:
            self.state.reported = max(self.state.reported, now)
            if channel.mode == 0:
                self._line(False)

    @staticmethod
    def _set_gate(channel: ChannelState, gate: bool, now: int) -> None:
        rising, falling = gate and not channel.gate, channel.gate and not gate
        channel.gate = gate
        if rising and (channel.mode in TRIGGERED or (channel.mode in PERIODIC and channel.start is not None)):
            channel.start = now + 1
        elif rising and channel.paused_at is not None and channel.start is not None:
            channel.start += now - channel.paused_at
            channel.paused_at = None
        elif falling and channel.mode in (0, 4) and channel.start is not None:
            channel.paused_at = now

    def describe(self, port: int) -> str:
        """A counter, the control word, or system control."""
        if port == PORT_SYSTEM_CONTROL:
            return "system control (speaker and counter 2)"
        return "control word" if port == CONTROL else f"counter {port - PORT_PIT}"
