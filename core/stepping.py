"""Steps: by source lines into, over and out; over one instruction, out of a function; at the speed of the machine.

A step puts stops where the code can leave what is being stepped through (a line, a function put in line) and lets the
CPU run; only at a stop does anybody look. What else comes there meanwhile, the same function called deeper, another
process, an interrupt's handler, is told by its frame's address, and for programs by CR3, and passed. Where no debug
information describes frames (hand-written assembly) it goes instruction by instruction, calls taken whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from iced_x86 import FlowControl, Instruction, Mnemonic

from core.call_stack import Activation, Place, Unwinder
from core.cpu.context import Gpr
from core.cpu.decode import decode
from core.events import StopReason
from core.guest_system import GuestProcess
from core.guests.unwind import CS, EIP
from core.step_kind import StepKind

REACH = 0x1000  # bytes by which a stack pointer may have come out further than expected: arguments removed by RET n
MOST_CODE = 4096  # instructions looked at in search of a function's returns
LONGEST = 15

CALLS = (FlowControl.CALL, FlowControl.INDIRECT_CALL, FlowControl.INTERRUPT)
JUMPS = (FlowControl.UNCONDITIONAL_BRANCH, FlowControl.CONDITIONAL_BRANCH)
BLIND = (FlowControl.RETURN, FlowControl.INDIRECT_BRANCH)  # where they lead only running them tells
FAST_CALLS = (Mnemonic.SYSENTER, Mnemonic.SYSCALL)


class Stepped(Protocol):
    """What a step needs of the session."""

    @property
    def unwinder(self) -> Unwinder: ...
    @property
    def selected(self) -> str: ...
    @property
    def pc(self) -> int: ...
    @property
    def code_bits(self) -> int: ...
    @property
    def cr3(self) -> int: ...
    @property
    def last_pc(self) -> int: ...
    @property
    def at_breakpoint(self) -> bool: ...
    def select(self, letter: str) -> None: ...
    def place(self) -> Place: ...
    def step(self, count: int = 1) -> StopReason: ...
    def run_to_any(self, addresses: frozenset[int], *, leave: bool) -> StopReason: ...


@dataclass(frozen=True, slots=True)
class Thread:
    """Whose stack: programs lie at the same addresses, so their CR3 tells; kernel stacks lie beside each other, and
    the kernel changes CR3 on the way, so there the stack itself tells."""

    ring: int
    cr3: int

    @classmethod
    def of(cls, place: Place, cr3: int) -> Thread:
        ring = place.registers[CS] & 3
        return cls(ring, cr3 if ring == 3 else 0)


@dataclass(frozen=True, slots=True)
class Target:
    """A place to come back to: an address, with the stack pointer at or little above `esp`, in that thread."""

    address: int
    esp: int
    thread: Thread

    def is_at(self, place: Place, cr3: int) -> bool:
        registers = place.registers
        here = registers[EIP] == self.address and Thread.of(place, cr3) == self.thread
        return here and self.esp <= registers[Gpr.ESP] < self.esp + REACH


class Step:
    """A step under way. `go` runs it on until it has arrived, or something else stops it; then it can be taken up.

    `whole`: it may take more than one instruction. `process`: whose program is stepped, where the guest has such.
    """

    def __init__(self, session: Stepped, kind: StepKind, process: GuestProcess | None = None) -> None:
        self._session = session
        self.kind = kind
        self.process = process
        self.arrived = False
        self._vm = session.selected
        self._looked = True  # has what stands at the program counter been judged already?
        self._back: Target | None = None  # a function that is being left, or a call taken whole
        self._ends_back = False  # is the step over when it is back?
        self._stops: frozenset[int] = frozenset()  # where code leads out of what is being run through, until it has
        self._blind: frozenset[int] = frozenset()  # and its instructions of which only running them tells where to
        place = session.place()
        self._thread = Thread.of(place, session.cr3)
        self._esp = place.registers[Gpr.ESP]
        first = self._innermost(place)
        self._base = first.base
        self._line = place.code.line_at(place.registers[EIP])
        self._in_line = len([scope for scope in first.scopes if scope.depth])
        self._function = first.scopes[-1].ranges if first.scopes else ()
        self.whole = kind is not StepKind.OVER or self._comes_back(place)
        if kind in (StepKind.OUT, StepKind.LINE_OUT) and not (kind is StepKind.LINE_OUT and self._in_line):
            self._leave(place)

    # -- running

    def go(self) -> StopReason:
        """BUDGET when it has arrived; REQUESTED when it was interrupted and may be taken up again; or why it ended."""
        while not self.arrived:
            place = self._session.place()
            reason = self._move(place)
            if reason is not StopReason.BUDGET:
                return reason
        return StopReason.BUDGET

    def _move(self, place: Place) -> StopReason:
        """One run to the next stop, and what it means. BUDGET: go on (or arrived)."""
        if self._back is not None:
            return self._run_back(self._back)
        if self.kind is StepKind.OVER:
            reason = self._session.step()
            self.arrived = reason is StopReason.BUDGET
            return reason
        if self.kind is StepKind.OUT or (self.kind is StepKind.LINE_OUT and not self._in_line):
            return self._run_to_return(place)
        if not self._stops and not self._blind:
            first = self._innermost(place)
            if first.base is None or self._base is None or not first.scopes:
                return self._walk(place)
            self._plan(place, self._ranges(place, first))
        return self._run_through()

    def _run(self, stops: Iterable[int]) -> StopReason:
        """To one of the stops: BUDGET. Anything else that stopped the CPU is told as it is."""
        wanted = frozenset(stops)
        reason = self._session.run_to_any(wanted, leave=self._looked)
        self._looked = reason is not StopReason.REQUESTED
        if reason in (StopReason.BREAKPOINT, StopReason.REQUESTED):
            if self._session.at_breakpoint:
                return reason  # the person's own: it ends any step
            if self._session.pc in wanted:
                self._looked = True
                return StopReason.BUDGET
        return reason

    def _run_one(self) -> StopReason:
        """One instruction: BUDGET, unless it leads to a breakpoint or something stops it."""
        reason = self._session.step()
        self._looked = True
        if self._session.selected != self._vm:  # the scheduler gave the CPU to another VM just then
            self._session.select(self._vm)
        at_breakpoint = reason is StopReason.BUDGET and self._session.at_breakpoint
        return StopReason.BREAKPOINT if at_breakpoint else reason

    def _run_back(self, back: Target) -> StopReason:
        reason = self._run({back.address})
        if reason is StopReason.BUDGET and back.is_at(self._session.place(), self._session.cr3):
            self._back = None
            if self._ends_back:
                self.arrived = True
            elif self.kind in (StepKind.LINE_INTO, StepKind.LINE_OVER):
                self._judge()
        return reason

    # -- a line, or code in line, of a function whose frames are described

    def _run_through(self) -> StopReason:
        blind = self._blind
        reason = self._run(self._stops | blind)
        if reason is not StopReason.BUDGET:
            return reason
        here = self._session.place()
        pc = here.registers[EIP]
        frame = self._innermost(here)
        if Thread.of(here, self._session.cr3) == self._thread and frame.base == self._base:
            self._stops = self._blind = frozenset()
            if pc in blind:
                return self._single(here)
            self._judge()
        elif self.kind is StepKind.LINE_INTO and self._called_by_me(here):
            self._enter(here)
        return reason

    def _ranges(self, place: Place, first: Activation) -> list[tuple[int, int]]:
        """The addresses to run through: the line's in this function, or the innermost function's in line."""
        if self.kind is StepKind.LINE_OUT:
            return list(first.scopes[0].ranges)
        code = place.code
        pc = place.registers[EIP]
        line = code.line_at(pc)
        found: list[tuple[int, int]] = []
        for start, stop in first.scopes[-1].ranges:
            inside = [*code.starts[bisect_left(code.starts, start) : bisect_left(code.starts, stop)], stop]
            found += [(at, end) for at, end in pairwise(inside) if code.lines[at] == line]
        return found or [(pc, pc + 1)]

    def _plan(self, place: Place, ranges: list[tuple[int, int]]) -> None:
        """Find where code in `ranges` leads out of them."""
        stops: set[int] = set()
        blind: set[int] = set()

        def inside(address: int) -> bool:
            return any(start <= address < stop for start, stop in ranges)

        for start, stop in ranges:
            at = start
            while at < stop:
                instruction = self._decode(place, at)
                if not instruction:
                    break
                flow, after = instruction.flow_control, at + instruction.len
                if flow in BLIND:
                    blind.add(at)
                elif flow in JUMPS and not inside(_aim(instruction)):
                    stops.add(_aim(instruction))
                elif self.kind is StepKind.LINE_INTO and _calls(instruction):
                    if flow is not FlowControl.CALL:
                        blind.add(at)
                    elif place.code.line_at(_aim(instruction)) is not None:
                        stops.add(_aim(instruction))
                at = after
            if not inside(at):
                stops.add(at)
        self._stops, self._blind = frozenset(stops - blind), frozenset(blind)

    def _single(self, place: Place) -> StopReason:
        """Run the instruction at hand alone, however many interrupts come before it, and see where it led."""
        instruction = self._decode(place, place.registers[EIP])
        reason = self._run_one()
        if reason is not StopReason.BUDGET or self._interrupted(place):
            return reason
        if instruction is not None and instruction.flow_control is FlowControl.RETURN:
            self.arrived = True
        else:
            self._landed(place, instruction)
        return reason

    def _landed(self, before: Place, instruction: Instruction | None) -> None:
        """One instruction has run: where did it lead?"""
        here = self._session.place()
        line = here.code.line_at(here.registers[EIP])
        if instruction is None or not _calls(instruction):
            if self._base is None or self._innermost(here).base is None:
                self.arrived = line is None or line != self._line
            else:
                self._judge()
        elif line is not None:
            self._enter(here)
        else:  # into a function without source: take it whole
            after = before.registers[EIP] + instruction.len
            self._back, self._ends_back = Target(after, before.registers[Gpr.ESP], self._thread), False

    def _interrupted(self, before: Place) -> bool:
        """Did something interrupt the single instruction that was to run? Then let it pass, and come back."""
        pc, esp = before.registers[EIP], before.registers[Gpr.ESP]
        if self._session.last_pc == pc:
            return False
        self._back, self._ends_back = Target(pc, esp, self._thread), False
        return True

    def _called_by_me(self, place: Place) -> bool:
        stack = self._session.unwinder.activations(place)
        next(stack, None)
        caller = next(stack, None)
        return caller is not None and caller.base == self._base and Thread.of(place, self._session.cr3) == self._thread

    def _enter(self, place: Place) -> None:
        """In a function that was called: on to its first line after the instructions that make its frame."""
        pc = place.registers[EIP]
        first = self._innermost(place)
        within = [at for at in place.code.starts if at > pc and first.scopes and first.scopes[-1].covers(at)]
        if first.base is None or not within or first.scopes[-1].ranges[0][0] != pc:
            self.arrived = True
            return
        esp = place.registers[Gpr.ESP] - REACH + 4  # its frame lies a little below
        self._back, self._ends_back = Target(within[0], esp, Thread.of(place, self._session.cr3)), True

    def _judge(self) -> None:
        """The frame is the step's own: is this another line?"""
        place = self._session.place()
        pc = place.registers[EIP]
        first = self._innermost(place)
        in_line = len([scope for scope in first.scopes if scope.depth])
        if self.kind is StepKind.LINE_OUT:
            self.arrived = in_line < self._in_line
            return
        function = first.scopes[-1].ranges if first.scopes else ()
        if function != self._function and first.base == self._base and self.kind is StepKind.LINE_OVER:
            self._leave(place)  # the function's last call was made a jump
            return
        deeper = self.kind is StepKind.LINE_OVER and in_line > self._in_line
        line = place.code.line_at(pc)
        self.arrived = line != self._line and not deeper and (line is None or pc in place.code.lines)

    def _comes_back(self, place: Place) -> bool:
        """Does the instruction at hand lead away and come back, or repeat itself? Then it will be taken whole."""
        pc = place.registers[EIP]
        instruction = self._decode(place, pc)
        if instruction is None or not (
            _calls(instruction) or instruction.has_rep_prefix or instruction.has_repne_prefix
        ):
            return False
        self._back, self._ends_back = Target(pc + instruction.len, place.registers[Gpr.ESP], self._thread), True
        return True

    # -- leaving a function

    def _leave(self, place: Place) -> None:
        """Where it returns to, if its frame is described."""
        first = self._innermost(place)
        caller = first.row.caller(first.registers, place.word) if first.row is not None else None
        if caller is not None and place.code.holds(caller[EIP]):
            ring = caller.get(CS, 0) & 3
            thread = Thread(ring, self._session.cr3 if ring == 3 else 0)
            self._back, self._ends_back = Target(caller[EIP], caller[Gpr.ESP], thread), True

    def _run_to_return(self, place: Place) -> StopReason:
        """No description: to whichever of the returns that can be reached from here is reached on this stack."""
        if not self._blind:
            self._blind = frozenset(self._returns(place))
        reason = self._run(self._blind)
        if reason is not StopReason.BUDGET:
            return reason
        here = self._session.place()
        mine = Thread.of(here, self._session.cr3) == self._thread
        if not mine or not self._esp <= here.registers[Gpr.ESP] < self._esp + REACH:
            return reason
        pc = here.registers[EIP]
        instruction = self._decode(here, pc)
        reason = self._run_one()
        if reason is StopReason.BUDGET and not self._interrupted(here):
            self._blind = frozenset()
            self.arrived = instruction is not None and instruction.flow_control is FlowControl.RETURN
        return reason

    def _returns(self, place: Place) -> set[int]:
        found: set[int] = set()
        seen: set[int] = set()
        ahead = [place.registers[EIP]]
        while ahead and len(seen) < MOST_CODE:
            at = ahead.pop()
            instruction = None if at in seen else self._decode(place, at)
            seen.add(at)
            if instruction is None:
                continue
            flow = instruction.flow_control
            if flow in BLIND:
                found.add(at)
            elif flow in JUMPS:
                ahead.append(_aim(instruction))
            if flow not in (*BLIND, FlowControl.UNCONDITIONAL_BRANCH):
                ahead.append(at + instruction.len)
        return found

    # -- without descriptions

    def _walk(self, place: Place) -> StopReason:
        """One instruction; stepping over, a call whole."""
        pc = place.registers[EIP]
        instruction = self._decode(place, pc)
        if self.kind is StepKind.LINE_OVER and self._comes_back(place):
            self._ends_back = False
            return StopReason.BUDGET
        reason = self._run_one()
        if reason is StopReason.BUDGET and not self._interrupted(place):
            self._landed(place, instruction)
        return reason

    # -- looking

    def _innermost(self, place: Place) -> Activation:
        return next(self._session.unwinder.activations(place))

    def _decode(self, place: Place, at: int) -> Instruction | None:
        code = place.read(at, LONGEST) or place.read(at, max(1, min(LONGEST, 0x1000 - at % 0x1000)))
        instruction = decode(code, at, self._session.code_bits) if code else None
        return instruction if instruction else None


def _aim(instruction: Instruction) -> int:
    return int(instruction.near_branch_target) & 0xFFFF_FFFF


def _calls(instruction: Instruction) -> bool:
    return instruction.flow_control in CALLS or instruction.mnemonic in FAST_CALLS
