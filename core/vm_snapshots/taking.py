"""Taking a snapshot: everything of a VM is read, nothing is changed.

The VM stands in the CPU, between two instructions. Its monitor is asked for what its guest believes, never for what the
CPU holds. Idle time that has passed while others ran, and that the VM has not been told of yet, counts as passed.
"""

from __future__ import annotations

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.memory.guest_physical import GuestPhysicalMemory
from core.vm import Vm
from core.vm_snapshots.vm_snapshot import VmSnapshot

PAGES_AT_ONCE = 1024


def take(vm: Vm, owed: int) -> VmSnapshot:
    """The VM now, which is shown; `owed` is the idle time that it is still to be told of. A RequestError where a person
    has left its monitor half-way."""
    spec, vmm, interposer = vm.spec, vm.vmm, vm.interposer
    return VmSnapshot(
        letter=spec.letter,
        kind=spec.kind.kind,
        program=spec.program,
        memory=spec.memory,
        command_line=spec.command_line,
        disk=spec.disk,
        modules=spec.modules,
        executed=interposer.executed,
        idle=interposer.skipped + min(owed, interposer.sleeps or 0),
        halted=interposer.halted,
        interrupted=interposer.interrupted_now,
        end=interposer.end,
        own=vmm.own_state(),
        cpu=vmm.freeze_cpu(),
        ram=pages_of(vmm.physical, spec.memory >> PAGE_SHIFT),
        devices=vmm.pc.save(),
        console=bytes(vm.console),
    )


def pages_of(physical: GuestPhysicalMemory, count: int) -> dict[int, bytes]:
    """The first `count` pages of a VM's memory by their numbers, but for those that are all zero."""
    found: dict[int, bytes] = {}
    machine = physical.ram.array.reshape(-1, PAGE_SIZE)
    for start in range(0, count, PAGES_AT_ONCE):
        frames = np.array(physical.frames[start : min(start + PAGES_AT_ONCE, count)], np.int64)
        here = np.flatnonzero(frames >= 0)
        pages = machine[frames[here] >> PAGE_SHIFT]
        for at in np.flatnonzero(pages.view(np.uint64).any(axis=1)):
            found[start + int(here[at])] = pages[at].tobytes()
    for number, kept in physical.kept.items():
        if any(kept):
            found[number] = bytes(kept)
    return dict(sorted(found.items()))
