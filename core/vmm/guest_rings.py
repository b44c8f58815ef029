"""Paravirtual drivers under hardware assistance: an unmodified machine, and a guest that asks for something better.

A guest that finds the lab's name at CPUID leaf 0x40000000 may call by VMMCALL: name a page as a ring for the console's
output or for the disk, and tell that something is in it. One exit then serves a whole line or a sector, where the
emulated devices exit for every byte (Russell, "virtio", OSR 2008). EAX is the call, EBX the ring, ECX its page's
number. Pages are the guest's own, by guest-physical address; what is typed still comes by the serial port.
"""

from __future__ import annotations

from collections.abc import Callable

from core.addresses import PAGE_SHIFT
from core.devices.pc import Pc
from core.memory.guest_physical import GuestPhysicalMemory
from core.vmm.split_drivers import ConsoleBack, DiskBack

CALL_RING, CALL_NOTIFY = 0x5253_0001, 0x5253_0002
CONSOLE, DISK = 0, 1
REFUSED = 0xFFFF_FFEA  # -22: EINVAL


class GuestRings:
    """The monitor's halves for one VM. `wrote()` is told when guest memory was written by the disk."""

    def __init__(self, physical: GuestPhysicalMemory, pc: Pc, wrote: Callable[[], None]) -> None:
        self._physical = physical
        self._pc = pc
        self._wrote = wrote
        self._backs: dict[int, ConsoleBack | DiskBack] = {}

    def call(self, number: int, ring: int, page: int) -> tuple[int, str]:
        """What the guest gets in EAX, and what was done."""
        if number == CALL_NOTIFY:
            if ring not in self._backs:
                return REFUSED, f"there is no ring {ring}"
            return 0, self._backs[ring].notified()
        if self._address(page) is None or ring not in (CONSOLE, DISK):
            return REFUSED, f"page {page:#x} cannot be ring {ring}"
        if ring == CONSOLE:
            self._backs[ring] = ConsoleBack(self._physical, page << PAGE_SHIFT, self._pc, self._nothing, listens=False)
            return 0, f"page {page:#x} is the console's ring now"
        disk = self._backs[ring] = DiskBack(
            self._physical, page << PAGE_SHIFT, self._pc, self._data_address, self._wrote
        )
        return disk.sectors, f"page {page:#x} is the ring of a disk of {disk.sectors} sectors now"

    @property
    def pages(self) -> tuple[tuple[int, int], ...]:
        """Which rings there are, and the number of each one's page."""
        return tuple((ring, back.ring >> PAGE_SHIFT) for ring, back in sorted(self._backs.items()))

    def _address(self, page: int) -> int | None:
        return page << PAGE_SHIFT if page << PAGE_SHIFT < self._physical.size else None

    def _data_address(self, page: int, _written: bool) -> int | None:
        return self._address(page)

    def _nothing(self) -> None:
        """What is typed comes by the serial port."""
