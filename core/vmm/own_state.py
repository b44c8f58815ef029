"""What a guest has told its own kind of monitor: the part of a VM that another kind could not go on with.

Most of a VM is the same whoever monitors it: its memory, its devices, its processor. A guest that knows of its monitor
has made arrangements with it beside: a page that is a ring for a driver, a table of handlers (Barham et al., SOSP 2003,
§3; Russell, "virtio", OSR 2008). These are kept as plain values, and whoever takes them up judges them as it judged the
guest's calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


@dataclass(frozen=True, slots=True)
class RingPages:
    """Under hardware assistance: pages that the guest's own drivers use as rings, as (ring, page)."""

    what: ClassVar = "rings for the drivers"
    where: ClassVar = "a hardware-assisted kind"

    pages: tuple[tuple[int, int], ...]


class Handler(NamedTuple):
    """Where a paravirtual guest takes a trap or an upcall: code selector, address, and the flags of its trap table."""

    selector: int
    address: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Domain:
    """Of a paravirtual VM, whose guest knows the machine's frames, so that it goes on in just these.

    frames    the machine frame of each page; `monitor_frames` of the monitor's own, in the order of their taking
    shared    the page of events
    pinned    tables that stay such: page, and what it is as `FrameType` numbers it
    root, gdt frames of the page directory in force and of the descriptors
    traps     handlers by vector; `upcall`, `failsafe` and `kernel_stack` as the guest set them
    channels  event channels that the guest bound; `timer` is one of them, or 0
    deadline  the virtual time at which its timer's event is due
    blocked   does it sleep until an event?
    """

    what: ClassVar = "machine frames for a guest to know"
    where: ClassVar = "paravirtualization"

    frames: tuple[int, ...]
    monitor_frames: tuple[int, ...]
    shared: bytes
    pinned: tuple[tuple[int, int], ...]
    root: int
    gdt: tuple[int, ...]
    traps: tuple[tuple[int, Handler], ...]
    upcall: Handler | None
    failsafe: Handler | None
    kernel_stack: tuple[int, int]
    channels: tuple[int, ...]
    timer: int
    deadline: int | None
    blocked: bool


OwnState = RingPages | Domain
