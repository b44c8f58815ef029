"""The second walk of nested paging: a guest-physical address through the hypervisor's nested table.

The CPU walks the guest's own tables, and sends every guest-physical address it meets on the way through this one: those
of the guest's tables, and the one that comes out. `nested_walk` is of that last one, `two_dimensional` of all: for g
levels of the guest's and n nested ones it reads (g + 1)(n + 1) - 1 entries. One that is missing or too narrow is a
nested page fault, an exit that the guest never sees (AMD APM vol. 2 §15.25).
"""

from __future__ import annotations

from dataclasses import replace

from core.addresses import PAGE_MASK, PAGE_SHIFT, GuestPhysical
from core.looks import Attempt, Reference, Space, TableEntry, TableWalk
from core.memory.nested import LARGE_SHIFT, LEAF_MASK, NestedEntry, NestedPager
from core.memory.walk import LARGE, PRESENT, WRITABLE

TITLE = "Nested tables"
NOTE = (
    "The hypervisor's: the CPU sends every guest-physical address through them, those of the guest's own tables too. "
    "Here is the walk of the address that came out of those."
)
MISSING = "Not in the nested table yet: the next access is a nested page fault, and the hypervisor fills it in."
CLOSED = "Closed to writing by the hypervisor, although the guest may write: it wants to see each write."
ONE_PIECE = "Two megabytes at once: the VM's frames lie side by side here."
FAULT = "#NPF"
NOT_PRESENT = "the nested entry is not present (P = 0)"
READ_ONLY = "the nested entry is read-only (R/W = 0)"
WRITE = 2  # bit of the error code
USERS = 4  # nested accesses are always checked as a user's
LEVEL_NAMES = {2: "directory", 1: "table"}
SHIFTS = {3: 30, 2: LARGE_SHIFT, 1: PAGE_SHIFT}


def nested_walk(pager: NestedPager, guest: TableWalk) -> tuple[TableWalk, ...]:
    """The walk of the address in which `guest` ends; none if it ends nowhere."""
    if guest.reached is None:
        return ()
    address = GuestPhysical(guest.reached)
    found = pager.walk(address)
    last = found[-1]
    present = bool(last.value & PRESENT)
    mask = PAGE_MASK if last.level == 1 else (1 << SHIFTS[last.level]) - 1
    reached = (last.value & LEAF_MASK & ~mask | address & mask) if present else None
    entries = tuple(_entry(each, address) for each in found)
    if not present:
        entries = (*entries[:-1], replace(entries[-1], remark=MISSING, lags=True))
    elif not last.value & WRITABLE:
        entries = (*entries[:-1], replace(entries[-1], remark=CLOSED, lags=True))
    elif last.value & LARGE:
        entries = (*entries[:-1], replace(entries[-1], remark=ONE_PIECE))
    attempts = tuple(_attempt(last, write, user) for user in (False, True) for write in (False, True))
    return (TableWalk(TITLE, NOTE, Space.HOST, Space.HOST, True, pager.root, entries, reached, attempts, FAULT),)


def two_dimensional(pager: NestedPager, guest: TableWalk) -> tuple[Reference, ...]:
    """Every entry that the CPU reads for the address of `guest`, in order, as far as it comes."""
    found: list[Reference] = []
    for entry in guest.entries:
        name = LEVEL_NAMES[entry.level]
        if not _translated(pager, entry.address, f"where the guest's {name} entry stands", found):
            return tuple(found)
        found.append(Reference(0, replace(entry, remark=f"Now the guest's {name} entry itself can be read.")))
    if guest.reached is not None:
        _translated(pager, guest.reached, "which the guest's tables have given", found)
    return tuple(found)


def _translated(pager: NestedPager, address: int, what: str, found: list[Reference]) -> bool:
    """Append the walk of guest-physical `address`; does it come to an end?"""
    entries = pager.walk(GuestPhysical(address))
    for each in entries:
        words = f"To find guest-physical {address:#010x}, {what}."
        if not each.value & PRESENT:
            words += " The walk ends here: a nested page fault."
        found.append(Reference(1, replace(_entry(each, GuestPhysical(address)), remark=words)))
    return bool(entries[-1].value & PRESENT)


def _entry(entry: NestedEntry, address: GuestPhysical) -> TableEntry:
    index = address >> SHIFTS[entry.level] & 0x1FF
    return TableEntry(entry.level, index, entry.address, entry.value, wide=True)


def _attempt(last: NestedEntry, write: bool, user: bool) -> Attempt:
    code = write * WRITE | USERS
    if not last.value & PRESENT:
        return Attempt(write, user, code, NOT_PRESENT)
    if write and not last.value & WRITABLE:
        return Attempt(write, user, code | PRESENT, READ_ONLY)
    return Attempt(write, user, None, "")
