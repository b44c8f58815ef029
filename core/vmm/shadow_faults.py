"""What a monitor does about a page fault on its shadow page tables: fill, follow a traced write, show a device.

The guest's own tables decide. A fault that only the shadow causes is mended and never noticed; a write to a traced page
is let through once, and the shadow follows; a page that is no RAM is shown for one instruction. What the guest's tables
deny is the guest's own fault (Adams & Agesen, ASPLOS 2006, §2.4). Shared by every kind that pages by shadow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical, GuestVirtual
from core.events import Cause
from core.interposer import Interposer
from core.layout import MONITOR_BASE
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.reclaim import BROUGHT_BACK
from core.memory.shadow import Denied, Filled, NotRam, ShadowPager, Traced
from core.memory.walk import Paging
from core.vmm.device_windows import DeviceWindows


@dataclass(frozen=True, slots=True)
class Mended:
    """A fault that the guest shall not notice: what it was, which part of the monitor mended it, and how."""

    cause: Cause
    by: str
    text: str


class ShadowFaults:
    """`followed(page, before, after)` is told what a traced write has changed."""

    def __init__(
        self,
        pager: ShadowPager,
        physical: GuestPhysicalMemory,
        interposer: Interposer,
        followed: Callable[[GuestPhysical, bytes, bytes], None],
    ) -> None:
        self._pager = pager
        self._physical = physical
        self._interposer = interposer
        self._followed = followed
        self.windows = DeviceWindows()
        self.stores_followed = 0  # of the monitor's own, to traced pages

    def store(self, address: GuestPhysical, data: bytes) -> None:
        """Write, inside a page, what the monitor writes into the guest's memory for it: a frame on its stack, an
        accessed bit. The page may be a traced one."""
        page = GuestPhysical(address & ~PAGE_MASK)
        if not self._pager.is_traced(page):
            self._physical.write(address, data)
            return
        self.stores_followed += 1
        before = self._physical.read(page, PAGE_SIZE)
        self._physical.write(address, data)
        self._followed(page, before, self._physical.read(page, PAGE_SIZE))

    def resolve(self, paging: Paging, address: GuestVirtual, *, write: bool, user: bool) -> Denied | Mended:
        """Mend the fault, or find that the guest's own tables deny the access."""
        match self._pager.resolve(paging, address, write=write, user=user):
            case Denied() as denied:
                return denied
            case Filled(frame, brought_back):
                text = f"entered {address & ~PAGE_MASK:#010x} into the shadow page table, as frame {frame:#010x}"
                text = f"{BROUGHT_BACK} and {text}" if brought_back else text
                return Mended(Cause.PAGE_FAULT_HIDDEN, "shadow paging", text)
            case Traced(page):
                return self._let_traced_write(address, page)
            case NotRam(page):
                return self._open_page(address, page)

    def _let_traced_write(self, address: GuestVirtual, page: GuestPhysical) -> Mended:
        pager, physical = self._pager, self._physical
        before = physical.read(page, PAGE_SIZE)
        close = pager.open_once(address, physical.host(page))

        def follow() -> None:
            close()
            self._followed(page, before, physical.read(page, PAGE_SIZE))

        self._interposer.after_one_step(follow)
        what = "descriptor table" if page in pager.watched else "page table"
        if page in pager.translated:
            what = "translated code"
        text = f"let one write to the guest's {what} at {address:#010x} through and made the shadow follow"
        return Mended(Cause.TRACE, "trace", text)

    def _open_page(self, address: GuestVirtual, page: GuestPhysical) -> Mended:
        """For one instruction: a device's page, or what the guest has mapped over the monitor's region."""
        pager = self._pager
        if page < self._physical.size:
            self._interposer.after_one_step(pager.open_once(address, self._physical.host(page)))
            text = f"showed the guest its own page at {address:#010x}, in the monitor's region, for one instruction"
            return Mended(Cause.PAGE_FAULT_HIDDEN, "guarded region", text)
        shut = self.windows.open(page, lambda window: pager.open_once(address, window))
        self._interposer.after_one_step(shut)
        where = "the monitor's region" if address >= MONITOR_BASE else "beyond the guest's memory"
        text = f"showed the guest the bus at {address:#010x} ({where}) for one instruction"
        return Mended(Cause.PAGE_FAULT_HIDDEN, "device page", text)
