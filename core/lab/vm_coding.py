"""A VM at an instant as records, and records, judged, as a VM at an instant.

Memory lies in pieces of 256 KiB, each a blob of its own, so that snapshots of one VM share what they have alike. What
is read is judged before any VM is made of it: a processor state that the emulated CPU could not hold, a device in a
state that it cannot be in, pages that are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from core.addresses import PAGE_SIZE
from core.cpu.virtual_cpu import VirtualCpu
from core.devices.disk_image import DiskImage
from core.devices.pc import Pc
from core.errors import LabError
from core.events import End
from core.lab.acts import MEND
from core.lab.plain import tree_of, value_of
from core.lab.vm_records import DiskRecord, ModuleRecord, ProgramRecord, SnapshotRecord
from core.vm import LEAST_MEMORY
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kind_named
from core.vmm.own_state import OwnState

PIECE_PAGES = 64
PIECE = PIECE_PAGES * PAGE_SIZE
ZEROES = bytes(PAGE_SIZE)
LARGEST_MEMORY = 1 << 30


def snapshot_bytes(
    snapshot: VmSnapshot, keep: Callable[[bytes], str], program: ProgramRecord, disk: DiskRecord | None,
    modules: tuple[ModuleRecord, ...],
) -> bytes:  # fmt: skip
    """It as a blob, which names others that `keep` was given; the same snapshot always gives the same bytes."""
    record = SnapshotRecord(
        letter=snapshot.letter,
        kind=snapshot.kind,
        memory=snapshot.memory,
        command_line=snapshot.command_line,
        program=program,
        disk=disk,
        modules=modules,
        executed=snapshot.executed,
        idle=snapshot.idle,
        halted=snapshot.halted,
        interrupted=snapshot.interrupted,
        end=tree_of(snapshot.end),
        cpu=tree_of(snapshot.cpu),
        devices={name: tree_of(state) for name, state in sorted(snapshot.devices.items())},
        own=_own_tree(snapshot.own),
        ram=tuple(keep(piece) if piece else "" for piece in _pieces(snapshot)),
        console=keep(snapshot.console),
    )
    return record.model_dump_json().encode()


def _pieces(snapshot: VmSnapshot) -> Iterable[bytes]:
    """The memory piece by piece; one that is all zero is empty."""
    ram = snapshot.ram
    for first in range(0, snapshot.pages, PIECE_PAGES):
        numbers = range(first, min(first + PIECE_PAGES, snapshot.pages))
        yield b"".join(ram.get(number, ZEROES) for number in numbers) if any(each in ram for each in numbers) else b""


def snapshot_record(data: bytes) -> SnapshotRecord:
    """The record that a blob holds; a LabError if it holds none."""
    try:
        return SnapshotRecord.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise LabError(f"The snapshot of a VM is wrong at “{where}”: {first['msg']}.", MEND) from None
    except RecursionError:
        raise LabError("The snapshot of a VM is nested deeper than any.", MEND) from None


def snapshot_of(record: SnapshotRecord, fetch: Callable[[str], bytes], **made_of: Any) -> VmSnapshot:
    """The VM at an instant that the record tells of; `made_of`: its program, disk and modules, which were read."""
    kind_named(record.kind)
    disk: DiskImage | None = made_of["disk"]
    if record.memory % PAGE_SIZE or not LEAST_MEMORY <= record.memory <= LARGEST_MEMORY:
        raise LabError("The snapshot is of a VM with memory that none can have.", MEND)
    cpu: VirtualCpu = value_of(VirtualCpu, record.cpu)
    if not cpu.is_sound():
        raise LabError("The snapshot's processor is in a state that none can be in.", MEND)
    return VmSnapshot(
        letter=record.letter,
        kind=record.kind,
        memory=record.memory,
        command_line=record.command_line,
        executed=record.executed,
        idle=record.idle,
        halted=record.halted,
        interrupted=record.interrupted,
        end=value_of(End | None, record.end),
        cpu=cpu,
        ram=_pages(record, fetch),
        devices=_devices(record.devices, record.memory, disk, record.executed + record.idle),
        own=_own(record.own),
        console=fetch(record.console),
        **made_of,
    )


def _pages(record: SnapshotRecord, fetch: Callable[[str], bytes]) -> dict[int, bytes]:
    if len(record.ram) != -(-record.memory // PIECE):
        raise LabError("The snapshot's memory has another size than its VM.", MEND)
    found: dict[int, bytes] = {}
    for index, name in enumerate(record.ram):
        data = fetch(name) if name else b""
        if name and len(data) != min(PIECE, record.memory - index * PIECE):
            raise LabError("A piece of the snapshot's memory has another size than it should.", MEND)
        for at in range(0, len(data), PAGE_SIZE):
            page = data[at : at + PAGE_SIZE]
            if page != ZEROES:
                found[index * PIECE_PAGES + at // PAGE_SIZE] = page
    return found


def _devices(trees: Mapping[str, Any], memory: int, disk: DiskImage | None, now: int) -> dict[str, Any]:
    blank = Pc(
        clock=lambda: now, console=_ignore, on_exit=_ignore, on_interrupt=_ignore, memory=memory, disk=disk
    )  # fmt: skip
    known = {device.name: device for device in blank.bus.devices}
    if known.keys() != trees.keys():
        other = ", ".join(sorted(known.keys() ^ trees.keys()))
        raise LabError(
            f"The snapshot is of a computer with other devices ({other}).", "Use the Ringside that wrote it."
        )
    states = {name: value_of(type(known[name].state), tree) for name, tree in trees.items()}
    for name, state in states.items():
        if not known[name].is_sound(state):
            raise LabError(f"The snapshot's {name} is in a state that it cannot be in.", MEND)
    return states


def _own_tree(own: OwnState | None) -> Any:
    return None if own is None else {type(own).__name__: tree_of(own)}


def _own(tree: Any) -> OwnState | None:
    if tree is None:
        return None
    known = {each.__name__: each for each in get_args(OwnState)}
    if not isinstance(tree, dict) or len(tree) != 1 or not tree.keys() <= known.keys():
        raise LabError("The snapshot's guest has told its monitor something that no monitor knows.", MEND)
    ((name, inner),) = tree.items()
    own: OwnState = value_of(known[name], inner)
    return own


def _ignore(_value: int) -> None:
    """Nobody listens to a computer that is only looked at."""
