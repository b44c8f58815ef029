"""The call stack: which functions have been entered and not yet left, with their arguments, read from guest memory.

Followed by call frame information where the image has some, else by the frame pointer where a function's own first
instructions have set it up; where neither is so the stack ends, because the rest would be guessed. From the kernel into
the interrupted program it goes by what the kernel's entry code says of the frame that an interrupt pushes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.addresses import PAGE_SIZE
from core.call_frame import Argument, CallFrame
from core.cpu.context import Gpr
from core.events import Ring
from core.guests.dwarf_place import FrameContext, Operation, ReadBytes, address_of, evaluate
from core.guests.elf import EMBEDDED
from core.guests.functions import DebugInfo, Parameter, Scope, ValueType
from core.guests.image import Program
from core.guests.unwind import CS, EIP, Registers, UnwindRow

DEEPEST = 64
EBP_ITSELF = (Operation("DW_OP_reg5"),)
LONGEST_TEXT = 24
PROLOGUES = (b"\x55\x89\xe5", b"\x55\x8b\xec")  # push ebp; mov ebp, esp
RETURNS = (0xC2, 0xC3)
LARGE = 1_000_000  # from here on an unsigned number is written as an address

_AT_ENTRY = UnwindRow(0, Gpr.ESP, 4, {EIP: -4})
_PUSHED = UnwindRow(0, Gpr.ESP, 8, {EIP: -4, Gpr.EBP: -8})
_FRAMED = UnwindRow(0, Gpr.EBP, 8, {EIP: -4, Gpr.EBP: -8})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a guest is: its registers (EIP linear, the privilege it believes in CS), its memory, its code.

    `code` is the guest's as the present address space shows it. `kernel_stack` (start, stop) is where the interrupted
    registers of the process lie whose address space this is, if that is known; of another the memory is not in sight.
    """

    registers: Registers
    read: ReadBytes
    code: Program
    ring: Ring
    kernel_stack: tuple[int, int] | None = None

    @property
    def user(self) -> str:
        """The program whose code is in sight, if any."""
        return self.code.user

    def word(self, address: int) -> int | None:
        """The 32-bit word at a linear address."""
        data = self.read(address, 4)
        return None if data is None else int.from_bytes(data, "little")


@dataclass(frozen=True, slots=True)
class Activation:
    """One frame on the way out: its registers, where they are looked up, how it goes on, what stands in line there.

    `lookup` is an address inside the instruction that called, or the next one of the innermost and interrupted frames.
    """

    registers: Registers
    lookup: int
    row: UnwindRow | None
    base: int | None
    scopes: tuple[Scope, ...]
    interrupted: bool
    framed: int | None = None  # how far the base is from EBP, once the function has set it up


class Unwinder:
    """Follows the call stacks of one guest and its programs; reads their debug information when first asked."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[str, DebugInfo] = {}

    def debug_info(self, user: str = "") -> DebugInfo:
        """What the guest's image, or that of its program `user`, says of its functions."""
        if user not in self._known:
            self._known[user] = DebugInfo(self._image(user))
        return self._known[user]

    def _image(self, user: str) -> bytes:
        program = self._program
        if not user:
            return program.image
        address = program.symbols.get(EMBEDDED + user, -1)
        inside = (one for one in program.segments if one.address <= address < one.address + len(one.data))
        return next((one.data[address - one.address :] for one in inside), b"")

    def program_of(self, place: Place, address: int) -> str:
        """The program that `address` belongs to; empty for the guest's kernel."""
        user = self._program.programs.get(place.user)
        return place.user if user is not None and user.holds(address) else ""

    def activations(self, place: Place) -> Iterator[Activation]:
        """The frames of `place`, innermost first, as far as they can be followed for certain."""
        registers, interrupted, innermost = place.registers, True, True
        for _ in range(DEEPEST):
            pc = registers[EIP]
            lookup = pc if interrupted else pc - 1
            info = self.debug_info(self.program_of(place, lookup))
            row = info.unwind.at(lookup) if info.unwind is not None else None
            row = row or _by_instructions(place, lookup, innermost)
            base = row.base(registers) if row is not None else None
            scopes = tuple(info.scopes_at(lookup))
            framed = info.unwind.framed(*scopes[-1].ranges[0], Gpr.EBP) if info.unwind and scopes else None
            yield Activation(registers, lookup, row, base, scopes, interrupted and not innermost, framed)
            caller = row.caller(registers, place.word) if row is not None else None
            if caller is None or row is None or not place.code.holds(caller[EIP] - (not row.by_interrupt)):
                return
            if row.by_interrupt and not self._in_sight(place, registers, caller, base or 0):
                return
            if not row.by_interrupt and caller[Gpr.ESP] <= registers.get(Gpr.ESP, 0):
                return  # a stack that does not lead outward
            registers, interrupted, innermost = caller, row.by_interrupt, False

    @staticmethod
    def _in_sight(place: Place, registers: Registers, caller: Registers, base: int) -> bool:
        """Is the memory of whoever was interrupted the one that the page tables show now?"""
        crosses = caller.get(CS, 0) & 3 != registers.get(CS, 0) & 3
        return not crosses or place.kernel_stack is None or place.kernel_stack[0] < base <= place.kernel_stack[1]

    def frames(self, place: Place) -> tuple[CallFrame, ...]:
        """The call stack, innermost first."""
        found: list[CallFrame] = []
        for each in self.activations(place):
            found += self._frames(place, each)
        return tuple(found)

    def _frames(self, place: Place, activation: Activation) -> Iterator[CallFrame]:
        registers, lookup = activation.registers, activation.lookup
        same_ring = registers.get(CS, 0) & 3 == place.registers.get(CS, 0) & 3
        ring = place.ring if same_ring else Ring(registers.get(CS, 0) & 3)
        program = self.program_of(place, lookup)
        where = place.code.line_at(lookup)
        name, _ = place.code.symbol_at(lookup)
        for scope in activation.scopes or (None,):
            yield CallFrame(
                function=scope.name if scope is not None else name.removeprefix(f"{program}!"),
                arguments=tuple(_arguments(scope, activation, place)) if scope is not None else (),
                address=registers[EIP],
                file=where[0] if where is not None else "",
                line=where[1] if where is not None else 0,
                ring=ring,
                program=program,
                inlined=scope is not None and scope.depth > 0,
                interrupted=activation.interrupted,
                base=activation.base or 0,
            )
            where = scope.call if scope is not None else None


