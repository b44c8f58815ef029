"""A timer on a bench: its clock is moved by hand, its request line watched."""

from __future__ import annotations

from core.devices.pit import CONTROL, Pit, tick_at, time_of
from core.layout import PORT_PIT, PORT_SYSTEM_CONTROL


class Board:
    """A timer, a clock that stands still until moved, and the edges of request line 0 with their ticks."""

    def __init__(self) -> None:
        self.time = 0
        self.rises: list[int] = []
        self.level = False
        self.pit = Pit(lambda: self.time, self._line)

    def _line(self, level: bool) -> None:
        if level and not self.level:
            self.rises.append(tick_at(self.time))
        self.level = level

    def at_tick(self, tick: int, late: int = 0) -> None:
        """Go to `tick`, as the machine does: stopping at each event. `late`: how far into the tick, 0 to 82."""
        while (due := self.pit.next_event()) is not None and due < time_of(tick):
            assert due > self.time or due == time_of(tick_at(due))
            self.time = max(due, self.time)
            self.pit.advance(self.time)
        self.time = time_of(tick) + late
        self.pit.advance(self.time)

    def write(self, port: int, value: int) -> None:
        self.pit.write_port(port, 1, value)

    def read(self, port: int) -> int:
        return self.pit.read_port(port, 1)

    def program(self, channel: int, mode: int, count: int, bcd: bool = False) -> None:
        self.write(CONTROL, channel << 6 | 0x30 | mode << 1 | bcd)
        self.write_count(channel, int(str(count % 10000), 16) if bcd else count & 0xFFFF)

    def write_count(self, channel: int, raw: int) -> None:
        self.write(PORT_PIT + channel, raw & 0xFF)
        self.write(PORT_PIT + channel, raw >> 8)

    def count(self, channel: int) -> int:
        self.write(CONTROL, channel << 6)
        return self.read(PORT_PIT + channel) | self.read(PORT_PIT + channel) << 8

    @property
    def speaker(self) -> bool:
        return bool(self.read(PORT_SYSTEM_CONTROL) & 0x20)

    def counts(self, channel: int, ticks: range) -> list[int]:
        found = []
        for tick in ticks:
            self.at_tick(tick)
            found.append(self.count(channel))
        return found
