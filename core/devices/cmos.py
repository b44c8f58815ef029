"""The clock and its memory: an MC146818 (Motorola data sheet), whose time is virtual.

The calendar starts at noon on 1 July 2006, in the year of Adams & Agesen's measurements, and goes on with virtual time,
so that every run sees the same. Modelled: time in BCD or binary, 24 or 12 hours, the status registers, the memory bytes
with the sizes that a BIOS leaves there. Not modelled: alarms and periodic interrupts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.devices.device import Clock, Device, PortRegion
from core.layout import INSTRUCTIONS_PER_SECOND, PORT_CMOS

EPOCH = datetime(2006, 7, 1, 12, 0, 0, tzinfo=UTC)
SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR = 0, 2, 4, 6, 7, 8, 9
STATUS_A, STATUS_B, STATUS_C, STATUS_D = 10, 11, 12, 13
CENTURY = 0x32
BINARY, HOURS_24 = 0x04, 0x02
BASE_LOW, BASE_HIGH, EXTENDED_LOW, EXTENDED_HIGH, EXTENDED2_LOW, EXTENDED2_HIGH = 0x15, 0x16, 0x17, 0x18, 0x30, 0x31
BASE_KIB = 640


@dataclass(slots=True)
class CmosState:
    """The register chosen, and the 128 bytes; those of the time are not used."""

    index: int = 0
    memory: bytearray = field(default_factory=lambda: bytearray(128))


class Cmos(Device):
    """`memory` is the VM's, in bytes."""

    name = "clock"

    def __init__(self, clock: Clock, memory: int) -> None:
        self._clock = clock
        self.state: CmosState = CmosState()
        kept = self.state.memory
        extended = min(max(memory - (1 << 20), 0) >> 10, 0xFFFF)
        kept[STATUS_A], kept[STATUS_B], kept[STATUS_D] = 0x26, HOURS_24, 0x80
        kept[BASE_LOW], kept[BASE_HIGH] = BASE_KIB & 0xFF, BASE_KIB >> 8
        kept[EXTENDED_LOW] = kept[EXTENDED2_LOW] = extended & 0xFF
        kept[EXTENDED_HIGH] = kept[EXTENDED2_HIGH] = extended >> 8

    def is_sound(self, state: CmosState) -> bool:
        """See `Device`."""
        return 0 <= state.index < 128 and len(state.memory) == 128

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Index and data."""
        return (PortRegion(PORT_CMOS, 2),)

    def read_port(self, port: int, size: int) -> int:
        """The register chosen, or the index."""
        state = self.state
        if port == PORT_CMOS:
            return state.index
        found = self._time(state.index)
        return state.memory[state.index] if found is None else found

    def write_port(self, port: int, size: int, value: int) -> None:
        """Choose a register, or write it; the time cannot be set."""
        state = self.state
        if port == PORT_CMOS:
            state.index = value & 0x7F
        elif state.index not in (STATUS_C, STATUS_D):
            state.memory[state.index] = value

    def _time(self, register: int) -> int | None:
        now = EPOCH + timedelta(seconds=self._clock() // INSTRUCTIONS_PER_SECOND)
        mode = self.state.memory[STATUS_B]
        hour = now.hour if mode & HOURS_24 else (now.hour + 11) % 12 + 1
        values = {
            SECONDS: now.second, MINUTES: now.minute, HOURS: hour, WEEKDAY: now.isoweekday() % 7 + 1, DAY: now.day,
            MONTH: now.month, YEAR: now.year % 100, CENTURY: now.year // 100,
        }  # fmt: skip
        value = values.get(register)
        if value is None:
            return None
        spelled = value if mode & BINARY else value // 10 << 4 | value % 10
        afternoon = register == HOURS and not mode & HOURS_24 and now.hour >= 12
        return spelled | 0x80 if afternoon else spelled

    def describe(self, port: int, write: bool = False) -> str:
        """Index or data."""
        return "index" if port == PORT_CMOS else f"register {self.state.index:#04x}"
