"""Split drivers: the monitor's halves of the drivers for console and disk, over rings in pages of the guest's.

The guest's half puts requests or bytes into a ring and sends an event; this half, which has the devices, takes them
out, answers in the same ring and posts an event back (Barham et al., SOSP 2003, §3.4; Xen's console.h and ring.h). One
departure then serves a whole ring, where an emulated device takes several for each byte. Simplified: there is no grant
table, since this half is the monitor itself and checks whose a frame is; a request is done when the event returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.devices.disk_image import SECTOR
from core.devices.pc import Pc
from core.layout import IRQ_SERIAL, PORT_PIC_MASTER, PORT_PIC_SLAVE, PORT_SERIAL

# the console's ring: two buffers of bytes, then {in_cons, in_prod, out_cons, out_prod}
IN_BYTES, OUT_BYTES = 1024, 2048
OUT_AT, INDEXES = IN_BYTES, IN_BYTES + OUT_BYTES
# the disk's ring: {requests made, answers given}, then slots {operation, sector, frame, offset, status}
REQUESTS, ANSWERS, SLOTS_AT, SLOTS, SLOT_BYTES = 0, 4, 64, 32, 32
READ, WRITE = 0, 1
OK, ERROR = 0, 0xFFFF_FFFF
DATA_READY = 0x01
ENABLE, MODEM_CONTROL, LINE_STATUS, FIFO_CONTROL = 1, 4, 5, 2
MASK = 0xFFFF_FFFF


class DriverMemory(Protocol):
    """The memory that rings and data lie in: the machine's, or a VM's own, by whatever address its guest gives."""

    def read(self, address: Any, size: int, /) -> bytes:
        """Bytes at `address`."""

    def write(self, address: Any, data: bytes, /) -> None:
        """Store bytes."""

    def read_u32(self, address: Any, /) -> int:
        """The word at `address`."""

    def write_u32(self, address: Any, value: int, /) -> None:
        """Store a word."""


@dataclass(slots=True, eq=False)
class ConsoleBack:
    """The console: bytes out to the serial port, bytes typed there in. `ring` is where its page is; `post()` sends the
    guest an event."""

    memory: DriverMemory
    ring: int
    pc: Pc
    post: Callable[[], None]
    listens: bool = True  # is the serial port's receiver this driver's, too?

    def start(self) -> None:
        """Take the serial port: FIFO on, an interrupt for what is received."""
        self._port(FIFO_CONTROL, 0x07)
        self._port(MODEM_CONTROL, 0x0B)
        self._port(ENABLE, 0x01)

    def _port(self, register: int, value: int) -> None:
        self.pc.bus.write_port(PORT_SERIAL + register, 1, value)

    def _index(self, number: int) -> int:
        return self.ring + INDEXES + 4 * number

    def notified(self) -> str:
        """Take what the guest has put out, and bring in what there is room for now."""
        memory = self.memory
        taken, made = memory.read_u32(self._index(2)), memory.read_u32(self._index(3))
        count = (made - taken) & MASK
        if count > OUT_BYTES:
            memory.write_u32(self._index(2), made)
            return f"the console's ring claims {count} bytes of {OUT_BYTES}: thrown away"
        for at in range(taken, taken + count):
            self._port(0, memory.read(self.ring + OUT_AT + at % OUT_BYTES, 1)[0])
        memory.write_u32(self._index(2), made)
        if self.listens:
            self.received()
        return f"console: took {count} bytes from the ring"

    def received(self) -> int:
        """Bring in what was typed, as far as there is room; the rest waits in the serial port, which is silent so long.

        How many bytes came.
        """
        memory, bus = self.memory, self.pc.bus
        taken, made = memory.read_u32(self._index(0)), memory.read_u32(self._index(1))
        count = 0
        while (made - taken) & MASK < IN_BYTES and bus.read_port(PORT_SERIAL + LINE_STATUS, 1) & DATA_READY:
            memory.write(self.ring + made % IN_BYTES, bytes((bus.read_port(PORT_SERIAL, 1),)))
            made = (made + 1) & MASK
            count += 1
        memory.write_u32(self._index(1), made)
        self._port(ENABLE, 0x01 if (made - taken) & MASK < IN_BYTES else 0)
        if count:
            self.post()
        return count


@dataclass(slots=True, eq=False)
class DiskBack:
    """The disk: sectors to and from pages of the guest's. `frame(number, written)` gives the page that a request names,
    or None if it may not be read, or written."""

    memory: DriverMemory
    ring: int
    pc: Pc
    frame: Callable[[int, bool], int | None]
    wrote: Callable[[], None] = field(default=lambda: None)  # told that guest memory was written

    @property
    def sectors(self) -> int:
        """How many the disk has; 0: there is none."""
        return self.pc.disk.sectors

    def notified(self) -> str:
        """Do all that was asked since the last time."""
        memory = self.memory
        made, given = (memory.read_u32(self.ring + at) for at in (REQUESTS, ANSWERS))
        count = (made - given) & MASK
        if count > SLOTS:
            memory.write_u32(self.ring + ANSWERS, made)
            return f"the disk's ring claims {count} requests of {SLOTS}: thrown away"
        done = 0
        for number in range(given, given + count):
            slot = self.ring + SLOTS_AT + number % SLOTS * SLOT_BYTES
            operation, sector, frame, offset = (memory.read_u32(slot + 4 * word) for word in range(4))
            fine = self._transfer(operation, sector, frame, offset)
            memory.write_u32(slot + 16, OK if fine else ERROR)
            done += fine
        memory.write_u32(self.ring + ANSWERS, made)
        return f"disk: did {done} of {count} requests"

    def _transfer(self, operation: int, sector: int, frame: int, offset: int) -> bool:
        if operation not in (READ, WRITE) or sector >= self.sectors:
            return False
        if offset % SECTOR or offset >= PAGE_SIZE or frame >> (32 - PAGE_SHIFT):
            return False
        page = self.frame(frame, operation == READ)
        if page is None:
            return False
        at = page + offset
        if operation == READ:
            self.memory.write(at, self.pc.disk.read_sector(sector))
            self.wrote()
        else:
            self.pc.disk.write_sector(sector, self.memory.read(at, SECTOR))
        return True


def take_interrupts(pc: Pc, lines: int) -> None:
    """Set the interrupt controllers up as their owner does: vectors from 32 on, only `lines` (a bit each) open."""
    for step, (first, second) in enumerate(((0x11, 0x11), (32, 40), (4, 2), (1, 1))):
        pc.bus.write_port(PORT_PIC_MASTER + (step > 0), 1, first)
        pc.bus.write_port(PORT_PIC_SLAVE + (step > 0), 1, second)
    pc.bus.write_port(PORT_PIC_MASTER + 1, 1, ~lines & 0xFF)
    pc.bus.write_port(PORT_PIC_SLAVE + 1, 1, 0xFF)


SERIAL_LINE = 1 << IRQ_SERIAL
