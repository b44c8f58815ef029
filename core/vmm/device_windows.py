"""Windows onto the bus: machine addresses beyond RAM that stand, for one instruction, for a page of a VM's devices.

A monitor that maps guest pages into the machine's RAM has no frame for a page that is no RAM. It maps the page, for the
one instruction that touches it, to an address at which the machine's bus answers, and remembers which page is meant. A
real monitor would emulate the instruction instead; the guest cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable

from core.addresses import PAGE_MASK, PAGE_SIZE, GuestPhysical
from core.cpu.unicorn_cpu import MAPPED_TO

FIRST_WINDOW = MAPPED_TO - (16 << 20)


class DeviceWindows:
    """The windows open now."""

    def __init__(self) -> None:
        self._pages: dict[int, GuestPhysical] = {}

    def open(self, page: GuestPhysical, map_to: Callable[[int], Callable[[], None]]) -> Callable[[], None]:
        """Have `map_to(window)` map guest-physical `page` to a fresh window; calling the result closes it."""
        window = FIRST_WINDOW + len(self._pages) * PAGE_SIZE
        close = map_to(window)
        self._pages[window] = page

        def shut() -> None:
            close()
            del self._pages[window]

        return shut

    def page_address(self, address: int) -> int:
        """The guest-physical address that machine address `address` stands for."""
        page = self._pages.get(address & ~PAGE_MASK)
        return address if page is None else page | address & PAGE_MASK
