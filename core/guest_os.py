"""What goes on inside a guest operating system: its processes, read from its own memory by its own symbols.

The guest is never asked and never notices. Known so far is Pebble, recognised by its symbols; the layout of its records
comes from its debug information (`core.guests.structures`). An outsider who reads a guest so is what the literature
calls virtual machine introspection (Garfinkel & Rosenblum, NDSS 2003).
"""

from __future__ import annotations

from collections.abc import Callable

from core.guest_system import GuestProcess, GuestSystem
from core.guests.image import Program
from core.guests.structures import Types, types_of

SOURCE = "process.c"
PROCESS, STATE, UNUSED = "process", "state", "UNUSED"
ZOMBIE = "zombie"  # a process that has ended, and whose parent has not asked for its status yet
NAME_BYTES = 16
PROCESSES = 32  # records in its table
SYMBOLS = ("processes", "current", "ticks", "free_count")

Peek = Callable[[int, int], bytes | None]


def read_guest(program: Program, peek: Peek, cr3: int) -> GuestSystem | None:
    """What `peek(linear, size)` shows of the guest's system; None for a guest that has none that we know."""
    if not all(symbol in program.symbols for symbol in SYMBOLS):
        return None
    types = types_of(program.image, SOURCE)
    if types is None or PROCESS not in types.structures or STATE not in types.enumerations:
        return None
    layout = types.structures[PROCESS]
    base = program.symbols["processes"]
    table = peek(base, PROCESSES * layout.size)
    words = [peek(program.symbols[symbol], 4) for symbol in SYMBOLS[1:]]
    if table is None or any(word is None for word in words):
        return None
    current, ticks, free = (int.from_bytes(word or b"", "little") for word in words)
    records = [table[at : at + layout.size] for at in range(0, len(table) - layout.size + 1, layout.size)]
    pids = {base + n * layout.size: _word(record, layout.offsets["pid"]) for n, record in enumerate(records)}
    found = (
        _process(types, record, pids, current=base + n * layout.size == current, cr3=cr3)
        for n, record in enumerate(records)
    )
    return GuestSystem(tuple(process for process in found if process is not None), ticks, free)


def _word(record: bytes, offset: int) -> int:
    return int.from_bytes(record[offset : offset + 4], "little")


def _process(types: Types, record: bytes, pids: dict[int, int], *, current: bool, cr3: int) -> GuestProcess | None:
    at = types.structures[PROCESS].offsets
    states = types.enumerations[STATE]
    number = _word(record, at["state"])
    state = states[number] if number < len(states) else f"state {number}"
    if state == UNUSED:
        return None
    name = record[at["name"] : at["name"] + NAME_BYTES].split(b"\0", 1)[0].decode("ascii", "replace")
    directory = _word(record, at["directory"])
    return GuestProcess(
        pid=_word(record, at["pid"]),
        name=name,
        state=state.lower(),
        parent=pids.get(_word(record, at["parent"]), 0),
        directory=directory,
        runs=_word(record, at["runs"]),
        current=current,
        in_cr3=directory == cr3 & ~0xFFF,
        kernel_stack=_word(record, at["kernel_stack"]),
    )
