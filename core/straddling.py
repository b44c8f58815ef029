"""Where a store that leaves its page goes on: the emulator tells only where one begins, and by physical address.

The processor translates the second page before it writes anything, so a fault there leaves both pages as they were
(Intel SDM vol. 3 §8.1.1 promises of such a store no more than that each part is written). Its linear address is found
again: of what the instruction touches it is the one that the guest's tables lead to where the store began. Simplified:
tables that the guest has changed without telling the CPU are believed.
"""

from __future__ import annotations

from core.addresses import ADDRESS_MASK, PAGE_MASK, PAGE_SIZE, GuestVirtual, HostPhysical
from core.cpu.context import HF_CS32
from core.cpu.decode import decode
from core.cpu.flags import CR4_PAE
from core.cpu.guest_cpu import GuestCpu
from core.cpu.unicorn_cpu import Cpu
from core.events import Ring
from core.memory.onlooker import GuestWords
from core.memory.walk import Access, walk
from core.vmm.accesses import linear_accesses
from core.vmm.vmm import Vmm


def straddles(at: int, size: int) -> bool:
    """Does a store there leave its page?"""
    return (at & PAGE_MASK) + size > PAGE_SIZE


def next_page(cpu: Cpu, vmm: Vmm, at: int) -> HostPhysical | None:
    """Where the page lies in the machine on which the store goes on that the CPU is about to do for this guest, and
    that begins at host-physical `at`; nothing, where it will fault, or is the monitor's own. For use in a run."""
    cpu.pull()
    words, paging = GuestWords(vmm.physical), vmm.guest.paging
    if paging.enabled and paging.cr4 & CR4_PAE:
        return None
    access = Access(True, vmm.guest.cpl == Ring.USER.value)
    instruction = decode(cpu.code_here(), 0, 32 if cpu.state.hflags & HF_CS32 else 16)
    for touched in linear_accesses(GuestCpu(cpu), instruction):
        begins = touched + ((at - touched + PAGE_SIZE // 2) & PAGE_MASK) - PAGE_SIZE // 2  # the nearest at that offset
        pages = [
            walk(words, paging, GuestVirtual(linear & ADDRESS_MASK), access).physical
            for linear in (begins, (begins | PAGE_MASK) + 1)
        ]
        first, second = (None if page is None or page >= vmm.physical.size else page for page in pages)
        if first is not None and vmm.physical.lies_at(first) == at:
            return vmm.physical.lies_at(second) if second is not None else None
    return None
