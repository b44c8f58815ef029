"""A VM from its parts: frames, devices on a bus of its own, what boots in its memory, and a monitor upon them.

What a boot loader and the board's power-on do (Multiboot §3; the state at reset is in `core.guests.boot`), or else, for
a VM that goes on from an instant, what its snapshot holds. The CPU holds the new VM's state when it is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.addresses import PAGE_SHIFT, HostPhysical
from core.devices.pc import Pc
from core.guests.boot import boot_memory, boot_state
from core.interposer import Interposer
from core.machine import Machine
from core.memory.guest_physical import ABSENT
from core.vm import VmSpec
from core.vm_snapshots.going_on import put_memory
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm.vmm import Vmm


@dataclass(frozen=True, slots=True)
class _Place:
    """What a VMM stands on."""

    machine: Machine
    interposer: Interposer


def build(
    machine: Machine,
    spec: VmSpec,
    interposer: Interposer,
    console: bytearray,
    *,
    taken: int = 0,
    snapshot: VmSnapshot | None = None,
) -> Vmm:
    """On frames of its own, but for the last `taken` bytes; powered on, or as it was in `snapshot`."""
    own = snapshot.own if snapshot is not None else None
    frames = [*spec.kind.frames_for(machine.frames, spec.memory - taken, spec.owner, own)]
    frames += [ABSENT] * (taken >> PAGE_SHIFT)
    kept = {number: bytearray() for number in range(len(frames) - (taken >> PAGE_SHIFT), len(frames))}
    return equip(machine, spec, interposer, console, frames, kept, snapshot)


def equip(
    machine: Machine,
    spec: VmSpec,
    interposer: Interposer,
    console: bytearray,
    frames: Sequence[HostPhysical],
    kept: dict[int, bytearray],
    snapshot: VmSnapshot | None,
) -> Vmm:
    """What comes upon the VM's frames, of which those in `kept` are absent."""
    pc = Pc(
        clock=lambda: interposer.time,
        console=console.append,
        on_exit=interposer.guest_exits,
        on_interrupt=interposer.interrupt_line,
        on_reset=interposer.guest_resets,
        memory=spec.memory,
        disk=spec.disk,
    )
    physical = spec.kind.memory(machine.ram, frames, pc.bus, spec.owner)
    physical.kept = kept
    if snapshot is not None:
        put_memory(physical, snapshot)
    else:
        for address, data in boot_memory(spec.program, spec.memory, spec.command_line, spec.modules):
            physical.write(address, data)
    cpu = machine.cpu
    cpu.forget_all_code()
    vmm = spec.kind(_Place(machine, interposer), spec.letter, physical, pc, spec.program.name_of)
    cpu.pull()
    if snapshot is None:
        vmm.power_on(boot_state(spec.program))
    else:
        cpu.executed, cpu.last_pc = snapshot.executed, snapshot.cpu.last_pc
        interposer.go_on_from(
            skipped=snapshot.idle, halted=snapshot.halted, interrupted=snapshot.interrupted, end=snapshot.end
        )
        vmm.go_on_from(snapshot.cpu, snapshot.own)
        pc.load(snapshot.devices)
    interposer.attach(vmm)
    return vmm
