"""Equivalence, looked at: the same guest under two kinds, and the first instruction after which they differ.

Popek & Goldberg's first property says that a guest acts under a monitor exactly as on bare hardware. Two sessions are
run side by side to the same counts; where what the guest can see (registers as it believes them, memory, console) no
longer agrees, the place is found by bisection, which works because every run can be repeated exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SIZE, GuestPhysical
from core.cpu.decode import decode, spell
from core.devices.disk_image import DiskImage
from core.events import StopReason
from core.guests.builds import counterpart
from core.guests.catalog import load_program, shipped_guests
from core.guests.image import Program
from core.guests.modules import Module
from core.session import Session
from core.vmm import kind_named
from core.vmm.holes import is_hole

REFERENCE = "bare"
FIRST_STRIDE, LONGEST_STRIDE = 1 << 12, 1 << 22  # instructions between two looks


@dataclass(frozen=True, slots=True)
class Difference:
    """After `executed` instructions `where` (a register, or a guest-physical address) held `expected` on the bare
    machine and `found` under the other kind; `instruction`, at linear `pc`, was the one that ran last. `documented`: it
    is one of the holes that ring deprivileging cannot close (`core.vmm.holes`), this is such a kind, and there it did
    not trap."""

    executed: int
    where: str
    expected: str
    found: str
    pc: int = 0
    instruction: str = ""
    documented: bool = False


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """Two builds of one source cannot be compared instruction by instruction, but by what they show: `where` (a line of
    the console, from 1, or the end) bare said `expected` and the other build `found`. `own_speed`: the lines are the
    same but for what the guest printed of its own speed, which another build of its kernel has by right."""

    where: str
    expected: str
    found: str
    own_speed: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What is run: a program with what it is given on its way, and how far at most."""

    program: Program
    command_line: str
    limit: int
    disk: DiskImage | None = None
    modules: tuple[Module, ...] = ()

    def load_into(self, session: Session, kind: str) -> None:
        """Power on, under `kind`."""
        session.load(self.program, kind, command_line=self.command_line, disk=self.disk, modules=self.modules)

    def under(self, kind: str) -> Setting | None:
        """The same with the build of the guest that `kind` can run; None if there is none."""
        interface = kind_named(kind).interface
        if self.program.interface is interface:
            return self
        info = shipped_guests().get(self.program.name)
        other = counterpart(info, interface) if info is not None else None
        return None if other is None else replace(self, program=load_program(other.name))


def output_differences(bare: Session, other: Session) -> tuple[OutputDifference, ...]:
    """Where the console's lines or the end of two runs to the end are not the same."""
    info = shipped_guests().get(bare.program.name) if bare.program is not None else None
    own_speed = info.own_speed if info is not None else ""
    left, right = (each.console.decode("utf-8", "backslashreplace").splitlines() for each in (bare, other))
    found = [
        OutputDifference(f"console, line {number}", expected, told, same_but_for(own_speed, expected, told))
        for number, (expected, told) in enumerate(zip_longest(left, right, fillvalue=""), 1)
        if expected != told
    ]
    ends = [(end.how.value, end.status) if end else ("no end", None) for end in (bare.end, other.end)]
    if ends[0] != ends[1]:
        found.append(OutputDifference("the end", str(ends[0]), str(ends[1])))
    return tuple(found)


def same_but_for(figures: str, expected: str, found: str) -> bool:
    """Are two lines the same when the figures that match a regular expression are left out?"""
    return bool(figures) and re.sub(figures, "#", expected) == re.sub(figures, "#", found)


def first_difference(
    setting: Setting, kind: str, progress: Callable[[int], None] = lambda _: None
) -> Difference | None:
    """The first difference between `kind` and bare, or None. `progress(executed)` is told how far it is."""
    pair = _Pair(setting, kind)
    try:
        equal, stride = 0, FIRST_STRIDE
        while True:
            reached = pair.advance(min(equal + stride, setting.limit))
            if not pair.same():
                return pair.bisect(equal, reached)
            if pair.over or reached >= setting.limit:
                return None
            equal, stride = reached, min(stride * 2, LONGEST_STRIDE)
            progress(equal)
    finally:
        pair.close()


