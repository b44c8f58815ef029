"""What a random program's run has left, and how two such runs differ."""

from __future__ import annotations

from core.addresses import GuestPhysical
from core.guests.image import Program
from core.session import Session

from .random_programs import SCRATCH, SCRATCH_BYTES

MEMORY = 8 << 20  # all that the frame uses: less to clear and to hand out
LIMIT, PAGING_LIMIT = 4_000, 10_000  # nearly all end before; one that has run away shows no more by running on
# what the guest itself can read; IF and IOPL of EFLAGS included, since belief is compared
VISIBLE = (
    "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP", "EIP", "EFLAGS", "CPL", "CS", "SS", "DS", "ES", "FS", "GS",
    "CR0", "CR2", "CR3", "CR4", "GDTR", "IDTR", "LDTR", "TR",
)  # fmt: skip


def visible(session: Session) -> dict[str, object]:
    """All that a guest's run has left to compare."""
    registers = {register.name: hex(register.believed) for register in session.registers() if register.name in VISIBLE}
    assert session.program is not None
    if session.end is not None and "virtual-8086" in session.end.sentence:
        return {"end": "virtual-8086 mode: every kind stops, each where it notices"}
    if session.end is not None and "not carried out here" in session.end.sentence:
        return {"end": session.end}
    symbols = session.program.symbols
    data = session.vmm.physical.read(GuestPhysical(symbols.get("gdt", 0)), 0x3000)
    return {
        "end": session.end,
        "executed": session.executed,
        "time": session.time,
        "console": session.console,
        **registers,
        "data": data,
        "scratch": session.peek(SCRATCH, SCRATCH_BYTES),
        "stack": session.peek(0x2EFF00, 0x300),
        "kernel stack": session.peek(0x2FFF00, 0x100),
        "page tables": session.vmm.physical.read(GuestPhysical(0x400000), 0x5000),
        "frames": session.vmm.physical.read(GuestPhysical(0x600000), 0x10000),
    }


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """What differs, with the place in memory."""
    said: list[str] = []
    for name, value in expected.items():
        other = found[name]
        if value == other:
            continue
        if isinstance(value, bytes) and isinstance(other, bytes) and name != "console":
            places = [at for at, (a, b) in enumerate(zip(value, other, strict=True)) if a != b]
            said += [f"{name}+{at:#x}: {value[at]:#04x}, not {other[at]:#04x}" for at in places[:8]]
        else:
            said.append(f"{name}: {value}, not {other}")
    return said


class Pair:
    """One session that runs a program under one kind after another."""

    def __init__(self) -> None:
        self.session = Session(recording=False)
        self._reference: tuple[Program, dict[str, object]] | None = None  # the newest program's, under bare

    def run(self, program: Program, kind: str) -> dict[str, object]:
        """What the program has left under `kind`."""
        self.session.load(program, kind, memory=MEMORY)
        self.session.run(PAGING_LIMIT if "turn_paging_on" in program.symbols else LIMIT)
        return visible(self.session)

    def differences(self, program: Program, kinds: list[str]) -> list[str]:
        """How each of `kinds` differs from bare."""
        if self._reference is None or self._reference[0] != program:
            self._reference = program, self.run(program, "bare")
        expected = self._reference[1]
        return [f"{kind}: {said}" for kind in kinds for said in differences(expected, self.run(program, kind))]
