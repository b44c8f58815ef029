"""The hypervisor: makes VMs on one machine, gives each its frames and devices, and a VMM of the chosen kind.

Popek & Goldberg's resource control lies here: a VM has the frames that the allocator gave it and no others, and its own
devices on its own bus. One VM at a time in this version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.addresses import PAGE_SIZE
from core.devices.disk_image import DiskImage
from core.devices.pc import Pc
from core.guests.boot import boot_memory, boot_state
from core.guests.image import Program
from core.guests.modules import Module
from core.interposer import Interposer
from core.machine import Machine
from core.memory.guest_physical import GuestPhysicalMemory
from core.vmm.vmm import Vmm


@dataclass(frozen=True, slots=True)
class VmSpec:
    """What a VM is made of: letter, kind, program with command line and modules, bytes of memory, perhaps a disk."""

    letter: str
    kind: type[Vmm]
    program: Program
    memory: int
    command_line: str = ""
    disk: DiskImage | None = None
    modules: tuple[Module, ...] = ()


class Hypervisor:
    """Hosts VMs on `machine`, whose departures arrive at `interposer`."""

    def __init__(self, machine: Machine, interposer: Interposer) -> None:
        self.machine = machine
        self.interposer = interposer
        self.vms: dict[str, Vmm] = {}

    def create(self, spec: VmSpec, console: Callable[[int], None]) -> Vmm:
        """A VM, loaded and powered on; it runs when the interposer runs."""
        owner = f"VM {spec.letter}"
        frames = spec.kind.vm_frames(self.machine.frames, spec.memory, owner)
        interposer = self.interposer
        pc = Pc(
            clock=lambda: interposer.time,
            console=console,
            on_exit=interposer.guest_exits,
            on_interrupt=interposer.interrupt_line,
            on_reset=interposer.guest_resets,
            memory=spec.memory,
            disk=spec.disk,
        )
        physical = GuestPhysicalMemory(self.machine.ram, frames, pc.bus)
        for address, data in boot_memory(spec.program, spec.memory, spec.command_line, spec.modules):
            physical.write(address, data)
        vmm = spec.kind(self, spec.letter, physical, pc, spec.program.name_of)
        self.machine.cpu.pull()
        vmm.power_on(boot_state(spec.program))
        self.vms[spec.letter] = vmm
        interposer.attach(vmm)
        interposer.power_cycle = lambda: self._power_cycle(spec, console)
        return vmm

    def _power_cycle(self, spec: VmSpec, console: Callable[[int], None]) -> None:
        """The guest reset its computer: everything anew, but for what is on the disk and still to be typed."""
        old = self.vms.pop(spec.letter)
        for frame in old.physical.frames:
            self.machine.ram.write(frame, bytes(PAGE_SIZE))
        self.machine.frames.release(f"VM {spec.letter}")
        self.machine.frames.release(f"monitor of {spec.letter}")
        self.machine.cpu.forget_all_code()
        new = self.create(spec, console)
        new.pc.disk.state.overlay = old.pc.disk.state.overlay
        new.pc.serial.receive(bytes(old.pc.serial.state.outside))
