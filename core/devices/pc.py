"""The PC around the CPU: the devices that a guest of the lab finds, on one bus.

A device is added by a file beside this one and a line here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from core.devices.bus import Bus
from core.devices.cmos import Cmos
from core.devices.device import Clock
from core.devices.disk import Disk
from core.devices.disk_image import DiskImage
from core.devices.exit_port import ExitPort
from core.devices.keyboard import Keyboard
from core.devices.pic import Pic
from core.devices.pit import Pit
from core.devices.serial import SerialPort
from core.devices.vga import Vga
from core.layout import IRQ_DISK, IRQ_KEYBOARD, IRQ_PIT, IRQ_SERIAL


class Pc:
    """Power-on makes one: `console(byte)` gets the serial output, `on_exit(status)` the exit port's writes,
    `on_interrupt(level)` the changes of the interrupt controller's INTR output, `on_reset()` the guest's wish to be
    reset. `memory` is the VM's, in bytes; without `disk` the disk channel is empty."""

    def __init__(
        self,
        *,
        clock: Clock,
        console: Callable[[int], None],
        on_exit: Callable[[int], None],
        on_interrupt: Callable[[bool], None],
        on_reset: Callable[[], None] = lambda: None,
        memory: int = 0,
        disk: DiskImage | None = None,
    ) -> None:
        self._on_interrupt = on_interrupt
        self.pic = Pic(on_interrupt)
        self.pit = Pit(clock, self.pic.line(IRQ_PIT))
        self.serial = SerialPort(console, self.pic.line(IRQ_SERIAL))
        self.keyboard = Keyboard(self.pic.line(IRQ_KEYBOARD), on_reset)
        self.disk = Disk(disk, self.pic.line(IRQ_DISK))
        self.vga = Vga(clock)
        self.bus = Bus()
        own = (
            self.pic,
            self.pit,
            self.serial,
            self.keyboard,
            self.disk,
            self.vga,
            Cmos(clock, memory),
            ExitPort(on_exit),
        )
        for device in own:
            self.bus.attach(device)

    def save(self) -> dict[str, Any]:
        """A copy of every device's state, by the device's name."""
        return {device.name: copy.deepcopy(device.state) for device in self.bus.devices}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Put every device back into a saved state; the lines between them are part of it, and the CPU is told the
        level of INTR. A ValueError, and nothing changed, if it was saved from another set of devices."""
        names = {device.name for device in self.bus.devices}
        if names != saved.keys():
            raise ValueError(f"the state is of {', '.join(sorted(saved))}, but the PC has {', '.join(sorted(names))}")
        for device in self.bus.devices:
            device.state = copy.deepcopy(saved[device.name])
        self._on_interrupt(self.pic.interrupt_pending)
