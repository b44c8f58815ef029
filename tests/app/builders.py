"""Facts for tests of the window: traps, registers, listings, snapshots and a small program, all made by hand.

The program is real machine code, so that what the views decode from its image is what its listing says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from app.engine.protocol import Loaded
from core.addresses import GuestPhysical
from core.cpu.decode import decode, spell
from core.events import Cause, Ring, Trap
from core.guests.image import ImageSegment, Program, SourceFile
from core.snapshot import CodeLine, Register, RegisterGroup, Snapshot
from core.stage import BARE, DEPRIVILEGED

BASE = 0x0010_0000
CODE = bytes.fromhex(
    "fa"  # start:   cli
    "b8 02 00 00 00"  #   mov eax, 2
    "83 c0 05"  #         add eax, 5
    "ba f8 03 00 00"  #   mov edx, 0x3f8
    "ee"  #               out dx, al
    "fb"  #      wait:    sti
    "f4"  #               hlt
    "eb fc"  #            jmp wait
)
SOURCE = """\
# a kernel that asks for very little
        .globl start
start:  cli                     # from here on no interrupt may come
        mov     $2, %eax
        add     $5, %eax
        mov     $0x3f8, %edx    # the serial port
        out     %al, %dx

wait:   sti
        hlt
        jmp     wait