class _Pair:
    """The two sessions. Each has a machine of its own."""

    def __init__(self, setting: Setting, kind: str) -> None:
        self._setting = setting
        self._sessions = {REFERENCE: Session(recording=False), kind: Session(recording=False)}
        self._kind = kind
        self.over = False
        self._start()

    def _start(self) -> None:
        for kind, session in self._sessions.items():
            self._setting.load_into(session, kind)

    def advance(self, count: int) -> int:
        """Run both up to `count`; how far they came."""
        stopped = []
        for session in self._sessions.values():
            reason = session.run(count - session.executed) if count > session.executed else StopReason.BUDGET
            stopped.append(reason is not StopReason.BUDGET)
        self.over = all(stopped)
        return max(session.executed for session in self._sessions.values())

    def bisect(self, equal: int, different: int) -> Difference:
        """Narrow down to the first count at which they differ, and say how."""
        while different - equal > 1:
            middle = (equal + different) // 2
            self._start()
            self.advance(middle)
            if self.same():
                equal = middle
            else:
                different = middle
        self._start()
        self.advance(different - 1)
        bare = self._sessions[REFERENCE]
        pc = bare.pc
        code = bare.peek_code(pc)
        other = self._sessions[self._kind]
        traps = other.traps.count
        self.advance(different)
        found = self._differences(different)
        trapped = any(trap.pc == pc and other.vmm.trapped(trap) for trap in other.traps.since(traps))
        documented = kind_named(self._kind).leaves_holes and not trapped and is_hole(decode(code, pc))
        return replace(found, pc=pc, instruction=spell(code, pc), documented=documented)

    def same(self) -> bool:
        """Can the guest see no difference?"""
        bare, other = self._sessions.values()
        return (
            bare.executed == other.executed
            and bare.console == other.console
            and bare.end == other.end
            and _believed(bare) == _believed(other)
            and bool(np.array_equal(_memory(bare), _memory(other)))
        )

    def _differences(self, executed: int) -> Difference:
        bare, other = self._sessions.values()
        expected, found = _believed(bare), _believed(other)
        for name, value in expected.items():
            if found[name] != value:
                return Difference(executed, name, f"{value:#x}", f"{found[name]:#x}")
        left, right = _memory(bare), _memory(other)
        places = np.flatnonzero(left != right)
        if len(places):
            at = int(places[0]) & ~3
            value, other_value = (int.from_bytes(memory[at : at + 4].tobytes(), "little") for memory in (left, right))
            return Difference(executed, f"memory at {at:#010x}", f"{value:#010x}", f"{other_value:#010x}")
        if bare.executed != other.executed or bare.end != other.end:
            return Difference(executed, "end", str(bare.end), str(other.end))
        return Difference(executed, "console", repr(bare.console[-40:]), repr(other.console[-40:]))

    def close(self) -> None:
        """Power both off."""
        for session in self._sessions.values():
            session.close()


def _believed(session: Session) -> dict[str, int]:
    return {register.name: register.believed for register in session.registers()}


def _memory(session: Session) -> npt.NDArray[np.uint8]:
    """The VM's memory in guest-physical order; without a copy where its frames lie side by side."""
    physical = session.vmm.physical
    if physical.kept:
        return np.frombuffer(physical.read(GuestPhysical(0), physical.size), np.uint8)
    frames = np.array(physical.frames, np.int64)
    array = session.machine.ram.array
    if bool(np.all(np.diff(frames) == PAGE_SIZE)):
        return array[int(frames[0]) : int(frames[0]) + physical.size]
    pages = array.reshape(-1, PAGE_SIZE)[frames // PAGE_SIZE]
    return np.ascontiguousarray(pages).reshape(-1)
