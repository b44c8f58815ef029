"""What can be done to the machine from outside: everything that a journal may hold.

Each is a fact of plain values and knows how to be done, so that a person's act and its replay are the same few lines.
What only one kind of VMM can do imports that kind where it is done, so that nobody loads kinds that are not in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from core.cpu.edits import check_edit
from core.devices.disk_image import DiskImage
from core.errors import RequestError
from core.guests.boot import check_start
from core.guests.image import Program
from core.guests.modules import Module
from core.hypervisor import Hypervisor
from core.translations import Switch
from core.vm import VmSpec
from core.vm_snapshots.going_on import check_carries
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kind_named

if TYPE_CHECKING:
    from core.vmm.hardware import Hardware


class Action(Protocol):
    """Something done from outside; a UserError, and nothing has changed, if it cannot be."""

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """Do it, now."""

    def in_words(self) -> str:
        """What it was, to be said after "Undone: "."""


@dataclass(frozen=True, slots=True)
class SerialInput:
    """Bytes for a VM's serial port."""

    vm: str
    data: bytes

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.receive(self.vm, self.data)

    def in_words(self) -> str:
        """See `Action`."""
        return f"{len(self.data)} byte{'s' * (len(self.data) != 1)} typed into VM {self.vm}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Scan codes from a VM's keyboard."""

    vm: str
    codes: bytes

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.press(self.vm, self.codes)

    def in_words(self) -> str:
        """See `Action`."""
        return f"keys pressed in VM {self.vm}"


@dataclass(frozen=True, slots=True)
class AddVm:
    """One more VM, with the next letter: powered on, or going on from `snapshot`, which was taken of one like it."""

    program: Program
    kind: str
    memory: int
    weight: int = 1
    cap: int | None = None
    command_line: str = ""
    disk: DiskImage | None = None
    modules: tuple[Module, ...] = ()
    snapshot: VmSnapshot | None = None

    @classmethod
    def going_on(cls, snapshot: VmSnapshot, kind: str = "", weight: int = 1, cap: int | None = None) -> AddVm:
        """A VM that goes on from `snapshot`, under the kind that it was taken under or another."""
        one = snapshot
        kind = kind or one.kind
        return cls(one.program, kind, one.memory, weight, cap, one.command_line, one.disk, one.modules, one)

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        kind = kind_named(self.kind)
        spec = VmSpec("", kind, self.program, self.memory, self.command_line, self.disk, self.modules)
        hypervisor.check(spec, self.weight, self.cap)
        if self.snapshot is not None:
            check_carries(kind, self.snapshot)
        check_start(self.program, self.memory, self.command_line, self.modules)
        spec = replace(spec, letter=hypervisor.next_letter())
        hypervisor.create(spec, self.weight, self.cap, self.snapshot)

    def in_words(self) -> str:
        """See `Action`."""
        return f"a VM with {self.program.name} {'cloned' if self.snapshot is not None else 'added'}"


@dataclass(frozen=True, slots=True)
class RevertVm:
    """A VM is put back to an instant of its own."""

    vm: str
    snapshot: VmSnapshot

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.revert(self.vm, self.snapshot)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} reverted to virtual time {self.snapshot.time:,}"


@dataclass(frozen=True, slots=True)
class RemoveVm:
    """A VM is powered off for good."""

    vm: str

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.destroy(self.vm)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} removed"


@dataclass(frozen=True, slots=True)
class ResetVm:
    """A VM is powered off and on."""

    vm: str

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.reset(self.vm)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} reset"


@dataclass(frozen=True, slots=True)
class PauseVm:
    """A VM may run no more; or again, if not `paused`."""

    vm: str
    paused: bool

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        if self.paused:
            hypervisor.pause(self.vm)
        else:
            hypervisor.resume(self.vm)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} {'paused' if self.paused else 'resumed'}"


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A VM's part of the CPU."""

    vm: str
    weight: int

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.set_weight(self.vm, self.weight)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} given the weight {self.weight}"


@dataclass(frozen=True, slots=True)
class SetCap:
    """The bound of a VM's part of the CPU, in percent."""

    vm: str
    cap: int | None

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.set_cap(self.vm, self.cap)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} capped at {self.cap} %" if self.cap is not None else f"VM {self.vm} given no cap"


