"""The hypervisor: makes VMs on one machine, gives each its frames and devices, and a VMM of the chosen kind.

Popek & Goldberg's resource control lies here: a VM has the frames that the allocator gave it and no others, and its own
devices on its own bus. One VM at a time in this version.
"""

from __future__ import annotations

from collections.abc import Callable

from core.devices.pc import Pc
from core.guests.boot import boot_memory, boot_state
from core.guests.image import Program
from core.interposer import Interposer
from core.machine import Machine
from core.memory.guest_physical import GuestPhysicalMemory
from core.vmm.vmm import Vmm


class Hypervisor:
    """Hosts VMs on `machine`, whose departures arrive at `interposer`."""

    def __init__(self, machine: Machine, interposer: Interposer) -> None:
        self.machine = machine
        self.interposer = interposer

    def create(
        self, letter: str, kind: type[Vmm], program: Program, memory: int, console: Callable[[int], None]
    ) -> Vmm:
        """A VM with `memory` bytes, loaded with `program` and powered on; it runs when the interposer runs."""
        interposer, machine = self.interposer, self.machine
        frames = kind.vm_frames(machine.frames, memory, f"VM {letter}")
        pc = Pc(
            clock=lambda: interposer.time,
            console=console,
            on_exit=interposer.guest_exits,
            on_interrupt=interposer.interrupt_line,
        )
        physical = GuestPhysicalMemory(machine.ram, frames, pc.bus)
        for address, data in boot_memory(program, memory):
            physical.write(address, data)
        vmm = kind(self, letter, physical, pc, program.name_of)
        machine.cpu.pull()
        vmm.power_on(boot_state(program))
        interposer.attach(vmm)
        return vmm
