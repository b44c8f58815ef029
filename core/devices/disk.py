"""The disk: one ATA drive on the primary channel, programmed I/O (ATA/ATAPI-6, T13 1410D).

The processor moves every word itself through the data register. The image is never changed: what the guest writes lies
in an overlay of sectors in the device's state. Commands take no virtual time. Modelled: IDENTIFY DEVICE, READ and WRITE
SECTORS, with LBA28 or CHS, FLUSH CACHE, SET FEATURES (taken, and without effect), RECALIBRATE, EXECUTE DEVICE
DIAGNOSTIC, INITIALIZE DEVICE PARAMETERS for the one geometry that there is, soft reset, interrupts with nIEN. There is
one drive, which answers for the absent second one as the standard says; a channel without any floats, and so do its
registers. The data register is 16 bits wide: an access to one byte of it moves the whole word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from core.devices.device import Device, IrqLine, PortRegion, is_bytes
from core.devices.disk_image import SECTOR, DiskImage
from core.layout import PORT_DISK, PORT_DISK_CONTROL

DATA, ERROR, COUNT, LBA_LOW, LBA_MIDDLE, LBA_HIGH, DRIVE, COMMAND = range(8)
READY, REQUEST, FAILED = 0x50, 0x08, 0x01
ABORTED, NOT_FOUND = 0x04, 0x10
SLAVE, USES_LBA = 0x10, 0x40
SOFT_RESET, NO_INTERRUPTS = 0x04, 0x02
HEADS, SECTORS_A_TRACK = 16, 63
FLOATING = 0x7F
NO_STATUS = 0  # of the second drive, given by the first
DIAGNOSTICS_PASSED = 1

_NAMES = ("data", "error", "sector count", "LBA low", "LBA middle", "LBA high", "device", "status")
_NAMES_FOR_WRITES = {ERROR: "features", COMMAND: "command"}


class Command(IntEnum):
    """What the drive can be told to do; any other code is aborted."""

    RECALIBRATE = 0x10
    READ = 0x20
    READ_WITHOUT_RETRIES = 0x21
    WRITE = 0x30
    WRITE_WITHOUT_RETRIES = 0x31
    DIAGNOSE = 0x90
    SET_PARAMETERS = 0x91
    FLUSH_CACHE = 0xE7
    IDENTIFY = 0xEC
    SET_FEATURES = 0xEF


@dataclass(slots=True)
class DiskState:
    """Task-file registers, the transfer under way, and the sectors written so far."""

    count: int = 1
    lba: list[int] = field(default_factory=lambda: [1, 0, 0])
    drive: int = 0
    status: int = READY
    error: int = DIAGNOSTICS_PASSED
    control: int = 0
    interrupt: bool = False  # pending; nIEN only keeps it from the line
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

    def is_sound(self, state: DiskState) -> bool:
        """See `Device`."""
        transferring = bool(state.status & REQUEST)
        whole = len(state.buffer) == SECTOR and 0 <= state.position < SECTOR and not state.position & 1
        ahead = not state.left or state.sector + state.left <= self.sectors or not state.sector
        return (
            is_bytes((state.count, state.drive, state.status, state.error, state.control, *state.lba))
            and len(state.lba) == 3
            and (not transferring or (whole and state.left > 0 and self._image is not None))
            and min(state.sector, state.left) >= 0
            and ahead
            and state.left <= 256
            and all(0 <= at < self.sectors and len(data) == SECTOR for at, data in state.overlay.items())
        )

    @property
    def ports(self) -> Sequence[PortRegion]:
        """The task file, and the control register."""
        return (PortRegion(PORT_DISK, 8), PortRegion(PORT_DISK_CONTROL, 1))

    # -- sectors

    def contents(self) -> bytes:
        """The whole disk as the guest sees it now, to be saved as a new image."""
        return self._image.with_sectors(self.state.overlay) if self._image is not None else b""

    @property
    def sectors(self) -> int:
        """How many there are; none in an empty channel."""
        return self._image.sectors if self._image is not None else 0

    def read_sector(self, sector: int) -> bytes:
        """What is in one of the sectors there are: for a driver that has the drive for itself."""
        return self._load(sector)

    def write_sector(self, sector: int, data: bytes) -> None:
        """Write a whole sector."""
        self.state.overlay[sector] = data

    def _load(self, sector: int) -> bytes:
        assert self._image is not None, "only a drive that is there transfers"
        return self.state.overlay.get(sector) or self._image.data[sector * SECTOR : (sector + 1) * SECTOR]

    def _address(self) -> int:
        """The sector that the task file names."""
        state = self.state
        low, middle, high = state.lba
        if state.drive & USES_LBA:
            return (state.drive & 0xF) << 24 | high << 16 | middle << 8 | low
        if not 1 <= low <= SECTORS_A_TRACK:
            return -1  # a track has no such sector
        return ((high << 8 | middle) * HEADS + (state.drive & 0xF)) * SECTORS_A_TRACK + low - 1

    # -- registers

    def read_port(self, port: int, size: int) -> int:
        """A register. Each word of data is one read of 16 bits; reading the status acknowledges the interrupt."""
        state, register = self.state, port - PORT_DISK
        if register == DATA:
            return self._take() | self._take() << 16 if size == 4 else self._take() & (1 << 8 * size) - 1
        if size > 1:
            return sum(self.read_port(port + n, 1) << 8 * n for n in range(size))
        if self._image is None:
            return FLOATING
        match register:
            case 1:
                return state.error
            case 2:
                return state.count
            case 3 | 4 | 5:
                return state.lba[register - LBA_LOW]
            case 6:
                return state.drive | 0xA0
        if register == COMMAND and not state.drive & SLAVE:
            self._set_interrupt(False)
        return NO_STATUS if state.drive & SLAVE else state.status

    def write_port(self, port: int, size: int, value: int) -> None:
        """A register. Each word of data is one write of 16 bits."""
        state, register = self.state, port - PORT_DISK
        if self._image is None:
            return
        if register == DATA:
            for shift in range(0, 8 * size, 16):
                self._give(value >> shift & 0xFFFF)
        elif size > 1:
            for n in range(size):
                self.write_port(port + n, 1, value >> 8 * n & 0xFF)
        elif port == PORT_DISK_CONTROL:
            self._control(value)
        elif register == COUNT:
            state.count = value
        elif LBA_LOW <= register <= LBA_HIGH:
            state.lba[register - LBA_LOW] = value
        elif register == DRIVE:
            state.drive = value & 0x5F
        elif register == COMMAND and (not state.drive & SLAVE or value == Command.DIAGNOSE):
            self._command(value)

    def _control(self, value: int) -> None:
        if value & SOFT_RESET:
            self.state = DiskState(overlay=self.state.overlay)
        self.state.control = value & NO_INTERRUPTS
        self._signal()

    def _set_interrupt(self, pending: bool) -> None:
        self.state.interrupt = pending
        self._signal()

    def _signal(self) -> None:
        """The request line, which nIEN takes off the bus."""
        self._line(self.state.interrupt and not self.state.control & NO_INTERRUPTS)

    def _command(self, code: int) -> None:
        state = self.state
        state.status, state.error, state.left = READY, 0, 0
        self._set_interrupt(False)
        match code:
            case Command.IDENTIFY:
                self._begin(self._identity(), writing=False, sectors=1)
            case Command.READ | Command.READ_WITHOUT_RETRIES:
                self._transfer(writing=False)
            case Command.WRITE | Command.WRITE_WITHOUT_RETRIES:
                self._transfer(writing=True)
            case Command.DIAGNOSE:
                state.error, state.count, state.lba, state.drive = DIAGNOSTICS_PASSED, 1, [1, 0, 0], 0
                self._set_interrupt(True)
            case Command.SET_PARAMETERS if (state.drive & 0xF, state.count) != (HEADS - 1, SECTORS_A_TRACK):
                self._fail(ABORTED)
            case Command.SET_PARAMETERS | Command.FLUSH_CACHE | Command.SET_FEATURES | Command.RECALIBRATE:
                self._set_interrupt(True)
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
            self._set_interrupt(True)

    def _fail(self, error: int) -> None:
        self.state.status, self.state.error = READY | FAILED, error
        self._set_interrupt(True)

    # -- data

    def _take(self) -> int:
        """The next word for the guest, all ones if there is none."""
        state = self.state
        if not state.status & REQUEST or state.writing:
            return 0xFFFF
        at = state.position
        word = state.buffer[at] | state.buffer[at + 1] << 8
        state.position += 2
        if state.position == SECTOR:
            self._next_sector()
        return word

    def _give(self, word: int) -> None:
        """The next word from the guest, dropped if none is wanted."""
        state = self.state
        if not state.status & REQUEST or not state.writing:
            return
        state.buffer[state.position : state.position + 2] = word.to_bytes(2, "little")
        state.position += 2
        if state.position == SECTOR:
            state.overlay[state.sector] = bytes(state.buffer)
            self._next_sector()
            self._set_interrupt(True)

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
            self._set_interrupt(True)

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
        by_chs = cylinders * HEADS * SECTORS_A_TRACK
        words[57], words[58] = by_chs & 0xFFFF, by_chs >> 16
        words[60], words[61] = total & 0xFFFF, total >> 16
        return b"".join(word.to_bytes(2, "little") for word in words)

    def describe(self, port: int, write: bool = False) -> str:
        """The register, by the name that it has for a read or for a write."""
        if port == PORT_DISK_CONTROL:
            return "device control" if write else "alternate status"
        register = port - PORT_DISK
        return _NAMES_FOR_WRITES.get(register, _NAMES[register]) if write else _NAMES[register]
