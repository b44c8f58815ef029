"""The interrupt controller of the PC: two 8259As, the second on input 2 of the first (Intel 8259A data sheet, 1988).

A rising edge on an input is remembered in IRR; the highest-priority one that is not masked and not outranked by one in
service raises INTR; the CPU's acknowledge moves it to ISR and gives its vector. Modelled: ICW1–4, OCW1–3, both end-of-
interrupt commands, rotation, automatic EOI, special mask mode, special fully nested mode, poll, spurious interrupts.
Simplified: inputs are edge-triggered and vectors are those of an 8086, as in every PC, whatever the guest asks for; how
the chips are wired is soldered, so ICW3 is taken and not looked at; an acknowledge cycle takes no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion, is_bytes
from core.layout import IRQ_CASCADE, PORT_PIC_MASTER, PORT_PIC_SLAVE

ICW1, ICW1_NEEDS_ICW4, ICW1_SINGLE = 0x10, 0x01, 0x02
ICW4_AUTO_EOI, ICW4_NESTED = 0x02, 0x10
OCW3 = 0x08
CASCADE = 1 << IRQ_CASCADE
SPURIOUS = 7  # the input that a chip names when no request is there to be acknowledged

_WORDS = ("OCW1: interrupt mask", "", "ICW2: vector base", "ICW3: wiring", "ICW4: mode")


@dataclass(slots=True)
class ChipState:
    """One 8259A; bit n of a register is input n. `expected` is the initialisation word that the chip waits for at its
    data port (2 to 4), 0 when it is ready. `lowest` is the input of lowest priority; the next one has the highest."""

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
    lowest: int = 7


@dataclass(slots=True)
class PicState:
    """Both chips, and the level of INTR."""

    master: ChipState = field(default_factory=ChipState)
    slave: ChipState = field(default_factory=ChipState)
    interrupt: bool = False


def _rank(irq: int, lowest: int) -> int:
    """0 for the input of highest priority, 7 for `lowest`."""
    return irq - lowest - 1 & 7


def _highest(bits: int, lowest: int) -> int:
    """Of set bits, of which there is one, that of highest priority."""
    turned = (bits | bits << 8) >> lowest + 1 & 0xFF  # bit n: the input of rank n
    return (turned & -turned).bit_length() + lowest & 7


def _serving(chip: ChipState) -> int | None:
    """The input of highest priority in service; special mask mode looks past those that are masked."""
    served = chip.in_service & ~chip.mask if chip.special_mask else chip.in_service
    return _highest(served, chip.lowest) if served else None


def _wanted(chip: ChipState, *, is_master: bool) -> int | None:
    """The input that the chip wants served now: not masked, and not outranked by one in service. The chip's output."""
    pending = chip.requests & ~chip.mask
    if not pending:
        return None
    found = _highest(pending, chip.lowest)
    serving = _serving(chip)
    if serving is None or _rank(found, chip.lowest) < _rank(serving, chip.lowest):
        return found
    # special fully nested mode: a slave in service may ask again, for a higher one of its own inputs
    if found == serving == IRQ_CASCADE and chip.special_nested and is_master:
        return found
    return None


