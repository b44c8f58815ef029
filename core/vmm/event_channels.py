"""Event channels: what a paravirtual guest has in place of interrupts, in a page that it shares with its monitor.

An event is a bit in a bitmap, masked by another; any that is neither makes *upcall pending*, and unless the *upcall
mask* is set the monitor calls the guest's handler on its way back. The guest sets and clears the mask by a plain store,
so what CLI and STI were costs no departure; having cleared it, it must look itself whether something came meanwhile
(Barham et al., SOSP 2003, §3.3; Xen's event_channel.h). Modelled: one virtual CPU, channels for virtual interrupts and
for the monitor's own drivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.addresses import HostPhysical
from core.memory.ram import Ram
from core.vmm.hypercall_abi import (
    CHANNELS,
    EVENTS_MASK,
    EVENTS_PENDING,
    FAULT_ADDRESS,
    PENDING_SELECTOR,
    UPCALL_MASK,
    UPCALL_PENDING,
    VIRQ_TIMER,
    Errno,
    Refused,
)


@dataclass(slots=True, eq=False)
class EventChannels:
    """Channel numbers with what is bound to them; the bitmaps lie in the frame `shared`."""

    ram: Ram
    shared: HostPhysical
    bound: dict[int, Callable[[], str] | None] = field(default_factory=dict)  # channel → its other end, if it has one
    timer: int = 0  # the channel of the timer's virtual interrupt; 0: not bound

    def bind(self, other_end: Callable[[], str] | None) -> int:
        """A new channel, from 1 on."""
        channel = next((number for number in range(1, CHANNELS) if number not in self.bound), None)
        if channel is None:
            raise Refused(Errno.NO_SPACE, "all channels are taken")
        self.bound[channel] = other_end
        return channel

    def bind_timer(self, virq: int) -> int:
        """The channel of a virtual interrupt: there is the timer's."""
        if virq != VIRQ_TIMER:
            raise Refused(Errno.INVALID, f"there is no virtual interrupt {virq}")
        if self.timer:
            raise Refused(Errno.BUSY, "the timer is bound already")
        self.timer = self.bind(None)
        return self.timer

    def close(self, channel: int) -> None:
        """Unbind a channel."""
        self._check(channel)
        if self.bound[channel] is not None:
            raise Refused(Errno.PERMISSION, f"channel {channel} is a driver's")
        del self.bound[channel]
        self.timer = 0 if channel == self.timer else self.timer

    def send(self, channel: int) -> str:
        """The guest's event for the other end."""
        self._check(channel)
        other_end = self.bound[channel]
        return other_end() if other_end is not None else "nobody listens there"

    def _check(self, channel: int) -> None:
        if channel not in self.bound:
            raise Refused(Errno.INVALID, f"channel {channel} is not bound")

    # -- the shared page

    def _bit(self, bitmap: int, channel: int) -> tuple[HostPhysical, int]:
        return HostPhysical(self.shared + bitmap + (channel >> 5 << 2)), 1 << (channel & 31)

    def post(self, channel: int) -> None:
        """Make an event pending for the guest."""
        at, bit = self._bit(EVENTS_PENDING, channel)
        self.ram.write_u32(at, self.ram.read_u32(at) | bit)
        mask, _ = self._bit(EVENTS_MASK, channel)
        if not self.ram.read_u32(mask) & bit:
            self._wanted(channel)

    def unmask(self, channel: int) -> None:
        """Clear a channel's mask; if its event is pending already, the guest shall hear of it now."""
        self._check(channel)
        mask, bit = self._bit(EVENTS_MASK, channel)
        self.ram.write_u32(mask, self.ram.read_u32(mask) & ~bit)
        at, _ = self._bit(EVENTS_PENDING, channel)
        if self.ram.read_u32(at) & bit:
            self._wanted(channel)

    def _wanted(self, channel: int) -> None:
        selector = HostPhysical(self.shared + PENDING_SELECTOR)
        self.ram.write_u32(selector, self.ram.read_u32(selector) | 1 << (channel >> 5))
        self.ram.write(HostPhysical(self.shared + UPCALL_PENDING), b"\1")

    @property
    def pending(self) -> bool:
        """Is there an event that the guest wants to hear of?"""
        return bool(self.ram.bytes[self.shared + UPCALL_PENDING])

    @property
    def masked(self) -> bool:
        """The upcall mask: the guest's virtual IF, the other way round."""
        return bool(self.ram.bytes[self.shared + UPCALL_MASK])

    @masked.setter
    def masked(self, value: bool) -> None:
        self.ram.write(HostPhysical(self.shared + UPCALL_MASK), bytes((value,)))

    def tell_fault_address(self, address: int) -> None:
        """CR2, which ring 1 cannot read."""
        self.ram.write_u32(HostPhysical(self.shared + FAULT_ADDRESS), address)
