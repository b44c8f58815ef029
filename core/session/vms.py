"""Which VMs there are, and what each gets of the machine: memory, and time by weight and cap.

They are made, put away and fed by the hypervisor (`core.hypervisor`); here the person's wishes come in, by letter.
"""

from __future__ import annotations

from core import layout, narration
from core.devices.disk_image import DiskImage
from core.guests.image import Program
from core.guests.modules import Module
from core.session.host import Host
from core.snapshot import VmSummary
from core.timeline.actions import AddVm, Balloon, PauseVm, RemoveVm, SetCap, SetWeight
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kind_named


class Vms:
    """Those on `host`. A letter that none has is an UnknownName; on a UserError nothing has changed."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def letters(self) -> tuple[str, ...]:
        """In the order of their making."""
        return tuple(self._host.on.hypervisor.vms)

    def summaries(self) -> tuple[VmSummary, ...]:
        """Every VM in short, in the order of their making."""
        return self._host.on.hypervisor.summaries()

    def console_of(self, letter: str) -> bytes:
        """All that a VM's guest has written to its serial port."""
        return bytes(self._host.vm_named(letter).console)

    # -- how many

    def add(
        self,
        program: Program,
        kind: str,
        *,
        memory: int = layout.VM_MEMORY,
        weight: int = 1,
        cap: int | None = None,
        command_line: str = "",
        disk: DiskImage | None = None,
        modules: tuple[Module, ...] = (),
    ) -> str:
        """Power on one more VM beside the others; its letter. `memory` in bytes; `cap` in percent of the machine."""
        letter = self._add(AddVm(program, kind, memory, weight, cap, command_line, disk, modules))
        title = kind_named(kind).title
        self._host.sentence = narration.of_power_on(f"{program.name} in VM {letter}", title, program.entry)
        return letter

    def add_from(self, snapshot: VmSnapshot, kind: str = "", *, weight: int = 1, cap: int | None = None) -> str:
        """As `add`, but the VM goes on from `snapshot`, under its kind or another."""
        action = AddVm.going_on(snapshot, kind, weight, cap)
        letter, title = self._add(action), kind_named(action.kind).title
        self._host.sentence = narration.of_clone(letter, snapshot.program.name, title, snapshot.time)
        return letter

    def _add(self, action: AddVm) -> str:
        self._host.do(action)
        letter = self.letters[-1]
        self._host.watch(self._host.vm_named(letter))
        return letter

    def remove(self, letter: str) -> None:
        """Power a VM off and give its frames back. If it was selected, another is."""
        self._host.vm_named(letter)
        self._host.do(RemoveVm(letter))
        self._host.settle()
        self._host.sentence = f"VM {letter} is gone, and its memory is free."

    # -- who gets what

    def pause(self, letter: str) -> None:
        """Let a VM run no more; its time stands still."""
        self._host.vm_named(letter)
        self._host.do(PauseVm(letter, True))
        self._host.sentence = f"VM {letter} is paused; nothing in it notices."

    def resume(self, letter: str) -> None:
        """Let it run again."""
        self._host.vm_named(letter)
        self._host.do(PauseVm(letter, False))
        self._host.sentence = f"VM {letter} may run again."

    def set_weight(self, letter: str, weight: int) -> None:
        """A VM's part of the CPU, relative to the others' weights."""
        self._host.vm_named(letter)
        self._host.do(SetWeight(letter, weight))

    def set_cap(self, letter: str, cap: int | None) -> None:
        """At most so many percent of the machine's time, even if nobody else wants it; None: no such bound."""
        self._host.vm_named(letter)
        self._host.do(SetCap(letter, cap))

    def balloon(self, letter: str, taken: int) -> None:
        """Have `taken` bytes of a VM's memory taken back, for others to have; its guest sees no difference."""
        self._host.vm_named(letter)
        self._host.do(Balloon(letter, taken))
        taken_now, free = taken / layout.MIB, self._host.on.hypervisor.room / layout.MIB
        self._host.sentence = f"{taken_now:.0f} MiB are taken from VM {letter}; {free:.0f} MiB are free for another VM."
