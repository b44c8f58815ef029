"""The CPU as a paravirtual guest knows it: the real one, in ring 1, with what the shared page says of events.

Such a guest is not deceived: it knows its ring, its machine frames, and that the hypervisor has ring 0. One thing is
still put in its own terms: IF is the upcall mask the other way round (the real IF is always set, for interrupts are the
hypervisor's). Page walks are told in its own page numbers, as everything is that looks at guest-physical memory.
"""

from __future__ import annotations

from core.cpu import flags
from core.cpu.context import Seg
from core.cpu.guest_cpu import GuestCpu, Segment
from core.cpu.unicorn_cpu import Cpu
from core.memory.pseudo_physical import PseudoPhysicalMemory
from core.memory.walk import Paging
from core.vmm.event_channels import EventChannels

CR0_PARAVIRT = flags.CR0_PE | flags.CR0_PG | flags.CR0_WP | flags.CR0_ET


class ParavirtCpu(GuestCpu):
    """`events` is given once there is a shared page."""

    def __init__(self, cpu: Cpu, physical: PseudoPhysicalMemory) -> None:
        super().__init__(cpu)
        self._physical = physical
        self.events: EventChannels | None = None

    @property
    def eflags(self) -> int:
        """The CPU's, with IF as the upcall mask has it."""
        real = self.cpu.eflags
        return real & ~flags.IF if self.events is not None and self.events.masked else real | flags.IF

    @eflags.setter
    def eflags(self, value: int) -> None:
        if self.events is not None:
            self.events.masked = not value & flags.IF
        self.load_flags(value)

    def load_flags(self, value: int) -> None:
        """EFLAGS as the CPU may hold them while such a guest runs: IF set, IOPL 0."""
        self.cpu.eflags = value & ~(flags.IOPL | flags.NT | flags.VM) | flags.IF

    @property
    def interrupts_enabled(self) -> bool:
        """Interrupts go to the hypervisor, whatever the guest masks: events."""
        return True

    @interrupts_enabled.setter
    def interrupts_enabled(self, value: bool) -> None:
        if self.events is not None:
            self.events.masked = not value

    @property
    def paging(self) -> Paging:
        """What rules the guest's page walks: CR3 in the guest's own numbers, though entries name machine frames."""
        state = self.state
        real = state.cr[3]
        return Paging(state.cr[0] & 0xFFFF_FFFF, self._physical.named_by(real), state.cr[4] & 0xFFFF_FFFF)

    def enter(self, cs: int, code: Segment, ss: int, stack: Segment) -> None:
        """Go on with these segments, in the ring of `cs`."""
        self.set_cpl(cs & 3)
        self.set_segment(Seg.CS, Segment(cs, code.base, code.limit, code.flags))
        self.set_segment(Seg.SS, Segment(ss, stack.base, stack.limit, stack.flags))