def _by_instructions(place: Place, address: int, innermost: bool) -> UnwindRow | None:
    """Without call frame information: what the function's own instructions say for certain."""
    at = place.read(address, 1) if innermost else None
    if at is not None and at[0] in RETURNS:
        return _AT_ENTRY  # a return takes its address from the top of the stack
    _, distance = place.code.symbol_at(address)
    if place.read(address - distance, 3) not in PROLOGUES:
        return None
    if not innermost or distance >= 3:
        return _FRAMED
    return _AT_ENTRY if distance == 0 else _PUSHED


def _frame_base(scope: Scope, activation: Activation, place: Place) -> int | None:
    """What the scope's locations count from: mostly EBP, which at the function's first and last instructions is still,
    or again, its caller's; then by what the call frame information says of the instructions between."""
    if scope.frame_base == EBP_ITSELF and activation.row is not None and activation.row.register != Gpr.EBP:
        return None if activation.base is None or activation.framed is None else activation.base - activation.framed
    return address_of(scope.frame_base, FrameContext(activation.registers, activation.base, None, place.read))


def _arguments(scope: Scope, activation: Activation, place: Place) -> Iterator[Argument]:
    frame = FrameContext(activation.registers, activation.base, _frame_base(scope, activation, place), place.read)
    for parameter in scope.parameters:
        value = _value(parameter, frame, activation.lookup)
        if parameter.name and value is not None:
            yield Argument(parameter.name, _spelled(value, parameter.type, place))


def _value(parameter: Parameter, frame: FrameContext, address: int) -> int | None:
    if parameter.constant is not None:
        return parameter.constant & (1 << 8 * parameter.type.size) - 1
    expression = parameter.place_at(address)
    if expression is None or parameter.type.size > 8:
        return None
    return evaluate(expression, frame, parameter.type.size)


def _spelled(value: int, kind: ValueType, place: Place) -> str:
    if kind.names:
        return dict(kind.names).get(value, str(value))
    if kind.boolean:
        return "true" if value else "false"
    if kind.pointer:
        return f"{value:#010x}{_text(value, place) if kind.text else ''}" if value else "0"
    if kind.signed:
        return str(value - (1 << 8 * kind.size) if value >> 8 * kind.size - 1 else value)
    return str(value) if value < LARGE else f"{value:#010x}"


def _text(address: int, place: Place) -> str:
    """What a string begins with, in quotation marks; nothing where it cannot be read."""
    room = min(LONGEST_TEXT + 1, PAGE_SIZE - address % PAGE_SIZE)
    letters = place.read(address, room) or b""
    if room <= LONGEST_TEXT and b"\0" not in letters:
        letters += place.read(address + room, LONGEST_TEXT + 1 - room) or b""
    if not letters:
        return ""
    letters = letters.split(b"\0", 1)[0]
    shown = letters[:LONGEST_TEXT].decode("ascii", "backslashreplace").replace("\n", "\\n")
    return f' "{shown}"' + ("…" if len(letters) > LONGEST_TEXT else "")
