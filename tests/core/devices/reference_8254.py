"""An 8254 that really counts: one call a tick, each mode by the words of the data sheet.

Slow and plain, to compare the one that computes with.
"""

from __future__ import annotations


class ReferenceCounter:
    """One counter with its latches. What is done to it between two ticks acts with the next `tick`."""

    def __init__(self, *, gate: bool) -> None:
        self.gate = gate
        self.low_six = 0x36
        self.out = True
        self.register: int | None = None
        self.element = 0
        self.null = True
        self.load_next = self.counting = self.ends = self.strobing = self.odd = False
        self.rises = 0
        self.first_byte: int | None = None
        self.read_high = False
        self.status: int | None = None
        self.count_bytes: list[int] = []

    @property
    def mode(self) -> int:
        return {6: 2, 7: 3}.get(self.low_six >> 1 & 7, self.low_six >> 1 & 7)

    @property
    def access(self) -> int:
        return self.low_six >> 4 & 3

    @property
    def decimal(self) -> bool:
        return self.low_six % 2 == 1

    def set_out(self, level: bool) -> None:
        if level and not self.out:
            self.rises += 1
        self.out = level

    # -- time

    def load(self) -> None:
        assert self.register is not None
        self.element, self.odd = self.register, False
        if self.mode == 3 and self.register % 2 == 1:  # "the initial count minus one (an even number)"
            self.element, self.odd = self.register - 1, True
        self.null = False

    def tick(self) -> None:
        if self.strobing:  # "goes low for one CLK pulse"
            self.strobing = False
            self.set_out(True)
        if self.load_next:  # "this CLK pulse does not decrement the count"
            self.load_next = False
            self.load()
            self.counting = self.ends = True
            if self.mode == 1:
                self.set_out(False)
        elif self.counting and (self.gate or self.mode in (1, 5)):
            self.count()

    def count(self) -> None:
        match self.mode:
            case 0 | 1 | 4 | 5:
                self.element -= 1
                if self.element < 0:  # "wraps around to the highest count"
                    self.element = 9999 if self.decimal else 0xFFFF
                if self.element == 0 and self.ends:
                    self.ends = False
                    if self.mode in (0, 1):
                        self.set_out(True)
                    else:
                        self.set_out(False)
                        self.strobing = True
            case 2:
                self.element -= 1
                if self.element == 1:
                    self.set_out(False)
                elif self.element == 0:
                    self.load()
                    self.set_out(True)
            case 3 if self.odd and self.out and self.element == 0:  # "one CLK pulse after the count expires"
                self.load()
                self.set_out(False)
            case 3:
                self.element -= 2
                if self.element == 0 and not (self.odd and self.out):
                    self.load()
                    self.set_out(not self.out)

    # -- commands

    def control(self, word: int) -> None:
        if word >> 4 & 3 == 0:
            self.latch_count()
            return
        self.low_six = word & 0x3F
        self.set_out(self.mode != 0)
        self.register = self.first_byte = self.status = None
        self.null = True
        self.load_next = self.counting = self.ends = self.strobing = self.read_high = False
        self.count_bytes = []

    def write(self, byte: int) -> None:
        if self.access == 3 and self.first_byte is None:
            self.first_byte = byte
            if self.mode == 0:  # "writing the first byte disables counting; OUT is set low immediately"
                self.load_next = self.counting = self.ends = False
                self.set_out(False)
            return
        raw = {1: byte, 2: byte * 256, 3: byte * 256 + (self.first_byte or 0)}[self.access]
        self.first_byte = None
        count = int(f"{raw:x}") if self.decimal else raw
        if count == 0:
            count = 10000 if self.decimal else 65536
        if self.mode in (2, 3) and count == 1:
            count = 2
        self.register, self.null = count, True
        if self.mode == 0:
            self.set_out(False)
        if self.mode in (0, 4) or (self.mode in (2, 3) and not self.counting):
            self.load_next = True

    def set_gate(self, level: bool) -> None:
        trigger = level and not self.gate
        self.gate = level
        if trigger and self.mode in (1, 2, 3, 5) and self.register is not None:
            self.load_next = True
        if not level and self.mode in (2, 3):
            self.set_out(True)

    # -- reading

    def digits(self) -> int:
        return int(str(self.element % 10000), 16) if self.decimal else self.element % 65536

    def latch_count(self) -> None:
        if self.count_bytes:
            return
        low, high = self.digits() % 256, self.digits() // 256
        self.count_bytes = {1: [low], 2: [high], 3: [low, high]}[self.access]

    def latch_status(self) -> None:
        if self.status is None:
            self.status = 128 * self.out + 64 * self.null + self.low_six

    def read(self) -> int:
        if self.status is not None:
            value, self.status = self.status, None
            return value
        if self.count_bytes:
            return self.count_bytes.pop(0)
        high = self.access == 2
        if self.access == 3:
            high, self.read_high = self.read_high, not self.read_high
        return self.digits() // 256 if high else self.digits() % 256


class ReferencePit:
    """Three counters, the control word's port and port 0x61."""

    def __init__(self) -> None:
        self.now = 0
        self.counters = [ReferenceCounter(gate=True), ReferenceCounter(gate=True), ReferenceCounter(gate=False)]
        self.control = 0

    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.now += 1
            for counter in self.counters:
                counter.tick()

    def write(self, port: int, value: int) -> None:
        if port == 0x61:
            self.control = value % 16
            self.counters[2].set_gate(value % 2 == 1)
        elif port < 0x43:
            self.counters[port - 0x40].write(value)
        elif value < 0xC0:
            self.counters[value >> 6].control(value)
        else:
            for number, counter in enumerate(self.counters):
                if value & (2, 4, 8)[number]:
                    if not value & 0x20:
                        counter.latch_count()
                    if not value & 0x10:
                        counter.latch_status()

    def read(self, port: int) -> int:
        if port == 0x61:
            return self.control + 16 * (self.now // 18 % 2) + 32 * self.counters[2].out
        return 0xFF if port == 0x43 else self.counters[port - 0x40].read()
