"""Where the person wants the machine to stop: addresses, and for those inside a program, in which program.

A processor's breakpoints (DR0–DR3, INT 3) know no address spaces; debuggers add what is here. All of a guest's programs
may lie at the same addresses, so a breakpoint set in one counts while CR3 shows that one. One address can hold a
breakpoint in one program at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.guests.image import Program


class Breakpoints:
    """The person's breakpoints, and the stops of a run under way."""

    def __init__(self) -> None:
        self.addresses: frozenset[int] = frozenset()
        self.temporary: frozenset[int] = frozenset()  # where the run under way stops, whatever program is in sight
        self._program_of: dict[int, str] = {}

    @property
    def wanted(self) -> frozenset[int]:
        """Where the CPU must stop, so that somebody looks."""
        return self.addresses | self.temporary

    def replace(self, addresses: frozenset[int], guest: Program | None, in_sight: str) -> None:
        """Have these; those that are new and lie in the guest's program `in_sight` belong to it."""
        fresh = addresses - self.addresses
        self.addresses = addresses
        self._program_of = {address: name for address, name in self._program_of.items() if address in addresses}
        program = guest.programs.get(in_sight) if guest is not None else None
        if program is not None:
            self._program_of |= {address: in_sight for address in fresh if program.holds(address)}

    def programs(self) -> dict[int, str]:
        """Of each breakpoint, the program that it belongs to; empty for none."""
        return {address: self._program_of.get(address, "") for address in sorted(self.addresses)}

    def put(self, programs: Mapping[int, str]) -> None:
        """Have just these, as `programs` told of them."""
        self.addresses = frozenset(programs)
        self._program_of = {address: name for address, name in programs.items() if name}

    def needs_program(self, pc: int) -> bool:
        """Does it take the program in sight to say whether the breakpoint at `pc` counts?"""
        return pc in self._program_of

    def counts(self, pc: int, in_sight: str) -> bool:
        """Does a breakpoint stand at `pc` that counts while the program `in_sight` is?"""
        return pc in self.addresses and self._program_of.get(pc, in_sight) == in_sight

    def elsewhere(self, in_sight: str) -> frozenset[int]:
        """Those that belong to other programs than the one in sight."""
        return frozenset(address for address, name in self._program_of.items() if name != in_sight)
