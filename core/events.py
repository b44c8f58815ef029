"""What can happen in the lab, as facts: rings, causes, traps, ends.

A `Trap` is one departure from direct execution, recorded by the interposer after it was handled. Everything here is
immutable and travels between processes unchanged. Terms follow Popek & Goldberg (1974), Intel SDM vol. 3 and AMD APM
vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

# A named tuple of a tuple of all its fields: its own constructor is Python, and costs the hot paths too much.
made_quickly = tuple.__new__


class Ring(IntEnum):
    """A privilege level. HOST is "ring −1": the mode in which a hypervisor with hardware assistance runs."""

    HOST = -1
    KERNEL = 0
    ONE = 1
    TWO = 2
    USER = 3


RINGS = (Ring.KERNEL, Ring.ONE, Ring.TWO, Ring.USER)
"""The ring of a CPL: indexing costs a tenth of calling the enumeration."""


class Cause(Enum):
    """Why the CPU left direct execution. `value` names it in JSON and lessons; `phrase`, `meaning` are for people."""

    FAULT = ("fault", "Fault", "The CPU refused an instruction and raised an exception.")
    PRIVILEGED = (
        "privileged",
        "Privileged instruction",
        "An instruction that only ring 0 may run was tried outside it, so it trapped.",
    )
    SYSTEM_CALL = ("system-call", "System call", "A program asked its kernel for a service (INT n, SYSENTER, SYSCALL).")
    INTERRUPT = ("interrupt", "Interrupt", "A device asked for attention between two instructions.")
    IO = ("io", "I/O", "The program read or wrote a device.")
    PAGE_FAULT_TRUE = (
        "page-fault",
        "Page fault",
        "The guest's own page tables forbid this access: its kernel must act.",
    )
    PAGE_FAULT_HIDDEN = (
        "hidden-page-fault",
        "Hidden page fault",
        "Only the monitor's page tables forbid this access; the monitor mends it and the guest never knows.",
    )
    TRACE = ("trace", "Trace", "The guest wrote to a structure the monitor keeps a shadow of, so the shadow follows.")
    HALT = ("halt", "Halt", "The CPU was told to wait for an interrupt.")
    EXIT = ("exit", "#VMEXIT", "The hardware left guest mode and gave control to the hypervisor.")
    CALLOUT = ("callout", "Callout", "Translated code called its monitor for something too complex to do in line.")
    HYPERCALL = ("hypercall", "Hypercall", "A modified guest asked its hypervisor for a service.")
    WORLD_SWITCH = ("world-switch", "World switch", "The hypervisor put one VM aside and let another run.")

    def __new__(cls, value: str, phrase: str, meaning: str) -> Cause:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, value: str, phrase: str, meaning: str) -> None:
        self.phrase = phrase
        self.meaning = meaning

    # identity is equality for enum members, and this hash does not cost a Python call a trap
    __hash__ = object.__hash__


# these come between two instructions, and are the attempt of none
BETWEEN_INSTRUCTIONS = frozenset({Cause.INTERRUPT, Cause.WORLD_SWITCH})


class Trap(NamedTuple):
    """One departure from direct execution, and what was done about it. (A tuple, since it is made in the hot path.)

    number       ordinal since power-on, from 0
    time         virtual time of its VM (instructions executed plus idle time skipped) when it happened
    vm           letter of the VM that was running
    ring_from    ring the CPU was really in
    believed     ring the guest believes it was in
    ring_to      ring in which the departure was handled (HOST for a hypervisor under AMD-V)
    ring_after   ring in which execution went on
    vector       exception or interrupt vector, if it has one
    error_code   as pushed by the CPU, if the vector has one
    pc           linear address of the instruction (for an interrupt: of the one that was about to run)
    instruction  that instruction, disassembled
    handler      who handled it ("guest handler 0x80", "monitor: CLI" …)
    outcome      what was done, a clause with live values ("cleared the virtual IF")
    pc_after     linear address where execution went on
    cycles       modelled cycles, or None while no cost model is chosen
    machine_time the same moment on the machine's clock, which all VMs share: equal to `time` while there is one VM
    reason       for a departure whose cause is how it left (#VMEXIT, callout, hypercall): what the guest did, as a
                 cause of the other kinds (I/O, a privileged instruction …); None where the cause says it
    """

    number: int
    time: int
    vm: str
    ring_from: Ring
    believed: Ring
    ring_to: Ring
    ring_after: Ring
    cause: Cause
    vector: int | None
    error_code: int | None
    pc: int
    instruction: str
    handler: str
    outcome: str
    pc_after: int
    cycles: int | None = None
    machine_time: int = 0
    reason: Cause | None = None


class EndHow(Enum):
    """How a guest's run came to its end. `value` names it in JSON."""

    EXIT = "exit"  # the guest wrote its status to the exit port
    HALTED = "halted"  # HLT with interrupts off: nothing can ever wake it
    LIMIT = "limit"  # the instruction limit of the caller was reached
    ERROR = "error"  # triple fault, or something the lab cannot carry on from


@dataclass(frozen=True, slots=True)
class End:
    """The end of a run: how, with which status (exit only), and a sentence for people."""

    how: EndHow
    status: int | None
    sentence: str


class StopReason(Enum):
    """Why `run` came back. The machine can go on after all but ENDED."""

    BUDGET = "budget"  # as many instructions as were asked for
    BREAKPOINT = "breakpoint"
    REQUESTED = "requested"  # the person pressed Stop
    IDLE = "idle"  # halted, and about to sleep longer, until a timer event, than the caller let it
    WAITING = "waiting"  # halted with interrupts on, and only outside input can wake it
    ENDED = "ended"


VECTOR_NAMES = {
    0: "#DE divide error",
    1: "#DB debug",
    2: "NMI",
    3: "#BP breakpoint",
    4: "#OF overflow",
    5: "#BR bound range",
    6: "#UD invalid opcode",
    7: "#NM device not available",
    8: "#DF double fault",
    10: "#TS invalid TSS",
    11: "#NP segment not present",
    12: "#SS stack fault",
    13: "#GP general protection",
    14: "#PF page fault",
    16: "#MF floating point",
    17: "#AC alignment check",
    18: "#MC machine check",
    19: "#XM SIMD floating point",
}


def vector_name(vector: int) -> str:
    """The manual's mnemonic of an exception vector, or ``interrupt 0xNN``."""
    return VECTOR_NAMES.get(vector) or f"interrupt {vector:#04x}"
