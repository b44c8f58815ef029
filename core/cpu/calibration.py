"""The self-check of the CPU's layout: provoke known state and look whether it stands where `context.py` says.

A wheel with another layout would not fail, it would lie; so the lab refuses to start on it. Checked: the size of the
structure, general registers, EIP, the hidden segment cache, the descriptor-table registers, CR3, CPL, the error code of
a provoked #GP(0x1234), and that a probe sees exactly one instruction a step.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.addresses import HostPhysical
from core.cpu.context import Gpr, Seg
from core.cpu.probes import Halted, ProbeBuffers
from core.cpu.unicorn_cpu import Cpu
from core.errors import CpuLayoutError
from core.memory.ram import Ram

MEMORY = 1 << 16
CODE = HostPhysical(0x1000)
MARK = 0xC0DE_0000
SELECTOR = 0x1234
DS_FROM_AX = bytes.fromhex("8ed8")
NOP = b"\x90"


class _Witness:
    """Keeps what the provoked exception looked like."""

    def __init__(self, cpu: Cpu) -> None:
        self._cpu = cpu
        self.seen: tuple[int, int, int] | None = None

    def exception(self, vector: int, error_code: int, software: bool) -> None:
        """Note vector, error code and EIP, and stop."""
        state = self._cpu.state
        self.seen = vector, error_code, state.eip
        self._cpu.end = 0

    def exited(self, code: int, info: int) -> None:
        """Not used."""

    def port_read(self, port: int, size: int) -> int:
        """Not used."""
        return 0

    def port_write(self, port: int, size: int, value: int) -> None:
        """Not used."""

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        """Not used."""
        return 0, 0, 0, 0

    def timestamp(self) -> int:
        """Not used."""
        return 0

    def sysenter(self) -> None:
        """Not used."""

    def syscall(self) -> None:
        """Not used."""

    def memory_read(self, address: int, size: int) -> int:
        """Not used."""
        return 0

    def memory_write(self, address: int, size: int, value: int) -> None:
        """Not used."""


@lru_cache(maxsize=1)
def verify_layout() -> None:
    """Raise CpuLayoutError if the CPU's state is not where we believe. Once a process; about ten milliseconds."""
    buffers = ProbeBuffers.private(MEMORY)
    ram = Ram(np.zeros(MEMORY, np.uint8), buffers.dirty)
    ram.write(CODE, NOP + DS_FROM_AX)
    cpu = Cpu(ram, buffers)
    witness = _Witness(cpu)
    cpu.connect(witness)
    state = cpu.state
    for reg in Gpr:
        state.regs[reg] = MARK + reg
    state.regs[Gpr.EAX] = MARK | SELECTOR
    for seg in (Seg.ES, Seg.CS, Seg.SS, Seg.DS):
        state.segs[seg].flags = 0x00CF_9B00 if seg is Seg.CS else 0x00CF_9300
        state.segs[seg].limit = 0xFFFF_FFFF
    state.segs[Seg.GDTR].base, state.segs[Seg.GDTR].limit = 0x2000, 0x17
    state.eip = CODE
    cpu.write_cr(3, 0x5000)

    facts: list[tuple[str, object, object]] = []
    cpu.end = 1
    facts.append(("a step of one instruction", cpu.run(), Halted.BUDGET))
    facts.append(("the count after it", cpu.executed, 1))
    facts.append(("EIP", state.eip, CODE + 1))
    cpu.end = 2
    cpu.run()
    facts.append(("the provoked #GP", witness.seen, (13, SELECTOR, CODE + 1)))
    facts += [(reg.name, int(state.regs[reg]), MARK + reg) for reg in Gpr if reg is not Gpr.EAX]
    facts.append(("CS cache", state.segs[Seg.CS].flags, 0x00CF_9B00))
    facts.append(("GDTR", (state.segs[Seg.GDTR].base, state.segs[Seg.GDTR].limit), (0x2000, 0x17)))
    facts.append(("CR3", int(state.cr[3]), 0x5000))
    facts.append(("CPL", cpu.cpl, 0))
    cpu.close()
    wrong = [f"{name} is {found}, not {expected}" for name, found, expected in facts if found != expected]
    if wrong:
        raise CpuLayoutError(
            f"This unicorn keeps its CPU state elsewhere than version 2.1.4 does ({wrong[0]}); install unicorn==2.1.4.",
            "\n".join(wrong),
        )
