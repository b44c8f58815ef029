"""The disk: one ATA drive on the primary channel, programmed I/O (ATA/ATAPI-6, T13 1410D).

The processor moves every word itself through the data register. The image is never changed: what the guest writes lies
in an overlay of sectors in the device's state. Commands take no virtual time. Modelled: IDENTIFY DEVICE, READ and WRITE
SECTORS, with LBA28 or CHS, FLUSH CACHE, SET FEATURES, INITIALIZE DEVICE PARAMETERS, soft reset, interrupts with nIEN.
There is one drive; a channel without any floats, and so do its registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.devices.device import Device, IrqLine, PortRegion
from core.devices.disk_image import SECTOR, DiskImage
from core.layout import PORT_DISK, PORT_DISK_CONTROL

DATA, ERROR, COUNT, LBA_LOW, LBA_MIDDLE, LBA_HIGH, DRIVE, COMMAND = range(8)
READY, REQUEST, FAILED = 0x50, 0x08, 0x01
ABORTED, NOT_FOUND = 0x04, 0x10
IDENTIFY, READ, READ_NO_RETRY, WRITE, WRITE_NO_RETRY = 0xEC, 0x20, 0x21, 0x30, 0x31
FLUSH, SET_FEATURES, PARAMETERS, RECALIBRATE = 0xE7, 0xEF, 0x91, 0x10
SLAVE, USES_LBA = 0x10, 0x40
SOFT_RESET, NO_INTERRUPTS = 0x04, 0x02
HEADS, SECTORS_A_TRACK = 16, 63
FLOATING = 0x7F

_REGISTERS = ("data", "error and features", "sector count", "sector number", "cylinder low", "cylinder high", "drive")


@dataclass(slots=True)
class DiskState:
    """Task-file registers, the transfer under way, and the sectors written so far."""

    count: int = 1
    lba: list[int] = field(default_factory=lambda: [1, 0, 0])
    drive: int = 0
    status: int = READY
    error: int = 1  # diagnostics passed
    control: int = 0
    buffer: bytearray = field(default_factory=bytearray)
    position: int = 0
    writing: bool = False
    sector: int = 0  # the next one to transfer
    left: int = 0  # sectors still to transfer, the one in the buffer included
    overlay: dict[int, bytes] = field(default_factory=dict)


class Disk(Device):
    """A drive over `image`, or an empty channel if that is None."""

    name = "disk"
    wide = True

    def __init__(self, image: DiskImage | None, line: IrqLine) -> None:
        self._image = image
        self._line = line
        self.state: DiskState = DiskState()

    @property
    def ports(self) -> Sequence[PortRegion]:
        """The task file, and the control register."""
        return (PortRegion(PORT_DISK, 8), PortRegion(PORT_DISK_CONTROL, 1))

    # -- sectors

    def contents(self) -> bytes:
        """The whole disk as the guest sees it now, to be saved as a new image."""
        if self._image is None:
            return b""
        data = bytearray(self._image.data)
        for sector, written in self.state.overlay.items():
            data[sector * SECTOR : (sector + 1) * SECTOR] = written
        return bytes(data)

    def _load(self, sector: int) -> bytes:
        assert self._image is not None, "only a drive that is there transfers"
        return self.state.overlay.get(sector) or self._image.data[sector * SECTOR : (sector + 1) * SECTOR]

    def _address(self) -> int:
        """The sector that the task file names."""
        state = self.state
        low, middle, high = state.lba
        if state.drive & USES_LBA:
            return (state.drive & 0xF) << 24 | high << 16 | middle << 8 | low
        return ((high << 8 | middle) * HEADS + (state.drive & 0xF)) * SECTORS_A_TRACK + low - 1

    # -- registers

    @property
    def _absent(self) -> bool:
        return self._image is None or bool(self.state.drive & SLAVE)

    def read_port(self, port: int, size: int) -> int:
        """A register; the data register gives `size` bytes."""
        state = self.state
        if port == PORT_DISK_CONTROL:
            return FLOATING if self._absent else state.status
        register = port - PORT_DISK
        if register == DRIVE and self._image is not None:
            return state.drive | 0xA0
        if self._absent:
            return (1 << 8 * size) - 1 if register == DATA else FLOATING
        match register:
            case 0:
                return self._take(size)
            case 1:
                return state.error
            case 2:
                return state.count
            case 3 | 4 | 5:
                return state.lba[register - LBA_LOW]
            case _:
                self._line(False)  # reading the status acknowledges the interrupt
                return state.status

    def write_port(self, port: int, size: int, value: int) -> None:
        """A register; the data register takes `size` bytes."""
        state = self.state
        register = port - PORT_DISK
        if port == PORT_DISK_CONTROL:
            self._control(value)
        elif register == DRIVE:
            state.drive = value & 0x5F
        elif self._absent:
            return
        elif register == DATA:
            self._give(value.to_bytes(size, "little"))
        elif register == COUNT:
            state.count = value & 0xFF
        elif LBA_LOW <= register <= LBA_HIGH:
            state.lba[register - LBA_LOW] = value & 0xFF
        elif register == COMMAND:
            self._command(value & 0xFF)

    def _control(self, value: int) -> None:
        state = self.state
        if value & SOFT_RESET:
            kept = state.overlay
            self.state = DiskState(overlay=kept, control=value)
        else:
            state.control = value
        if value & NO_INTERRUPTS:
            self._line(False)

    def _command(self, code: int) -> None:
        state = self.state
        state.status, state.error, state.left = READY, 0, 0
        self._line(False)
        match code:
            case 0xEC:
                self._begin(self._identity(), writing=False, sectors=1)
            case 0x20 | 0x21:
                self._transfer(writing=False)
            case 0x30 | 0x31:
                self._transfer(writing=True)
            case 0xE7 | 0xEF | 0x91 | 0x10:
                self._interrupt()
            case _:
                self._fail(ABORTED)

    def _transfer(self, *, writing: bool) -> None:
        state = self.state
        assert self._image is not None, "an absent drive takes no command"
        first, count = self._address(), state.count or 256
        if not 0 <= first <= self._image.sectors - count:
            self._fail(NOT_FOUND)
            return
        state.sector = first
        self._begin(bytes(SECTOR) if writing else self._load(first), writing=writing, sectors=count)

    def _begin(self, data: bytes, *, writing: bool, sectors: int) -> None:
        state = self.state
        state.buffer, state.position, state.writing, state.left = bytearray(data), 0, writing, sectors
        state.status = READY | REQUEST
        if not writing:
            self._interrupt()

    def _fail(self, error: int) -> None:
        self.state.status, self.state.error = READY | FAILED, error
        self._interrupt()

    def _interrupt(self) -> None:
        if not self.state.control & NO_INTERRUPTS:
            self._line(True)

    # -- data

    def _take(self, size: int) -> int:
        state = self.state
        if not state.status & REQUEST or state.writing:
            return (1 << 8 * size) - 1
        value = int.from_bytes(state.buffer[state.position : state.position + size], "little")
        state.position += size
        if state.position >= SECTOR:
            self._next_sector()
        return value

    def _give(self, data: bytes) -> None:
        state = self.state
        if not state.status & REQUEST or not state.writing:
            return
        state.buffer[state.position : state.position + len(data)] = data
        state.position += len(data)
        if state.position >= SECTOR:
            state.overlay[state.sector] = bytes(state.buffer[:SECTOR])
            self._next_sector()
            self._interrupt()

    def _next_sector(self) -> None:
        """The buffer is through: the next sector, or the end of the command."""
        state = self.state
        state.left -= 1
        state.sector += 1
        if not state.left:
            state.status = READY
            return
        state.buffer = bytearray(SECTOR if state.writing else self._load(state.sector))
        state.position = 0
        if not state.writing:
            self._interrupt()

    def _identity(self) -> bytes:
        """IDENTIFY DEVICE's 256 words: geometry, names, size."""
        assert self._image is not None, "an absent drive takes no command"
        total = self._image.sectors
        words = [0] * 256
        cylinders = min(total // (HEADS * SECTORS_A_TRACK), 16383)
        words[0], words[1], words[3], words[6] = 0x0040, cylinders, HEADS, SECTORS_A_TRACK
        for at, length, text in ((10, 10, "RINGSIDE-1"), (23, 4, "1.0"), (27, 20, "Ringside disk")):
            padded = text.ljust(2 * length).encode()
            words[at : at + length] = [padded[2 * n] << 8 | padded[2 * n + 1] for n in range(length)]
        words[49] = 0x0200  # LBA
        words[53], words[54], words[55], words[56] = 1, cylinders, HEADS, SECTORS_A_TRACK
        words[60], words[61] = total & 0xFFFF, total >> 16
        return b"".join(word.to_bytes(2, "little") for word in words)

    def describe(self, port: int, write: bool = False) -> str:
        """The register's name."""
        if port == PORT_DISK_CONTROL:
            return "device control and alternate status"
        register = port - PORT_DISK
        return _REGISTERS[register] if register < len(_REGISTERS) else "command and status"