"""
LINES = {0x00: 3, 0x01: 4, 0x06: 5, 0x09: 6, 0x0E: 7, 0x0F: 9, 0x10: 10, 0x11: 11}
SYMBOLS = {"start": BASE, "wait": BASE + 0x0F}


def program(name: str = "small") -> Program:
    """A guest of eight instructions, with its source."""
    return Program(
        name=name,
        title=name.capitalize(),
        summary="A guest of eight instructions.",
        path=f"{name}.s",
        entry=BASE,
        segments=(ImageSegment(GuestPhysical(BASE), CODE, len(CODE)),),
        symbols=dict(SYMBOLS),
        lines={BASE + offset: ("small.s", line) for offset, line in LINES.items()},
        sources=(SourceFile("small.s", SOURCE),),
        multiboot=False,
    )


def loaded(generation: int = 1, kind: str = "trap_emulate") -> Loaded:
    """That program, just powered on."""
    return Loaded(program(), kind, generation, "small")


def listing(first: int = 0, count: int = 99) -> tuple[CodeLine, ...]:
    """Its instructions as a snapshot lists them."""
    lines, offset = [], 0
    labels = {address: name for name, address in SYMBOLS.items()}
    while offset < len(CODE):
        address = BASE + offset
        size = decode(CODE[offset : offset + 15], address).len
        code = CODE[offset : offset + size]
        lines.append(CodeLine(address, code, spell(code, address), labels.get(address, ""), "small.s", LINES[offset]))
        offset += size
    return tuple(lines[first : first + count])


def trap(number: int = 0, **facts: object) -> Trap:
    """A CLI trapped in ring 1, unless told otherwise."""
    usual = Trap(
        number=number,
        time=100 * number,
        vm="A",
        ring_from=Ring.ONE,
        believed=Ring.KERNEL,
        ring_to=Ring.KERNEL,
        ring_after=Ring.ONE,
        cause=Cause.PRIVILEGED,
        vector=13,
        error_code=0,
        pc=BASE,
        instruction="cli",
        handler="monitor: CLI",
        outcome="cleared the virtual IF",
        pc_after=BASE + 1,
    )
    made = usual._replace(**facts)
    return made if "machine_time" in facts else made._replace(machine_time=made.time)


def traps(count: int, first: int = 0) -> tuple[Trap, ...]:
    """A lively mixture, with ascending numbers and times."""
    kinds = (
        trap(),
        trap(cause=Cause.IO, instruction="out dx, al", handler="serial", outcome="sent “H”", vector=None, pc=BASE + 14),
        trap(cause=Cause.SYSTEM_CALL, ring_from=Ring.USER, believed=Ring.USER, ring_to=Ring.ONE, vector=0x80,
             instruction="int 0x80", handler="guest handler 0x80", outcome="reflected into the guest", error_code=None),
        trap(cause=Cause.INTERRUPT, vector=0x20, handler="guest handler 0x20", outcome="delivered the timer's IRQ 0",
             instruction="jmp 0x0010000f", error_code=None),
    )  # fmt: skip
    return tuple(
        kinds[number * number % 7 % len(kinds)]._replace(number=number, time=time, machine_time=time)
        for number in range(first, first + count)
        for time in (137 * number + number % 11,)
    )


def registers(**changes: int) -> tuple[Register, ...]:
    """A guest kernel under trap-and-emulate; ``eax=5`` changes both values, ``real_cs=…`` only the true one."""
    rows: list[Register] = []
    general = {"EAX": 2, "EBX": 0x1_0000, "ECX": 0, "EDX": 0x3F8, "ESI": 0, "EDI": 0, "EBP": 0, "ESP": 0x7FF0}
    for name, value in general.items():
        rows.append(Register(name, RegisterGroup.GENERAL, 32, value, value, "General register"))
    control = RegisterGroup.CONTROL
    rows += [
        Register("EIP", control, 32, BASE + 1, BASE + 1, "Where the next instruction stands"),
        Register("EFLAGS", control, 32, 0x2, 0x202, "Flags", "IF=0 IOPL=0", "IF=1 IOPL=0"),
    ]
    for name, believed, real in (("CS", 0x08, 0x09), ("SS", 0x10, 0x11), ("DS", 0x10, 0x11), ("ES", 0x10, 0x11)):
        meaning = "Selector of a segment; its low two bits are the requested privilege level"
        detail, real_detail = f"index {believed >> 3} RPL 0", f"index {real >> 3} RPL {real & 3}"
        rows.append(Register(name, RegisterGroup.SEGMENTS, 16, believed, real, meaning, detail, real_detail))
    rows += [
        Register("CR0", RegisterGroup.SYSTEM, 32, 0x11, 0x11, "Machine mode", "PE ET", "PE ET"),
        Register("CR3", RegisterGroup.SYSTEM, 32, 0, 0, "Root of the page tables"),
        Register("GDTR", RegisterGroup.SYSTEM, 32, 0x1000, 0xFFC0_0000, "Descriptor table", "limit 0017", "limit FFFF"),
        Register("IDTR", RegisterGroup.SYSTEM, 32, 0, 0xFFC3_0000, "Interrupt table", "limit 0000", "limit 07FF"),
    ]
    changed = []
    for row in rows:
        value = changes.get(row.name.lower())
        row = row if value is None else replace(row, believed=value, real=value)
        real = changes.get(f"real_{row.name.lower()}")
        changed.append(row if real is None else replace(row, real=real))
    return tuple(changed)


def snapshot(**facts: object) -> Snapshot:
    """The small guest, stopped after its first instruction, unless told otherwise."""
    happened: tuple[Trap, ...] = facts.get("traps", (trap(),))  # type: ignore[assignment]
    console: bytes = facts.get("console", b"")  # type: ignore[assignment]
    usual: dict[str, object] = {
        "generation": 1,
        "vm": "A",
        "kind": "trap_emulate",
        "guest": "small",
        "executed": 1,
        "time": 1,
        "running": False,
        "stop": None,
        "end": None,
        "ring": Ring.ONE,
        "believed": Ring.KERNEL,
        "stage": BARE if facts.get("kind") == "bare" else DEPRIVILEGED,
        "pc": BASE + 1,
        "registers": registers(),
        "listing": listing(),
        "traps": happened,
        "trap_count": happened[-1].number + 1 if happened else 0,
        "causes": tuple(Counter(one.cause for one in happened).items()),
        "console": console,
        "console_length": len(console),
        "breakpoints": frozenset(),
        "sentence": "CLI in guest ring 0 is really ring 1: #GP, the monitor cleared the virtual IF of A.",
        "host_seconds": 0.001,
    }
    return Snapshot(**{**usual, **facts})  # type: ignore[arg-type]
