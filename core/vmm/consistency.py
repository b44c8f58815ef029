"""What VMRUN checks before it enters a guest; a VMCB that fails ends in VMEXIT_INVALID.

The manual's list (AMD APM vol. 2 §15.5.1, "Canonicalization and Consistency Checks"; §15.20 for events, §15.25.4 for
nested paging), in its order. Three rules on paging with EFER.LME fall under the one that forbids it, since the lab's
32-bit machine has no long mode; and a host that pages, which nested paging asks for, the lab has not. The emulated CPU
checks almost none of it, so the lab does, and names the rule.
"""

from __future__ import annotations

from core.cpu.faults import WITH_ERROR_CODE, Vector
from core.cpu.flags import CR0_CD, CR0_NW
from core.cpu.guest_mode import EFER_SVME
from core.vmm.control_area import MSRPM_BYTES
from core.vmm.event_field import HAS_ERROR_CODE, TYPE_SHIFT, VALID, EventType
from core.vmm.intercepts import INTERCEPT, Exit
from core.vmm.io_exit import IOPM_BYTES
from core.vmm.vmcb import Vmcb

EFER_DEFINED = 0xFD01  # SCE LME LMA NXE SVME LMSLE FFXSR TCE
CR4_DEFINED = 0x7FF  # VME to OSXMMEXCPT: what this CPU has
EFER_LME, EFER_LMA = 1 << 8, 1 << 10
MEMORY_TYPES = frozenset({0, 1, 4, 5, 6, 7})  # UC WC WT WP WB UC-
HIGH = 0xFFFF_FFFF_0000_0000


def broken_rule(vmcb: Vmcb, memory: int) -> str | None:
    """The first rule that the VMCB breaks, in words with values, on a machine of `memory` bytes; None: it is sound."""
    get = vmcb.get
    efer, cr0, cr4 = get("EFER"), get("CR0"), get("CR4")
    vmrun = INTERCEPT[Exit.VMRUN]
    nested = get("NP_ENABLE") & 1
    checks = (
        (not efer & EFER_SVME, f"EFER.SVME must be set, and EFER is {efer:#x}."),
        (
            bool(cr0 & CR0_NW and not cr0 & CR0_CD),
            f"CR0.NW may be set only together with CR0.CD, and CR0 is {cr0:#x}.",
        ),
        (bool(cr0 & HIGH), f"CR0[63:32] must be zero, and CR0 is {cr0:#x}."),
        (bool(get("CR3") & HIGH), f"CR3 has bits beyond the physical address space: {get('CR3'):#x}."),
        (bool(cr4 & ~CR4_DEFINED), f"CR4 has reserved bits set: {cr4:#x}."),
        (bool(get("DR6") & HIGH), f"DR6[63:32] must be zero, and DR6 is {get('DR6'):#x}."),
        (bool(get("DR7") & HIGH), f"DR7[63:32] must be zero, and DR7 is {get('DR7'):#x}."),
        (bool(efer & ~EFER_DEFINED), f"EFER has reserved bits set: {efer:#x}."),
        (
            bool(efer & (EFER_LME | EFER_LMA)),
            f"EFER.LME and EFER.LMA are of long mode, which this CPU is without: EFER is {efer:#x}.",
        ),
        (not get(vmrun.field) >> vmrun.bit & 1, "VMRUN must be intercepted, and its bit is clear."),
        (
            get("IOPM_BASE") + IOPM_BYTES > memory,
            f"IOPM_BASE_PA and the 12 KiB after it must lie in memory, and it is {get('IOPM_BASE'):#x}.",
        ),
        (
            get("MSRPM_BASE") + MSRPM_BYTES > memory,
            f"MSRPM_BASE_PA and the 8 KiB after it must lie in memory, and it is {get('MSRPM_BASE'):#x}.",
        ),
        (get("ASID") == 0, "ASID 0 is the host's: a guest's must be another."),
        (
            bool(nested and get("N_CR3") + 0x1000 > memory),
            f"N_CR3 must name a page of memory, and it is {get('N_CR3'):#x}.",
        ),
        (
            bool(nested and not MEMORY_TYPES.issuperset(get("G_PAT").to_bytes(8, "little"))),
            f"G_PAT names memory types by eight bytes of 0, 1, 4, 5, 6 or 7, and it is {get('G_PAT'):#x}.",
        ),
    )
    return next((rule for broken, rule in checks if broken), None) or _broken_event(get("EVENTINJ"))


def _broken_event(event: int) -> str | None:
    """§15.20: an event that cannot be injected."""
    if not event & VALID:
        return None
    kind, vector = event >> TYPE_SHIFT & 7, event & 0xFF
    if kind not in EventType.__members__.values():
        return f"EVENTINJ has the reserved type {kind}."
    exception = kind == EventType.EXCEPTION
    if exception and (vector == Vector.NMI or vector > 31):
        return f"EVENTINJ injects an exception with vector {vector}, which is not one."
    if exception and bool(event & HAS_ERROR_CODE) != (vector in WITH_ERROR_CODE):
        return f"EVENTINJ and exception {vector} disagree about an error code (EV is {event >> 11 & 1})."
    return None
