"""Going on from a snapshot: whether a kind can, and putting a VM's memory as it was.

A monitor goes on as after a flush of everything it keeps for speed: shadows, nested tables and translations are empty,
and fill as the guest runs. Only pages that differ are written, so that what else looks at memory has little to do.
"""

from __future__ import annotations

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical
from core.errors import RequestError, UserError
from core.memory.guest_physical import GuestPhysicalMemory
from core.vm import VmSpec
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import check_kind, kinds
from core.vmm.vmm import Vmm

ZEROES = bytes(PAGE_SIZE)


def check_carries(kind: type[Vmm], snapshot: VmSnapshot) -> None:
    """A RequestError if the VM cannot go on under `kind`."""
    check_kind(kind, snapshot.program)
    kind.check_carries(snapshot.cpu, snapshot.own, snapshot.ram, snapshot.pages)


def carriers(snapshot: VmSnapshot) -> tuple[str, ...]:
    """The kinds under which the VM can go on, in the order in which kinds are offered."""
    return tuple(name for name, kind in kinds().items() if _carries(kind, snapshot))


def _carries(kind: type[Vmm], snapshot: VmSnapshot) -> bool:
    try:
        check_carries(kind, snapshot)
    except UserError:
        return False
    return True


def check_same(spec: VmSpec, snapshot: VmSnapshot) -> None:
    """A RequestError if the VM with `spec` is another than the one in the snapshot."""
    if (spec.program.image, spec.memory) != (snapshot.program.image, snapshot.memory):
        raise RequestError(
            f"VM {spec.letter} runs {spec.program.name} now, and the snapshot is of {snapshot.program.name} with "
            f"{snapshot.memory >> 20} MiB.",
            "Clone a VM from it, or power on from it.",
        )


def put_memory(physical: GuestPhysicalMemory, snapshot: VmSnapshot) -> None:
    """Make the VM's memory what it was."""
    for number in range(snapshot.pages):
        address, wanted = GuestPhysical(number << PAGE_SHIFT), snapshot.ram.get(number, ZEROES)
        if physical.read_within(address, PAGE_SIZE) != wanted:
            physical.write(address, wanted)