class Pic(Device):
    """The pair. `on_interrupt(level)` is called when INTR changes."""

    name = "interrupt controller"

    def __init__(self, on_interrupt: Callable[[bool], None]) -> None:
        self._on_interrupt = on_interrupt
        self.state: PicState = PicState()

    def is_sound(self, state: PicState) -> bool:
        """See `Device`."""
        return all(
            is_bytes((chip.requests, chip.in_service, chip.mask, chip.levels, chip.base))
            and not chip.base & 7
            and chip.expected in (0, 2, 3, 4)
            and 0 <= chip.lowest < 8
            for chip in (state.master, state.slave)
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """Command and data port of each chip."""
        return (PortRegion(PORT_PIC_MASTER, 2), PortRegion(PORT_PIC_SLAVE, 2))

    # -- requests

    def line(self, irq: int) -> IrqLine:
        """The request line number `irq` (0–15; 2 is taken by the second chip); a ValueError for any other."""
        if irq == IRQ_CASCADE or not 0 <= irq < 16:
            raise ValueError(f"there is no interrupt request line {irq}")

        def set_level(level: bool) -> None:
            chip = self.state.slave if irq >= 8 else self.state.master
            before = chip.requests
            self._set_input(chip, irq & 7, level)
            if chip.requests != before:
                self._update()

        return set_level

    @staticmethod
    def _set_input(chip: ChipState, irq: int, level: bool) -> None:
        bit = 1 << irq
        if not level:
            chip.levels &= ~bit
            chip.requests &= ~bit  # a request withdrawn before it was acknowledged is gone
        elif not chip.levels & bit:
            chip.levels |= bit
            chip.requests |= bit

    def _update(self) -> None:
        """Carry the second chip's output to the first, and the first's to the CPU."""
        state = self.state
        master, slave = state.master, state.slave
        asks = slave.requests != 0 and _wanted(slave, is_master=False) is not None
        if asks != bool(master.levels & CASCADE):
            self._set_input(master, IRQ_CASCADE, asks)
        level = _wanted(master, is_master=True) is not None
        if level != state.interrupt:
            self._drive(level)

    def _drive(self, level: bool) -> None:
        if level != self.state.interrupt:
            self.state.interrupt = level
            self._on_interrupt(level)

    @property
    def interrupt_pending(self) -> bool:
        """The INTR output."""
        return self.state.interrupt

    def acknowledge(self) -> int:
        """The CPU's acknowledge cycles: the vector to deliver. If the request has gone, that of the chip's input 7,
        with nothing put in service."""
        chip, irq = self.state.master, self._serve(self.state.master)
        if irq == IRQ_CASCADE:
            chip, irq = self.state.slave, self._serve(self.state.slave)
        self._drive(False)  # INTR falls, and rises again for what is pending still
        self._update()
        return chip.base + (SPURIOUS if irq is None else irq)

    def _serve(self, chip: ChipState) -> int | None:
        """The chip's part in an acknowledge cycle or a poll."""
        state = self.state
        irq = _wanted(chip, is_master=chip is state.master)
        if chip is state.slave:
            self._set_input(state.master, IRQ_CASCADE, False)  # its output falls, so that the next request is an edge
        if irq is None:
            return None
        chip.requests &= ~(1 << irq)
        if not chip.auto_eoi:
            chip.in_service |= 1 << irq
        elif chip.rotate_on_auto_eoi:
            chip.lowest = irq
        return irq

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """IRR, ISR, the poll word, or the mask."""
        chip = self._chip(port)
        if chip.poll:
            chip.poll = False
            irq = self._serve(chip)
            self._update()
            return 0 if irq is None else 0x80 | irq
        if port & 1:
            return chip.mask
        return chip.in_service if chip.read_in_service else chip.requests

    def write_port(self, port: int, size: int, value: int) -> None:
        """An initialisation word or an operation command word."""
        chip = self._chip(port)
        if port & 1:
            self._write_data(chip, value)
        elif value & ICW1:
            self._initialise(chip, value)
        elif value & OCW3:
            self._operate(chip, value)
        else:
            self._end_of_interrupt(chip, value)
        self._update()

    def _chip(self, port: int) -> ChipState:
        return self.state.slave if port & ~1 == PORT_PIC_SLAVE else self.state.master

    def _initialise(self, chip: ChipState, value: int) -> None:
        """ICW1 forgets everything; an input that is high must fall and rise again to ask for service."""
        fresh = ChipState(
            levels=chip.levels,
            mask=0,
            expected=2,
            needs_icw4=bool(value & ICW1_NEEDS_ICW4),
            single=bool(value & ICW1_SINGLE),
        )
        if chip is self.state.slave:
            self.state.slave = fresh
        else:
            self.state.master = fresh

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
                chip.expected = last
            case _:
                chip.auto_eoi, chip.special_nested = bool(value & ICW4_AUTO_EOI), bool(value & ICW4_NESTED)
                chip.expected = 0

    @staticmethod
    def _operate(chip: ChipState, value: int) -> None:
        """OCW3: special mask (bits 6–5), poll (bit 2), which register is read (bits 1–0)."""
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
        ended = level if specific else _serving(chip)
        if ended is not None:
            chip.in_service &= ~(1 << ended)
            if rotate:
                chip.lowest = ended

    def describe(self, port: int, write: bool = False) -> str:
        """The word that is written next, or the register that is read next, and of which chip."""
        chip = self._chip(port)
        if port & 1 and write:
            what = _WORDS[chip.expected]
        elif write:
            what = "command (ICW1, OCW2 or OCW3)"
        elif chip.poll:
            what = "poll word"
        elif port & 1:
            what = "interrupt mask register (IMR)"
        else:
            what = "in-service register (ISR)" if chip.read_in_service else "interrupt request register (IRR)"
        return f"{what} of the {'second' if chip is self.state.slave else 'first'} chip"
