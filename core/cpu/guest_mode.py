"""Into guest mode by a real VMRUN, and out of it: the two moves between a hypervisor and its guest under AMD-V.

VMRUN saves the host's state in the page that VM_HSAVE_PA names and loads the guest's from the VMCB; the emulated CPU
does that by itself, so entering means to run VMLOAD and VMRUN in a page of host memory. It does not complete a #VMEXIT:
it stops with the guest's whole state still loaded, so leaving is done here, by undoing guest mode (AMD APM vol. 2
§15.5 and §15.6).
"""

from __future__ import annotations

from core.addresses import HostPhysical
from core.cpu.context import HF_CPL, HF_CS32, HF_GUEST, HF_SS32, Gpr, Seg
from core.cpu.flags import ALWAYS_ONE, CR0_ET, CR0_PE, CR4_PAE
from core.cpu.probes import Word
from core.cpu.unicorn_cpu import Cpu

VMLOAD, VMRUN = bytes.fromhex("0f01da"), bytes.fromhex("0f01d8")  # both take the VMCB's address from EAX
STUB = 2 * (VMLOAD + VMRUN)  # twice: see `vmrun`
STUB_INSTRUCTIONS = 2
EFER_MSR, VM_CR_MSR, VM_HSAVE_PA_MSR = 0xC000_0080, 0xC001_0114, 0xC001_0117
EFER_SCE, EFER_SVME = 1 << 0, 1 << 12
EFER_WRITABLE = 0x1901  # of EFER: SCE, LME, NXE, SVME are there; the CPU ignores the others
FLAT_CODE, FLAT_DATA = 0x00CF_9B00, 0x00CF_9300
# hflags2: GIF, host IF at VMRUN, virtual interrupt masking, nested paging
HF2_GUEST_MODE = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 6
ALL_ONES = 0xFFFF_FFFF


def enable_svm(cpu: Cpu, host_save_area: HostPhysical) -> None:
    """Turn AMD-V on and say where VMRUN shall save the host's state."""
    cpu.set_msr(EFER_MSR, EFER_SVME)
    cpu.set_msr(VM_HSAVE_PA_MSR, host_save_area)


def in_guest_mode(cpu: Cpu) -> bool:
    """Is the CPU a guest now?"""
    return bool(cpu.state.hflags & HF_GUEST)


def leave_guest_mode(cpu: Cpu) -> None:
    """Load the host's state: ring 0, flat, paging off. General registers and the FPU stay, as at a #VMEXIT."""
    state = cpu.state
    state.hflags = state.hflags & ~(HF_GUEST | HF_CPL) | HF_CS32 | HF_SS32
    state.hflags2 = state.hflags2 & ~HF2_GUEST_MODE | 1
    state.intercept = state.intercept_exceptions = state.tsc_offset = state.nested_cr3 = 0
    for word in range(4):
        state.intercept_cr_dr[word] = 0
    for seg in (Seg.ES, Seg.CS, Seg.SS, Seg.DS):
        held = state.segs[seg]
        held.selector, held.base, held.limit = 8, 0, ALL_ONES
        held.flags = FLAT_CODE if seg == Seg.CS else FLAT_DATA
    cpu.eflags = ALWAYS_ONE
    state.error_code = 0
    cpu.write_cr(0, CR0_PE | CR0_ET)
    cpu.write_cr(4, CR4_PAE)  # the format of nested tables


def vmrun(cpu: Cpu, stub: HostPhysical, vmcb: HostPhysical, entry: int) -> None:
    """Run VMLOAD and VMRUN at `stub`, and stop before the guest's first instruction, at its linear address `entry`.
    Counts no instruction. Where the guest's is at the very address of that VMRUN, the probes would take it for the same
    once more; then the second of the stub's is run.
    """
    if entry == stub + len(VMLOAD):
        stub = HostPhysical(stub + len(VMLOAD + VMRUN))
    words = (Word.EXECUTED, Word.END, Word.LAST_PC, Word.RING_0, Word.STOP, Word.WATCH, Word.SKIP_AT)
    kept = [(word, cpu.ctl[word]) for word in words]
    cpu.ctl[Word.STOP] = cpu.ctl[Word.WATCH] = 0
    cpu.state.regs[Gpr.EAX] = vmcb
    cpu.state.eip = stub
    cpu.end = cpu.executed + STUB_INSTRUCTIONS
    cpu.run()
    stop = cpu.ctl[Word.STOP]
    for word, value in kept:
        cpu.ctl[word] = value
    cpu.ctl[Word.STOP] |= stop
