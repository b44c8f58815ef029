"""A walk through shadow page tables beside the guest's own: where they differ, and why that is right.

A shadow entry may be missing or hold less than the guest's: it is filled at the first access, made writable at the
first write (which sets the guest's dirty bit), and kept read-only where the page is traced. Each such difference ends
in a hidden page fault and never in a wrong access (Adams & Agesen, ASPLOS 2006, §2.4; Bugnion et al., TOCS 2012,
§5.3).
"""

from __future__ import annotations

from dataclasses import replace

from core.addresses import PAGE_MASK, GuestPhysical, GuestVirtual
from core.cpu.flags import CR0_PG, CR0_WP
from core.layout import MONITOR_BASE
from core.looks import Space, TableEntry, TableWalk
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.onlooker import HostWords, table_walk
from core.memory.shadow import ShadowPager
from core.memory.walk import DIRTY, PRESENT, USER, WRITABLE, Paging

TITLE = "Shadow tables"
NOTE = "What the CPU really walks: both steps in one, made by the monitor from the guest's tables as they are used."
NEVER_TOUCHED = "Not in the shadow yet: the next access behind it is a hidden page fault, and the monitor fills it in."
NOT_FILLED = "Not in the shadow yet: the next access to this page is a hidden page fault, and the monitor fills it in."
TAKEN_AWAY = "Not what the guest's tables say now: opened for one instruction, or about to be thrown away."
TRACED = "Read-only, although the guest may write: the page holds {what}, and the monitor wants to see each write."
NOT_DIRTY = "Read-only until the first write, so that the monitor can then set the guest's dirty bit (D)."
NOT_YET_WRITTEN = "Read-only since a trace of this page ended; the next write is a hidden page fault that opens it."
KERNEL_ONLY = "Closed to the guest's programs: its kernel writes here with CR0.WP off, which no entry grants to both."
HANGS = "Rights are full here; those of both guest entries together stand in the table entry."
PART_OF_LARGE = "One of 1024 small pages that stand for the guest's page of 4 MiB."
MONITORS = "The monitor's own region, the same in every address space: the guest cannot write it."


def shadow_walk(pager: ShadowPager, physical: GuestPhysicalMemory, linear: GuestVirtual, guest: TableWalk) -> TableWalk:
    """The walk that the CPU makes for `linear`, whose walk through the guest's tables is `guest`."""
    paging = Paging(CR0_PG | CR0_WP, pager.root, 0)
    found = table_walk(HostWords(physical.ram), paging, linear, TITLE, NOTE, (Space.HOST, Space.HOST))
    if linear >= MONITOR_BASE:
        return replace(found, entries=tuple(replace(entry, remark=MONITORS) for entry in found.entries))
    return replace(found, entries=tuple(_compared(entry, pager, physical, guest) for entry in found.entries))


def _compared(entry: TableEntry, pager: ShadowPager, physical: GuestPhysicalMemory, guest: TableWalk) -> TableEntry:
    if not entry.value & PRESENT:
        wanted = guest.reached is not None
        return replace(entry, remark=NEVER_TOUCHED if entry.level == 2 else NOT_FILLED, lags=True) if wanted else entry
    if entry.level == 2:
        return replace(entry, remark=HANGS)
    if guest.reached is None or guest.reached >= physical.size:
        return replace(entry, remark=TAKEN_AWAY, lags=True)
    page = GuestPhysical(guest.reached & ~PAGE_MASK)
    if entry.value & ~PAGE_MASK != physical.lies_at(page):
        return replace(entry, remark=TAKEN_AWAY, lags=True)
    remarks = _narrower(entry, pager, page, guest)
    large = PART_OF_LARGE if guest.paging and len(guest.entries) == 1 else ""
    return replace(entry, remark=" ".join([*remarks, large] if large else remarks), lags=bool(remarks))


def _narrower(entry: TableEntry, pager: ShadowPager, page: GuestPhysical, guest: TableWalk) -> list[str]:
    """What the guest's entries grant together and the shadow's does not."""
    rights = WRITABLE | USER
    for each in guest.entries:
        rights &= each.value
    remarks: list[str] = []
    if rights & WRITABLE and not entry.value & WRITABLE:
        if pager.is_traced(page):
            what = "a descriptor table" if page in pager.watched else "a page table"
            remarks.append(TRACED.format(what=what))
        elif not guest.entries or not guest.entries[-1].value & DIRTY:
            remarks.append(NOT_DIRTY)
        else:
            remarks.append(NOT_YET_WRITTEN)
    if rights & USER and not entry.value & USER:
        remarks.append(KERNEL_ONLY)
    return remarks
