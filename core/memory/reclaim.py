"""Taking memory back from a running VM: its pages go to a store of the hypervisor's, and come back when touched.

Popek & Goldberg's resource control: what a VM was given can be given to another. The guest sees no difference, as it
sees none between a fast and a slow memory: a page that was taken is absent from the tables that the CPU walks, so a
touch is a hidden fault, for which another page goes. Pages are chosen by the clock algorithm, by the accessed bits in
those tables. ESX did the same below its balloon driver (Waldspurger, OSDI 2002, §3: "demand paging"); a driver inside
the guest, which would know better what is not needed, is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.memory.frames import FrameAllocator
from core.memory.guest_physical import ABSENT, GuestPhysicalMemory

BROUGHT_BACK = "brought a page back that had been taken from the VM"
LEAST_RESIDENT = 256  # pages: more than any instruction touches, so that each gets its turn


class Mappings(Protocol):
    """The tables through which the CPU sees a VM's memory, as a kind of monitor keeps them."""

    def take_used(self, page: GuestPhysical) -> bool:
        """Was `page` touched through them since this was asked last?"""

    def pinned(self, page: GuestPhysical) -> bool:
        """Must `page` stay where it is for now?"""

    def unmap(self, page: GuestPhysical) -> None:
        """Show `page` no more; its frame will be another's."""

    def moved(self, page: GuestPhysical) -> None:
        """`page` lies in a frame again, another than before."""


@dataclass(slots=True)
class Reclaimed:
    """What has changed: the clock's hand (a page number), and how many pages were touched after they were taken."""

    hand: int = 0
    brought_back: int = 0


class Reclaimer:
    """Takes pages of `physical`, whose frames are `owner`'s, and brings them back.

    `changed(frame)` is told of every frame that has other contents now.
    """

    def __init__(
        self,
        physical: GuestPhysicalMemory,
        allocator: FrameAllocator,
        owner: str,
        mappings: Mappings,
        changed: Callable[[int], None],
    ) -> None:
        self._physical = physical
        self._allocator = allocator
        self._owner = owner
        self._mappings = mappings
        self._changed = changed
        self.state = Reclaimed()
        physical.bring_back = self._touched

    @property
    def taken(self) -> int:
        """Pages that are with the hypervisor now."""
        return len(self._physical.kept)

    def set_taken(self, pages: int) -> None:
        """Have so many pages taken, from now on always; the frames for those given back must be free."""
        while self.taken < pages:
            self._evict()
        while self.taken > pages:
            self._bring(min(self._physical.kept))

    def _touched(self, number: int) -> HostPhysical:
        """The guest needs page `number`, which was taken: bring it back in place of another."""
        self._evict()
        self.state.brought_back += 1
        return self._bring(number)

    def _bring(self, number: int) -> HostPhysical:
        physical = self._physical
        frame = self._allocator.allocate(PAGE_SIZE, self._owner)[0]
        contents = physical.kept.pop(number)
        physical.ram.write(frame, bytes(contents) or bytes(PAGE_SIZE))
        physical.frames[number] = frame
        self._changed(frame)
        self._mappings.moved(GuestPhysical(number << PAGE_SHIFT))
        return frame

    def _evict(self) -> None:
        """Take the first page from the hand on that was not touched since the hand last passed."""
        physical, state = self._physical, self.state
        while True:
            number = state.hand
            state.hand = (number + 1) % len(physical.frames)
            page = GuestPhysical(number << PAGE_SHIFT)
            if number in physical.kept or self._mappings.pinned(page) or self._mappings.take_used(page):
                continue
            frame = physical.frames[number]
            contents = physical.ram.read(frame, PAGE_SIZE)
            self._mappings.unmap(page)
            physical.kept[number] = bytearray(contents if contents.count(0) < PAGE_SIZE else b"")
            physical.frames[number] = ABSENT
            physical.ram.write(frame, bytes(PAGE_SIZE))  # the next owner finds nothing
            self._allocator.release_frames([frame])
            return
