"""A VM written down at one instant, between two instructions: all that its guest could ever notice, and no more.

It holds no monitor, no shadow, no translation and no frame of the host: what a VMM makes for a VM can be made again, so
a VM taken under one kind goes on under another. Pages that are all zero are left out; the disk is its image and the
sectors written since. (Rosenblum & Garfinkel, IEEE Computer 2005: "encapsulation"; Xen's and QEMU's save formats hold
the same parts.) Not in it: what a person had switched in its monitor, which is not the guest's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.addresses import PAGE_SHIFT
from core.cpu.virtual_cpu import VirtualCpu
from core.devices.disk_image import DiskImage
from core.events import End
from core.guests.image import Program
from core.guests.modules import Module
from core.vmm.own_state import OwnState


@dataclass(frozen=True, slots=True)
class VmSnapshot:
    """letter, kind      what it was called, and who monitored it
    program … modules    what it was made of, `memory` in bytes
    executed, idle       its virtual time: instructions and exceptions, and idle time skipped
    halted               does it wait for an interrupt?
    interrupted          was an interrupt delivered just now, so that no other comes before an instruction has run?
    end                  how its run ended, if it has
    cpu                  the processor, as the guest believes it to be
    ram                  page number → its bytes, of those that are not all zero
    devices              each device's state by its name; shared, never changed
    own                  what the guest has told its own kind of monitor
    console              all that it has written to its serial port
    """

    letter: str
    kind: str
    program: Program
    memory: int
    command_line: str
    disk: DiskImage | None
    modules: tuple[Module, ...]
    executed: int
    idle: int
    halted: bool
    interrupted: bool
    end: End | None
    cpu: VirtualCpu
    ram: Mapping[int, bytes] = field(repr=False)
    devices: Mapping[str, Any] = field(repr=False)
    own: OwnState | None = field(repr=False)
    console: bytes = field(repr=False)

    @property
    def time(self) -> int:
        """Its virtual time."""
        return self.executed + self.idle

    @property
    def pages(self) -> int:
        """How many pages its memory has."""
        return self.memory >> PAGE_SHIFT

    @property
    def sectors(self) -> Mapping[int, bytes]:
        """What it has written over its disk's image, by sector."""
        written: Mapping[int, bytes] = self.devices["disk"].overlay
        return written

    def disk_contents(self) -> bytes:
        """The whole disk as the guest sees it; nothing if it has none."""
        if self.disk is None:
            return b""
        return self.disk.with_sectors(self.sectors)
