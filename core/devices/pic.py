"""The interrupt controller of the PC: two 8259As, the second on input 2 of the first (Intel 8259A data sheet, 1988).

A rising edge on an input is remembered in IRR; the highest-priority one that is not masked and not outranked by one in
service raises INTR; the CPU's acknowledge moves it to ISR and gives its vector. Modelled: ICW1–4, OCW1–3, both end-of-
interrupt commands, rotation, automatic EOI, special mask mode, special fully nested mode, poll, spurious interrupts.
Edge triggering only, as on every ISA machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion
from core.layout import IRQ_CASCADE, PORT_PIC_MASTER, PORT_PIC_SLAVE

ICW1, ICW1_NEEDS_ICW4, ICW1_SINGLE = 0x10, 0x01, 0x02
ICW4_AUTO_EOI, ICW4_NESTED = 0x02, 0x10
OCW3 = 0x08
SPURIOUS = 7


@dataclass(slots=True)
class ChipState:
    """One 8259A. `expected` is the initialisation word it waits for (2 to 4), 0 when it is ready."""

    requests: int = 0
    in_service: int = 0
    mask: int = 0xFF
    levels: int = 0
    base: int = 0
    expected: int = 0
    needs_icw4: bool = False
    single: bool = False
    auto_eoi: bool = False
    rotate_on_auto_eoi: bool = False
    special_nested: bool = False
    special_mask: bool = False
    read_in_service: bool = False
    poll: bool = False
    lowest: int = 7  # input of lowest priority


@dataclass(slots=True)
class PicState:
    """Both chips, and the level of INTR."""

    master: ChipState = field(default_factory=ChipState)
    slave: ChipState = field(default_factory=ChipState)
    interrupt: bool = False


def _highest(bits: int, lowest: int) -> int | None:
    """The set bit of highest priority, if input `lowest` has the lowest."""
    for step in range(1, 9):
        irq = lowest + step & 7
        if bits >> irq & 1:
            return irq
    return None


def _rank(irq: int, lowest: int) -> int:
    return irq - lowest - 1 & 7


def _wanted(chip: ChipState, *, is_master: bool) -> int | None:
    """The input that the chip wants served now: not masked, and not outranked by one in service."""
    found = _highest(chip.requests & ~chip.mask, chip.lowest)
    if found is None:
        return None
    serving = chip.in_service & ~chip.mask if chip.special_mask else chip.in_service
    if chip.special_nested and is_master:
        serving &= ~(1 << IRQ_CASCADE)
    outranking = _highest(serving, chip.lowest)
    if outranking is None or _rank(found, chip.lowest) < _rank(outranking, chip.lowest):
        return found
    return None


class Pic(Device):
    """The pair. `on_interrupt(level)` is called when INTR changes."""

    name = "interrupt controller"

    def __init__(self, on_interrupt: Callable[[bool], None]) -> None:
        self._on_interrupt = on_interrupt
        self.state: PicState = PicState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Command and data port of each chip."""
        return (PortRegion(PORT_PIC_MASTER, 2), PortRegion(PORT_PIC_SLAVE, 2))

    # -- requests

    def line(self, irq: int) -> IrqLine:
        """The request line number `irq` (0–15; 2 is taken by the second chip)."""
        if irq == IRQ_CASCADE or not 0 <= irq < 16:
            raise ValueError(f"there is no interrupt request line {irq}")
        return lambda level: self._set_level(irq, level)

    def _set_level(self, irq: int, level: bool) -> None:
        self._edge(self._chip(irq >= 8), irq & 7, level)
        self._update()

    @staticmethod
    def _edge(chip: ChipState, irq: int, level: bool) -> None:
        bit = 1 << irq
        if level and not chip.levels & bit:
            chip.requests |= bit
        if not level:
            chip.requests &= ~bit  # a request withdrawn before it was acknowledged is gone
        chip.levels = chip.levels | bit if level else chip.levels & ~bit

    def _chip(self, slave: bool) -> ChipState:
        return self.state.slave if slave else self.state.master

    def _update(self) -> None:
        """Carry the second chip's wish to the first, and the first's to the CPU."""
        state = self.state
        self._edge(state.master, IRQ_CASCADE, _wanted(state.slave, is_master=False) is not None)
        interrupt = _wanted(state.master, is_master=True) is not None
        if interrupt != state.interrupt:
            state.interrupt = interrupt
            self._on_interrupt(interrupt)

    @property
    def interrupt_pending(self) -> bool:
        """The INTR output."""
        return bool(self.state.interrupt)

    def acknowledge(self) -> int:
        """The CPU's acknowledge cycles: the vector to deliver (a spurious one if the request has gone)."""
        state = self.state
        irq = self._serve(state.master, is_master=True)
        vector = state.master.base + (SPURIOUS if irq is None else irq)
        if irq == IRQ_CASCADE:
            inner = self._serve(state.slave, is_master=False)
            vector = state.slave.base + (SPURIOUS if inner is None else inner)
        # INTR falls and rises again for what is pending still
        state.interrupt = False
        self._on_interrupt(False)
        self._update()
        return vector

    @staticmethod
    def _serve(chip: ChipState, *, is_master: bool) -> int | None:
        irq = _wanted(chip, is_master=is_master)
        if irq is None:
            return None
        chip.requests &= ~(1 << irq)
        if chip.auto_eoi:
            if chip.rotate_on_auto_eoi:
                chip.lowest = irq
        else:
            chip.in_service |= 1 << irq
        return irq

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """IRR, ISR, the poll word, or the mask."""
        slave = port & ~1 == PORT_PIC_SLAVE
        chip = self._chip(slave)
        if chip.poll:
            chip.poll = False
            irq = self._serve(chip, is_master=not slave)
            self._update()
            return 0 if irq is None else 0x80 | irq
        if port & 1:
            return chip.mask
        return chip.in_service if chip.read_in_service else chip.requests

    def write_port(self, port: int, size: int, value: int) -> None:
        """An initialisation word or an operation command word."""
        chip = self._chip(port & ~1 == PORT_PIC_SLAVE)
        if port & 1:
            self._write_data(chip, value)
        elif value & ICW1:
            self._initialise(chip, value)
        elif value & OCW3:
            self._operate(chip, value)
        else:
            self._end_of_interrupt(chip, value)
        self._update()

    @staticmethod
    def _initialise(chip: ChipState, value: int) -> None:
        levels = chip.levels
        for name, initial in ((name, getattr(ChipState(), name)) for name in ChipState.__slots__):
            setattr(chip, name, initial)
        chip.levels, chip.mask, chip.expected = levels, 0, 2
        chip.needs_icw4, chip.single = bool(value & ICW1_NEEDS_ICW4), bool(value & ICW1_SINGLE)

    @staticmethod
    def _write_data(chip: ChipState, value: int) -> None:
        last = 4 if chip.needs_icw4 else 0
        match chip.expected:
            case 0:
                chip.mask = value
            case 2:
                chip.base = value & 0xF8
                chip.expected = last if chip.single else 3
            case 3:
                chip.expected = last  # ICW3 says how the chips are wired; ours are soldered
            case _:
                chip.auto_eoi, chip.special_nested = bool(value & ICW4_AUTO_EOI), bool(value & ICW4_NESTED)
                chip.expected = 0

    @staticmethod
    def _operate(chip: ChipState, value: int) -> None:
        if value & 0x40:
            chip.special_mask = bool(value & 0x20)
        if value & 0x04:
            chip.poll = True
        elif value & 0x02:
            chip.read_in_service = bool(value & 0x01)

    @staticmethod
    def _end_of_interrupt(chip: ChipState, value: int) -> None:
        """OCW2: rotate (bit 7), specific level (bit 6), end of interrupt (bit 5), level (bits 2–0)."""
        rotate, specific, end, level = value & 0x80, value & 0x40, value & 0x20, value & 7
        if not end:
            if rotate and specific:
                chip.lowest = level
            elif not specific:
                chip.rotate_on_auto_eoi = bool(rotate)
            return
        serving = chip.in_service & ~chip.mask if chip.special_mask else chip.in_service
        ended = level if specific else _highest(serving, chip.lowest)
        if ended is not None:
            chip.in_service &= ~(1 << ended)
            if rotate:
                chip.lowest = ended

    def describe(self, port: int) -> str:
        """Command or data port, of the first or second chip."""
        which = "first" if port & ~1 == PORT_PIC_MASTER else "second"
        return f"{'mask (data port)' if port & 1 else 'command'} of the {which} chip"
