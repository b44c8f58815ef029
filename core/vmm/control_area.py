"""The control area of a VMCB as its hypervisor uses it: intercept bits, permission maps, what is fixed for a VM.

The intercept bits stand in the VMCB; VMRUN copies them into the CPU, which looks at its copy (AMD APM vol. 2 §15.5,
§15.9 to §15.11). A bit can be taken from that copy for one instruction, to let the guest do just once what is
intercepted. Simplified: one ASID, and a TLB that is flushed at every VMRUN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.addresses import PAGE_SIZE, HostPhysical
from core.cpu import guest_mode
from core.cpu.context import CpuContext
from core.cpu.unsaved_msrs import POWERED_ON
from core.memory.ram import Ram
from core.vmm.intercepts import INTERCEPT, Exit, Intercept
from core.vmm.io_exit import IOPM_BYTES
from core.vmm.vmcb import Vmcb

MSRPM_BYTES = 2 * PAGE_SIZE
OPENING_MSRS = (guest_mode.EFER_MSR, guest_mode.VM_CR_MSR, guest_mode.VM_HSAVE_PA_MSR)
MSRPM_PARTS = {0: 0, 0xC000_0000: 0x800, 0xC001_0000: 0x1000}  # where the map has the 8 Ki MSRs from a number on
V_INTR_MASKING = 1 << 24
FLUSH_ALL = 1
ASID = 1
DEFAULT_PAT = 0x0007_0406_0007_0406
_IN_CPU = ("CR_READ", "CR_WRITE", "DR_READ", "DR_WRITE")  # the order of the CPU's copies


class ControlArea:
    """The control area of `vmcb`."""

    def __init__(self, vmcb: Vmcb) -> None:
        self.vmcb = vmcb

    def fill(self, ram: Ram, iopm: HostPhysical, msrpm: HostPhysical, codes: Iterable[int]) -> None:
        """What a VM begins with: these exits, every port, the MSRs by which the guest could unseat its host, and those
        that the CPU would keep for all VMs at once."""
        vmcb = self.vmcb
        for code in codes:
            self.set(INTERCEPT[code], on=True)
        ram.write(iopm, b"\xff" * IOPM_BYTES)
        for number in (*OPENING_MSRS, *POWERED_ON):
            at = HostPhysical(msrpm + MSRPM_PARTS[number & ~0x1FFF] + (number & 0x1FFF) // 4)
            byte = ram.read(at, 1)[0] | 3 << number % 4 * 2  # one bit for reading, one for writing
            ram.write(at, bytes([byte]))
        vmcb.set("IOPM_BASE", iopm)
        vmcb.set("MSRPM_BASE", msrpm)
        vmcb.set("ASID", ASID)
        vmcb.set("TLB_CONTROL", FLUSH_ALL)
        vmcb.set("V_IRQ_CTL", V_INTR_MASKING)
        vmcb.set("EFER", guest_mode.EFER_SVME)
        vmcb.set("G_PAT", DEFAULT_PAT)

    def set(self, intercept: Intercept, *, on: bool) -> None:
        """Set or clear a bit in the VMCB; it counts from the next VMRUN."""
        word, bit = self.vmcb.get(intercept.field), 1 << intercept.bit
        self.vmcb.set(intercept.field, word | bit if on else word & ~bit)

    def intercepts(self, code: int) -> bool:
        """Does the VMCB intercept this?"""
        intercept = INTERCEPT[code]
        return bool(self.vmcb.get(intercept.field) >> intercept.bit & 1)


def suspend(state: CpuContext, intercept: Intercept) -> Callable[[], None]:
    """Clear a bit in the CPU's copy alone; calling the result sets it again."""
    bit = 1 << intercept.bit
    if intercept.field in _IN_CPU:
        index = _IN_CPU.index(intercept.field)
        state.intercept_cr_dr[index] &= ~bit

        def restore() -> None:
            state.intercept_cr_dr[index] |= bit

        return restore
    place = 1 << intercept.code - Exit.INTR

    def restore_misc() -> None:
        state.intercept |= place

    state.intercept &= ~place
    return restore_misc
