"""A pair of 8259As written as the data sheet speaks: pins, latches and a list of inputs by priority, and no bit tricks.

Slow and plain, to compare the fast one with.
"""

from __future__ import annotations

CASCADE = 2


class ReferenceChip:
    """One chip, by the sections of the data sheet."""

    def __init__(self, *, master: bool) -> None:
        self.master = master
        self.pins = [False] * 8
        self.reset()
        self.imr = [True] * 8  # power-on
        self.awaits: list[str] = []

    def reset(self) -> None:
        """What ICW1 clears."""
        self.irr, self.isr, self.imr = [False] * 8, [False] * 8, [False] * 8
        self.order = [0, 1, 2, 3, 4, 5, 6, 7]  # highest priority first
        self.base = 0
        self.auto_eoi = self.rotate_auto = self.nested = self.special_mask = False
        self.reads = "irr"
        self.poll = False

    def pin(self, irq: int, level: bool) -> None:
        """Edge sense: a request is latched as the pin rises, and lives while it is high."""
        if level and not self.pins[irq]:
            self.irr[irq] = True
        if not level:
            self.irr[irq] = False
        self.pins[irq] = level

    def winner(self) -> int | None:
        """The priority resolver: from the highest level down to the first that is in service."""
        for irq in self.order:
            asks = self.irr[irq] and not self.imr[irq]
            if self.isr[irq] and not (self.special_mask and self.imr[irq]):
                slave_asks_again = self.nested and self.master and irq == CASCADE and asks
                return irq if slave_asks_again else None
            if asks:
                return irq
        return None

    def make_lowest(self, irq: int) -> None:
        while self.order[-1] != irq:
            self.order.append(self.order.pop(0))

    def serve(self) -> int | None:
        irq = self.winner()
        if irq is not None:
            self.irr[irq] = False
            self.isr[irq] = not self.auto_eoi
            if self.auto_eoi and self.rotate_auto:
                self.make_lowest(irq)
        return irq

    def in_service_first(self) -> int | None:
        """What a non-specific end of interrupt ends."""
        for irq in self.order:
            if self.isr[irq] and not (self.special_mask and self.imr[irq]):
                return irq
        return None

    # -- words

    def command(self, value: int) -> None:
        bits = f"{value:08b}"
        if bits[3] == "1":  # ICW1
            self.reset()
            self.awaits = ["ICW2"] + (["ICW3"] if bits[6] == "0" else []) + (["ICW4"] if bits[7] == "1" else [])
        elif bits[4] == "1":  # OCW3
            match bits[1:3]:
                case "11":
                    self.special_mask = True
                case "10":
                    self.special_mask = False
            if bits[5] == "1":
                self.poll = True
            elif bits[6:8] == "10":
                self.reads = "irr"
            elif bits[6:8] == "11":
                self.reads = "isr"
        else:
            self.ocw2(bits[0:3], value & 7)

    def ocw2(self, what: str, level: int) -> None:
        match what:
            case "001" | "101":  # non-specific end; with rotation
                ended = self.in_service_first()
                if ended is not None:
                    self.isr[ended] = False
                    if what == "101":
                        self.make_lowest(ended)
            case "011":  # specific end
                self.isr[level] = False
            case "111":  # rotate on specific end
                self.isr[level] = False
                self.make_lowest(level)
            case "110":  # set priority
                self.make_lowest(level)
            case "100":
                self.rotate_auto = True
            case "000":
                self.rotate_auto = False

    def data(self, value: int) -> None:
        if not self.awaits:
            self.imr = [bool(value >> irq & 1) for irq in range(8)]
            return
        match self.awaits.pop(0):
            case "ICW2":
                self.base = value - value % 8
            case "ICW4":
                self.auto_eoi, self.nested = bool(value & 2), bool(value & 16)


class ReferencePair:
    """Two chips, the second's output on the first's input 2."""

    def __init__(self) -> None:
        self.first, self.second = ReferenceChip(master=True), ReferenceChip(master=False)

    @property
    def intr(self) -> bool:
        return self.first.winner() is not None

    def settle(self) -> None:
        self.first.pin(CASCADE, self.second.winner() is not None)

    def pin(self, irq: int, level: bool) -> None:
        chip = self.first if irq < 8 else self.second
        chip.pin(irq % 8, level)
        self.settle()

    def serve_second(self) -> int | None:
        irq = self.second.serve()
        self.first.pin(CASCADE, False)
        return irq

    def inta(self) -> int:
        chip, irq = self.first, self.first.serve()
        if irq == CASCADE:
            chip, irq = self.second, self.serve_second()
        self.settle()
        return chip.base + (7 if irq is None else irq)

    def write(self, port: int, value: int) -> None:
        chip = self.first if port < 0xA0 else self.second
        chip.data(value) if port % 2 else chip.command(value)
        self.settle()

    def read(self, port: int) -> int:
        chip = self.first if port < 0xA0 else self.second
        if chip.poll:
            chip.poll = False
            irq = chip.serve() if chip is self.first else self.serve_second()
            self.settle()
            return 0 if irq is None else 128 + irq
        bits = chip.imr if port % 2 else chip.irr if chip.reads == "irr" else chip.isr
        return sum(2**irq for irq in range(8) if bits[irq])
