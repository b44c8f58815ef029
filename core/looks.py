"""What an onlooker looks at in memory, and what they see there: question and answer, as facts.

The window says what is in sight (`Look`); each picture of the machine then carries just that (`Seen`), read at the same
instant as its registers. So a hidden view costs nothing, and nobody outside the lab has to translate an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.translations import SeenBlock, SeenCache


class Space(Enum):
    """Which kind of address is meant; `value` is what people call it."""

    LINEAR = "linear"
    PHYSICAL = "guest-physical"
    HOST = "host-physical"


class Follow(Enum):
    """A register whose linear address the look goes with."""

    EIP = "EIP"
    ESP = "ESP"


# -- bytes


@dataclass(frozen=True, slots=True)
class Span:
    """`size` bytes from `address` on. With `follow`, `address` counts from that register, rounded down to 16."""

    space: Space
    address: int
    size: int
    follow: Follow | None = None


class Ground(Enum):
    """What is at an address; `value` says it in words."""

    RAM = "RAM"
    DEVICE = "a device or nobody: not read, because reading a device can change it"
    UNMAPPED = "not mapped by the guest's page tables"
    NOWHERE = "beyond the machine's memory"


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a span on one page: `data` is empty unless its ground is RAM; `physical` is where it lies for the guest,
    None where it lies nowhere."""

    address: int
    size: int
    ground: Ground
    data: bytes = b""
    physical: int | None = None


@dataclass(frozen=True, slots=True)
class SeenBytes:
    """The bytes of `span`, from `start` on; where in its space the next instruction (of `pc_size` bytes) and the top
    of the stack stand, if they do."""

    span: Span
    start: int
    pieces: tuple[Piece, ...]
    pc: int | None
    pc_size: int
    stack: int | None


# -- page walks


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry met on a walk. `level` counts down to 1; `remark` says what sets it apart from the guest's own entry,
    and `lags` whether that is because it does not hold (yet) what the guest's does; `wide`: of eight bytes (PAE)."""

    level: int
    index: int
    address: int
    value: int
    remark: str = ""
    lags: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """An access that is imagined: does it get through (`error_code` is None), and if not, why not."""

    write: bool
    user: bool
    error_code: int | None
    why: str


@dataclass(frozen=True, slots=True)
class TableWalk:
    """One walk through one set of tables.

    title    whose tables ("Guest's tables")
    note     one sentence about them
    space    what kind of address its entries stand at
    result   what kind of address comes out of it
    paging   False: there are no tables to walk
    root     what their root register holds
    reached  where it ends, None if an entry is missing
    attempts what reading and writing by user and kernel would come to, by these tables
    fault    what the CPU calls it when they refuse
    """

    title: str
    note: str
    space: Space
    result: Space
    paging: bool
    root: int
    entries: tuple[TableEntry, ...]
    reached: int | None
    attempts: tuple[Attempt, ...] = ()
    fault: str = "#PF"


@dataclass(frozen=True, slots=True)
class Reference:
    """One read of an entry that the CPU makes to translate an address: `table` 0 is the guest's own, 1 the first of
    `PageWalk.real`; the entry's remark says what is looked for in it."""

    table: int
    entry: TableEntry


@dataclass(frozen=True, slots=True)
class PageWalk:
    """How `linear` is translated: by the guest's own tables, then by those that the CPU really walks where these are
    others, the frame of the machine in which it ends, and every entry that the CPU reads for it, in order."""

    linear: int
    guest: TableWalk
    real: tuple[TableWalk, ...]
    host: int | None
    references: tuple[Reference, ...] = ()


# -- the map of physical memory


class UseKind(Enum):
    """What a page of the VM's memory is used for, as far as an onlooker can know."""

    UNTOUCHED = "untouched"
    TOUCHED = "touched"
    FREE = "free"
    BOOT = "boot"
    SCREEN = "screen"
    IMAGE = "image"
    KERNEL = "kernel"
    TABLES = "tables"
    USER = "user"
    SHARED = "shared"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Use:
    """A line of the legend: its kind, its name ("shell (2)"), what it means in a sentence."""

    kind: UseKind
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns frames of the machine ("monitor of A"; empty: nobody), and what for where that is known."""

    owner: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A linear address that leads to a page, in which address space, and with the rights of its entries."""

    space: str
    linear: int
    writable: bool
    user: bool


@dataclass(frozen=True, slots=True)
class PageFacts:
    """More about one guest-physical page: what maps it (the first of them, and how many there are)."""

    page: int
    mappings: tuple[Mapping, ...]
    mapping_count: int


@dataclass(frozen=True, slots=True)
class PhysicalMap:
    """Every page at once, as arrays of bytes.

    uses     u8 for each guest-physical page: which line of `legend`
    frames   u32, little-endian, for each guest-physical page: the number of its frame
    holders  u8 for each frame of the machine: which of `holder_names`
    page     about the page that was asked for
    """

    uses: bytes
    legend: tuple[Use, ...]
    frames: bytes
    holders: bytes
    holder_names: tuple[Holder, ...]
    page: PageFacts | None = None


# -- the screen


@dataclass(frozen=True, slots=True)
class SeenScreen:
    """The screen's memory from the start of the picture on (`core.devices.vga.text_screen` reads it) and the cursor's
    offset in characters, None if there is none."""

    memory: bytes
    cursor: int | None


# -- the control block of AMD-V


@dataclass(frozen=True, slots=True)
class SeenVmcb:
    """A VM's control block (`core.vmm.vmcb` reads it): as the last exit left it, and as it was before that exit;
    `exit` is that exit's name, "" before the first."""

    address: int
    image: bytes
    before: bytes
    exit: str


# -- all of it


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: bytes, the walk of a linear address (or of a register's), the map and in it one guest page,
    the screen, the control block of AMD-V, the translation cache, and of its blocks one by its ordinal, or the one
    that the next instruction is in."""

    span: Span | None = None
    walk: int | Follow | None = None
    map: bool = False
    page: int | None = None
    screen: bool = False
    vmcb: bool = False
    cache: bool = False
    block: int | Follow | None = None

    def __or__(self, other: Look) -> Look:
        """Both looks at once; where both want the same thing, the first has it."""
        return Look(
            self.span or other.span,
            other.walk if self.walk is None else self.walk,
            self.map or other.map,
            other.page if self.page is None else self.page,
            self.screen or other.screen,
            self.vmcb or other.vmcb,
            self.cache or other.cache,
            other.block if self.block is None else self.block,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a `Look` shows; None for what was not looked at."""

    bytes: SeenBytes | None = None
    walk: PageWalk | None = None
    map: PhysicalMap | None = None
    screen: SeenScreen | None = None
    vmcb: SeenVmcb | None = None
    cache: SeenCache | None = None
    block: SeenBlock | None = None
