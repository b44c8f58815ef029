"""A word of a VM's memory, and who stores to it: each store is noted, also one of what stood there already.

The CPU's stores are seen by a hook on just those bytes, a monitor's and a device's where they enter RAM, so the guest
runs at native speed. A processor's own watchpoints do the same by linear address (Intel SDM vol. 3 §18.2); here the
word is one of physical memory, whatever address it is reached by. What the MMU writes by itself (accessed and dirty
bits) reaches no hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from core.addresses import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, GuestPhysical
from core.cpu.unicorn_cpu import LONGEST_STORE
from core.errors import RequestError
from core.hypervisor import Hypervisor
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.onlooker import pages
from core.straddling import next_page, straddles
from core.timeline.checkpoint import Checkpoint

WORD = 4


class Watching(Protocol):
    """What is needed of the session."""

    @property
    def hypervisor(self) -> Hypervisor: ...
    @property
    def selected(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """The word at one moment: where its parts lie in the machine (None: with the hypervisor), how often pages of the VM
    were brought back or are away, and its bytes."""

    places: tuple[int | None, ...]
    moves: tuple[int, int]
    value: bytes


class WatchedWord:
    """A word of the selected VM.

    seen     the machine's time at which a store to it was seen last; None: none was
    held     what stood there before the first of them, if it was the CPU's
    noticed  called when the first is seen, before the CPU does it, or after somebody else did
    """

    def __init__(self, session: Watching, address: GuestPhysical, size: int) -> None:
        self._session, self._letter = session, session.selected
        vm = session.hypervisor.vms[session.selected]
        if address + size > vm.vmm.physical.size:
            raise RequestError(
                f"There is no memory at guest-physical {address:#010x}, so nothing is written there.",
                "Choose an address inside the guest's memory.",
            )
        self._parts = tuple((GuestPhysical(start), length) for start, length in pages(address, size))
        self.seen: int | None = None
        self.held: bytes | None = None
        self.noticed: Callable[[], None] = lambda: None

    def _physical(self) -> GuestPhysicalMemory | None:
        vm = self._session.hypervisor.vms.get(self._letter)
        return vm.vmm.physical if vm is not None else None

    def mark(self) -> Mark:
        """As it is now; nothing, where there is no such VM."""
        physical = self._physical()
        if physical is None:
            return Mark((), (0, 0), b"")
        reclaimer = self._session.hypervisor.vms[self._letter].reclaimer
        moves = (reclaimer.state.brought_back, reclaimer.taken) if reclaimer is not None else (0, 0)
        value = b"".join(physical.read(start, length) for start, length in self._parts)
        return Mark(tuple(physical.lies_at(start) for start, _ in self._parts), moves, value)

    @contextmanager
    def watched(self, places: tuple[int | None, ...]) -> Iterator[None]:
        """Note what is stored there while the machine runs."""
        machine = self._session.hypervisor.machine
        self.seen = self.held = None
        with ExitStack() as hooks:
            for (_, length), place in zip(self._parts, places, strict=False):
                if place is not None:
                    hooks.enter_context(machine.cpu.watching_writes(place, length, self._stored))
            machine.ram.on_write = self._see
            try:
                yield
            finally:
                machine.ram.on_write = None

    def _stored(self, at: int, size: int) -> None:
        """The CPU is about to store there; only of a store within a page the emulator tells where it ends."""
        first, held = self.seen is None, self.mark().value
        self._stored_parts(at, size)
        if first and self.seen is not None:
            self.held = held

    def _stored_parts(self, at: int, size: int) -> None:
        if not straddles(at, size):
            self._see(at, size)
            return
        hypervisor = self._session.hypervisor
        running = hypervisor.vms[hypervisor.on_cpu or self._letter]
        behind = next_page(hypervisor.machine.cpu, running.vmm, at)
        if behind is not None:
            first = PAGE_SIZE - (at & PAGE_MASK)
            self._see(at, first)
            self._see(behind, size - first)

    def _see(self, at: int, size: int) -> None:
        physical, hypervisor = self._physical(), self._session.hypervisor
        if physical is None:
            return
        for start, length in self._parts:
            place = physical.lies_at(start)
            if place is not None and at < place + length and place < at + size:
                running = hypervisor.vms[hypervisor.on_cpu or self._letter].interposer
                first, self.seen = self.seen is None, running.time + running.machine_offset
                if first:
                    self.noticed()

    def untouched_since_the_one_before(self, checkpoint: Checkpoint, mark: Mark) -> bool:
        """Was nothing stored in its frames between that checkpoint, where it was as in `mark`, and the one before?"""
        if any(place is not None and place & PAGE_MASK < LONGEST_STORE for place in mark.places):
            return False  # a store to the page before leaves no mark in this one
        frames = [place >> PAGE_SHIFT for place in mark.places if place is not None]
        return len(frames) == len(self._parts) and not any(frame in checkpoint.written for frame in frames)
