"""The three kinds of address a virtualized machine knows, kept apart by type.

A guest's program uses guest-virtual (linear) addresses; its page tables turn them into guest-physical ones; the
monitor turns those into host-physical ones, the only kind that names a byte of the machine's RAM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    GuestVirtual = NewType("GuestVirtual", int)
    GuestPhysical = NewType("GuestPhysical", int)
    HostPhysical = NewType("HostPhysical", int)
else:  # to call a NewType costs three times as much as to call int, and each departure does it thirty times
    GuestVirtual = GuestPhysical = HostPhysical = int

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = PAGE_SIZE - 1
ADDRESS_MASK = 0xFFFF_FFFF
