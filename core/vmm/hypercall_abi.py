"""The hypercall interface as numbers: what `assets/guests/pebble/kernel/pv.h` says in C.

Numbers, argument registers and structures are those of Xen 3's public headers (xen.h, event_channel.h, sched.h) for
32 bits; what a guest of the lab needs of them. Our own: the start page tells of a disk (Xen had its store for that),
shutdown carries a status, and the machine-to-physical table is at another address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

HYPERCALL_VECTOR = 0x82


class Hypercall(IntEnum):
    """EAX of INT 0x82; the names are Xen's."""

    SET_TRAP_TABLE = 0
    MMU_UPDATE = 1
    SET_GDT = 2
    STACK_SWITCH = 3
    SET_CALLBACKS = 4
    FPU_TASKSWITCH = 5
    UPDATE_DESCRIPTOR = 10
    MULTICALL = 13
    UPDATE_VA_MAPPING = 14
    SET_TIMER_OP = 15
    XEN_VERSION = 17
    CONSOLE_IO = 18
    IRET = 23
    MMUEXT_OP = 26
    SCHED_OP = 29
    EVENT_CHANNEL_OP = 32


class MmuExt(IntEnum):
    """Operations of mmuext_op: of entries {command, frame or address}."""

    PIN_L1_TABLE = 0
    PIN_L2_TABLE = 1
    UNPIN_TABLE = 4
    NEW_BASEPTR = 5
    TLB_FLUSH_LOCAL = 6
    INVLPG_LOCAL = 7


class Sched(IntEnum):
    """Operations of sched_op."""

    YIELD = 0
    BLOCK = 1
    SHUTDOWN = 2


class EventOp(IntEnum):
    """Operations of event_channel_op."""

    BIND_VIRQ = 1
    CLOSE = 3
    SEND = 4
    STATUS = 5
    UNMASK = 9


class Errno(IntEnum):
    """What a hypercall that fails gives, negated. `phrase` is for the record."""

    PERMISSION = (1, "not permitted")
    NO_SUCH_ENTRY = (2, "there is no such thing")
    FAULT = (14, "an address of its arguments cannot be used")
    BUSY = (16, "in use already")
    INVALID = (22, "its arguments are not valid")
    NO_SPACE = (28, "no room")
    NOT_THERE = (38, "there is no such hypercall")

    def __new__(cls, value: int, phrase: str) -> Errno:
        member = int.__new__(cls, value)
        member._value_ = value
        member.phrase = phrase
        return member

    phrase: str


class Refused(Exception):
    """A hypercall is refused: with which number, and why, in words for the record."""

    def __init__(self, errno: Errno, why: str = "") -> None:
        super().__init__(errno)
        self.errno = errno
        self.why = why or errno.phrase


VERSION = 0x0003_0000
MULTICALL_BYTES, MULTICALL_ARGUMENTS = 32, 6  # {op, result, args[6]}
TRAP_BYTES = 8  # {vector, flags, CS:16, address:32}
TRAP_DPL, TRAP_MASKS = 3, 4  # of the flags
MOST_ENTRIES = 4096  # of one mmu_update, mmuext_op or multicall
MOST_WORK = 1 << 16  # of one departure: entries, bytes of the console, entries of the tables that are judged
UVMF_TLB_FLUSH, UVMF_INVLPG = 1, 2

# selectors of the monitor's own descriptors, in the 15th page of every guest's GDT
GUEST_GDT_PAGES = 14
RESERVED_PAGE = GUEST_GDT_PAGES
KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA = 0xE019, 0xE021, 0xE02B, 0xE033

# the shared page: vcpu_info of the one CPU, then the bitmaps of event channels
UPCALL_PENDING, UPCALL_MASK, PENDING_SELECTOR, FAULT_ADDRESS = 0, 1, 4, 8
TSC_STAMP, SYSTEM_TIME, TSC_MULTIPLIER, TSC_SHIFT = 40, 48, 56, 60
EVENTS_PENDING, EVENTS_MASK = 0x800, 0x880
CHANNELS = 1024
VIRQ_TIMER = 0

# the start page, whose address ESI holds at entry
START_MAGIC = b"ringside-paravirt-1"


@dataclass(frozen=True, slots=True)
class StartPage:
    """What the builder of a VM tells its guest. Frames are numbers of the machine's, addresses linear."""

    pages: int
    shared_frame: int
    page_tables: int
    page_table_pages: int
    frame_list: int
    machine_to_physical: int
    console_ring: int
    console_channel: int
    disk_ring: int
    disk_channel: int
    disk_sectors: int

    def packed(self) -> bytes:
        """As it lies in memory: 32 bytes of magic, then the fields, 32 bits each."""
        fields = (getattr(self, name) for name in self.__slots__)
        return START_MAGIC.ljust(32, b"\0") + b"".join(value.to_bytes(4, "little") for value in fields)
