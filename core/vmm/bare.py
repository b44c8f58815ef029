"""No monitor at all: the guest on bare hardware, the reference to which every other kind must be equivalent.

The guest's kernel runs in ring 0 and owns the machine. What arrives at the interposer is what hardware would do by
itself (deliver through the IDT, ask a device), and is done here as hardware does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from core.addresses import PAGE_SIZE, HostPhysical
from core.costs import Work
from core.cpu.context import HF_GUEST
from core.cpu.guest_mode import EFER_MSR
from core.errors import RequestError
from core.events import Cause, Ring
from core.interposer import Outcome
from core.memory.frames import FrameAllocator
from core.stage import BARE, Stage
from core.vmm.own_state import OwnState
from core.vmm.vmm import SYSENTER_CS, SYSENTER_EIP, SYSENTER_ESP, Vmm


class Bare(Vmm):
    """The hardware itself."""

    kind = "bare"
    title = "Bare machine"
    summary = "No monitor: the guest's kernel runs in ring 0 and owns the machine."
    order = 0
    hosted = False
    io_ring: Ring | None = None
    work = MappingProxyType(
        {
            Cause.FAULT: (Work.FAULT,),
            Cause.PRIVILEGED: (Work.FAULT,),
            Cause.SYSTEM_CALL: (Work.SYSTEM_CALL,),
            Cause.INTERRUPT: (Work.INTERRUPT,),
            Cause.IO: (Work.PORT,),
            Cause.PAGE_FAULT_TRUE: (Work.PAGE_FAULT,),
            Cause.HALT: (),
        }
    )

    @classmethod
    def machine_memory(cls, vm_memory: int) -> int:
        """The machine has just the guest's memory."""
        return vm_memory

    @classmethod
    def vm_frames(cls, allocator: FrameAllocator, vm_memory: int, owner: str) -> Sequence[HostPhysical]:
        """Guest-physical is host-physical."""
        allocator.claim(HostPhysical(0), vm_memory, owner)
        return [HostPhysical(address) for address in range(0, vm_memory, PAGE_SIZE)]

    def stage(self) -> Stage:
        """The kernel in ring 0, its programs in ring 3."""
        return BARE

    def prepare(self) -> None:
        """Nothing stands beneath; only what a reset clears is cleared."""
        for number in (SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP):
            self.cpu.set_msr(number, 0)
        self.unsaved_msrs.put_into(self.cpu)

    def before_checkpoint(self) -> None:
        """The guest has all of the CPU."""
        self.unsaved_msrs.take_from(self.cpu)

    def restored(self) -> None:
        """The other way."""
        self.unsaved_msrs.put_into(self.cpu)

    def own_state(self) -> OwnState | None:
        """Nobody was told anything; but a guest that is a hypervisor itself has a second CPU in its guest."""
        if self.cpu.state.hflags & HF_GUEST:
            raise RequestError("The guest runs a guest of its own.", "Let it come back first.")
        return None

    def kept_msr(self, number: int) -> int:
        """As RDMSR."""
        return self.cpu.msr(number) if number in self.unsaved_msrs else super().kept_msr(number)

    def keep_msr(self, number: int, value: int) -> None:
        """As WRMSR: EFER has more to it than its value, and some are no part of the CPU's state."""
        if number == EFER_MSR or number in self.unsaved_msrs:
            self.cpu.set_msr(number, value)
        else:
            super().keep_msr(number, value)

    def exception(self, vector: int, error_code: int, software: bool) -> Outcome:
        """The hardware delivers through the guest's IDT."""
        return self.guest_event(vector, error_code, software)

    def watch_for_open_interrupts(self, wanted: bool) -> None:
        """IF is the CPU's own: a probe stops where it becomes set."""
        self.cpu.await_interrupts_open(wanted)