@dataclass(frozen=True, slots=True)
class Balloon:
    """So many bytes of a VM's memory are taken back."""

    vm: str
    taken: int

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.balloon(self.vm, self.taken)

    def in_words(self) -> str:
        """See `Action`."""
        return f"{self.taken >> 20} MiB taken from VM {self.vm}"


@dataclass(frozen=True, slots=True)
class SetIntercept:
    """An intercept bit of a VM's control block, by exit code."""

    vm: str
    code: int
    on: bool

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        _with_vmcb(hypervisor, self.vm).set_intercept(self.code, on=self.on)

    def in_words(self) -> str:
        """See `Action`."""
        from core.vmm.intercepts import exit_name

        return f"the intercept of {exit_name(self.code)} of {self.vm} switched {'on' if self.on else 'off'}"


@dataclass(frozen=True, slots=True)
class SetVmcbField:
    """A field of a VM's control block, by name."""

    vm: str
    name: str
    value: int

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        _with_vmcb(hypervisor, self.vm).set_field(self.name, self.value)

    def in_words(self) -> str:
        """See `Action`."""
        return f"{self.name} of {self.vm}'s VMCB set to {self.value:#x}"


@dataclass(frozen=True, slots=True)
class SetTranslation:
    """A switch of a VM's translator."""

    vm: str
    switch: Switch
    on: bool

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        from core.vmm.translation import Translation

        vmm = hypervisor.vms[self.vm].vmm
        if not isinstance(vmm, Translation):
            why = f"VM {self.vm} runs under {vmm.title}: nothing is translated."
            raise RequestError(why, f"Choose {Translation.title.lower()}.")
        hypervisor.show(self.vm)
        vmm.set_switch(self.switch, on=self.on)

    def in_words(self) -> str:
        """See `Action`."""
        return f"“{self.switch.phrase}” of VM {self.vm}'s translator switched {'on' if self.on else 'off'}"


def _with_vmcb(hypervisor: Hypervisor, letter: str) -> Hardware:
    from core.vmm.hardware import Hardware

    vmm = hypervisor.vms[letter].vmm
    if not isinstance(vmm, Hardware):
        raise RequestError(f"VM {letter} runs under {vmm.title}: it has no VMCB.", "Choose a hardware-assisted kind.")
    return vmm


@dataclass(frozen=True, slots=True)
class KeepDisk:
    """A VM's disk was written to its file as it is now: the VM, powered off and on, begins with that."""

    vm: str

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        vm = hypervisor.vms[self.vm]
        if vm.spec.disk is None:
            raise RequestError(f"VM {self.vm} has no disk.", "Start it with one.")
        vm.spec = replace(vm.spec, disk=DiskImage(vm.vmm.pc.disk.contents(), vm.spec.disk.path))

    def in_words(self) -> str:
        """See `Action`."""
        return f"the disk of VM {self.vm} kept"


@dataclass(frozen=True, slots=True)
class EditRegister:
    """A register of a VM's CPU set from outside, in the guest's own terms."""

    vm: str
    name: str
    value: int

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        check_edit(self.name, self.value)
        hypervisor.edit_register(self.vm, self.name, self.value)

    def in_words(self) -> str:
        """See `Action`."""
        return f"{self.name} of VM {self.vm} set to {self.value:#x}"


@dataclass(frozen=True, slots=True)
class EditMemory:
    """Bytes of a VM's memory, from guest-physical `address` on, set from outside."""

    vm: str
    address: int
    data: bytes

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.edit_memory(self.vm, self.address, self.data)

    def in_words(self) -> str:
        """See `Action`."""
        count = len(self.data)
        return f"{count} byte{'s' * (count != 1)} at guest-physical {self.address:#010x} of VM {self.vm} set"


@dataclass(frozen=True, slots=True)
class Direct:
    """The next slice is this VM's."""

    vm: str

    def carry_out(self, hypervisor: Hypervisor) -> None:
        """See `Action`."""
        hypervisor.scheduler.direct(self.vm)

    def in_words(self) -> str:
        """See `Action`."""
        return f"VM {self.vm} given the CPU"


NO_ACTS = (Direct, KeepDisk)  # of the person's on the machine: Undo passes them over
