"""How to get from a function's registers to its caller's: call frame information (DWARF 4 §6.4, with pyelftools).

For every instruction the compiler says where its frame begins (the canonical frame address, CFA: the caller's ESP just
before the call) and where what it must preserve lies. A table row that saves CS describes what an interrupt pushes:
the kernel's entry code is annotated so, and by it a call stack goes on from the kernel into the program. Rules made of
expressions are left out (nothing of ours has them); who asks then learns that nothing is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from elftools.dwarf.callframe import FDE, CFARule, RegisterRule
from elftools.dwarf.dwarfinfo import DWARFInfo

from core.cpu.context import Gpr

EIP, CS = 8, 41  # numbers of the i386 psABI; general registers have those of `Gpr`
PRESERVED = (Gpr.EBX, Gpr.EBP, Gpr.ESI, Gpr.EDI)  # by every function, unless it says where it saved them

Registers = Mapping[int, int]
Read = Callable[[int], int | None]
"""The 32-bit word at a linear address, if it can be read."""


@dataclass(frozen=True, slots=True)
class UnwindRow:
    """From `start` on: the CFA is `offset` from `register`; `saved` registers lie at their offsets from the CFA."""

    start: int
    register: int
    offset: int
    saved: Mapping[int, int]
    undefined: frozenset[int] = frozenset()

    @property
    def by_interrupt(self) -> bool:
        """Was this frame entered by an exception, interrupt or system call?"""
        return CS in self.saved

    def base(self, registers: Registers) -> int | None:
        """The canonical frame address."""
        held = registers.get(self.register)
        return None if held is None else (held + self.offset) & 0xFFFF_FFFF

    def caller(self, registers: Registers, read: Read) -> dict[int, int] | None:
        """The registers that are known of its caller, EIP among them; None if it has none."""
        base = self.base(registers)
        if base is None or EIP in self.undefined:
            return None
        found: dict[int, int] = {
            reg: registers[reg] for reg in PRESERVED if reg in registers and reg not in self.undefined
        }
        for reg, offset in self.saved.items():
            found.pop(reg, None)
            word = read((base + offset) & 0xFFFF_FFFF)
            if word is not None:
                found[reg] = word
        # an interrupt pushes ESP only when it comes from an outer ring (SDM vol. 3 §6.12.1)
        if Gpr.ESP not in self.saved or (self.by_interrupt and found.get(CS, 0) & 3 == registers.get(CS, 0) & 3):
            found[Gpr.ESP] = base
        if not self.by_interrupt and CS in registers:
            found[CS] = registers[CS]
        return found if EIP in found and Gpr.ESP in found else None


class UnwindTable:
    """The rows of one image by address."""

    def __init__(self, dwarf: DWARFInfo) -> None:
        rows: dict[int, UnwindRow | None] = {}
        entries = [*(dwarf.CFI_entries() if dwarf.has_CFI() else ())]
        entries += dwarf.EH_CFI_entries() if dwarf.has_EH_CFI() else ()
        for entry in entries:
            if isinstance(entry, FDE):
                first = int(entry.header["initial_location"])
                rows.setdefault(first + int(entry.header["address_range"]), None)
                for line in entry.get_decoded().table:
                    rows[int(line["pc"])] = _row(line)
        self._starts = sorted(rows)
        self._rows = [rows[start] for start in self._starts]

    def at(self, address: int) -> UnwindRow | None:
        """What holds just before the instruction at `address` runs."""
        place = bisect_right(self._starts, address) - 1
        return self._rows[place] if place >= 0 else None

    def framed(self, start: int, stop: int, register: int) -> int | None:
        """How far the CFA is from `register` wherever in `start` to `stop` it is counted from it; None if nowhere."""
        rows = self._rows[bisect_right(self._starts, start - 1) : bisect_right(self._starts, stop - 1)]
        return next((row.offset for row in rows if row is not None and row.register == register), None)


def _row(line: dict[object, object]) -> UnwindRow | None:
    cfa = line["cfa"]
    if not isinstance(cfa, CFARule) or cfa.reg is None or cfa.offset is None:
        return None
    rules = {reg: rule for reg, rule in line.items() if isinstance(reg, int) and isinstance(rule, RegisterRule)}
    saved = {reg: int(str(rule.arg)) for reg, rule in rules.items() if rule.type == RegisterRule.OFFSET}
    kept = (RegisterRule.OFFSET, RegisterRule.SAME_VALUE)
    undefined = frozenset(reg for reg, rule in rules.items() if rule.type not in kept)
    return UnwindRow(int(str(line["pc"])), cfa.reg, cfa.offset, saved, undefined)
