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
from core.past import Past
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


class VmState(Enum):
    """What a VM is doing. `value` names it in JSON and on the screen; `meaning` explains it."""

    RUNNING = ("running", "It has the CPU.")
    READY = ("ready", "It wants to run and waits for its turn.")
    HALTED = ("halted", "Its guest waits for an interrupt, and leaves the CPU to others.")
    CAPPED = ("capped", "It has had all the time that its cap allows in this period.")
    PAUSED = ("paused", "You paused it: it does not run, and its time stands still.")
    ENDED = ("ended", "Its guest's run is over.")

    meaning: str

    def __new__(cls, value: str, meaning: str) -> VmState:
        member = object.__new__(cls)
        member._value_ = value
        member.meaning = meaning
        return member


@dataclass(frozen=True, slots=True)
class VmSummary:
    """One VM among others.

    guest, kind    what runs in it under which kind of monitor, as both are asked for; `title`, `kind_title` for people
    weight, cap    its part of the CPU relative to others' weights; the percentage it may have at most, None: all
    executed       its instructions and exceptions so far; shares over a while are differences of it
    share          executed, as part of the whole machine's, 0 to 1; None before anything ran
    entitled       the part of the CPU that weight and cap give it among the VMs that are not paused or ended, 0 to 1
    memory         bytes of RAM that are its own now
    taken_back     bytes of its memory that the hypervisor has taken back, and keeps the contents of
    end            how its guest's run ended, if it has
    console_tail   the last bytes that it wrote to its serial port
    """

    letter: str
    guest: str
    kind: str
    state: VmState
    weight: int
    cap: int | None
    executed: int
    share: float | None
    entitled: float
    memory: int
    taken_back: int
    end: End | None
    console_tail: bytes
    title: str
    kind_title: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine at one virtual time, with the selected VM (`vm`) in full and all of them in `vms`.

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

    generation: int  # counts power-ons and journeys in time: a new one empties every view
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
    vms: tuple[VmSummary, ...] = ()  # in the order of their making; one, while the guest is alone
    machine_time: int = 0  # instructions of all VMs, and time in which none wanted the CPU
    free_memory: int = 0  # bytes that a VM's memory can be made of, beside what monitors need
    call_stack: tuple[CallFrame, ...] = ()  # innermost first, as far as it is certain
    past: Past | None = None  # None: the run is not recorded
    elsewhere: frozenset[int] = frozenset()  # those of the breakpoints that were set in another of the guest's programs
