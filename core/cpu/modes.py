"""The modes of the processor that the lab does not carry: a guest that enters one is stopped, in words.

CR0 and CR4 turn on far more than CPUID promises here: real mode, PAE page tables, protection of the supervisor from
user pages, state that XSAVE keeps (Intel SDM vol. 3 §2.5, §4.1.1). A processor that lacks them refuses their bits with
#GP; the emulated CPU has them. A monitor that sees the load of the register refuses at once; where the guest has the
CPU to itself it is noticed at its next departure, since watching for it would cost every guest its speed.
"""

from __future__ import annotations

from core.cpu.flags import CR0_PE, CR0_PG, CR4_OSXSAVE, CR4_PAE, CR4_SMAP, CR4_SMEP
from core.errors import UnknownDeparture

WHILE_PAGING = ((CR4_PAE, "PAE page tables"), (CR4_SMEP, "SMEP"), (CR4_SMAP, "SMAP"))
SUSPECT = CR4_PAE | CR4_SMEP | CR4_SMAP | CR4_OSXSAVE  # of CR4: worth a closer look


def not_carried(cr0: int, cr4: int) -> str:
    """What a guest with these registers uses that the lab does not carry; "" if nothing."""
    if not cr0 & CR0_PE:
        return "went back to real mode (CR0.PE is clear)"
    if cr4 & CR4_OSXSAVE:
        return "turned on XSAVE (CR4.OSXSAVE)"
    if cr0 & CR0_PG:
        for bit, name in WHILE_PAGING:
            if cr4 & bit:
                return f"turned on {name}"
    return ""


def require_carried(cr0: int, cr4: int) -> None:
    """Raises UnknownDeparture for such a guest."""
    if not cr0 & CR0_PE or cr4 & SUSPECT:
        found = not_carried(cr0, cr4)
        if found:
            raise UnknownDeparture(f"The guest {found}, which CPUID does not promise and is not carried out here.")
