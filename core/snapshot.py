"""What an onlooker gets to see: one immutable picture of the machine, read from it at one virtual time.

Where a guest believes one thing and the CPU holds another, both are here side by side: that difference *is*
virtualization.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from core.call_frame import CallFrame
from core.events import Cause, End, Ring, StopReason, Trap
from core.guest_system import GuestSystem
from core.looks import Seen
from core.stage import Stage


class RegisterGroup(Enum):
    """How the registers are grouped for people; `value` is the heading."""

    GENERAL = "General"
    CONTROL = "Instruction pointer and flags"
    SEGMENTS = "Segments"
    SYSTEM = "System"


@dataclass(frozen=True, slots=True)
class Register:
    """One register: what the guest believes it holds and what the CPU really holds.

    `bits` is its width; `detail` spells out its fields ("IF=0 IOPL=0 ZF"), empty where there is nothing to say.
    The descriptor-table registers show their base; `detail` then names the limit.
    """

    name: str
    group: RegisterGroup
    bits: int
    believed: int
    real: int
    meaning: str
    detail: str = ""
    real_detail: str = ""

    @property
    def differs(self) -> bool:
        """Does the guest believe something else than the CPU holds?"""
        return self.believed != self.real


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One instruction as it stands in memory: linear address, bytes, text, and its source line where known."""

    address: int
    code: bytes
    text: str
    symbol: str = ""  # label that stands exactly here
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine at one virtual time.

    executed       instructions and exceptions of the guest so far (exact)
    time           virtual time: executed plus idle time skipped while halted
    ring, believed the ring the CPU is really in, and the one the guest believes it is in
    stage          who runs in which ring under this kind
    registers      in a fixed order for one kind
    listing        instructions around the program counter, in address order
    traps          the newest departures since the last snapshot, oldest first (bounded; `trap_count` tells of gaps)
    causes         how often each cause has occurred since power-on
    console        bytes the guest has written to its serial port since the last snapshot
    console_length all bytes written since power-on
    sentence       what just happened, in plain words with live values
    """

    generation: int  # counts power-ons: a new one empties every view
    vm: str
    kind: str
    guest: str
    executed: int
    time: int
    running: bool
    stop: StopReason | None
    end: End | None
    ring: Ring
    believed: Ring
    stage: Stage
    pc: int
    registers: tuple[Register, ...]
    listing: tuple[CodeLine, ...]
    traps: tuple[Trap, ...]
    trap_count: int
    causes: tuple[tuple[Cause, int], ...]
    console: bytes
    console_length: int
    breakpoints: frozenset[int]
    sentence: str
    host_seconds: float  # wall time spent executing since power-on
    guest_system: GuestSystem | None = None  # its processes, for a guest whose records can be read
    seen: Seen = field(default_factory=Seen)  # what the window looks at in memory
    call_stack: tuple[CallFrame, ...] = ()  # innermost first, as far as it is certain
    elsewhere: frozenset[int] = frozenset()  # those of the breakpoints that were set in another of the guest's programs
